"""Corosync: its configuration, and what nodes do to take it."""
