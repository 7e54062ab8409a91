"""How the fields of a Problem are typed on the command line."""

from ...core.services.options import OPTIONS


def spell(field: str) -> str:
    """The option that sets a field: `--stop-timeout` for stop_timeout, `--no-failover` for failover."""
    return OPTIONS[field].flag if field in OPTIONS else f"--{field.replace('_', '-')}"
