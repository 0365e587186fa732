"""The highest security profile each charger ever came by: it is never let in by less (FAULTS S03)."""

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from contracts.ids import ChargerId
from contracts.plan import ChargerCredential
from contracts.wire import Wire, encode
from station_agent.ports import Kept, Recorder

_KIND: Final = "security_profile"


class ProfileUsed(Wire, kw_only=True):
    """The highest so far, since the profile was set last."""

    security_profile: int
    generation: int = 0
    """As in the plan's credential."""

    @property
    def rank(self) -> tuple[int, int]:
        """Of two the one of the greater rank counts."""
        return self.generation, self.security_profile


_DECODER: Final = msgspec.json.Decoder(ProfileUsed)


class Memory(Recorder, Protocol):
    """The outbox, as far as profiles are concerned."""

    def kept(self, kind: str) -> Mapping[str, bytes]:
        """See Outbox.kept."""
        ...


class Profiles:
    """Knows before the cloud does, and while it is away."""

    def __init__(self, memory: Memory) -> None:
        known = memory.kept(_KIND).items()
        self._kept = {one: _DECODER.decode(body) for one, body in known}
        self._used = dict(self._kept)

    def at_least(self, credential: ChargerCredential | None) -> ChargerCredential | None:
        """Return what the plan says of a charger, with no less than it has come by since it was set."""
        if credential is None:
            return None
        used = self._used.get(credential.charger_id)
        if used is None or used.generation < credential.profile_generation:
            return credential
        if used.security_profile <= credential.security_profile:
            return credential
        return msgspec.structs.replace(credential, security_profile=used.security_profile)

    def note(self, charger_id: ChargerId, security_profile: int, generation: int) -> list[Kept]:
        """Note by which a charger came; returns what must be on disk before it is served.

        It counts from now on; until it is `noted` that it is on disk, each login returns it again.
        """
        came = ProfileUsed(security_profile=security_profile, generation=generation)
        used = max(came, self._used.get(charger_id, came), key=lambda one: one.rank)
        self._used[charger_id] = used
        kept = self._kept.get(charger_id)
        if kept is not None and kept.rank >= used.rank:
            return []
        return [Kept(_KIND, charger_id, encode(used))]

    def noted(self, charger_id: ChargerId) -> None:
        """Hear that what `note` returned last is on disk."""
        self._kept[charger_id] = self._used[charger_id]
