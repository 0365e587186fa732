"""What `make bench` runs: our figures as ratios to a baseline measured in the same run."""
