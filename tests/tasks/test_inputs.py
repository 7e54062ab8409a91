"""Whatever is typed or set, `fab` says what is wrong with it, and the home stays one that works."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabfile.effects.providers.ec2.api import forget_sessions
from fabfile.effects.store.home import home, names
from tests.effects.store.test_inputs import text

from .conftest import Fab

OPTIONS = {
    "cluster.create web 2 own key": [
        *(
            "instance-type",
            "group",
            "ami",
            "region",
            "subnet",
            "max-price",
            "address",
            "pem",
            "suite",
            "profile",
        ),
        *("sirikata-url", "sirikata-sha256", "provider"),
    ],
    "adhoc.create web --host=db1": [
        *(
            "host",
            "file",
            "user",
            "port",
            "key",
            "jump",
            "workdir",
            "puppet-master",
            "profile",
            "sirikata-url",
        ),
    ],
}


@pytest.fixture
def without_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "absent"))
    forget_sessions()
    yield
    forget_sessions()


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # long values
@pytest.mark.usefixtures("without_aws")
@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), command=st.sampled_from(sorted(OPTIONS)))
def test_any_value_of_any_option_leaves_a_home_that_works(
    fab: Fab, data: st.DataObject, command: str
) -> None:
    chosen = data.draw(st.lists(st.sampled_from(OPTIONS[command]), min_size=1, max_size=3, unique=True))
    values = text.map(lambda each: each.replace("\0", ""))  # which no argument can hold
    shutil.rmtree(home(), ignore_errors=True)
    created = fab(*command.split(), *(f"--{option}={data.draw(values)}" for option in chosen))
    assert (created.returncode, bool(names())) in ((0, True), (2, False)), created.stderr[:1000]
    listed = fab("cluster.list", "--json")
    # 1: an account without a region or without credentials does not say which machines there are.
    assert listed.returncode in ((0,) if command.startswith("adhoc") else (0, 1)), listed
    assert [row["name"] for row in json.loads(listed.stdout)] == names()
    if names():
        assert fab("cluster.show", "web", "--json").returncode == 0
    if command.startswith("adhoc"):  # an account on EC2 would be queried for machines
        assert fab("cluster.destroy", "web").returncode == (0 if created.returncode == 0 else 2)
        assert names() == []


@pytest.mark.usefixtures("without_aws")
def test_a_zone_for_a_region_is_reported_with_its_region(fab: Fab, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = fab("cluster.create", "web", "2", "own", "key", "--region=us-east-1a")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2-lax-1a")
    found = fab("cluster.create", "web", "2", "own", "key")
    assert [typed.returncode, found.returncode, names()] == [2, 2, []]
    zone = "which is a zone: its region is"
    assert typed.stderr.endswith(f"got 'us-east-1a', {zone} us-east-1\n")
    said = "'us-west-2-lax-1a' is not an AWS region (from AWS_DEFAULT_REGION)"
    assert found.stderr == f"error: {said}, {zone} us-west-2\n"
