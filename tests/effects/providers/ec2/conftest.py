"""The EC2 laboratory, empty and without delays."""

import pytest

from tests.ec2lab.laboratory import Laboratory
from tests.ec2lab.life import Timing


@pytest.fixture
def lab(ec2_lab: Laboratory) -> Laboratory:
    """The laboratory, reset."""
    ec2_lab.reset()
    ec2_lab.timing = Timing(0.0, 0.0, 0.0)
    return ec2_lab
