"""Webhooks out: CloudEvents 1.0 in JSON, signed as Standard Webhooks asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook

from cloud.adapters.messages.outbound import Outbound
from cloud.services.messages import Gone, NotSent
from cloud.services.webhook_endpoints import TEST, Delivery

_GONE: Final = 410
_AGENT: Final = "Baywatt-Webhooks/1"


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SignedWebhooks:
    """See WebhookSender. `source` names this house in events; `wall` is what receivers compare with."""

    outbound: Outbound
    source: str
    wall: Callable[[], datetime] = _utc_now

    def send(self, url: str, secrets_: Sequence[str], delivery: Delivery) -> None:
        """See WebhookSender.send."""
        body = self._event(delivery)
        at = self.wall()
        signatures = [
            Webhook(secret).sign(delivery.message_id, at, body.decode()) for secret in secrets_
        ]
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": _AGENT,
            "webhook-id": delivery.message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        answered = self.outbound.post(url, body, headers)
        if answered.status == _GONE:
            raise Gone("the endpoint says it is gone for good (410)")
        if not answered.is_success:
            raise NotSent(
                f"the endpoint answered {answered.status}", retry_after=answered.retry_after
            )

    def _event(self, delivery: Delivery) -> bytes:
        is_test = delivery.kind == TEST
        event = CloudEvent(
            {
                "id": delivery.message_id,
                "source": self.source,
                "type": "baywatt.test" if is_test else f"baywatt.notice.{delivery.kind}",
                "time": delivery.created_at,
                "subject": delivery.user_id,
                "datacontenttype": "application/json",
            },
            {
                **delivery.facts,
                "kind": delivery.kind,
                "subject": delivery.subject,
                "text": delivery.text,
            },
        )
        return JSONFormat().write(event)
