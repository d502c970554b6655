"""The pytest plugin, as a project that installed this package meets it."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from collections import Counter
from importlib.metadata import entry_points

import pytest
from by_kind import IMAGE, VIDEO

from muapi_client._runtime.real_api import is_forbidden, is_real
from muapi_client.pytest_plugin._network_guard import Guard, RealAPIReached

pytest_plugins = ["pytester"]

# Every other plugin that happens to be installed costs its import.
PLUGINS = ("-p", "no:cacheprovider", "-p", "muapi_client.pytest_plugin", "-p", "anyio.pytest_plugin")
REACHED = "*this test would have reached the real MuAPI at api.muapi.ai*"
SUBMIT = f"httpx.post('https://api.muapi.ai/api/v1/{IMAGE.slug}', json={{'prompt': 'x'}})"

# Ways to reach the real API, each a whole test body.
WAYS = {
    "httpx": f"import httpx; {SUBMIT}",
    "httpx, awaited": "import asyncio, httpx; asyncio.run(httpx.AsyncClient().get('https://cdn.muapi.ai/x'))",
    "urllib": "from urllib.request import urlopen; urlopen('https://api.muapi.ai/api/v1/models')",
    "http.client": "import http.client; http.client.HTTPSConnection('api.muapi.ai').request('GET', '/')",
    "socket": "import socket; socket.create_connection(('API.MUAPI.AI.', 443))",
    "old lookups": "import socket; socket.gethostbyname('muapi.ai')",
    "asyncio": "import asyncio; asyncio.run(asyncio.open_connection('api.muapi.ai', 443))",
    "our client": (
        f"import muapi_client as m; from muapi_client.models import {IMAGE.function} as f; "
        "m.MuAPI('sk-x').run(f(prompt='x'))"
    ),
    "a proxy": f"import httpx, os; os.environ['HTTPS_PROXY'] = 'http://127.0.0.1:9'; {SUBMIT}",
    "TLS to a known address": (
        "import socket, ssl; a, b = socket.socketpair(); "
        "ssl.create_default_context().wrap_socket(a, server_hostname='api.muapi.ai')"
    ),
    "TLS in memory": (
        "import ssl; c = ssl.create_default_context(); "
        "c.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname='api.muapi.ai')"
    ),
    "another thread": (
        "import httpx\n    from concurrent.futures import ThreadPoolExecutor\n"
        f"    with ThreadPoolExecutor() as pool: pool.submit(lambda: {SUBMIT}).result()"
    ),
}


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester: pytest.Pytester, source: str, *words: str) -> pytest.RunResult:
    """Run tests in a process of their own: pytester forgets what was imported in this one, and classes come twice."""
    pytester.makepyfile(source)
    return pytester.runpytest_subprocess(*PLUGINS, *words)


def test_loading_it_costs_nothing() -> None:
    heavy = ["muapi_client.emulator", "muapi_client._client.client", "muapi_generated", "httpx", "ssl", "jsonschema_rs"]
    script = (
        "import sys, pytest; before = set(sys.modules); import muapi_client.pytest_plugin; "
        f"print([name for name in {heavy} if name in set(sys.modules) - before])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_it_is_found_by_its_entry_point() -> None:
    (found,) = entry_points(group="pytest11", name="muapi_client")
    assert set(found.load().__all__) == {"muapi_emulator", "muapi", "async_muapi", "no_real_api"}


def test_the_fixtures(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUAPI_BASE_URL", "https://proxy.example/muapi")  # of the one who runs the tests
    told = run(
        pytester,
        f"""
        import pytest, socket, sys
        from muapi_client import MuAPI
        from muapi_client.errors import MuAPIError
        from muapi_client.models import {VIDEO.function}

        CALL = {VIDEO.function}(prompt="waves at night")
        kept = []

        def test_who_does_not_ask_is_left_alone():
            assert "muapi_client.pytest_plugin._network_guard" not in sys.modules
            assert socket.getaddrinfo.__module__ == "socket"
            assert not hasattr(socket.getaddrinfo, "__wrapped__")

        def test_a_client_on_an_emulator(muapi, muapi_emulator):
            kept.append(muapi)
            assert muapi.run(CALL).outputs
            assert muapi_emulator.accepted == 1
            assert muapi.spend.total_usd == muapi_emulator.charged_usd > 0

        def test_each_test_has_its_own_and_the_last_is_closed(muapi_emulator):
            assert muapi_emulator.accepted == 0
            with pytest.raises(MuAPIError, match="closed"):
                kept[0].run(CALL)

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_its_awaited_twin(async_muapi, muapi_emulator):
            assert (await async_muapi.run(CALL)).outputs
            assert muapi_emulator.accepted == 1

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_it_may_be_closed(async_muapi):
            async with async_muapi:
                assert await async_muapi.submit(CALL)

        def test_what_the_emulator_serves_is_not_the_real_api(muapi_emulator, no_real_api):
            with muapi_emulator.serve(speed=10_000) as url, MuAPI("sk-live", url) as mu:
                assert mu.run(CALL).outputs
        """,
        "-W",
        "error",
    )
    told.assert_outcomes(passed=6)


SWALLOWED = f"""
import httpx, pytest

