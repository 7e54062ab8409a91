"""Hosts of the user's own."""
