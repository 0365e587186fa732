"""`/receipts`: what was paid, for who paid it, who owns the station, and staff."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from cloud.api.auth import Anyone
from cloud.api.bodies import Cursor, IdPath, Language, Limit, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.receipt_papers import CONTENT_POLICY, CONTENT_TYPES
from cloud.services.receipt_views import ReceiptList, ReceiptView

router: Final = APIRouter(prefix="/api/v1/receipts", tags=["receipts"])


@router.get(
    "", operation_id="listReceipts", response_model=ReceiptList, responses=described(401, 422)
)
def list_receipts(
    request: Request, viewer: Anyone, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """List receipts, newest first: drivers' own, owners' stations', for staff all."""
    return ok(services_of(request).receipts.list(viewer, limit=limit, cursor=cursor))


@router.get(
    "/{receipt_id}.html",
    operation_id="getReceiptPage",
    response_class=Response,
    responses=described(401, 404, 422) | {200: {"content": {"text/html": {}}}},
)
def get_receipt_page(
    request: Request, receipt_id: IdPath, viewer: Anyone, lang: Language = "en"
) -> Response:
    """Return a receipt as a page to print or keep; it needs nothing else."""
    page = services_of(request).receipts.html(viewer, receipt_id, lang)
    headers = {"Content-Security-Policy": CONTENT_POLICY}
    return Response(page, headers=headers, media_type=CONTENT_TYPES["html"])


@router.get(
    "/{receipt_id}.pdf",
    operation_id="getReceiptPdf",
    response_class=Response,
    responses=described(401, 404, 422) | {200: {"content": {"application/pdf": {}}}},
)
def get_receipt_pdf(
    request: Request, receipt_id: IdPath, viewer: Anyone, lang: Language = "en"
) -> Response:
    """Return a receipt as PDF."""
    paper = services_of(request).receipts.pdf(viewer, receipt_id, lang)
    headers = {"Content-Disposition": f'inline; filename="receipt-{receipt_id}.pdf"'}
    return Response(paper, headers=headers, media_type=CONTENT_TYPES["pdf"])


@router.get(
    "/{receipt_id}",
    operation_id="getReceipt",
    response_model=ReceiptView,
    responses=described(401, 404),
)
def get_receipt(request: Request, receipt_id: IdPath, viewer: Anyone) -> Response:
    """Return a receipt, line by line."""
    return ok(services_of(request).receipts.get(viewer, receipt_id))
