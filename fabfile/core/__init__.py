"""Pure values: what a cluster is, and the texts made from it.  No I/O, no clock, no environment."""
