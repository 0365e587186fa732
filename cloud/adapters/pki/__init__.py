"""Who signs certificates of chargers, and who knows of cars' contracts."""
