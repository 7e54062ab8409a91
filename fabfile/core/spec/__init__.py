"""A cluster as it was asked for, its nodes as they exist, and their types."""
