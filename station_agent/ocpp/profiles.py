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
    """The highest so far."""

    security_profile: int


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
        self._highest = {one: _DECODER.decode(body).security_profile for one, body in known}

    def at_least(self, credential: ChargerCredential | None) -> ChargerCredential | None:
        """Return what the plan says of a charger, with no less than it has come by."""
        if credential is None:
            return None
        highest = self._highest.get(credential.charger_id, 0)
        if highest <= credential.security_profile:
            return credential
        return msgspec.structs.replace(credential, security_profile=highest)

    def note(self, charger_id: ChargerId, security_profile: int) -> list[Kept]:
        """Note by which a charger came; returns what must be on disk before it is served."""
        if security_profile <= self._highest.get(charger_id, 0):
            return []
        self._highest[charger_id] = security_profile
        body = encode(ProfileUsed(security_profile=security_profile))
        return [Kept(_KIND, charger_id, body)]
