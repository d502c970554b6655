"""Many calls on the workers of a cluster."""

from __future__ import annotations

import itertools
import pickle
import re
import socket
import sqlite3
import sys
from contextlib import closing
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import make_edit, make_image
from gated import make_calls

from muapi_client import Budget, MuAPI, MuAPIError, Outcome, distributed, errors
from muapi_client.distributed._client_options import read_client_options
from muapi_client.distributed._cluster import Cluster
from muapi_client.distributed._runner import (
    Assignment,
    Batch,
    MapOptions,
    RunnerGoneError,
    RunnerInfo,
    _runners,
    begin_batch,
    open_runner,
)
from muapi_client.emulator import Outcome as Fate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from distributed import Client
    from gated import GatedServer

pytest.importorskip("distributed")


def test_every_call_comes_back_with_what_became_of_it(run: Callable[..., Any], server: GatedServer) -> None:
    calls = make_calls(40)
    outcomes = {outcome.index: outcome for outcome in run(calls)}
    assert sorted(outcomes) == list(range(40))
    for index, outcome in outcomes.items():
        assert outcome.error is None
        assert outcome.call is calls[index]
        assert outcome.key == str(index)
        assert outcome.prediction.outputs
        assert outcome.prediction.id == outcome.job.id
    assert len({outcome.job.id for outcome in outcomes.values()}) == 40
    assert server.accepted == {call.body["prompt"]: 1 for call in calls}


def test_both_workers_take_part_and_share_a_file(run: Callable[..., Any], tmp_path: Path) -> None:
    list(run(make_calls(20), options={"journal": tmp_path / "jobs.db"}))
    query = "SELECT count(DISTINCT owner), count(*) FROM job WHERE state = 'completed'"
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as db:
        assert db.execute(query).fetchone() == (2, 20)


def test_outcomes_may_come_in_order_and_under_keys_of_ones_own(run: Callable[..., Any]) -> None:
    outcomes = list(run(make_calls(12), ordered=True, key=lambda _place, call: call.body["prompt"], concurrency=5))
    assert [outcome.key for outcome in outcomes] == [f"fox {number}" for number in range(12)]


def test_an_endless_iterable_is_asked_no_further_than_concurrency_ahead(run: Callable[..., Any]) -> None:
    drawn: list[int] = []

    def draw() -> Any:
        for number in itertools.count():
            drawn.append(number)
            yield make_image(prompt=f"fox {number}")

    outcomes = run(draw(), concurrency=4)
    for read, _ in zip(range(1, 13), outcomes, strict=False):
        assert len(drawn) <= read + 4
    with pytest.warns(RuntimeWarning, match="this note alone knows them"):
        outcomes.close()


def test_progress_counts_what_the_workers_report(run: Callable[..., Any]) -> None:
    told: list[Any] = []
    list(run(make_calls(10), on_progress=told.append))
    last = told[-1]
    assert (last.submitted, last.running, last.finished, last.failed, last.doubtful) == (10, 0, 10, 0, 0)
    assert last.charged_usd == 10 * Decimal("0.015")


def test_an_error_that_stops_a_map_stops_it_in_the_whole_cluster(run: Callable[..., Any], server: GatedServer) -> None:
    calls = [make_image(prompt="fox 0"), make_image(prompt="fox 1", num_images=9), *make_calls(60)[2:]]
    outcomes = list(run(calls, concurrency=2, ordered=True, stop_on=errors.ValidationError))
    assert isinstance(outcomes[1].error, errors.ValidationError)
    assert len(outcomes) < 10
    assert server.accepted.total() == len(outcomes) - 1


def test_what_is_no_call_or_holds_an_open_file_is_refused_as_an_outcome(
    run: Callable[..., Any], server: GatedServer, tmp_path: Path
) -> None:
    (tmp_path / "fox.png").write_bytes(b"\x89PNG")
    with (tmp_path / "fox.png").open("rb") as file:
        calls = [*make_calls(1), "flux-dev-image", make_edit(prompt="wolf", images_list=[file])]
        outcomes = list(run(calls, ordered=True))
    assert outcomes[0].error is None
    assert "takes a call" in str(outcomes[1].error)
    assert "open file" in str(outcomes[2].error)
    assert server.accepted == {"fox 0": 1}


