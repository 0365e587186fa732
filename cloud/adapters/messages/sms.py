"""Short messages, by whatever service Apprise knows: the setting is its address with `{to}` in it."""

from typing import Final
from urllib.parse import quote

from apprise import Apprise, NotifyBase

from cloud.services.fact_ports import Message
from cloud.services.messages import NotSent

_SOMEBODY: Final = "+441632960001"
"""A number nobody has (Ofcom keeps it for plays and films)."""


class AppriseSms:
    """See Channel: the recipient is a number in E.164."""

    def __init__(self, template: str) -> None:
        """Take an Apprise address: `{to}` becomes the number, `{id}` the message's id.

        Raises:
            ValueError: Apprise knows no such service; the text never repeats the address.
        """
        self._template = template
        if "{to}" not in template or self._service(_SOMEBODY, "test") is None:
            raise ValueError("CLOUD_SMS_URL is no Apprise address with {to} in it")

    def send(self, message: Message) -> str:
        """See Channel.send."""
        service = self._service(message.recipient, message.id)
        if service is None:
            raise NotSent("no service takes this number", is_final=True)
        if not service.notify(body=message.body, title=""):
            # which says why in the log, and nowhere else
            raise NotSent("the service did not take it")
        return ""

    def _service(self, to: str, message_id: str) -> NotifyBase | None:
        url = self._template.replace("{to}", quote(to, safe=""))
        made = Apprise.instantiate(url.replace("{id}", quote(message_id, safe="")))
        return made if isinstance(made, NotifyBase) else None
