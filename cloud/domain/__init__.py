"""What the cloud decides: pure functions over plain data, the time always an argument."""
