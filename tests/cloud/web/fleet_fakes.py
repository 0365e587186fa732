"""Fleet commands as the pages see them: one is under way, another waits for a second person."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cloud.domain.access import Viewer
from cloud.domain.errors import NotFound
from cloud.services.fleet import AskFleet
from cloud.services.fleet_views import (
    FleetCommandList,
    FleetCommandView,
    FleetProgress,
    FleetTargetList,
    FleetTargetView,
)
from cloud.services.idempotency import Once


@dataclass
class FakeFleet:
    """See Fleet: one request is under way and another waits for a second person."""

    house: Any
    """The FakeParts it belongs to."""
    asked: list[AskFleet] = field(default_factory=list)
    named: list[Once | None] = field(default_factory=list)
    """How each request named itself."""
    done: list[str] = field(default_factory=list)
    """What was done to which, in order: `pause f1`."""

    def issue(self, viewer: Viewer, ask: AskFleet, once: Once | None = None) -> FleetCommandView:
        """See Fleet.issue."""
        del viewer
        self.asked.append(ask)
        self.named.append(once)
        return self._command("f1")

    def get(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """See Fleet.get."""
        del viewer
        return self._command(fleet_command_id)

    def page(
        self, viewer: Viewer, *, limit: int = 50, cursor: str | None = None
    ) -> FleetCommandList:
        """See Fleet.page."""
        del viewer, limit
        both = [self._command("f1"), self._command("f2")]
        return FleetCommandList(fleet_commands=both, next_cursor=None if cursor else "more")

    def targets(
        self, viewer: Viewer, fleet_command_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> FleetTargetList:
        """See Fleet.targets."""
        del viewer, fleet_command_id, limit
        states = ("accepted", "timed_out", "queued", "untried")
        targets = [
            FleetTargetView(
                charger_id=f"DUNDEE-GREEN-{number:02}",
                station_id="dundee-greenmarket",
                wave=None if state == "untried" else 1,
                command_id=None if state == "untried" else f"c{number}",
                state=state,
            )
            for number, state in enumerate(states, 1)
        ]
        return FleetTargetList(targets=targets, next_cursor=None if cursor else "more")

    def approve(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """See Fleet.approve."""
        return self._do(viewer, "approve", fleet_command_id)

    def pause(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """See Fleet.pause."""
        return self._do(viewer, "pause", fleet_command_id)

    def resume(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """See Fleet.resume."""
        return self._do(viewer, "resume", fleet_command_id)

    def abort(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """See Fleet.abort."""
        return self._do(viewer, "abort", fleet_command_id)

    def _do(self, viewer: Viewer, step: str, fleet_command_id: str) -> FleetCommandView:
        del viewer
        if self.house.refusal is not None:
            raise self.house.refusal
        self.done.append(f"{step} {fleet_command_id}")
        return self._command(fleet_command_id)

    def _command(self, fleet_command_id: str) -> FleetCommandView:
        if fleet_command_id not in {"f1", "f2"}:
            raise NotFound(fleet_command_id)
        now = self.house.clock.now()
        is_first = fleet_command_id == "f1"
        counts = (60, 2, 1, 5, 2) if is_first else (0, 0, 0, 0, 0)
        accepted, failed, unreached, under_way, queued = counts
        return FleetCommandView(
            fleet_command_id=fleet_command_id,
            kind="update_firmware" if is_first else "reset_charger",
            request={"kind": "update_firmware", "location": "https://files.example/eve-7.0.bin"}
            if is_first
            else {"kind": "reset_charger", "reset": "soft"},
            selector={"vendor": "Alfen", "station_ids": ["dundee-greenmarket"]},
            shares=[0.02, 0.1, 0.5, 1],
            settle_s=300,
            max_failed_ratio=0.05,
            status="running" if is_first else "awaiting_approval",
            reason="",
            stations=6,
            progress=FleetProgress(
                total=140,
                untried=140 - sum(counts),
                queued=queued,
                under_way=under_way,
                accepted=accepted,
                failed=failed,
                unreached=unreached,
                waves=3 if is_first else 0,
            ),
            issued_by="maintenance",
            issued_at=now - timedelta(minutes=22),
            expires_at=now + timedelta(hours=20),
            approved_by="admin" if is_first else None,
            approved_at=now - timedelta(minutes=20) if is_first else None,
            version=4,
        )