def test_a_files_path_travels_and_the_worker_reads_the_file(
    run: Callable[..., Any], server: GatedServer, tmp_path: Path
) -> None:
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "fox.png")
    (outcome,) = run([make_edit(prompt="wolf", images_list=[tmp_path / "fox.png"])])
    assert outcome.error is None
    assert server.accepted == {"wolf": 1}


def test_with_a_journal_a_run_resumes(run: Callable[..., Any], server: GatedServer, tmp_path: Path) -> None:
    own = {"options": {"journal": tmp_path / "jobs.db"}, "run": "animals"}
    first = {outcome.key: outcome for outcome in run(make_calls(10), **own)}
    again = {outcome.key: outcome for outcome in run(make_calls(12), **own)}
    assert server.accepted.total() == 12
    assert {key for key, outcome in again.items() if outcome.reused} == first.keys()
    assert all(again[key].job.id == outcome.job.id for key, outcome in first.items())


def test_an_equal_call_may_be_answered_from_the_journal(
    run: Callable[..., Any], server: GatedServer, tmp_path: Path
) -> None:
    own = {"journal": tmp_path / "jobs.db"}
    list(run(make_calls(4), options=own))
    again = list(run(make_calls(4), options=own, reuse=True))
    assert all(outcome.reused for outcome in again)
    assert server.accepted.total() == 4


def test_a_budget_holds_over_all_workers(run: Callable[..., Any], server: GatedServer, tmp_path: Path) -> None:
    own = {"journal": tmp_path / "jobs.db", "budget": Budget("0.10", per="run")}
    outcomes = list(run(make_calls(30), options=own, run="animals", concurrency=8))
    assert server.accepted.total() == 6  # of 0.015 USD each
    assert sum(outcome.error is None for outcome in outcomes) == 6
    assert all(isinstance(outcome.error, errors.SpendLimitError) for outcome in outcomes if outcome.error)
    assert len(outcomes) < 30


def test_a_map_that_is_left_submits_nothing_more(run: Callable[..., Any], server: GatedServer) -> None:
    outcomes = run(make_calls(200), concurrency=4)
    for _ in range(3):
        next(outcomes)
    with pytest.warns(RuntimeWarning, match=r"[0-9]+ (jobs live on|submits may).*this note alone knows them"):
        outcomes.close()
    seen = server.accepted.total()
    assert seen <= 3 + 4
    list(run(make_calls(1)))  # another map begins and ends meanwhile
    assert server.accepted.total() <= seen + 4 + 1


def test_ctrl_c_sees_submits_to_their_end_and_tells_what_lives_on(run: Callable[..., Any], server: GatedServer) -> None:
    def draw() -> Any:
        yield from make_calls(6)
        server.wait_for(6)
        raise KeyboardInterrupt

    server.emulator.next()
    with pytest.raises(KeyboardInterrupt) as caught:
        list(run(draw(), concurrency=7))
    (note,) = caught.value.__notes__
    assert "no more calls are submitted" in note
    assert "may have been charged" not in note
    assert server.accepted.total() == 6


def test_without_a_journal_the_note_names_every_job_that_lives_on(run: Callable[..., Any], server: GatedServer) -> None:
    def draw() -> Any:
        yield from make_calls(9)
        server.wait_for(9)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        list(run(draw(), concurrency=10, ordered=True))
    (note,) = caught.value.__notes__
    named = set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", note))
    assert len(named) == 9, note
    assert "this note alone knows them" in note
    assert "mu.resume()" not in note


@pytest.mark.filterwarnings("error")
def test_with_a_journal_nothing_need_be_said_of_a_map_that_is_left(
    run: Callable[..., Any], server: GatedServer, tmp_path: Path
) -> None:
    own = {"options": {"journal": tmp_path / "jobs.db"}, "run": "animals"}
    outcomes = run(make_calls(20), concurrency=4, **own)
    next(outcomes)
    outcomes.close()
    assert len(list(run(make_calls(20), concurrency=4, **own))) == 20
    assert server.accepted.total() == 20


