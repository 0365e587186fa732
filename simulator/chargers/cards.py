"""What a charger remembers of tokens: what it was answered of them, their groups, and master passes."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Known:
    """A token, as it was last answered."""

    is_accepted: bool
    group: str = ""


@dataclass(slots=True)
class Cards:
    """The authorization cache (OCPP 2.0.1 C10-C12; 1.6 section 3.4.1)."""

    is_cached: bool = True
    """Whether answers are remembered."""
    asks_first: bool = True
    """False: a token the cache takes is not asked for (LocalPreAuthorize)."""
    master_group: str = ""
    """Whose group this is may end every session, and begin none (C16)."""
    can_be_cleared: bool = True
    _known: dict[str, Known] = field(default_factory=dict)
    _groups: dict[str, str] = field(default_factory=dict)

    def note(self, token: str, *, is_accepted: bool, group: str = "") -> None:
        """Remember an answer."""
        if group:
            self._groups[token.casefold()] = group.casefold()
        if self.is_cached:
            self._known[token.casefold()] = Known(is_accepted, group.casefold())

    def known(self, token: str) -> Known | None:
        """Return what the cache says of a token."""
        return self._known.get(token.casefold())

    def takes(self, token: str) -> bool:
        """Whether the token may charge without being asked for."""
        found = self.known(token)
        return not self.asks_first and found is not None and found.is_accepted

    def are_together(self, one: str, other: str) -> bool:
        """Whether two tokens are the same, or of one group."""
        first, second = one.casefold(), other.casefold()
        if first == second:
            return bool(first)
        group = self._groups.get(first, "")
        return bool(group) and group == self._groups.get(second)

    def has_group(self, token: str) -> bool:
        """Whether others may end what the token began."""
        return token.casefold() in self._groups

    def is_master(self, token: str) -> bool:
        """Whether the token is a master pass."""
        group = self._groups.get(token.casefold(), "")
        return bool(group) and group == self.master_group.casefold()

    def clear(self) -> bool:
        """Forget all; False: it cannot."""
        if self.can_be_cleared:
            self._known.clear()
        return self.can_be_cleared
