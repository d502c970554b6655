"""The guard of the real API beside tests that patch, import and set what it does, and outlive it."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from textwrap import dedent
from urllib.request import proxy_bypass_environment

import pytest

from muapi_client.pytest_plugin._network_guard import Guard, RealAPIReached


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Which hosts were looked up, where nothing kept it from being; nothing is looked up for real."""
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: asked.append(args[0]))
    return asked


def test_a_patch_that_outlives_the_guard_stays_and_leaves_nothing_behind(asked: list[object]) -> None:
    """A module's fixture, first used in a guarded test, is undone long after it."""
    patch = pytest.MonkeyPatch()
    with Guard() as guard:
        patch.setattr(socket, "getaddrinfo", lambda *_args: "the patch")
    assert socket.getaddrinfo("api.muapi.ai", 443) == "the patch"
    patch.undo()
    socket.getaddrinfo("api.muapi.ai", 443)
    assert asked == ["api.muapi.ai"]
    assert guard.take() == []


def test_a_name_imported_under_a_guard_refuses_only_under_a_guard(asked: list[object]) -> None:
    with Guard() as first:
        from socket import getaddrinfo  # as a module does that a guarded test is the first to import

        with pytest.raises(RealAPIReached):
            getaddrinfo("api.muapi.ai", 443)
    getaddrinfo("api.muapi.ai", 443)
    assert asked == ["api.muapi.ai"]
    with Guard() as second, pytest.raises(RealAPIReached):
        getaddrinfo("api.muapi.ai", 443)
    assert (len(first.take()), len(second.take())) == (1, 1)


def test_a_patch_undone_under_a_later_guard_does_not_open_it(asked: list[object]) -> None:
    patch = pytest.MonkeyPatch()
    with Guard():
        patch.setattr(socket, "getaddrinfo", lambda *_args: None)
    with Guard() as later:
        patch.undo()
        with pytest.raises(RealAPIReached):
            socket.getaddrinfo("api.muapi.ai", 443)
    assert (len(later.take()), asked) == (1, [])


@pytest.mark.parametrize(
    ("before", "inside", "after"),
    [
        (None, "corp.example", "corp.example"),
        (None, "", ""),
        ("a.example", "a.example,muapi.ai,.muapi.ai,b.example", "a.example,b.example"),
        ("muapi.ai", "muapi.ai,.muapi.ai", "muapi.ai"),
        ("a.example, b.example", None, None),
    ],
)
def test_what_others_say_of_proxies_is_kept(
    monkeypatch: pytest.MonkeyPatch, before: str | None, inside: str | None, after: str | None
) -> None:
    def say(value: str | None) -> None:
        monkeypatch.delenv("NO_PROXY", raising=False) if value is None else monkeypatch.setenv("NO_PROXY", value)

    say(before)
    with Guard():
        assert {"muapi.ai", ".muapi.ai"} <= set(os.environ["NO_PROXY"].split(","))
        say(inside)
    assert os.environ.get("NO_PROXY") == after


@pytest.mark.parametrize("named", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize("says", ["*", " * ", "localhost,127.0.0.1", ".corp.example"])
def test_whom_no_proxy_names_is_named_under_a_guard(monkeypatch: pytest.MonkeyPatch, named: str, says: str) -> None:
    """The variable that the guard sets hides the other one from most programs, and a ``*`` names all only alone."""
    hosts = ("localhost", "127.0.0.1", "git.corp.example", "pypi.example")
    monkeypatch.setenv(named, says)
    without = [bool(proxy_bypass_environment(host)) for host in hosts]
    with Guard():
        assert [bool(proxy_bypass_environment(host)) for host in hosts] == without
        assert proxy_bypass_environment("api.muapi.ai")
    assert {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")} == {
        "NO_PROXY": None,
        "no_proxy": None,
        named: says,
    }


def test_proxies_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "a.example, b.example")
    with Guard():
        assert os.environ["NO_PROXY"] == "a.example, b.example,muapi.ai,.muapi.ai"
    assert (os.environ["NO_PROXY"], os.environ.get("no_proxy")) == ("a.example, b.example", None)


def test_a_socket_that_looks_the_name_up_itself_is_seen() -> None:
    """The name given to ``connect`` is looked up in C, past ``getaddrinfo``."""
    methods = dict(vars(socket.socket))
    with Guard() as guard:
        for connect in ("connect", "connect_ex"):
            with socket.socket() as line, pytest.raises(RealAPIReached):
                getattr(line, connect)(("api.muapi.ai", 80))
        tls = ssl.create_default_context().wrap_socket(socket.socket(), server_hostname="x.example")
        with tls, pytest.raises(RealAPIReached):
            tls.connect(("api.muapi.ai", 443))
        with pytest.raises(RealAPIReached):
            socket.gethostbyaddr("api.muapi.ai")
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as line:
            line.connect(server.getsockname())
    assert len(guard.take()) == 4
    assert dict(vars(socket.socket)) == methods


def test_the_plugin_loads_beside_an_old_pluggy() -> None:
    """Before 1.2 ``hookimpl`` knew no ``wrapper``; whoever has that would lose every run of pytest, guarded or not."""
    script = """
        import pluggy, pytest

        class Old(pluggy.HookimplMarker):
            def __call__(self, function=None, hookwrapper=False, optionalhook=False, tryfirst=False, trylast=False):
                return super().__call__(function, hookwrapper, optionalhook, tryfirst, trylast)

        pytest.hookimpl = Old("pytest")
        import muapi_client.pytest_plugin as plugin
        print([name for name in dir(plugin) if name.startswith("pytest_runtest_")])
    """
    told = subprocess.run([sys.executable, "-c", dedent(script)], capture_output=True, text=True, check=False)
    assert told.stderr == ""
    assert "pytest_runtest_call" in told.stdout
