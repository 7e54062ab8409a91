"""SSH host keys as text."""
