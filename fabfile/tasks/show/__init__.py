"""Values for people and for programs, on stdout; progress on stderr."""

from . import clusters as clusters
from . import corosync as corosync
from . import ec2 as ec2
from . import lines as lines
from . import output as output
from . import puppet as puppet
from . import services as services
from . import sirikata as sirikata
