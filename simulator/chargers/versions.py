"""Which charger speaks which version."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from simulator.chargers.charger import Charger
from simulator.chargers.manners import Manners
from simulator.chargers.quirks import Quirk
from simulator.chargers.spec import Behaviour, ChargerSpec
from simulator.chargers.v16 import ChargerV16
from simulator.chargers.v21 import ChargerV21
from simulator.chargers.v201 import ChargerV201
from simulator.world import World

VERSIONS: Final[dict[str, type[Charger]]] = {
    "1.6": ChargerV16,
    "2.0.1": ChargerV201,
    "2.1": ChargerV21,
}


def build(
    world: World,
    spec: ChargerSpec,
    *,
    behaviour: Behaviour | None = None,
    manners: Manners | None = None,
    quirks: Sequence[Quirk] = (),
    clock_skew: timedelta = timedelta(0),
) -> Charger:
    """Return a charger of the version its spec names."""
    kind = VERSIONS[spec.version]
    return kind(
        world, spec, behaviour=behaviour, manners=manners, quirks=quirks, clock_skew=clock_skew
    )
