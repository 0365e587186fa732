"""`make demo`: the whole system as child processes, and a busy city in this one."""
