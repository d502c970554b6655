"""``progress=True``: how far a map is, in a terminal, a notebook and a file, and that showing it never breaks it."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Thread
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE
from faces import make_calls

from muapi_client import MuAPIError, Progress
from muapi_client._client import map_display
from muapi_client.emulator import Emulator, Fault, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from faces import Face
    from places import Place

    from muapi_client import Progress


def usd(amount: Decimal | None) -> str:
    assert amount is not None
    return f"{amount.normalize():f} USD"


def doubt() -> str:
    assert IMAGE.price is not None
    return usd(IMAGE.price.cost_usd)


def cost_of_one(face: Face) -> Decimal:
    """What the server takes for a call, which the pinned price list may not know."""
    cost: Decimal = face.ask("estimate", make_calls(1)[0]).cost_usd
    return cost


def all_well(face: Face, took: str = "0:00:00") -> str:
    """The last line of 40 calls that all ended well."""
    return f"map: 40 of 40 done in {took}: 40 finished; {usd(face.client.spend.total_usd)} charged."


def mixed_ends(face: Face, took: str) -> str:
    """The beginning of the last line of the calls of ``mixed``."""
    charged = usd(face.client.spend.total_usd)
    ends = "37 finished, 2 failed, 1 in doubt"
    return f"map: 40 of 40 done in {took}: {ends}; {charged} charged, {doubt()} in doubt by the price list. What"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        """What was written, without what steers."""
        return re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue()).strip())

    @property
    def shows_cursor(self) -> bool:
        text = self.getvalue()
        return text.rfind("\x1b[?25h") >= text.rfind("\x1b[?25l")


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The reading of the display's clock, its only item; it stands still unless a test moves it."""
    now = [100.0]
    monkeypatch.setattr(map_display, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def out() -> io.StringIO:
    """Standard output."""
    return io.StringIO()


@pytest.fixture
def file(readings: list[float]) -> io.StringIO:
    """Standard error, which is a file."""
    return io.StringIO()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, readings: list[float]) -> Terminal:
    """Standard error, which is a terminal of 120 columns."""
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    return Terminal()


@pytest.fixture
def mixed(emulator: Emulator) -> Emulator:
    """An emulator of whose next 40 jobs two fail, and one is in doubt."""
    emulator.next(Outcome(), Outcome.failed("out of luck"), Outcome.failed("again"))
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    return emulator


def moving(readings: list[float], seconds: float) -> Callable[[Any], None]:
    """An ``on_progress`` with each call of which time passes."""

    def move(_: Any) -> None:
        readings[0] += seconds

    return move


def count_and_check(face: Face, **options: Any) -> int:
    return len(list(face.map(make_calls(40), progress=True, **options)))


def test_without_it_nothing_is_said(face: Face, file: io.StringIO) -> None:
    list(face.map(make_calls(3)))
    assert file.getvalue() == ""


def test_a_file_gets_a_line_now_and_then_and_one_at_the_end(
    face: Face, file: io.StringIO, readings: list[float], out: io.StringIO
) -> None:
    assert count_and_check(face, on_progress=moving(readings, 1.0)) == 40
    lines = file.getvalue().splitlines()
    assert 5 <= len(lines) <= 9, "80 changes, a second each"
    assert all(re.match(r"map: \d+ of 40 done, \d+ running, ", line) for line in lines[:-1])
    assert re.search(r", ends about \d\d:\d\d:\d\d$", lines[-2])
    assert lines[-1].startswith("map: 40 of 40 done in 0:01:")
    assert out.getvalue() == ""


def test_the_last_line_tells_the_sums_and_what_to_do_about_doubts(
    face: Face, file: io.StringIO, mixed: Emulator
) -> None:
    assert count_and_check(face) == 40
    (line,) = file.getvalue().splitlines()
    assert line.startswith(mixed_ends(face, "0:00:00"))
    assert "may have been charged: mu.unknown() lists it, mu.reconcile(entry) looks for its job" in line
    assert mixed.charged_usd == face.client.spend.total_usd + cost_of_one(face)  # the doubtful one


def test_where_nothing_is_in_doubt_no_word_of_it_is_said(face: Face, file: io.StringIO) -> None:
    assert count_and_check(face) == 40
    assert file.getvalue() == f"{all_well(face)}\n"


