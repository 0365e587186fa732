"""How users are told: a line for each channel."""

from email.utils import parseaddr
from functools import cached_property

from cloud.adapters.messages.mailbox import MailboxOnly
from cloud.adapters.messages.outbound import Outbound
from cloud.adapters.messages.push import WebPush, vapid_of
from cloud.adapters.secret_key import key_for
from cloud.domain.notices import Channel as Way
from cloud.services.messages import Channel, MessageService
from cloud.services.notices import Notices
from cloud.services.otps import Otps
from cloud.services.push_subscriptions import PushChannel
from cloud.services.webhook_endpoints import WebhookChannel
from cloud.wiring.broker import Broker


class Messages(Broker):
    """Reaches people and their programs."""

    @cached_property
    def telling(self) -> Notices:
        """Who tells users what happened."""
        has_sms = bool(self.settings.sms_url.get_secret_value()) or self.settings.show_mailbox
        return Notices(self.settings.public_url, has_sms=has_sms)

    @cached_property
    def otps(self) -> Otps:
        """One-time codes."""
        return Otps(key_for(self.secret, "otp"), has_sms=self.telling.has_sms)

    @cached_property
    def outbound(self) -> Outbound:
        """How requests that users ask for leave the house."""
        return Outbound(is_lab=self.settings.lab_allow_local_webhooks)

    @cached_property
    def web_push(self) -> WebPush:
        """Who speaks to browsers' push services."""
        settings = self.settings
        named = settings.vapid_private_key.get_secret_value()
        vapid = vapid_of(named, key_for(self.secret, "vapid"))
        return WebPush(self.outbound, vapid, f"mailto:{parseaddr(settings.mail_from)[1]}")

    @cached_property
    def messages(self) -> MessageService:
        """What is sent to people."""
        channels: dict[str, Channel] = {
            Way.MAIL: self._mail(),
            Way.SMS: self._sms(),
            Way.PUSH: PushChannel(self.open_work, self.clock, self.web_push),
        }
        return MessageService(self.open_work, self.clock, channels, but=Way.WEBHOOK)

    @cached_property
    def webhooks(self) -> MessageService:
        """What is sent to programs."""
        # of the four processes only the courier sends: the others start without its libraries
        from cloud.adapters.messages.webhooks import SignedWebhooks  # noqa: PLC0415

        sender = SignedWebhooks(self.outbound, self.settings.public_url)
        channel = WebhookChannel(self.open_work, self.clock, sender, self.telling)
        return MessageService(self.open_work, self.clock, {Way.WEBHOOK: channel}, only=Way.WEBHOOK)

    def _sms(self) -> Channel:
        template = self.settings.sms_url.get_secret_value()
        if not template:
            return MailboxOnly()
        from cloud.adapters.messages.sms import AppriseSms  # noqa: PLC0415

        return AppriseSms(template)

    def _mail(self) -> Channel:
        if not self.settings.smtp_url:
            return MailboxOnly()
        from cloud.adapters.messages.mail import SmtpMail, smtp_address  # noqa: PLC0415

        return SmtpMail(smtp_address(self.settings.smtp_url), self.settings.mail_from)
