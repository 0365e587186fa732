"""Tokens for the sessions of test cases."""

from typing import Any
from uuid import uuid4

from tests.certification.post import Post


async def a_token(post: Post, **more: Any) -> str:
    """Return a card's number the cloud knows now, and no case had before."""
    token = uuid4().hex[:14].upper()
    await post.post_token(token, **more)
    return token


async def known_by_plan(post: Post, token: str, shown: dict[str, Any]) -> None:
    """Show a token until the station knows it by its plan, with all that was said of it."""

    async def so() -> bool:
        await post.call("Authorize", shown)
        facts = await post.facts("authorization_decided")
        return "plan" in [one["decided_by"] for one in facts if one["token"] == token]

    await post.until(so, f"{token} by the plan")
