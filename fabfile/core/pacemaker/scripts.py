"""Parts of the `sh` scripts with which a member changes or watches the cluster's configuration, as root.

A change of the configuration is made on a copy and applied as one patch, which the cluster refuses when
something was changed meanwhile (its version is not the copy's); then it is made anew on the configuration of
that moment, as long as there is time.  So it is whole or not at all, and what others changed stays.

Man pages: cibadmin(8), crm_diff(8), crm_resource(8), crm_mon(8), crmadmin(8).
"""

from ..templates import script

# Seconds for a service to start, or to stop, on slow nodes: the operations' own timeouts end sooner.
TIMEOUT = 90

# Files of templates/: functions about the configuration; about a change of it; about a resource that is to
# run or stop.
CIB = "pacemaker/cib.sh"
CHANGE = (CIB, "pacemaker/change.sh")
WATCH = (CIB, "pacemaker/watch.sh")


def settle_script(*, seconds: int = TIMEOUT) -> str:
    """Wait until the cluster has settled after a change, for `seconds` at most; never fails for that."""
    return script(*WATCH, "pacemaker/settle.sh", id="", seconds=seconds)
