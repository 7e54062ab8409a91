"""SSH, as values and texts."""
