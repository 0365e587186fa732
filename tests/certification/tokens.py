"""Tokens for the sessions of test cases."""

from typing import Any
from uuid import uuid4

from tests.certification.post import Post


async def a_token(post: Post, **more: Any) -> str:
    """Return a card's number the cloud knows now, and no case had before."""
    token = uuid4().hex[:14].upper()
    await post.post_token(token, **more)
    return token
