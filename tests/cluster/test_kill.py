"""A worker is killed in the middle: nothing is paid twice, and every call's fate is told."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from gated import make_calls

from muapi_client import MuAPIError, distributed, errors
from muapi_client.distributed import _cluster

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gated import GatedServer

pytest.importorskip("distributed")
COUNT = 24


class Mapped:
    """A map that another thread reads to its end."""

    def __init__(self, outcomes: Any) -> None:
        self.outcomes: list[Any] = []
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, args=(outcomes,), daemon=True)
        self._thread.start()

    def _read(self, outcomes: Any) -> None:
        try:
            for outcome in outcomes:
                self.outcomes.append(outcome)
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.error = error

    def finish(self) -> dict[int, Any]:
        self._thread.join(120)
        assert not self._thread.is_alive(), "the map has not ended"
        if self.error is not None:
            raise self.error
        by_index = {outcome.index: outcome for outcome in self.outcomes}
        assert len(by_index) == len(self.outcomes), "an outcome came twice"
        return by_index


def wait_until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)


def find_accepted(journal: Path, pid: int) -> set[int]:
    """Which calls the journal knows to be accepted, and in the hands of a process."""
    if not journal.exists():
        return set()
    query = "SELECT run_key FROM job WHERE request_id IS NOT NULL AND owner LIKE ?"
    with closing(sqlite3.connect(journal, timeout=30)) as db:
        return {int(key) for (key,) in db.execute(query, [f"%:{pid}:%"])}


def test_with_a_journal_another_worker_finds_what_was_accepted(
    open_cluster: Callable[..., Any], server: GatedServer, tmp_path: Path
) -> None:
    own = {"options": {"base_url": server.url, "journal": tmp_path / "jobs.db"}, "run": "animals"}
    with open_cluster(MUAPI_API_KEY="sk-live") as client:
        victim = min(client.run(os.getpid).values())
        server.held = {f"fox {number}" for number in range(COUNT // 2, COUNT)}  # accepted, and nobody is told
        mapped = Mapped(distributed.map(make_calls(COUNT), client=client, concurrency=COUNT, **own))
        server.wait_for(COUNT)
        wait_until(lambda: len(find_accepted(tmp_path / "jobs.db", victim)) >= 2)
        accepted = find_accepted(tmp_path / "jobs.db", victim)
        os.kill(victim, signal.SIGKILL)
        server.release()
        first = mapped.finish()
        assert sorted(first) == list(range(COUNT))
        doubtful = {index for index, outcome in first.items() if outcome.error is not None}
        assert all(isinstance(first[index].error, errors.SubmitOutcomeUnknownError) for index in doubtful)
        assert 0 < len(doubtful) < COUNT
        assert not doubtful & accepted
        assert max(server.accepted.values()) == 1

        again = {outcome.index: outcome for outcome in distributed.map(make_calls(COUNT), client=client, **own)}
    assert max(server.accepted.values()) == 1
    assert {index for index, outcome in again.items() if outcome.error is not None} == doubtful
    assert all(again[index].reused for index in set(range(COUNT)) - doubtful)


def test_without_a_journal_what_may_have_been_charged_is_told_and_nothing_is_sent_twice(
    open_cluster: Callable[..., Any], server: GatedServer
) -> None:
    with open_cluster(MUAPI_API_KEY="sk-live") as client:
        victim = min(client.run(os.getpid).values())
        server.held = None
        options = {"base_url": server.url}
        mapped = Mapped(distributed.map(make_calls(COUNT), client=client, concurrency=COUNT, options=options))
        server.wait_for(COUNT)
        os.kill(victim, signal.SIGKILL)
        server.release()
        outcomes = mapped.finish()
    doubtful = {index for index, outcome in outcomes.items() if outcome.error is not None}
    assert len(doubtful) == COUNT // 2
    for index in doubtful:
        error = outcomes[index].error
        assert isinstance(error, errors.SubmitOutcomeUnknownError)
        assert "was lost" in str(error)
        assert error.call is outcomes[index].call
        assert error.started_at is not None
    assert max(server.accepted.values()) == 1
    assert server.accepted.total() == COUNT


def test_its_user_may_have_it_sent_again(open_cluster: Callable[..., Any], server: GatedServer) -> None:
    with open_cluster(MUAPI_API_KEY="sk-live") as client:
        victim = min(client.run(os.getpid).values())
        server.held = None
        told: list[Any] = []
        own: dict[str, Any] = {"options": {"base_url": server.url}, "retry_unknown": True, "on_progress": told.append}
        mapped = Mapped(distributed.map(make_calls(COUNT), client=client, concurrency=COUNT, **own))
        server.wait_for(COUNT)
        os.kill(victim, signal.SIGKILL)
        server.release()
        outcomes = mapped.finish()
    assert [outcome.error for outcome in outcomes.values()] == [None] * COUNT
    assert server.accepted.total() == COUNT + COUNT // 2
    assert told[-1].in_doubt_usd == told[-1].charged_usd / 2 > 0


def test_without_a_journal_a_job_known_to_be_accepted_is_waited_for_by_another_worker(
    open_cluster: Callable[..., Any], server: GatedServer
) -> None:
    """Each job is told to be accepted before it is looked at: no look is answered until the worker is dead."""
    looks = threading.Event()
    answer = server.answer

    def answer_no_look(request: Any) -> Any:
        if request.method == "GET":
            looks.wait()
        return answer(request)

    server.answer = answer_no_look  # type: ignore[method-assign]
    known: list[int] = []
    with open_cluster(MUAPI_API_KEY="sk-live") as client:
        victim = min(client.run(os.getpid).values())
        mapped = Mapped(
            distributed.map(
                make_calls(COUNT),
                client=client,
                concurrency=COUNT,
                options={"base_url": server.url},
                on_progress=lambda progress: known.append(progress.submitted),
            )
        )
        try:
            wait_until(lambda: bool(known) and known[-1] == COUNT)
            os.kill(victim, signal.SIGKILL)
        finally:
            looks.set()
        outcomes = mapped.finish()
    assert [outcome.error for outcome in outcomes.values()] == [None] * COUNT
    assert server.accepted.total() == COUNT


def test_a_cluster_that_has_lost_all_its_workers_ends_a_map_with_an_error(
    open_cluster: Callable[..., Any], server: GatedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cluster, "WORKERLESS", 1.0)
    with open_cluster(MUAPI_API_KEY="sk-live") as client:
        server.held = None
        options = {"base_url": server.url}
        mapped = Mapped(distributed.map(make_calls(COUNT), client=client, concurrency=8, options=options))
        server.wait_for(8)
        client.cluster.scale(0)
        server.release()
        with pytest.raises(MuAPIError, match="no worker"):
            mapped.finish()
    assert max(server.accepted.values()) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of what dask leaves behind
@pytest.mark.parametrize("run", ["animals", None])
def test_closing_dask_s_client_ends_a_map_at_once_and_its_error_says_so(
    client: Any, server: GatedServer, tmp_path: Path, run: str | None
) -> None:
    import distributed as dask

    options: dict[str, Any] = {"base_url": server.url} | ({"journal": tmp_path / "jobs.db"} if run else {})
    with dask.Client(client.scheduler.address) as own:
        server.held = None
        mapped = Mapped(distributed.map(make_calls(COUNT), client=own, concurrency=8, options=options, run=run))
        server.wait_for(8)
        began = time.monotonic()
        own.close()
        with pytest.raises(MuAPIError, match="dask's client was closed while this map was read") as caught:
            mapped.finish()
        assert time.monotonic() - began < 20
        server.release()
    assert "The map was left" in caught.value.__notes__[-1]
    assert server.accepted.total() == 8
    with pytest.raises(MuAPIError, match="client is closed, and nothing was sent: make a new one"):
        next(iter(distributed.map(make_calls(1), client=own, options=options)))
    gc.collect()  # here, not in other tests
