"""Which resources a change is about, in the copy of the configuration that it works on.

The ids stand there as options of the cluster in sets of their own, which are removed before the change is
applied, and the expressions of the scripts refer to them ($marked and $kept in change.sh).  So any number of
ids reaches a node on standard input; one argument of a program holds 128 KiB (execve(2)).
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable

# Ids of resources that the change is about; of elements inside of them that stay.
MARKED, KEPT = "sirikata.marked", "sirikata.kept"


def marks_xml(marked: Iterable[str], kept: Iterable[str] = ()) -> str:
    """The marks, as one line."""
    configuration = ET.Element("configuration")
    options = ET.SubElement(configuration, "crm_config")
    for name, ids in ((MARKED, marked), (KEPT, kept)):
        found = ET.SubElement(options, "cluster_property_set", id=name)
        for number, each in enumerate(ids):
            ET.SubElement(found, "nvpair", id=f"{name}.{number}", name=each, value="")
    return ET.tostring(configuration, encoding="unicode")


def change_input(marks: str, configuration: str = "") -> bytes:
    """What a script that calls `take` reads: a line of marks, then the configuration to put in."""
    return f"{marks}\n{configuration}".encode()
