"""Sessions of a post under test, from both sides."""

from typing import Any

from simulator.journal import Kind
from tests.certification.post import Post


def events(post: Post) -> list[dict[str, Any]]:
    """Return the transaction events the charger sent, oldest first."""
    return post.sent("TransactionEvent")


async def on_evse(post: Post, evse_id: int = 1) -> dict[str, Any] | None:
    """Return the newest session the cloud knows of on an EVSE."""
    found = [one for one in await post.sessions() if one["evse_id"] == evse_id]
    return found[0] if found else None


async def begun(post: Post, evse_id: int = 1) -> dict[str, Any]:
    """Wait until the cloud shows a session there."""

    async def seen() -> dict[str, Any] | None:
        return await on_evse(post, evse_id)

    return await post.until(seen, f"a session on EVSE {evse_id}")


async def state_of(post: Post, state: str, evse_id: int = 1) -> dict[str, Any]:
    """Wait until the cloud shows the session there to be so."""

    async def seen() -> dict[str, Any] | None:
        session = await on_evse(post, evse_id)
        return session if session and session["state"] == state else None

    return await post.until(seen, f"the session on EVSE {evse_id} is {state}")


async def ended(post: Post, evse_id: int = 1) -> dict[str, Any]:
    """Wait until the cloud shows the session there to be over."""
    return await state_of(post, "ended", evse_id)


async def token_info(post: Post, trigger: str) -> dict[str, Any]:
    """Wait for the answer to the last event of a trigger that showed a token; return what it says."""

    def answered() -> dict[str, Any] | None:
        sent = {
            one.message_id
            for one in post.tape.of(Kind.SENT, "TransactionEvent")
            if one.body["triggerReason"] == trigger and "idToken" in one.body
        }
        found = [
            one.body
            for one in post.tape.of(Kind.ACKNOWLEDGED, "TransactionEvent")
            if one.message_id in sent
        ]
        return found[-1]["idTokenInfo"] if found else None

    return await post.until(answered, f"the answer to {trigger}")


async def samples(post: Post, session_id: str) -> list[dict[str, Any]]:
    """Return the readings the cloud keeps of a session, oldest first."""
    return (await post.get(f"/sessions/{session_id}"))["samples"]


async def signed_readings(post: Post, session_id: str) -> list[dict[str, Any]]:
    """Return what the cloud keeps of what a session's meter signed, oldest first."""
    return (await post.get(f"/sessions/{session_id}/signed-readings"))["signed_readings"]
