"""The harness itself: clients that are broken on purpose are found out, and what is right is not called wrong."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from awaiting import Awaiting
from blocking import Blocking
from clients import plain_call
from loopback import Server
from positions import Code, LineTrace, Place, Stepped, with_exits
from verdicts import Row, Tally, Trial, judge

from muapi_client import Job, MuAPI

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

HERE = Place("muapi_client", "muapi_client/x.py", 7, "f")
ROW = Row("sync", "run", "without", "KeyboardInterrupt")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


class Spend:
    total_usd = Decimal(0)


class FakeClient:
    """A client of one exchange: it posts through a real one, and tells and remembers nothing unless a subclass does."""

    def __init__(self, key: str, url: str, **options: Any) -> None:
        self._real = MuAPI(key, url, **options)
        self.spend = Spend()

    def submit(self, call: Any) -> Any:
        try:
            return self._real.submit(call)
        except BaseException as error:
            error.__notes__ = []
            raise

    def run(self, call: Any) -> Any:
        self.spend = Spend()
        self.spend.total_usd = Decimal("0.01")
        return self._real.run(call)

    def unknown(self) -> list[Any]:
        return []

    def resume(self) -> list[Any]:
        return []

    def close(self) -> None:
        self._real.close()


def lines_after_acceptance(made: Blocking) -> int:
    """The number of a line that runs after the answer was read, near the end of a submit."""
    places = made.lines("submit", "without")
    return max(at for at, place in enumerate(places) if place.is_ours)


def test_a_client_that_forgets_is_found_to_lose(server: Server, tmp_path: Path) -> None:
    made = Blocking(server, tmp_path, FakeClient)
    trial = made.interrupt("submit", "without", "KeyboardInterrupt", lines_after_acceptance(made))
    assert trial.place is not None
    assert len(trial.accepted) == 1
    assert "was accepted, KeyboardInterrupt" in judge(trial).lost


def test_a_client_that_notes_its_call_loses_nothing(server: Server, tmp_path: Path) -> None:
    class Noting(FakeClient):
        def submit(self, call: Any) -> Any:
            try:
                return super().submit(call)
            except BaseException as error:
                error.add_note(f"may have been charged: {call.to_json()}")
                raise

    made = Blocking(server, tmp_path, Noting)
    trial = made.interrupt("submit", "without", "KeyboardInterrupt", lines_after_acceptance(made))
    assert len(trial.accepted) == 1
    assert judge(trial).lost == ""


def test_a_client_that_lists_its_call_loses_nothing_and_doubts_falsely_where_nothing_was_sent(
    server: Server, tmp_path: Path
) -> None:
    class Listing(FakeClient):
        doubted: tuple[Any, ...] = ()

        def submit(self, call: Any) -> Any:
            self.doubted = (Job("", call),)
            return super().submit(call)

        def unknown(self) -> list[Any]:
            return list(self.doubted)

    made = Blocking(server, tmp_path, Listing)
    late = judge(made.interrupt("submit", "without", "own exception", lines_after_acceptance(made)))
    early = judge(made.interrupt("submit", "without", "own exception", 0))
    assert (late.lost, late.is_false_doubt) == ("", False)
    assert (early.lost, early.is_false_doubt) == ("", True)


def test_a_client_that_submits_again_is_found_to_pay_twice(server: Server, tmp_path: Path) -> None:
    class Repeating(FakeClient):
        def submit(self, call: Any) -> Any:
            try:
                return super().submit(call)
            except BaseException:
                super().submit(call)
                raise

    made = Blocking(server, tmp_path, Repeating)
    trial = made.interrupt("submit", "without", "SystemExit", lines_after_acceptance(made))
    assert len(trial.accepted) == 2
    assert "accepted as" in judge(trial).twice


@pytest.mark.parametrize("swallows", [False, True])
def test_a_client_that_replaces_or_swallows_an_interrupt_is_found_out(
    server: Server, tmp_path: Path, *, swallows: bool
) -> None:
    class Replacing(FakeClient):
        def submit(self, call: Any) -> Any:
            try:
                return super().submit(call)
            except BaseException as error:
                if swallows:
                    return None
                raise RuntimeError from error

    made = Blocking(server, tmp_path, Replacing)
    verdict = judge(made.interrupt("submit", "without", "KeyboardInterrupt", 0))
    assert verdict.replaced == ("no exception came out" if swallows else "RuntimeError('') came out")


def test_a_client_that_works_no_more_is_found_out(server: Server, tmp_path: Path) -> None:
    class Breaking(FakeClient):
        def submit(self, call: Any) -> Any:
            try:
                return super().submit(call)
            except BaseException:
                self._real.close()
                raise

    made = Blocking(server, tmp_path, Breaking)
    assert "closed" in judge(made.interrupt("submit", "without", "KeyboardInterrupt", 0)).broken


def test_an_interrupt_before_a_byte_has_left_is_no_loss(server: Server, tmp_path: Path) -> None:
    trial = Blocking(server, tmp_path, FakeClient).interrupt("submit", "without", "KeyboardInterrupt", 0)
    assert trial.place is not None
    assert (trial.accepted, trial.arrived, trial.intact) == ([], False, True)
    verdict = judge(trial)
    assert not any((verdict.lost, verdict.twice, verdict.replaced, verdict.broken, verdict.is_false_doubt))


def test_a_position_beyond_the_end_lets_the_call_end(server: Server, tmp_path: Path) -> None:
    trial = Blocking(server, tmp_path).interrupt("submit", "journal", "KeyboardInterrupt", 10**9)
    assert (trial.place, trial.raised, len(trial.answers)) == (None, None, 1)
    assert judge(trial).lost == ""


def test_the_lines_of_two_warm_calls_are_the_same_ones(server: Server, tmp_path: Path) -> None:
    made = Blocking(server, tmp_path)
    first, second = made.lines("submit", "without"), made.lines("submit", "without")
    assert {place.package for place in first} >= {"muapi_client", "httpx", "httpcore", "h11"}
    assert [place for place in first if place.is_ours] == [place for place in second if place.is_ours]


def test_the_trace_raises_at_the_line_it_was_asked_for() -> None:
    code = Code(("json",))

    def work() -> None:
        import json

        json.dumps({"a": [1, 2]}, indent=1)

    trace = LineTrace(code)
    with trace:
        work()
    error = KeyboardInterrupt()
    for at in (0, len(trace.places) - 1):
        again = LineTrace(code, at, error)
        with pytest.raises(KeyboardInterrupt) as caught, again:
            work()
        assert caught.value is error
        assert again.struck == trace.places[at]


def test_no_interrupt_where_connections_are_kept_and_locked_breaks_the_client(server: Server, tmp_path: Path) -> None:
    made = Blocking(server, tmp_path)
    files = ("muapi_client/_transport/pools.py", "httpcore/_synchronization.py", "h11/_state.py")
    places = made.lines("submit", "without")
    latest = {place: at for at, place in enumerate(places) if place.file in files}
    assert len(latest) > 40  # such lines: each of these files is passed
    for place, at in latest.items():
        verdict = judge(made.interrupt("submit", "without", "KeyboardInterrupt", at))
        assert (verdict.replaced, verdict.broken) == ("", ""), place


class Gate:
    """A lock whose two ways are written in Python, as httpcore's are."""

    entered = left = 0

    def __enter__(self) -> None:
        self.entered += 1

    def __exit__(self, *_: object) -> None:
        self.left += 1


