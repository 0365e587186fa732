"""What a charge costs: for now a price by the kilowatt-hour, frozen when the session starts."""


def cost_minor(energy_wh: int, price_per_kwh_minor: int) -> int:
    """Return the cost in minor units, rounded half up once, at the end; exact in integers."""
    return (energy_wh * price_per_kwh_minor + 500) // 1000