def test_what_earlier_runs_were_charged_is_told_apart(
    open_client: Callable[..., Face], file: io.StringIO, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"journal": tmp_path / "jobs.db"}
    left = open_client(**options).map(make_calls(10), run="foxes", concurrency=2)
    next(left)
    left.close()
    earlier = [entry.cost.charged_usd for entry in open_client(**options).ask("jobs") if entry.cost]
    assert 0 < len(earlier) < 10
    told: list[Progress] = []
    face = open_client(**options)
    assert len(list(face.map(make_calls(10), run="foxes", progress=True, on_progress=told.append))) == 10
    assert told[-1].charged_before_usd == sum(earlier)
    assert told[-1].charged_usd == 10 * cost_of_one(face)
    again = open_client(**options)
    list(again.map(make_calls(10), run="foxes", progress=True))
    assert again.client.spend.total_usd == 0
    *_, line = file.getvalue().splitlines()
    charged = usd(told[-1].charged_usd)
    assert line.endswith(f"10 finished; {charged} charged, all of it before or by other processes.")
    assert f"charged, {usd(told[-1].charged_before_usd)} of it before or by other processes." in file.getvalue()


def test_what_another_process_has_in_hand_is_told_while_it_is_waited_for(
    open_client: Callable[..., Face], file: io.StringIO, readings: list[float], place: Place
) -> None:
    calls = make_calls(2)
    other = open_client(journal=place.location)
    taken = "UPDATE job SET run = 'foxes', run_key = ?, owner = 'laptop@0:1:0-0:token', lease = ? WHERE request_id = ?"
    later = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    for key, call in enumerate(calls):
        place.change(taken, str(key), later, other.ask("submit", call).id)
    told: list[int] = []

    def note(progress: Progress) -> None:
        told.append(progress.elsewhere)
        readings[0] += 10.0
        if progress.elsewhere == 2:  # and virtual time passes until the other machine lets go
            place.change("UPDATE job SET lease = NULL")

    face = open_client(journal=place.location, wait_timeout=1e5)
    assert all(outcome.prediction.done for outcome in face.map(calls, run="foxes", progress=True, on_progress=note))
    assert (max(told), told[-1]) == (2, 0)
    assert re.search(r"0 running, [12] in another process's hands, 0 USD", file.getvalue())


def test_calls_without_a_length_have_no_total_and_no_end(face: Face, file: io.StringIO, readings: list[float]) -> None:
    list(face.map(iter(make_calls(8)), progress=True, on_progress=moving(readings, 10.0)))
    lines = file.getvalue().splitlines()
    assert all(" of " not in line and "about" not in line for line in lines)
    assert re.match(r"map: \d+ done, \d+ running, ", lines[0])


def test_a_map_that_an_error_stopped_says_by_which(open_client: Callable[..., Face], file: io.StringIO) -> None:
    face = open_client(max_spend=3 * cost_of_one(open_client()))
    list(face.map(make_calls(40), concurrency=1, progress=True))
    (line,) = file.getvalue().splitlines()
    assert "4 of 40 done in 0:00:00: 3 finished, 1 failed; " in line
    assert re.search(
        r"No more calls were begun after this error: '.* past max_spend=.* USD; nothing was sent'\.$", line
    )


def test_what_was_sent_again_is_told_as_in_doubt(face: Face, file: io.StringIO, emulator: Emulator) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    outcomes = list(face.map(make_calls(3), concurrency=1, retry_unknown=True, progress=True))
    assert [outcome.error for outcome in outcomes] == [None] * 3
    (line,) = file.getvalue().splitlines()
    assert f"3 finished; {usd(face.client.spend.total_usd)} charged, {doubt()} in doubt by the price list. What" in line
    assert emulator.charged_usd == face.client.spend.total_usd + cost_of_one(face)


def test_a_map_that_is_left_says_so(face: Face, file: io.StringIO) -> None:
    outcomes = face.map(make_calls(40), concurrency=4, progress=True)
    next(outcomes)
    outcomes.close()
    (line,) = file.getvalue().splitlines()
    assert re.match(r"map: left with \d of 40 done in .* Nothing more is submitted\. mu\.resume\(\) lists", line)


def test_a_map_that_is_left_says_that_what_lives_on_costs_money_too(face: Face, file: io.StringIO) -> None:
    """A job is charged when it is accepted, and what it cost is counted when it ends."""

    def stop(progress: Progress) -> None:
        if progress.running:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(face.map(make_calls(4), progress=True, on_progress=stop))
    (line,) = file.getvalue().splitlines()
    assert re.search(r"; 0 USD charged\. What the \d that live on cost comes on top\. ", line)


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_run_is_named_in_any_encoding(
    open_client: Callable[..., Face],
    readings: list[float],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    encoding: str,
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding, errors="strict")
    monkeypatch.setattr(sys, "stderr", stream)
    face = open_client(journal=tmp_path / "jobs.db")
    assert len(list(face.map(make_calls(2), run="f\u00fcchse\x1b[2J", progress=True))) == 2
    stream.seek(0)
    assert stream.read().startswith(r"map 'f\xfcchse\x1b[2J': 2 of 2 done")