def test_a_worker_without_a_key_is_one_clear_error(run: Callable[..., Any], server: GatedServer) -> None:
    with pytest.raises(errors.AuthenticationError, match="MISSING_KEY") as caught:
        list(run(make_calls(50), from_environment={"api_key": "MISSING_KEY"}))
    assert "worker at tcp://" in caught.value.__notes__[0]
    assert server.accepted.total() == 0


def test_the_key_is_that_of_the_variable_that_is_named(run: Callable[..., Any], server: GatedServer) -> None:
    list(run(make_calls(2), from_environment={"api_key": "OTHER_KEY"}))
    keys = {exchange.request.headers["x-api-key"] for exchange in server.emulator.requests}
    assert keys == {"sk-test"}


def test_what_comes_back_holds_no_secret(run: Callable[..., Any], server: GatedServer) -> None:
    server.emulator.next(Fate.completed(), Fate.failed("out of luck"))
    outcomes = list(run(make_calls(3), from_environment={"webhook": "HOOK"}, concurrency=1))
    assert [type(outcome.error) for outcome in outcomes] == [type(None), errors.JobFailedError, type(None)]
    assert all(
        exchange.request.query["webhook"].endswith("very-secret")
        for exchange in server.emulator.requests
        if exchange.request.method == "POST"
    )
    assert b"very-secret" not in pickle.dumps(outcomes)
    assert b"sk-live" not in pickle.dumps(outcomes)


