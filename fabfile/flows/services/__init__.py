"""Services: add, apply, move, remove, logs, types of nodes."""
