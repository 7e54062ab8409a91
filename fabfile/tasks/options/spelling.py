"""How the fields of a Problem are typed on the command line."""

from ...core.services.options import OPTIONS

# Other fields than a service's that are typed under another name than their own.
_TYPED_AS = {"subnets": "--subnet"}


def spell(field: str) -> str:
    """The option that sets a field: `--stop-timeout` for stop_timeout, `--no-failover` for failover."""
    if field in OPTIONS:
        return OPTIONS[field].flag
    return _TYPED_AS.get(field, f"--{field.replace('_', '-')}")
