"""One deadline for a whole blocking exchange, whatever it is made of."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import httpcore
import pytest

from muapi_client import Journal
from muapi_client._transport.deadline import _Backend, _left, deadline, time

if TYPE_CHECKING:
    from pathlib import Path


class Silent(httpcore.NetworkBackend):
    """A network on which no address answers; connecting takes all the time it is given."""

    def __init__(self, clock: list[float]) -> None:
        self.clock, self.asked = clock, []

    def connect_tcp(self, host: str, _port: int, timeout: float | None = None, *_: Any, **__: Any) -> Any:
        self.asked.append(host)
        assert timeout is not None
        self.clock[0] += timeout
        raise httpcore.ConnectTimeout("silence")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    readings = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: readings[0])
    return readings


def addresses(*hosts: str) -> Any:
    return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 443)) for host in hosts]


def test_a_host_of_many_silent_addresses_keeps_to_the_deadline(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", addresses("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"))
    network = Silent(clock)
    with deadline(2.0), pytest.raises(httpcore.ConnectTimeout):
        _Backend(network).connect_tcp("api.example", 443, timeout=60.0)
    assert network.asked == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]
    assert clock[0] == pytest.approx(102.0)


def test_a_name_that_resolves_to_nothing_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(httpcore.ConnectError, match="not known"):
        _Backend(Silent([0.0])).connect_tcp("nowhere.example", 443, timeout=1.0)


def test_deadlines_nest(clock: list[float]) -> None:
    with deadline(10.0):
        with deadline(1.0):
            clock[0] += 2.0
            with pytest.raises(httpcore.ReadTimeout):
                _left(None, httpcore.ReadTimeout)
        assert _left(None, httpcore.ReadTimeout) == pytest.approx(8.0)
    assert _left(None, httpcore.ReadTimeout) is None


def test_a_journal_held_for_a_fork_is_closed_and_stays_so_until_it_is_released(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "jobs.db")
    journal._store.hold()
    other = threading.Thread(target=journal.unknown)
    other.start()
    assert journal._store._connection is None
    assert other.is_alive()
    journal._store.release_mine()
    other.join(60)
    assert not other.is_alive()
