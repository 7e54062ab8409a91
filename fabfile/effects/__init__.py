"""Everything that touches the world, one door per effect: SSH, the disk, clouds and machines."""
