"""A seeded world of chargers, cars, drivers and bay sensors, with a journal of the truth."""
