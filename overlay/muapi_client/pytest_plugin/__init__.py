"""The pytest plugin for tests of code that uses MuAPI: fixtures on the emulator, and a guard of the real API.

Lives here: ``muapi_emulator``, ``muapi``, ``async_muapi``, ``no_real_api``, and the hooks that fail a guarded test.
Does not live here: the emulator, and how the guard sees what would leave (``_network_guard``). Every pytest run loads
this module, so it imports nothing but pytest until a fixture is asked for.

    def test_a_fox_is_painted(muapi, muapi_emulator):
        shop = Shop(muapi)                      # your code, which takes a client
        assert shop.paint("a red fox").endswith(".png")
        assert muapi_emulator.accepted == 1

    @pytest.mark.no_real_api                    # or the fixture, or ``muapi_no_real_api = true`` for every test
    def test_the_shop_opens(): ...
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from muapi_client import AsyncMuAPI, MuAPI
    from muapi_client.emulator import Emulator
    from muapi_client.pytest_plugin._network_guard import Guard, RealAPIReached

__all__ = ["async_muapi", "muapi", "muapi_emulator", "no_real_api"]

_KEY: Final = "sk-live"  # the emulator's own, not a secret
_GUARD: Final = pytest.StashKey["Guard"]()
_MARK: Final = "no_real_api"
_OPTION: Final = "muapi_no_real_api"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let ``muapi_no_real_api = true`` guard every test."""
    parser.addini(_OPTION, "fail every test that would reach the real MuAPI (api.muapi.ai)", "bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", f"{_MARK}: fail this test if it would reach the real MuAPI (api.muapi.ai)")


# Wrappers of the older kind: every pytest run loads this, and before pluggy 1.2 there was no other.
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, None]:
    """Guard a marked test, or every test where the option says so, with all that is set up for it."""
    wanted = item.get_closest_marker(_MARK) is not None or item.config.getini(_OPTION)
    with _guard_of(item) if wanted else nullcontext():
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, None]:
    """Fail a guarded test whose fixtures swallowed what the guard raised."""
    _judge(item, (yield))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    """Fail it where the test itself or the program under it did."""
    _judge(item, (yield))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, None]:
    """Fail it where its fixtures did at their end."""
    _judge(item, (yield))


@pytest.fixture
def muapi_emulator() -> Emulator:
    """A MuAPI in this process, in virtual time: nothing is waited for, nothing leaves the machine, nothing is paid."""
    from muapi_client.emulator import Emulator  # noqa: PLC0415 - loaded by those who use it

    return Emulator(live_keys=(_KEY,))


@pytest.fixture
def muapi(muapi_emulator: Emulator) -> Iterator[MuAPI]:
    """A client with a live key of ``muapi_emulator``, closed after the test."""
    from muapi_client import MuAPI  # noqa: PLC0415 - as above

    with MuAPI(_KEY, transport=muapi_emulator.transport()) as client:
        yield client


@pytest.fixture
def async_muapi(muapi_emulator: Emulator) -> AsyncMuAPI:
    """The awaited twin of ``muapi``, for any event loop. It holds no connection, so nothing need be closed."""
    from muapi_client import AsyncMuAPI  # noqa: PLC0415 - as above

    return AsyncMuAPI(_KEY, transport=muapi_emulator.transport())


@pytest.fixture
def no_real_api(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail this test if it would reach the real MuAPI, by whatever library, even if the program swallows the error.

    Seen are lookups of ``muapi.ai`` and its subdomains, and connections to them by name, through Python's ``socket``,
    and TLS to them through Python's ``ssl``. Not seen are plain connections to a known address, other processes, and
    libraries with a network stack of their own, such as pycurl.
    """
    with _guard_of(request.node):
        yield


def _guard_of(item: pytest.Item) -> Guard:
    from muapi_client.pytest_plugin._network_guard import Guard  # noqa: PLC0415 - as above

    return item.stash.setdefault(_GUARD, Guard())


def _judge(item: pytest.Item, phase: Any) -> None:
    """Fail a phase of a test, a pluggy ``Result``, that would have reached the real API, whatever it made of that."""
    refusals = _refusals(item)
    error = phase.excinfo[1] if phase.excinfo else None
    if not refusals or error is refusals[0]:
        return
    failure = pytest.fail.Exception(str(refusals[0]), pytrace=False) if error is None else refusals[0]
    failure.__cause__ = error
    if hasattr(phase, "force_exception"):
        phase.force_exception(failure)
    else:  # before pluggy 1.1 a wrapper raised it, which later warns
        raise failure


def _refusals(item: pytest.Item) -> list[RealAPIReached]:
    """Take what the test's guard refused since the last call."""
    guard = item.stash.get(_GUARD, None)
    return guard.take() if guard is not None else []
