"""How they boot, and what their configuration says (QUIRKS 12-17)."""

from typing import Any, Final

from simulator.chargers.line import Payload
from simulator.chargers.manners import Said
from simulator.chargers.quirks.quirk import Quirk

_LOOPS: Final = 6
_NO_SUCH_CONNECTOR: Final = 7
_SAMPLED: Final = "MeterValuesSampledData"


def _reboot_if_early(charger: Any, action: str, payload: Payload) -> None:
    del action, payload
    if not charger.line.is_booted:
        charger.reset(is_hard=True)


def _reboot_if_configured(charger: Any, action: str, payload: Payload) -> None:
    asked = payload.get("key") or [_SAMPLED]
    if action in {"GetConfiguration", "ChangeConfiguration"} and _SAMPLED in asked:
        charger.reset(is_hard=True)


def _boot_in_a_loop(charger: Any, action: str, answer: Payload) -> None:
    del answer
    if action == "BootNotification" and charger.line.connections < _LOOPS:
        charger.reset(is_hard=True)


def _configuration(charger: Any, payload: Payload) -> dict[str, Payload]:
    answer = charger.answers["GetConfiguration"](charger, payload)
    return {one["key"]: one for one in answer["configurationKey"]}


def _odd_keys(charger: Any, action: str, payload: Payload) -> Payload | None:
    if action != "GetConfiguration" or payload.get("key"):
        return None
    known = _configuration(charger, payload)
    known.pop("SupportedFeatureProfiles")
    unit = known.pop("ChargingScheduleAllowedChargingRateUnit")
    odd = [
        unit | {"key": "chargingScheduleAllowedChargingRateUnit", "value": "W"},
        {"key": _SAMPLED, "readonly": False, "value": '"Power.Active.Import,Voltage,"'},
        {"key": "MeterValuesAlignedData", "readonly": False},
        {
            "key": "StopTxnSampledData",
            "readonly": False,
            "value": ("Energy.Active.Import.Register," * 20)[:500],
        },
        {"key": "LightIntensity", "readonly": True, "value": "Unknown"},
    ]
    kept = [one for key, one in known.items() if key not in {row["key"] for row in odd}]
    return {"configurationKey": kept + odd, "unknownKey": ["SupportedFeatureProfiles"]}


def _no_connector_count(charger: Any, action: str, payload: Payload) -> Payload | None:
    if action != "GetConfiguration":
        return None
    known = _configuration(charger, payload)
    known.pop("NumberOfConnectors", None)
    return {"configurationKey": list(known.values())}


def _one_connector_more(action: str, payload: Payload) -> list[Said]:
    if action != "StatusNotification" or payload.get("connectorId") != 1:
        return [(action, payload)]
    return [(action, payload), (action, payload | {"connectorId": _NO_SUCH_CONNECTOR})]


QUIRKS: Final[tuple[Quirk, ...]] = (
    Quirk("no_boot", "never sends BootNotification (12)", manners={"boots": False}),
    Quirk(
        "impatient_boot", "does not wait for boot's answer (13)", manners={"waits_for_boot": False}
    ),
    Quirk(
        "reboots_if_asked_early",
        "reboots when called before its boot is accepted (13)",
        answer=_reboot_if_early,
    ),
    Quirk(
        "reboots_if_configured",
        "reboots when MeterValuesSampledData is read or set (14)",
        answer=_reboot_if_configured,
    ),
    Quirk("boot_loop", "reboots as soon as it has booted, five times (15)", heard=_boot_in_a_loop),
    Quirk("odd_keys", "spells configuration keys and values its own way (16)", answer=_odd_keys),
    Quirk(
        "no_connector_count",
        "does not say how many connectors it has (17)",
        answer=_no_connector_count,
    ),
    Quirk("one_connector_more", "tells of a connector it has not (17)", retell=_one_connector_more),
)
