"""What the user typed, as values."""
