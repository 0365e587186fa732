"""What a 1.6 charger does, in the tests' words."""

from datetime import datetime
from typing import Any

from contracts.clock import Clock, SystemClock
from tests.support.ocpp import Charger
from tests.support.stack import TOKEN

BOOT = {"chargePointVendor": "VendorX", "chargePointModel": "Twin 22"}


def stamp(at: datetime) -> str:
    """Write an instant as chargers do."""
    return at.isoformat().replace("+00:00", "Z")


class Acts:
    """Says things for a charger, by a clock."""

    def __init__(self, charger: Charger, clock: Clock | None = None) -> None:
        self.charger = charger
        self._clock = clock or SystemClock()

    async def boot(self, *states: str) -> None:
        """Say hello, and how each connector is."""
        await self.charger.call("BootNotification", BOOT)
        for number, state in enumerate(states, 1):
            await self.status(state, connector_id=number)

    async def status(self, word: str, error: str = "NoError", connector_id: int = 1) -> None:
        """Say how a connector is."""
        body = {"connectorId": connector_id, "status": word, "errorCode": error}
        await self.charger.call("StatusNotification", body | {"timestamp": self._now()})

    async def start(
        self,
        register_wh: int,
        *,
        connector_id: int = 1,
        token: str = TOKEN,
        reservation: int | None = None,
    ) -> tuple[int, str]:
        """Begin a transaction; returns its number and whether the token may charge."""
        body = {"connectorId": connector_id, "idTag": token, "meterStart": register_wh}
        if reservation is not None:
            body["reservationId"] = reservation
        answer = await self.charger.call("StartTransaction", body | {"timestamp": self._now()})
        return answer["transactionId"], answer["idTagInfo"]["status"]

    async def meter(self, transaction_id: int, register_wh: int, power_w: int = 11_000) -> None:
        """Tell the register and the power."""
        values = {"Energy.Active.Import.Register": register_wh, "Power.Active.Import": power_w}
        sampled = [{"measurand": name, "value": str(value)} for name, value in values.items()]
        body: dict[str, Any] = {
            "connectorId": 1,
            "transactionId": transaction_id,
            "meterValue": [{"timestamp": self._now(), "sampledValue": sampled}],
        }
        await self.charger.call("MeterValues", body)

    async def stop(self, transaction_id: int, register_wh: int) -> None:
        """End a transaction."""
        body = {"transactionId": transaction_id, "meterStop": register_wh, "reason": "Local"}
        await self.charger.call("StopTransaction", body | {"timestamp": self._now()})

    def _now(self) -> str:
        return stamp(self._clock.now())
