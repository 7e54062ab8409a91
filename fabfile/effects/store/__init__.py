"""What is remembered on disk: specifications, states, secrets and archives."""