def test_an_option_that_a_worker_refuses_is_raised_and_nothing_sent(
    run: Callable[..., Any], server: GatedServer, tmp_path: Path
) -> None:
    with pytest.raises(MuAPIError, match="timeout"):
        list(run(make_calls(3), options={"timeout": -1}))
    with pytest.raises(errors.JournalError):
        list(run(make_calls(3), options={"journal": tmp_path / "no" / "such" / "jobs.db"}))
    assert server.accepted.total() == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"options": {"api_key": "sk-live"}}, "from_environment"),
        ({"options": {"webhook": "https://example.com/secret"}}, "from_environment"),
        ({"options": {"journal": "postgresql://user:hunter2@host/db"}}, "holds a password"),
        ({"options": {"journal": "postgresql://host/db?password=hunter2"}}, "holds a password"),
        ({"options": {"journal": "postgresql://user:hunter2#@host/db"}}, "holds a password"),
        ({"options": {"journal": "postgresql://user:?hunter2@host/db"}}, "holds a password"),
        ({"options": {"journal": "postgresql://user:/hunter2@host/db"}}, "holds a password"),
        ({"options": {"journal": "postgresql://host/db?sslpassword=hunter2"}}, "holds a password"),
        ({"options": {"journal": "postgresql://host/db?p%61ssword=hunter2"}}, "holds a password"),
        ({"options": {"journal": "host=db password=hunter2"}}, "holds a password"),
        ({"options": {"base_url": "https://user:hunter2@host"}}, "must not hold a user name or password"),
        ({"options": [("timeout", 3)]}, "options must be a dict, not a list"),
        ({"from_environment": "MUAPI_API_KEY"}, "from_environment must be a dict, not a str"),
        ({"options": {"max_spend": Decimal(1)}}, "budget="),
        ({"options": {"transport": object()}}, "one process's"),
        ({"options": {"tiemout": 3}}, "tiemout"),
        ({"options": {"models": sys}}, "values"),
        ({"from_environment": {"timeout": "X"}}, "timeout"),
        ({"from_environment": {"journal": ""}}, "journal"),
        ({"options": {"journal": "a.db"}, "from_environment": {"journal": "X"}}, "keep one"),
        ({"run": "animals"}, "journal"),
        ({"run": ""}, "run"),
        ({"concurrency": 0}, "concurrency"),
        ({"key": "prompt"}, "key"),
        ({"download_to": 3}, "directory to save to"),
        ({"stop_on": "ValueError"}, "stop_on"),
        ({"retry_unknown": "no"}, "retry_unknown"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_sent(client: Client, given: Any, said: str) -> None:
    with pytest.raises(MuAPIError, match=said) as caught:
        distributed.map(make_calls(1), client=client, **given)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://host:5432/db", "postgresql://user@host/db?application_name=a:b@c"])
def test_a_databases_url_without_a_password_travels(url: str) -> None:
    assert read_client_options({"journal": url}, None).options == {"journal": url}


def test_a_client_of_muapis_is_no_cluster() -> None:
    with MuAPI("sk-live") as mu, pytest.raises(MuAPIError, match="Client"):
        distributed.map([], client=mu)


def test_what_travels_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUAPI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("JOBS", "postgresql://user:hunter2@host/db")
    options = read_client_options({"timeout": 3}, {"journal": "JOBS"})
    travels = pickle.dumps(MapOptions(options, 4, "run", None, None, retry_unknown=False, download_to=None))
    assert b"secret" not in travels
    assert b"hunter2" not in travels
    batch = Batch(0, (Assignment(0, "0", pickle.dumps(make_image(prompt="a red fox")), None),))
    assert "fox" not in repr(batch)


def test_a_batch_that_dask_runs_again_is_begun_once_and_in_no_other_process(
    server: GatedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a result is lost with a worker, and computed again."""
    monkeypatch.setenv("MUAPI_API_KEY", "sk-live")
    options = read_client_options({"base_url": server.url}, None)
    info = open_runner("token", MapOptions(options, 4, None, None, None, retry_unknown=False, download_to=None))
    batch = Batch(0, (Assignment(0, "0", pickle.dumps(make_calls(1)[0]), None),))
    begin_batch(info, batch)
    begin_batch(info, batch)
    assert open_runner("token", MapOptions(options, 4, None, None, None, retry_unknown=False, download_to=None)) == info
    runner = _runners["token"]
    news: list[Any] = []
    while not any(isinstance(report.news, Outcome) for report in news):
        news += runner.read(len(news), 5.0).news
    runner.close()
    assert server.accepted == {"fox 0": 1}
    with pytest.raises(RunnerGoneError):
        begin_batch(RunnerInfo("token", "other:1:2:3", keeps_file=False), batch)
    _runners.clear()


@pytest.mark.parametrize("hosts", [("one", "other"), ("box@boot-1", "box@boot-2")], ids=["names", "one name"])
def test_a_file_is_no_journal_for_the_workers_of_two_machines(hosts: tuple[str, str]) -> None:
    options = MapOptions(read_client_options(None, None), 4, "run", None, None, retry_unknown=False, download_to=None)
    cluster = Cluster(None, options)
    one, other = (SimpleNamespace(runner=RunnerInfo("token", f"{host}:1:2:3", keeps_file=True)) for host in hosts)
    cluster.opened(one)
    with pytest.raises(MuAPIError, match="PostgreSQL"):
        cluster.opened(other)


def test_a_worker_tells_its_machine_and_not_its_name_alone(
    server: GatedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines of one name that took a file of each for one would pay twice for a dead worker's calls."""
    monkeypatch.setenv("MUAPI_API_KEY", "sk-live")
    options = read_client_options({"base_url": server.url}, None)
    info = open_runner("machine", MapOptions(options, 4, None, None, None, retry_unknown=False, download_to=None))
    _runners.pop("machine").close()
    name, _, machine = info.host.partition("@")
    assert name == socket.gethostname()
    assert machine


def test_workers_of_another_version_are_refused(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from muapi_client.distributed import _map

    def make_older(*given: Any, **options: Any) -> MapOptions:
        return MapOptions(*given, **options, version="0.0.1")

    monkeypatch.setattr(_map, "MapOptions", make_older)
    with pytest.raises(MuAPIError, match=r"0\.0\.1"):
        list(run(make_calls(1)))


def test_its_progress_tells_what_was_left_in_doubt(run: Callable[..., Any], server: GatedServer) -> None:
    answer, lost = server.answer, iter([True])

    def lose_the_first(request: Any) -> Any:
        response = answer(request)
        if request.method == "POST" and next(lost, False):
            raise ConnectionResetError
        return response

    server.answer = lose_the_first  # type: ignore[method-assign]
    told: list[Any] = []
    (outcome,) = run(make_calls(1), retry_unknown=True, on_progress=told.append)
    assert outcome.error is None
    assert server.accepted.total() == 2
    assert told[-1].in_doubt_usd == told[-1].charged_usd > 0
