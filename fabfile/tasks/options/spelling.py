"""How the fields of a Problem are typed on the command line."""

# Fields that are typed under another name than their own.
_TYPED_AS = {"beside": "--with", "failover": "--no-failover"}


def spell(field: str) -> str:
    """The option that sets a field: `--stop-timeout` for stop_timeout."""
    return _TYPED_AS.get(field, f"--{field.replace('_', '-')}")
