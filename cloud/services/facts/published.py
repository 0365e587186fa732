"""Firmware a local controller publishes (OCPP 2.0.1 L03): told by its request, held by its checksum."""

from collections.abc import Sequence
from typing import Final

from cloud.services.inventory_ports import JobStep, Told
from cloud.services.ports import UnitOfWork
from contracts.events import InventoryEntry, InventoryKind, InventoryReported, JobKind

_PUBLISHED: Final = "Published"


def published(work: UnitOfWork, steps: Sequence[JobStep]) -> list[Told]:
    """Return what the steps say is held now; call once they are stored.

    The charger does not repeat the checksum: it is of the order, which the job has kept.
    """
    return [
        told
        for step in steps
        if step.fact.job is JobKind.PUBLISH_FIRMWARE
        and step.fact.status == _PUBLISHED
        and (told := _held(work, step)) is not None
    ]


def _held(work: UnitOfWork, step: JobStep) -> Told | None:
    fact = step.fact
    job = work.jobs.get(fact.charger_id, fact.job, fact.request_id)
    checksum = str(job.detail.get("checksum", "")) if job else ""
    if job is None or not checksum:
        return None
    kept = ("location", "published_at")
    body = {name: job.detail[name] for name in kept if name in job.detail}
    entry = InventoryEntry(key=checksum, body=body | {"request_id": fact.request_id})
    held = InventoryReported(
        charger_id=fact.charger_id,
        inventory=InventoryKind.FIRMWARE,
        entries=[entry],
        observed_at=fact.observed_at,
    )
    return Told(held, step.at)
