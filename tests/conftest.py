"""The order of the tests: what is fast first, what boots machines after, what measures last and alone; and
what many share."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import lanes, machines, measured
from .machines import home as home
from .machines import real_machines as real_machines
from .measured import table as table

if TYPE_CHECKING:
    from tests.ec2lab.laboratory import Laboratory

_controller: list[pytest.Config] = []


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    if _is_worker(config):
        lanes.interrupt_once()
    else:
        _controller.append(config)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what wants the machine for itself, or takes minutes, unless it is named."""
    name = collection_path.name
    if name not in lanes.NAMED:
        return None
    return None if any(name in argument for argument in config.args) else True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    lanes.arrange(items, config._tmp_path_factory)  # type: ignore[attr-defined]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return lanes.scheduler(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    yield
    if lanes.late(item) and nextitem is not None and lanes.group(item) != lanes.group(nextitem):
        machines.end_clusters()


def pytest_keyboard_interrupt() -> None:
    for config in _controller:
        if config.pluginmanager.has_plugin("dsession"):
            lanes.see_machines_end(config._tmp_path_factory)  # type: ignore[attr-defined]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _is_worker(session.config):
        session.config.workeroutput["measured"] = measured.told()  # type: ignore[attr-defined]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    measured.take(getattr(node, "workeroutput", {}).get("measured", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if text := measured.drawn():
        terminalreporter.write_line("")
        terminalreporter.write(text)


@pytest.fixture(scope="module")
def ec2_lab(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Laboratory]":
    """The EC2 laboratory, one for all tests of a module: each test resets it first."""
    from tests.effects.providers.ec2.tools import laboratory  # which loads an EC2, and most tests need none

    with laboratory(str(tmp_path_factory.mktemp("home"))) as lab:
        yield lab
