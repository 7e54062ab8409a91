"""Puppet: the master, the agents and their runs."""
