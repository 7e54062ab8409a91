"""Puppet: masters, agents and their files."""