def test_passes_through(no_real_api):
    try:
        {SUBMIT}
    except Exception:
        pass

def test_swallowed(no_real_api):
    try:
        {SUBMIT}
    except BaseException:
        pass

def test_made_something_else_of(no_real_api):
    try:
        {SUBMIT}
    except BaseException:
        raise KeyError("no answer") from None

def test_skipped(no_real_api):
    try:
        {SUBMIT}
    except BaseException:
        pytest.skip("no network today")
"""

FIXTURES = f"""
import httpx, pytest

pytestmark = pytest.mark.no_real_api

def reach():
    try:
        {SUBMIT}
    except BaseException:
        pass

@pytest.fixture(scope="module")
def loud():
    {SUBMIT}

@pytest.fixture
def early():
    reach()

@pytest.fixture
def late():
    yield
    reach()

def test_loud(loud): pass
def test_early(early): pass
def test_late(late): pass
"""


def test_nothing_gets_there_and_nothing_that_tries_passes(pytester: pytest.Pytester) -> None:
    """By any way, with any fault swallowed, from any fixture."""
    ways = "\n".join(f"def test_{number}(no_real_api):\n    {way}\n" for number, way in enumerate(WAYS.values()))
    pytester.makepyfile(test_ways=ways, test_swallowed=SWALLOWED, test_fixtures=FIXTURES)
    told = pytester.runpytest_subprocess(*PLUGINS, "-rfE", "--strict-markers")
    told.assert_outcomes(failed=len(WAYS) + 4, errors=3, passed=1)
    summary = [line for line in told.outlines if line.startswith(("FAILED ", "ERROR "))]
    files = Counter(line.split()[1].partition("::")[0] for line in summary)
    assert files == {"test_ways.py": len(WAYS), "test_swallowed.py": 4, "test_fixtures.py": 3}
    reasons = [line for line in told.outlines if "this test would have reached the real MuAPI at " in line]
    assert len([line for line in reasons if line.startswith(("E  ", "this test"))]) >= len(summary)
    told.stdout.fnmatch_lines(["*MUAPI_BASE_URL=muapi_emulator.serve()*"])


def test_one_line_guards_every_test(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmuapi_no_real_api = true\n")
    told = run(
        pytester,
        f"""
        import socket, httpx

        def test_reaches():
            {SUBMIT}

        def test_stays():
            with socket.create_server(("127.0.0.1", 0)) as server:
                socket.create_connection(server.getsockname()).close()
            assert socket.getaddrinfo("localhost", 80)
        """,
        "--strict-markers",
    )
    told.assert_outcomes(passed=1, failed=1)
    told.stdout.fnmatch_lines([REACHED])


WIDER = f"""
import httpx, pytest

@pytest.fixture(scope="session")
def wide():
    try:
        {SUBMIT}
    except BaseException:
        pass

def test_wide(wide, no_real_api): pass
"""

GROUPED = f"""
import anyio, httpx, pytest

pytestmark = [pytest.mark.no_real_api, pytest.mark.anyio]

@pytest.fixture
def anyio_backend(): return "asyncio"

async def reach():
    {SUBMIT}

async def test_grouped():
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reach)

async def test_chained():
    try:
        await reach()
    except BaseException as error:
        raise KeyError("x") from error
"""


PROCESSES = f"""
import asyncio, os, subprocess, sys

PROGRAM = "from muapi_client import MuAPI; from muapi_client.models import {IMAGE.function} as f; {{}}"
WAYS = (
    "MuAPI().run(f(prompt='x'))",
    "from muapi_client import AsyncMuAPI; import asyncio; asyncio.run(AsyncMuAPI().run(f(prompt='x')))",
)

def start(program, **variables):
    environment = {{**os.environ, "MUAPI_API_KEY": "sk-live", **variables}}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)

