"""Pacemaker: the cluster's configuration, its state, and the first start."""
