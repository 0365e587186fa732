"""What the published availability is worth: a simulated week, held against what really stood there."""
