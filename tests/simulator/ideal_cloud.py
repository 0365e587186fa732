"""A cloud that makes no mistake: rows as a reader would find them, made from a journal's messages.

It reads only what was sent and acknowledged, not the journal's own account of sessions, so that a
checker that finds nothing wrong with it has held two accounts against each other.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from simulator.check import SampleRow, SessionRow, StatusRow
from simulator.journal import Entry, Kind


def rows_of(
    journal: Iterable[Entry],
) -> tuple[list[SessionRow], list[SampleRow], list[StatusRow]]:
    entries = list(journal)
    sent = {entry.message_id: entry for entry in entries if entry.kind is Kind.SENT}
    cloud = _Cloud()
    for entry in entries:
        if entry.kind is Kind.ACKNOWLEDGED:
            cloud.take(sent[entry.message_id], entry.body)
    return list(cloud.sessions.values()), cloud.samples, cloud.statuses


class _Cloud:
    def __init__(self):
        self.sessions = {}
        self.samples = []
        self.statuses = []

    def take(self, entry, answer):
        body = entry.body
        match entry.action:
            case "StartTransaction":
                self._start(entry, str(answer["transactionId"]), body["meterStart"])
            case "MeterValues":
                sample = body["meterValue"][0]
                register = int(sample["sampledValue"][0]["value"])
                self._sample(entry, str(body["transactionId"]), register, sample["timestamp"])
            case "StopTransaction":
                self._stop(entry, str(body["transactionId"]), body["meterStop"])
            case "TransactionEvent":
                self._event(entry, body)
            case "StatusNotification":
                at = datetime.fromisoformat(body["timestamp"])
                self.statuses.append(StatusRow(entry.charger_id, entry.evse_id, at))

    def _event(self, entry, body):
        name = body["transactionInfo"]["transactionId"]
        register = body["meterValue"][0]["sampledValue"][0]["value"]
        if body["eventType"] == "Started":
            self._start(entry, name, register)
        elif body["eventType"] == "Ended":
            self._stop(entry, name, register)
        else:
            self._sample(entry, name, register, body["timestamp"])

    def _start(self, entry, name, register):
        at = datetime.fromisoformat(entry.body["timestamp"])
        row = SessionRow(
            f"session-{len(self.sessions)}", entry.charger_id, name, at, None, 0, register
        )
        self.sessions[entry.charger_id, name] = row

    def _sample(self, entry, name, register, at):
        row = self.sessions[entry.charger_id, name]
        instant = datetime.fromisoformat(at)
        self.samples.append(SampleRow(row.session_id, instant, register - row.meter_start_wh))

    def _stop(self, entry, name, register):
        row = self.sessions[entry.charger_id, name]
        at = datetime.fromisoformat(entry.body["timestamp"])
        self.sessions[entry.charger_id, name] = replace(
            row, ended_at=at, energy_wh=register - row.meter_start_wh
        )
