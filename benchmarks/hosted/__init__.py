"""One agent process for many stations: what a charger costs, and whether anything of it is lost."""