def pass_through(gate: Gate, *, fails: bool = False) -> int:
    with gate:
        for number in range(2):
            if fails:
                raise ValueError
            if number:
                return number
    return 0


def pass_to_the_end(gate: Gate) -> None:
    with gate:
        gate.entered += 0


def hand_on(flow: Iterator[None]) -> Any:
    error: BaseException | None = None
    try:
        while True:
            next(flow)
    except StopIteration as end:
        answer = end.value
        return answer  # noqa: RET504 - each a line of its own
    finally:
        del error


def test_only_lines_that_call_something_are_places_for_an_interrupt() -> None:
    class Here(Code):
        def find(self, filename: str) -> tuple[str, str] | None:
            return ("here", "here.py") if filename == __file__ else None

    def answer() -> Generator[None, None, str]:
        yield
        return "the answer"

    trace = LineTrace(Here(()))
    flow = answer()
    with trace:
        assert hand_on(flow) == "the answer"
    assert trace.places[-1].line == hand_on.__code__.co_firstlineno + 4


def call_with_none(function: Any) -> None:
    function(
        None, None, None
    )  # fmt: skip


@pytest.mark.parametrize("way", ["returns", "ends", "raises"])
def test_no_line_at_which_a_with_block_is_left_is_a_place_for_an_interrupt(way: str) -> None:
    """Struck there, ``__exit__`` would be left out, which no signal can do."""
    work: Any = pass_to_the_end if way == "ends" else pass_through
    options = {"fails": True} if way == "raises" else {}

    class Here(Code):
        def find(self, filename: str) -> tuple[str, str] | None:
            return ("here", "here.py") if filename == __file__ else None

    code, at = Here(()), 0
    while True:
        gate = Gate()
        trace = LineTrace(code, at, KeyboardInterrupt())
        with suppress(KeyboardInterrupt, ValueError), trace:
            work(gate, **options)
        if trace.struck is None:
            break
        if trace.struck.function == work.__qualname__:
            assert gate.left == gate.entered, trace.struck
        at += 1
    assert at > 3