PROXY = {{"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}}

def test_refused(no_real_api):
    for way, variables in ((way, variables) for way in WAYS for variables in ({{}}, PROXY)):
        told = start(PROGRAM.format(way), **variables).stderr.splitlines()[-1]
        assert "api.muapi.ai is the real MuAPI, where jobs cost money, and MUAPI_NO_REAL_API is set" in told
        assert "nothing was sent" in told

def test_the_emulator_is_not(muapi_emulator, no_real_api):
    with muapi_emulator.serve(speed=10_000) as url:
        assert start(PROGRAM.format(WAYS[0]), MUAPI_BASE_URL=url).returncode == 0
    assert muapi_emulator.accepted == 1

def test_who_does_not_ask_says_nothing():
    assert "MUAPI_NO_REAL_API" not in os.environ
"""


def test_a_process_that_a_guarded_test_starts_pays_for_nothing(pytester: pytest.Pytester) -> None:
    run(pytester, PROCESSES).assert_outcomes(passed=3)


def test_what_a_person_has_the_variable_say_forbids_the_first_process_of_a_container_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its id is 1, as is what most people would write."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    monkeypatch.setenv("MUAPI_NO_REAL_API", "1")
    assert is_forbidden("api.muapi.ai")
    with Guard():
        assert not is_forbidden("api.muapi.ai"), "the guard itself sees it, and fails the test"
    assert is_forbidden("api.muapi.ai")


def test_a_fixture_of_a_wider_scope_is_guarded_though_it_is_set_up_first(pytester: pytest.Pytester) -> None:
    told = run(pytester, WIDER)
    told.assert_outcomes(errors=1)
    told.stdout.fnmatch_lines([REACHED])


def test_what_a_group_of_tasks_raised_is_told_in_plain_words(pytester: pytest.Pytester) -> None:
    """An error that is its own cause by way of a group has whoever prints it run out of stack."""
    told = run(pytester, GROUPED, "-rA")
    told.assert_outcomes(failed=2)
    told.stdout.fnmatch_lines(["E *RealAPIReached: this test would have reached the real MuAPI at api.muapi.ai*"])
    assert told.ret == pytest.ExitCode.TESTS_FAILED


AT_IMPORT = f"""
import httpx
try:
    {SUBMIT}
except BaseException:
    pass
def test_passes(): pass
"""

IN_A_THREAD = f"""
import httpx, threading, pytest

@pytest.fixture(scope="session")
def go():
    return threading.Event()

def late(go):
    go.wait()
    try:
        {SUBMIT}
    except BaseException:
        pass

def test_leaves_a_thread_behind(request, go):
    thread = threading.Thread(target=late, args=(go,))
    thread.start()
    request.config.pluginmanager.register(Finish(go, thread))

class Finish:
    def __init__(self, go, thread):
        self.go, self.thread = go, thread

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self):
        self.go.set()
        self.thread.join()
"""


def test_the_option_guards_what_no_test_runs(pytester: pytest.Pytester) -> None:
    """A module that is imported, a thread that is late: both are paid for like a test."""
    pytester.makeini("[pytest]\nmuapi_no_real_api = true\n")
    pytester.makepyfile(test_import=AT_IMPORT, test_thread=IN_A_THREAD)
    imported = pytester.runpytest_subprocess(*PLUGINS, "test_import.py", "--strict-markers")
    imported.assert_outcomes(errors=1)
    imported.stdout.fnmatch_lines([REACHED])
    late = pytester.runpytest_subprocess(*PLUGINS, "test_thread.py")
    late.assert_outcomes(passed=1)
    late.stdout.fnmatch_lines([f"Outside of every test: {REACHED[1:]}"])
    assert late.ret == pytest.ExitCode.TESTS_FAILED


def test_the_option_guards_the_conftest(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmuapi_no_real_api = true\n")
    pytester.makeconftest(AT_IMPORT)
    told = run(pytester, "def test_passes(): pass")
    assert told.ret == pytest.ExitCode.USAGE_ERROR
    told.stderr.fnmatch_lines([f"ERROR: While conftest.py was loaded: {REACHED[1:]}"])
    assert run(pytester, "def test_passes(): pass", "-o", "muapi_no_real_api=false").ret == pytest.ExitCode.OK


def test_afterwards_everything_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "example.com")
    before = (socket.getaddrinfo, socket.create_connection, ssl.SSLContext.wrap_socket)
    guard = Guard()
    with guard:
        with guard, pytest.raises(RealAPIReached):
            socket.getaddrinfo("api.muapi.ai", 443)
        assert os.environ["NO_PROXY"] == "example.com,muapi.ai,.muapi.ai"
        with pytest.raises(RealAPIReached):
            socket.getaddrinfo(host=b"api.muapi.ai", port=443)
    assert (socket.getaddrinfo, socket.create_connection, ssl.SSLContext.wrap_socket) == before
    assert (os.environ["NO_PROXY"], os.environ.get("no_proxy")) == ("example.com", None)
    assert len(guard.take()) == 2
    assert guard.take() == []


@pytest.mark.parametrize(
    ("host", "real"),
    [
        ("api.muapi.ai", True),
        ("CDN.MuAPI.ai.", True),
        (b"muapi.ai", True),
        ("notmuapi.ai", False),
        ("muapi.ai.example.com", False),
        ("127.0.0.1", False),
        ("", False),
        (None, False),
        (b"\xff", False),
    ],
)
def test_which_hosts_are_real(host: object, *, real: bool) -> None:
    assert is_real(host) is real
