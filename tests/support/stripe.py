"""A Stripe on loopback: the few endpoints we use, in the shapes of its API reference (golden files).

Cards by payment method: `pm_declined`, `pm_insufficient`; `pm_gone` is not there. `faults` are taken one
for each request: a status to answer with instead, or `after` (do it, then break the connection).
"""

import copy
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.support.processes import ROOT

GOLDEN = ROOT / "tests" / "golden" / "stripe"
AFTER = "after"


def golden(name: str) -> dict[str, Any]:
    """Return a fresh copy of an object as Stripe sends it."""
    return json.loads((GOLDEN / f"{name}.json").read_text())


class Refusal(Exception):
    """An error in Stripe's shape."""

    def __init__(self, status: int, kind: str, **more: Any) -> None:
        super().__init__(kind)
        self.status = status
        self.body = golden(kind)
        self.body["error"] |= more


class FakeStripe:
    """Keeps intents, refunds and customers in memory, and answers for them."""

    def __init__(self) -> None:
        self.intents: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.customers: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, dict[str, str], dict[str, str]]] = []
        self.faults: list[int | str] = []
        self._answers: dict[str, tuple[int, dict[str, Any]]] = {}
        self._numbers = count(1)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(
        self, method: str, path: str, form: dict[str, str], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]] | None:
        """Return status and body; None: break the connection."""
        with self._lock:
            self.requests.append((method, path, form, headers))
            fault = self.faults.pop(0) if self.faults else None
            if isinstance(fault, int):
                return fault, {"error": {"type": "api_error", "message": "Something broke."}}
            key = headers.get("idempotency-key", "")
            # POSTs have one effect a key, refusals included (docs.stripe.com/api/idempotent_requests)
            if key and key in self._answers:
                answer = self._answers[key]
            else:
                answer = self._do(method, path, form)
                if key:
                    self._answers[key] = answer
            return None if fault == AFTER else answer

    def forget_keys(self) -> None:
        """Do as a day later."""
        self._answers.clear()

    def _do(self, method: str, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        noun, *rest = path.removeprefix("/v1/").split("/")
        name, verb = [*rest, "", ""][:2]
        # what is about one object, about its verb, or about all of them
        shape = (method, noun, "{id}" if name else "", verb)
        acts: dict[tuple[str, str, str, str], Callable[[], dict[str, Any]]] = {
            ("POST", "customers", "", ""): lambda: self._customer(form),
            ("GET", "payment_methods", "{id}", ""): lambda: self._method(name),
            ("POST", "payment_methods", "{id}", "detach"): lambda: self._method(name),
            ("POST", "payment_intents", "", ""): lambda: self._intend(form),
            ("GET", "payment_intents", "", ""): lambda: _list(self.intents, "customer", form),
            ("GET", "payment_intents", "{id}", ""): lambda: self.intents[name],
            ("POST", "payment_intents", "{id}", "capture"): lambda: self._capture(name, form),
            ("POST", "payment_intents", "{id}", "cancel"): lambda: self._cancel(name),
            ("POST", "refunds", "", ""): lambda: self._refund(form),
            ("GET", "refunds", "", ""): lambda: _list(self.refunds, "payment_intent", form),
        }
        try:
            return 200, acts[shape]()
        except Refusal as refusal:
            return refusal.status, refusal.body

    def _customer(self, form: dict[str, str]) -> dict[str, Any]:
        self._method(form["payment_method"])
        made = golden("customer") | {"id": f"cus_{next(self._numbers)}"}
        made["metadata"] = {"user": form["metadata[user]"]}
        self.customers[made["id"]] = made
        return made

    def _method(self, name: str) -> dict[str, Any]:
        if name == "pm_gone":
            raise Refusal(
                404,
                "invalid_request_error",
                code="resource_missing",
                message=f"No such PaymentMethod: '{name}'",
            )
        return golden("payment_method") | {"id": name}

    def _intend(self, form: dict[str, str]) -> dict[str, Any]:
        assert form["confirm"] == "true"
        assert form["off_session"] == "true"
        amount, is_manual = int(form["amount"]), form["capture_method"] == "manual"
        made = golden("payment_intent") | {
            "id": f"pi_{next(self._numbers)}",
            "amount": amount,
            "amount_capturable": amount if is_manual else 0,
            "amount_received": 0 if is_manual else amount,
            "capture_method": form["capture_method"],
            "currency": form["currency"],
            "customer": form["customer"],
            "payment_method": form["payment_method"],
            "metadata": _metadata(form),
            "status": "requires_capture" if is_manual else "succeeded",
        }
        self.intents[made["id"]] = made
        if form["payment_method"] == "pm_slow":
            made["status"] = "processing"
        if form["payment_method"] in {"pm_declined", "pm_insufficient"}:
            made |= {"status": "requires_payment_method", "amount_capturable": 0}
            error = golden("card_error")["error"]
            made["last_payment_error"] = error
            raise Refusal(402, "card_error", payment_intent=copy.deepcopy(made))
        return made

    def _capture(self, name: str, form: dict[str, str]) -> dict[str, Any]:
        intent = self.intents[name]
        if intent["status"] != "requires_capture":
            raise Refusal(400, "invalid_request_error")
        intent |= {
            "status": "succeeded",
            "amount_received": int(form["amount_to_capture"]),
            "amount_capturable": 0,
            "metadata": _metadata(form),
        }
        return intent

    def _cancel(self, name: str) -> dict[str, Any]:
        intent = self.intents[name]
        if intent["status"] in {"succeeded", "canceled"}:
            raise Refusal(400, "invalid_request_error")
        intent |= {"status": "canceled", "amount_capturable": 0}
        return intent

    def _refund(self, form: dict[str, str]) -> dict[str, Any]:
        intent = self.intents[form["payment_intent"]]
        amount = int(form["amount"])
        known = [one for one in self.refunds.values() if one["payment_intent"] == intent["id"]]
        if sum(one["amount"] for one in known) + amount > intent["amount_received"]:
            raise Refusal(
                400,
                "invalid_request_error",
                code="charge_already_refunded",
                message="The refund is greater than the unrefunded amount.",
            )
        made = golden("refund") | {
            "id": f"re_{next(self._numbers)}",
            "amount": amount,
            "payment_intent": intent["id"],
            "metadata": _metadata(form),
        }
        self.refunds[made["id"]] = made
        return made


def _list(objects: dict[str, Any], field: str, form: dict[str, str]) -> dict[str, Any]:
    found = [one for one in reversed(objects.values()) if one[field] == form[field]]
    return {"object": "list", "url": "/v1", "has_more": False, "data": found}


def _metadata(form: dict[str, str]) -> dict[str, str]:
    return {"step": form["metadata[step]"], "kind": form["metadata[kind]"]}


def _handler(stripe: FakeStripe) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            form = dict(parse_qsl(url.query) + parse_qsl(self.rfile.read(length).decode()))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = stripe.answer(self.command, url.path, form, headers)
            if answer is None:
                self.close_connection = True
                return
            status, body = answer
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    return Handler