def test_a_call_with_three_times_none_leaves_no_with_block() -> None:
    assert with_exits(call_with_none.__code__) == frozenset()
    assert with_exits(pass_to_the_end.__code__)


@pytest.mark.parametrize(("at", "resuming", "reached"), [(0, False, []), (1, False, ["a"]), (0, True, [])])
def test_a_task_is_cancelled_at_the_await_it_was_asked_for(at: int, *, resuming: bool, reached: list[str]) -> None:
    seen: list[str] = []

    async def work() -> None:
        await ready()
        seen.append("a")
        await ready()
        seen.append("b")

    async def ready() -> None:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, None)
        await future

    async def main() -> Stepped:
        stepped = Stepped(Code(("json",)), work(), at, resuming=resuming)
        task = asyncio.ensure_future(stepped.run())
        stepped.strike = task.cancel
        await asyncio.wait([task])
        assert task.cancelled()
        return stepped

    stepped = asyncio.run(main())
    assert seen == reached
    assert stepped.interrupted
    assert isinstance(stepped.raised, asyncio.CancelledError)


@pytest.mark.parametrize("kind", ["cancel", "wait_for", "timeout", "TaskGroup", "anyio scope", "trio scope"])
def test_each_way_to_cancel_reaches_the_client_and_is_seen_to_come_out_of_it(
    server: Server, tmp_path: Path, kind: str
) -> None:
    trial = Awaiting(server, tmp_path).interrupt("run", "without", kind, 0)
    assert trial.place is not None
    assert type(trial.raised).__name__ in ("CancelledError", "Cancelled")
    assert judge(trial).replaced == ""


def test_the_server_counts_what_it_accepts_and_a_locked_journal_is_let_go(server: Server, tmp_path: Path) -> None:
    trial = Blocking(server, tmp_path).interrupt("submit", "locked", "KeyboardInterrupt", 10**9)
    assert len(trial.accepted) == 1
    assert list(tmp_path.iterdir()) == []
    assert trial.broken == ""


def test_a_loss_is_counted_where_only_a_later_client_misses_it() -> None:
    job = Job("7", plain_call("fox"))
    here = Trial("fox", HERE, accepted=["7"], listed=[job], listed_later=[job])
    later = Trial("fox", HERE, accepted=["7"], listed=[job], listed_later=[])
    assert judge(here).lost == ""
    assert "second client" in judge(later).lost


def test_another_call_of_a_similar_name_is_not_taken_for_the_one_that_was_lost() -> None:
    error = KeyboardInterrupt()
    error.add_note("in doubt: {'prompt': 'fox-12-x'}")
    assert judge(Trial("fox-1-x", HERE, accepted=["fox-1-x.1"], raised=error)).lost
    assert judge(Trial("fox-12-x", HERE, accepted=["fox-12-x.1"], raised=error)).lost == ""


def test_the_table_counts_by_row_and_in_all_and_two_tallies_add_up() -> None:
    one, other = Tally(), Tally()
    one.add(ROW, Trial("fox", HERE, accepted=["1"]))
    one.add(ROW, Trial("fox", None))
    other.add(ROW, Trial("fox", HERE, accepted=["1", "2"], intact=False, broken="no"))
    one.merge(other)
    assert one.total == 5
    assert "| sync | run | without | KeyboardInterrupt | 3 | 2 | 1 | 1 | 1 | 0 |" in one.table()
    assert one.table().splitlines()[-1] == "| all |  |  |  | 3 | 2 | 1 | 1 | 1 | 0 |"
    assert "muapi_client/x.py:7 f" in one.report()
    assert Tally().total == 0
