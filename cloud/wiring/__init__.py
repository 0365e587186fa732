"""Settings to adapters to services to programs: this package alone knows all floors.

One class a module, each on top of the one it needs: ground, broker, messages, money, collaborators,
bookings, chargers, house.
"""

from cloud.wiring.broker_files import BrokerFiles, embedded_broker
from cloud.wiring.house import House

__all__ = ["BrokerFiles", "House", "embedded_broker"]
