"""A cluster as it was requested, its nodes as they exist, and their types."""
