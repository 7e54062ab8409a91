"""SSH: connections, the commands that run over them, and what is done on many nodes at once."""
