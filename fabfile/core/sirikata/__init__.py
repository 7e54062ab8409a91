"""Sirikata: its archive and its presets."""