def full_device() -> Any:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no full device")
    return Path("/dev/full").open("w", encoding="utf-8", buffering=1)


def closed_file() -> Any:
    stream = io.StringIO()
    stream.close()
    return stream


class Failing(Terminal):
    def write(self, _: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("make", [full_device, closed_file, Failing, lambda: None, object])
def test_a_stream_that_takes_nothing_ends_nothing(
    face: Face, terminal: Terminal, readings: list[float], monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]
) -> None:
    stream = make()
    monkeypatch.setattr(sys, "stderr", stream)
    assert count_and_check(face, on_progress=moving(readings, 5.0)) == 40
    assert sys.stderr is stream
    if hasattr(stream, "close"):
        try:
            stream.close()
        except OSError:
            assert make is full_device


def test_a_terminal_shows_a_bar_and_leaves_the_sums(
    face: Face, terminal: Terminal, readings: list[float], mixed: Emulator, out: io.StringIO
) -> None:
    assert count_and_check(face, on_progress=moving(readings, 0.2)) == 40
    assert terminal.shows_cursor
    assert sys.stderr is terminal
    shown = terminal.lines
    assert re.match(r"\S{20} map: 0 of 40 done, 0 running, 0 USD$", shown[0])
    assert any(f"2 failed, 1 in doubt ({doubt()})" in line for line in shown)
    assert all(len(line) <= 120 for line in shown[:-1])
    assert shown[-1].startswith(mixed_ends(face, "0:00:16"))
    assert terminal.getvalue().endswith("your word on it.\n")
    assert out.getvalue() == ""


def test_it_is_drawn_ten_times_a_second_at_most(face: Face, terminal: Terminal, readings: list[float]) -> None:
    assert count_and_check(face, on_progress=moving(readings, 0.01)) == 40
    drawn = sum("USD" in line for line in terminal.lines[:-1])
    assert 4 <= drawn <= 1 + 10, "80 changes in 0.8 s"


