"""Sirikata: archives and presets."""
