"""The pytest plugin for tests of code that uses MuAPI: fixtures on the emulator, and a guard of the real API.

Lives here: ``muapi_emulator``, ``muapi``, ``async_muapi``, ``no_real_api``, and the hooks that fail what is guarded:
a test, or with the option the whole run, from its first import on.
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
_BASE_URL: Final = "https://api.muapi.ai"  # which the emulator stands for, whatever MUAPI_BASE_URL says
_MARK: Final = "no_real_api"
_OPTION: Final = "muapi_no_real_api"
_GUARD: Final = pytest.StashKey["Guard"]()  # of a test, or of the whole run
_LEFT_OVER: Final = pytest.StashKey[list[str]]()  # the reasons that no test's report tells
_WELL: Final = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let ``muapi_no_real_api = true`` guard every test, and all that runs before, between and after them."""
    parser.addini(_OPTION, "fail every test that would reach the real MuAPI (api.muapi.ai)", "bool", default=False)


# Wrappers of the older kind: every pytest run loads this, and before pluggy 1.2 there was no other.
@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, Any, None]:
    """Guard the run where the option says so, before the first line of a ``conftest.py`` is run."""
    _guard_run(early_config)
    loading = yield
    refusals = _take(early_config)
    if refusals:
        _fail(loading, pytest.UsageError(f"While conftest.py was loaded: {refusals[0]}"))


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known; guard the run where a ``conftest.py`` named this plugin and so loaded it late."""
    config.addinivalue_line("markers", f"{_MARK}: fail this test if it would reach the real MuAPI (api.muapi.ai)")
    _guard_run(config)


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, None]:
    """Fail a module that would have reached the real API when it was imported, whatever it made of that."""
    collecting = yield
    refusals = _take(collector.config)
    if not refusals or collecting.excinfo:
        return
    report, reason = collecting.get_result(), str(refusals[0])
    if report.outcome != "failed":
        report.outcome, report.longrepr, report.result = "failed", reason, []
    elif reason not in str(report.longrepr):
        report.sections.append(("no_real_api", reason))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, None]:
    """Guard a test that asks for it, or every test where the option says so, with all that is set up for it.

    The fixture alone would come too late: one of a wider scope is set up before it.
    """
    asked = item.get_closest_marker(_MARK) is not None or _MARK in getattr(item, "fixturenames", ())
    with _guard_of(item) if asked or item.config.getini(_OPTION) else nullcontext():
        yield
    _leave_over(item.config, _take(item))


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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which another than a test would have reached the real API, such as a thread of one that ended."""
    _leave_over(session.config, _take(session.config))
    if session.config.stash.get(_LEFT_OVER, None) and session.exitstatus in _WELL:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell why."""
    for reason in config.stash.get(_LEFT_OVER, []):
        terminalreporter.section("no_real_api", red=True)
        terminalreporter.line(f"Outside of every test: {reason}")


@pytest.fixture
def muapi_emulator() -> Emulator:
    """A MuAPI in this process, in virtual time: nothing is waited for, nothing leaves the machine, nothing is paid."""
    from muapi_client.emulator import Emulator  # noqa: PLC0415 - loaded by those who use it

    return Emulator(live_keys=(_KEY,))


@pytest.fixture
def muapi(muapi_emulator: Emulator) -> Iterator[MuAPI]:
    """A client with a live key of ``muapi_emulator``, closed after the test."""
    from muapi_client import MuAPI  # noqa: PLC0415 - as above

    with MuAPI(_KEY, _BASE_URL, transport=muapi_emulator.transport()) as client:
        yield client


@pytest.fixture
def async_muapi(muapi_emulator: Emulator) -> AsyncMuAPI:
    """The awaited twin of ``muapi``, for any event loop. It holds no connection, so nothing need be closed."""
    from muapi_client import AsyncMuAPI  # noqa: PLC0415 - as above

    return AsyncMuAPI(_KEY, _BASE_URL, transport=muapi_emulator.transport())


@pytest.fixture
def no_real_api(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail this test if it would reach the real MuAPI, by whatever library, even if the program swallows the error.

    Seen are lookups of ``muapi.ai`` and its subdomains, and connections to them by name, through Python's ``socket``,
    and TLS to them through Python's ``ssl``. Not seen are plain connections to a known address, and libraries with a
    network stack of their own, such as pycurl. Of other processes that the test starts, this package's clients and its
    command refuse to connect (``MUAPI_NO_REAL_API``, which they inherit), and nothing else is seen.
    """
    with _guard_of(request.node):
        yield


def _guard_run(config: pytest.Config) -> None:
    """Guard all that runs until pytest is done with ``config``, if the option says so."""
    if config.getini(_OPTION) and _GUARD not in config.stash:
        guard = _guard_of(config)
        guard.__enter__()
        config.add_cleanup(guard.__exit__)


def _guard_of(whose: pytest.Item | pytest.Config) -> Guard:
    from muapi_client.pytest_plugin._network_guard import Guard  # noqa: PLC0415 - as above

    return whose.stash.setdefault(_GUARD, Guard())


def _judge(item: pytest.Item, phase: Any) -> None:
    """Fail a phase of a test, a pluggy ``Result``, that would have reached the real API, whatever it made of that."""
    refusals = _take(item)
    error = phase.excinfo[1] if phase.excinfo else None
    if not refusals or error is refusals[0]:
        return
    if error is None:
        _fail(phase, pytest.fail.Exception(str(refusals[0]), pytrace=False))
        return
    failure = refusals[0].again()  # the error may hold the refusal itself, in a group: a ring has no end when printed
    failure.__cause__ = error
    _fail(phase, failure)


def _fail(phase: Any, failure: BaseException) -> None:
    """Have ``failure`` come of a hook, of which ``phase`` is the pluggy ``Result``."""
    if hasattr(phase, "force_exception"):
        phase.force_exception(failure)
    else:  # before pluggy 1.1 a wrapper raised it, which later warns
        raise failure


def _take(whose: pytest.Item | pytest.Config) -> list[RealAPIReached]:
    """Take what a guard refused since the last call."""
    guard = whose.stash.get(_GUARD, None)
    return guard.take() if guard is not None else []


def _leave_over(config: pytest.Config, refusals: list[RealAPIReached]) -> None:
    """Keep what no report of a test can tell any more, for the end of the run."""
    if refusals:
        config.stash.setdefault(_LEFT_OVER, []).extend(map(str, refusals))
