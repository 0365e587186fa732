"""`/transactions`: what your money did."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from cloud.api.auth import Anyone
from cloud.api.bodies import Cursor, Limit, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.ledger import TransactionList

router: Final = APIRouter(prefix="/api/v1", tags=["payments"])


@router.get(
    "/transactions",
    operation_id="listTransactions",
    response_model=TransactionList,
    responses=described(401, 422),
)
def list_transactions(
    request: Request, viewer: Anyone, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """List your transactions, newest first."""
    return ok(services_of(request).ledger.history(viewer, limit=limit, cursor=cursor))


@router.get(
    "/transactions.csv",
    operation_id="exportTransactions",
    response_class=Response,
    responses=described(401) | {200: {"content": {"text/csv": {}}, "description": "The table."}},
)
def export_transactions(request: Request, viewer: Anyone) -> Response:
    """Return your transactions as a table; cells no spreadsheet takes for formulas."""
    text = services_of(request).ledger.history_csv(viewer)
    headers = {"Content-Disposition": 'attachment; filename="transactions.csv"'}
    return Response(text, 200, headers, "text/csv; charset=utf-8")
