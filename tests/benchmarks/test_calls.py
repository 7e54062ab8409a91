"""How many calls EC2 sees: as many for thirty nodes as for two."""

from pathlib import Path

import pytest

from tests.ec2lab.life import Timing

from ..effects.providers.ec2.tools import Cluster, a_spec, laboratory
from ..measured import Row


@pytest.mark.parametrize("size", [2, 30])
def test_calls_to_boot_and_to_terminate(size: int, table: list[Row], tmp_path: Path) -> None:
    with laboratory(str(tmp_path)) as lab:
        lab.timing = Timing(0.0, 0.0, 0.0)
        cluster = Cluster(lab, a_spec(size))
        cluster.provider.preflight()
        cluster.boot()
        booting = len(lab.calls)
        cluster.terminate()
        assert cluster.is_gone()
        remark = "calls, not seconds"
        table.append((f"calls to EC2: check and launch {size} nodes and a master", booting, remark))
        table.append((f"calls to EC2: terminate {size} nodes and a master", len(lab.calls) - booting, remark))
