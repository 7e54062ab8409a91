"""SSH connections: where they lead, whom they trust, which keys they offer, and why one failed."""