def test_without_colours_it_has_none(
    face: Face, terminal: Terminal, readings: list[float], mixed: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert count_and_check(face, on_progress=moving(readings, 0.2)) == 40
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", terminal.getvalue())


@pytest.mark.parametrize("columns", [1, 10, 40, 100])
def test_it_fits_the_window(
    face: Face, terminal: Terminal, readings: list[float], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert count_and_check(face, on_progress=moving(readings, 0.2)) == 40
    *shown, last = terminal.lines
    assert all(len(line) <= columns for line in shown)
    assert last == all_well(face, "0:00:16")


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("TTY_INTERACTIVE", "0")])
def test_a_terminal_that_can_draw_nothing_anew_gets_lines(
    face: Face, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert count_and_check(face) == 40
    assert terminal.getvalue() == f"{all_well(face)}\n"


def test_without_rich_a_terminal_gets_lines(face: Face, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    assert count_and_check(face) == 40
    assert terminal.getvalue() == f"{all_well(face)}\n"


@pytest.mark.parametrize("method", ["start", "update", "stop"])
def test_a_rich_that_raises_ends_nothing(
    face: Face, terminal: Terminal, readings: list[float], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    import rich.live

    def fail(*_: Any, **__: Any) -> None:
        raise LookupError("rich is broken")

    monkeypatch.setattr(rich.live.Live, method, fail)
    assert count_and_check(face, on_progress=moving(readings, 5.0)) == 40
    assert sys.stderr is terminal
    assert terminal.lines[-1].startswith("map: 40 of 40 done")
    if method != "stop":
        assert "map: cannot be shown here any more: LookupError('rich is broken')" in terminal.lines


def test_what_the_program_prints_stands_above_it_and_goes_where_it_would_go(
    face: Face, terminal: Terminal, readings: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Terminal()
    out.name = "<stdout>"  # as Python's own is called
    monkeypatch.setattr(sys, "stdout", out)
    printed = ""
    for outcome in face.map(make_calls(20), progress=True, on_progress=moving(readings, 0.2)):
        print(outcome.key, "x" * 300)  # noqa: T201 - a user's program
        printed += f"{outcome.key} {'x' * 300}\n"
        assert sys.stdout.name == "<stdout>"
        assert terminal.getvalue().rstrip("\x1b[?25h").endswith(("\x1b[2K", "\x1b[2K\r", "\r")), "it has made way"
    assert out.getvalue() == printed
    assert (sys.stdout, sys.stderr) == (out, terminal)


def test_it_waits_for_the_end_of_a_line_that_the_program_writes(
    face: Face, terminal: Terminal, readings: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", terminal)
    outcomes = face.map(make_calls(20), progress=True, concurrency=2, on_progress=moving(readings, 0.2))
    next(outcomes)
    print("half a line", end="", flush=True)  # noqa: T201 - a user's program
    before = terminal.getvalue()
    for _ in range(10):
        next(outcomes)
    assert terminal.getvalue() == before
    print()  # noqa: T201 - a user's program
    list(outcomes)
    assert re.search(r"^\n.*map: \d+ of 20 done, ", terminal.getvalue()[len(before) :])
    for outcome in face.map(make_calls(20), progress=True):
        print(outcome.index, end=" half a line", flush=True)  # noqa: T201 - a user's program
    assert " half a line\nmap: 20 of 20 done" in terminal.getvalue()


def test_a_stream_that_the_program_has_replaced_stays_replaced(
    face: Face, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = face.map(make_calls(5), progress=True)
    next(outcomes)
    other = io.StringIO()
    monkeypatch.setattr(sys, "stderr", other)
    list(outcomes)
    assert sys.stderr is other
    assert terminal.lines[-1].startswith("map: 5 of 5 done")


def test_two_maps_do_not_draw_over_each_other(
    open_client: Callable[..., Face], terminal: Terminal, readings: list[float]
) -> None:
    face = open_client()
    one = face.map(make_calls(5), progress=True)
    next(one)
    list(face.map(make_calls(3), progress=True))
    list(one)
    ends = [line.partition(";")[0] for line in terminal.lines if "charged" in line]
    assert ends == ["map: 3 of 3 done in 0:00:00: 3 finished", "map: 5 of 5 done in 0:00:00: 5 finished"]
    assert sys.stderr is terminal


@pytest.mark.parametrize("way", ["close", "throw", "drop", "shut"])
def test_however_a_map_is_left_the_terminal_is_as_it_was(
    open_client: Callable[..., Face], terminal: Terminal, readings: list[float], way: str
) -> None:
    face = open_client()
    outcomes = face.map(make_calls(40), concurrency=4, progress=True, on_progress=moving(readings, 0.2))
    next(outcomes)
    assert sys.stderr is not terminal
    if way == "close":
        outcomes.close()
    elif way == "throw":
        with pytest.raises(KeyboardInterrupt):
            outcomes.throw(KeyboardInterrupt())
    elif way == "drop" and face.runner is None:
        del outcomes
    else:
        face.ask("close")
    assert sys.stderr is terminal
    if face.runner is not None:
        outcomes.close()
    assert terminal.shows_cursor
    assert terminal.lines[-1].startswith("map: left with ")


def test_what_has_changed_is_drawn_soon_although_nothing_more_happens(
    readings: list[float], terminal: Terminal
) -> None:
    drawn: list[int] = []
    known = {"running": 1, "elsewhere": 0, "finished": 0, "failed": 0, "doubtful": 0, "expected_end": None}
    progress = SimpleNamespace(charged_usd=Decimal(0), in_doubt_usd=Decimal(0), **known)
    display = map_display.Display(None, None, lambda: progress)  # type: ignore[arg-type,return-value]
    painter = SimpleNamespace(interval=1.0, is_live=True, is_away=False, show=lambda view: drawn.append(view.done))
    display._painter, display._drawn = painter, readings[0]  # type: ignore[assignment]
    assert display.due == float("inf")
    progress.finished = 1
    display.change()
    assert (drawn, display.due) == ([], 1.0)
    readings[0] += 0.75
    assert display.due == 0.25
    display.catch_up()
    assert drawn == []
    readings[0] += 0.25
    display.catch_up()
    assert (drawn, display.due) == ([1], float("inf"))


def test_nothing_is_drawn_after_the_end(terminal: Terminal) -> None:
    painter = map_display.Terminal(terminal)
    view = map_display.View((("map: 1 done", ""),), 1, None)
    painter.show(view)
    painter.end(view, "over")
    painter.show(view)
    assert terminal.getvalue().endswith("over\n")
    assert sys.stderr is terminal


class Cell:
    """One output of a notebook's cell, as IPython's ``display`` answers it."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []

    def display(self, data: dict[str, str], *, raw: bool, display_id: bool) -> Cell:
        assert (raw, display_id, self.shown) == (True, True, [])
        self.shown.append(data)
        return self

    def update(self, data: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.shown.append(data)


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    """The cell of a notebook, whose IPython is made up."""
    cell, ipython, display = Cell(), ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    display.display = cell.display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return cell


def test_a_notebook_renews_one_output(
    face: Face, file: io.StringIO, cell: Cell, readings: list[float], mixed: Emulator
) -> None:
    assert count_and_check(face, on_progress=moving(readings, 0.1)) == 40
    assert file.getvalue() == ""
    assert 5 <= len(cell.shown) <= 80 * 0.1 / 0.25 + 3
    assert cell.shown[0]["text/plain"] == "map: 0 of 40 done, 0 running, 0 USD"
    assert cell.shown[-1]["text/plain"].startswith(mixed_ends(face, "0:00:08"))
    assert cell.shown[-1]["text/html"].startswith('<progress value="40" max="40"></progress> <span>map: 40 of 40')


def test_nothing_of_a_runs_name_is_markup(
    open_client: Callable[..., Face], cell: Cell, readings: list[float], tmp_path: Path
) -> None:
    face = open_client(journal=tmp_path / "jobs.db")
    list(face.map(make_calls(1), run="<img src=x>", progress=True))
    assert all("<img" not in shown["text/html"] for shown in cell.shown)


def test_an_ipython_in_a_terminal_is_a_terminal(
    face: Face, terminal: Terminal, cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: SimpleNamespace(kernel=None))
    assert count_and_check(face) == 40
    assert cell.shown == []
    assert terminal.lines[-1].startswith("map: 40 of 40 done")


def test_a_notebook_that_shows_nothing_any_more_gets_lines(
    face: Face, file: io.StringIO, cell: Cell, readings: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no kernel")

    monkeypatch.setattr(sys.modules["IPython.display"], "display", fail)
    assert count_and_check(face, on_progress=moving(readings, 5.0)) == 40
    assert file.getvalue().splitlines()[-1].startswith("map: 40 of 40 done")


@pytest.mark.parametrize("given", [1, "yes", None])
def test_what_is_no_flag_is_refused(face: Face, given: Any) -> None:
    with pytest.raises(MuAPIError, match="progress must be True or False"):
        list(face.map(make_calls(1), progress=given))


PROGRAM = """
import sys
sys.path[:0] = [{tests!r}, {here!r}]
from faces import make_calls
from muapi_client import MuAPI
from muapi_client.emulator import Emulator
with Emulator(job_seconds=600).serve() as url, MuAPI("sk-live", url) as mu:
    try:
        for _ in mu.map(make_calls(9), progress=True):
            pass
    except KeyboardInterrupt as interrupt:
        print("interrupted:", interrupt.__notes__[0], sys.stdout, sys.stderr)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="it has no pty")
def test_ctrl_c_at_a_real_terminal_leaves_it_as_it_was(tmp_path: Path) -> None:
    import pty
    import termios

    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    here = Path(__file__).parent
    program = PROGRAM.format(tests=str(here.parent), here=str(here))
    environment = {**os.environ, "CI": "", "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    ) as process:
        said = b""
        until = time.monotonic() + 60
        while b"9 running" not in said and time.monotonic() < until:
            said += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        while b"interrupted:" not in said or not said.endswith(b"\n"):
            said += os.read(ours, 65536)
        assert process.wait(30) == 0
    assert termios.tcgetattr(theirs) == before
    for end in (ours, theirs):
        os.close(end)
    assert said.rfind(b"\x1b[?25h") > said.rfind(b"\x1b[?25l")
    assert b"map: left with 0 of 9 done" in said
    assert b"9 jobs live on" in said
    assert said.count(b"_io.TextIOWrapper") == 2, "the streams are those they were"


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe cannot be asked there whether it is full")
def test_a_pipe_that_nobody_reads_holds_no_map_up(
    open_client: Callable[..., Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    with os.fdopen(reader, "rb"), os.fdopen(writer, "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        outcomes: list[Any] = []
        thread = Thread(target=lambda: outcomes.extend(open_client().map(make_calls(3), progress=True)), daemon=True)
        thread.start()
        thread.join(10)
        is_held_up = thread.is_alive()
        while thread.is_alive():
            os.read(reader, 65536)
            thread.join(1)
        assert not is_held_up
    assert len(outcomes) == 3
