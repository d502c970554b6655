"""What every test starts from: an environment that names no key and no server, and one pace for Hypothesis."""

from __future__ import annotations

import gc
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from places import Place

sys.path.append(str(Path(__file__).parent))  # for `by_kind`
settings.register_profile("house", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
SLOWEST = 60.0  # seconds an answer of a server on this machine may take; httpx's own 5 pass while a busy one starts
PRICES = {"IMAGE": 0.015, "OTHER_IMAGE": 0.003}  # USD, by kind


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MUAPI_API_KEY", "MUAPI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def pytest_collection_finish() -> None:
    """Leave what is loaded by now out of later collections: many tests collect, each would walk through all of it."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Keep the garbage collector away while a signal's handler may raise: within a callback of the collector's, as
    Hypothesis has one, Python drops what it raises, and the test would wait for it in vain.
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> None:
    """Let programs that tests start hear Ctrl-C and the end of a terminal: shells and nohup have them ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is signal.SIG_IGN:
        signal.signal(hangup, signal.SIG_DFL)


@pytest.fixture(autouse=True, scope="session")
def _patience_of_plain_httpx() -> None:
    """Let ``httpx.get`` and the like, which tests call without a time-out, wait as long as a busy machine takes."""
    for part in ("connect", "read", "write", "pool"):
        setattr(DEFAULT_TIMEOUT_CONFIG, part, SLOWEST)


@pytest.fixture(autouse=True, scope="session")
def _prices_as_tests_count_them() -> None:
    """Let the emulator charge what the tests' sums are made of: MuAPI's prices change, the arithmetic does not."""
    import by_kind

    from muapi_client.emulator._spec.price_list import read_price_list

    costs = {getattr(by_kind, kind).name: cost for kind, cost in PRICES.items()}
    for entry in read_price_list().values():
        entry["cost"] = costs.get(entry["name"], entry["cost"])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test of journals run on a file and on a database; one that asks for the file's path, on a file alone."""
    of_its_own = any("place" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "place" in metafunc.fixturenames and not of_its_own:
        from places import KINDS

        kinds = KINDS[:1] if "path" in metafunc.fixturenames else KINDS
        if metafunc.definition.path.parent.name == "fleet":
            kinds = ("postgres",)  # and skipped where there is none
        metafunc.parametrize("place", kinds, indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Where a journal is, or will be: see ``places``."""
    from places import make_place

    made = make_place(request.param, tmp_path)
    yield made
    made.remove()
