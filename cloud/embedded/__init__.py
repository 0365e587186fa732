"""What a one-machine set-up runs inside itself."""
