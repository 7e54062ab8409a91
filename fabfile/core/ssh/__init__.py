"""What SSH carries, as values: host keys, and scripts with their answers."""
