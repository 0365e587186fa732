"""How patient the house is; one place, set from the settings."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Durations and counts the domain decides by."""

    stale_after: timedelta = timedelta(seconds=80)
    """News of a station older than this is no news."""
    contradiction_after: timedelta = timedelta(seconds=30)
    """A sensor and a charger may disagree for so long: cars move, cables take time."""
    linger_after: timedelta = timedelta(seconds=120)
    """A session whose connector has been free for so long is taken for over (QUIRKS 24, 30)."""
    suspect_after: int = 3
    """Visits in which the sensor contradicted the charger until it is no longer believed."""
    blocked_alert_after: timedelta = timedelta(seconds=180)
    charger_offline_alert_after: timedelta = timedelta(seconds=120)
    station_offline_alert_after: timedelta = timedelta(seconds=90)
    flapping_within: timedelta = timedelta(minutes=10)
    """A condition back within this is the same alert, not a new one."""
    left_after: timedelta = timedelta(seconds=30)
    """A bay that has been empty for so long was left: cables and sensors flicker (QUIRKS 31)."""
    late_facts_after: timedelta = timedelta(minutes=10)
    """A station that is back has told all it kept after so long."""
    unseen_after: timedelta = timedelta(hours=72)
    """What was not seen for so long will not be told any more: agents keep facts that long."""
    unstopped_after: timedelta = timedelta(hours=1)
    """A session whose car has left is over after so long, told or not (QUIRKS 24)."""
    valid_for: timedelta = timedelta(seconds=90)
    """How long what is shown holds without news (P4)."""
