"""Corosync: the first start, and every later configuration."""
