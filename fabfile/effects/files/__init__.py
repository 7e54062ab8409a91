"""The user's files: read, packed, sent and received."""
