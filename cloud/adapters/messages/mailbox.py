"""Where no server is set up, the mailbox page is all there is."""

from cloud.services.fact_ports import Message


class MailboxOnly:
    """See Channel: nothing leaves the house; the message stays to be read on the mailbox page."""

    def send(self, message: Message) -> str:
        """See Channel.send."""
        del message
        return "kept in the mailbox: no mail server is set up"
