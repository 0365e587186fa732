"""How the schema grows: forward only, each step safe to repeat, old programs run on."""
