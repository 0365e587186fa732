"""The wire language between stations and cloud; both ends read it, nothing here imports the rest."""
