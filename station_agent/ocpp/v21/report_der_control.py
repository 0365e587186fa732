"""ReportDERControl (OCPP 2.1, block R): a part of the grid controls a charger holds."""

from collections.abc import Sequence
from typing import Any

from contracts.events import InventoryKind, InventoryReported, JobKind, JobProgressed
from station_agent.ocpp.fields import Int32, Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.v21 import grid_controls

Controls = Sequence[dict[str, Any]]


class ReportDERControl(Payload, frozen=True):
    """Controls as the charger writes them, by kind."""

    requestId: Int32  # noqa: N815 - "fixedPFAbsorb" is no camel case of anything
    tbc: bool = False
    curve: Controls = ()
    enterService: Controls = ()  # noqa: N815
    fixedPFAbsorb: Controls = ()  # noqa: N815
    fixedPFInject: Controls = ()  # noqa: N815
    fixedVar: Controls = ()  # noqa: N815
    freqDroop: Controls = ()  # noqa: N815
    gradient: Controls = ()
    limitMaxDischarge: Controls = ()  # noqa: N815


def handle(request: ReportDERControl, context: Context) -> Outcome:
    """Keep the controls, and how far the report is.

    It never tells that there are no others: the report may be of some only.
    """
    fields = ("curve", *grid_controls.KINDS)
    told = [(field, one) for field in fields for one in getattr(request, field)]
    charger_id = context.charger.charger_id
    controls = InventoryReported(
        charger_id=charger_id,
        inventory=InventoryKind.GRID_CONTROL,
        entries=grid_controls.reported(told),
        observed_at=context.now,
    )
    progress = JobProgressed(
        charger_id=charger_id,
        job=JobKind.GRID_CONTROLS,
        request_id=request.requestId,
        status="Reporting" if request.tbc else "Reported",
        is_over=not request.tbc,
        observed_at=context.now,
    )
    return Outcome({}, (controls, progress) if told else (progress,))


ROUTE = Route(ReportDERControl, handle, answers=Answers.REMEMBERED)
