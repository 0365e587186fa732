"""Ways to reach people, a file each."""
