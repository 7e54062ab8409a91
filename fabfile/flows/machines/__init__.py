"""Machines: boot, commands, transfer, adoption, import."""
