"""An agent as a process, before a cloud that a test plays."""

from tests.integration.cloudlike import AGENT_KEY, CHARGER, CHARGER_KEY, STATION, STATION_FILE
from tests.support.ocpp import Charger
from tests.support.ports import LOOPBACK, free_port, is_listening
from tests.support.processes import our_program
from tests.support.waiting import eventually


class Site:
    """One agent before a played cloud."""

    def __init__(self, broker, folder):
        broker.add_station(STATION, AGENT_KEY)
        self.broker = broker
        self.ocpp_port = free_port()
        file = folder / "station.yaml"
        file.write_text(STATION_FILE)
        self.env = {
            "AGENT_STATION_FILE": str(file),
            "AGENT_DATA_DIR": str(folder / "data"),
            "AGENT_BROKER_URL": f"mqtt://{LOOPBACK}:{broker.port}",
            "AGENT_BROKER_KEY": AGENT_KEY,
            "AGENT_OCPP_HOST": LOOPBACK,
            "AGENT_OCPP_PORT": str(self.ocpp_port),
            "AGENT_UPLINK_TIMEOUT_S": "1",
            "AGENT_BEAT_INTERVAL_S": "1",
        }
        self.agent = our_program("station_agent", "run", env=self.env, name="agent")
        self.plan_file = folder / "data" / "plan.json"

    def start(self, **settings):
        self.agent.env |= settings
        self.agent.start(lambda: is_listening(self.ocpp_port))
        eventually(self.plan_file.exists, what="the plan on disk")

    def charger(self, subprotocol="ocpp1.6"):
        return Charger(self.ocpp_port, CHARGER, CHARGER_KEY, subprotocol)
