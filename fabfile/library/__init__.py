"""The library: `Cluster("demo").up(size=3)`, the one facade of the flows, for programs and for the tasks.

Each method opens the cluster, does one thing and returns it.  Every lock is taken here.  Errors are those of
core/errors.py, each a sentence; nothing is printed.
"""

from .cluster import Cluster as Cluster
from .cluster import clusters as clusters
from .cluster import overview as overview
from .previews import preview as preview
