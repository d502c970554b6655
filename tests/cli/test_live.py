"""What a person sees: the program in a real terminal, live, narrow, without colour, dumb, and at Ctrl-C."""

from __future__ import annotations

import math
import os
import re
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE, VIDEO

from muapi_client import MuAPI, catalog
from muapi_client._client.map_display import fit
from muapi_client._state.durations import Durations, Kind
from muapi_client.cli import _live
from muapi_client.cli._config import default_journal
from muapi_client.emulator import Emulator, Fault, Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pexpect = pytest.importorskip("pexpect", reason="no terminals of this kind on this system")

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]")
LONG = 20_000.0  # emulated seconds, more than any test takes
RUN = ("run", VIDEO.slug, "prompt=x")


class Screen:
    """The program in a terminal.

    Attributes:
        raw: All it has written so far.
    """

    def __init__(self, words: tuple[str, ...], columns: int, **environment: str) -> None:
        variables = {**os.environ, "TERM": "xterm-256color", **environment}
        variables = {name: value for name, value in variables.items() if value and name not in {"COLUMNS", "CI"}}
        variables |= {"CI": "1"} if environment.get("CI") else {}
        program = ["-m", "muapi_client.cli", *words]
        self._child: Any = pexpect.spawn(
            sys.executable, program, env=variables, dimensions=(24, columns), timeout=60, encoding="utf-8"
        )
        self.raw = ""

    def wait_for(self, text: str) -> None:
        """Read until this has been written, however the terminal broke the line."""
        self._child.expect(r"(?:\s|\x1b\[[0-9;?]*[A-Za-z])*".join(map(re.escape, text.replace(" ", ""))))
        self.raw += self._child.before + self._child.after

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._child.sendintr()

    def end(self) -> int:
        """Read to the end; answers the exit code."""
        self._child.expect(pexpect.EOF)
        self.raw += self._child.before
        self._child.close()
        code: int = self._child.exitstatus
        return code

    @property
    def text(self) -> str:
        """What stands there as words, without where lines were broken."""
        return " ".join(ANSI.sub(" ", self.raw).split())


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Screen]]:
    """``show(emulator, *words, columns=80)``: the program on an emulator, over HTTP."""
    monkeypatch.chdir(tmp_path)
    served: list[Any] = []
    screens: list[Screen] = []

    def new(emulator: Emulator, *words: str, columns: int = 80, speed: float = 1, **environment: str) -> Screen:
        served.append(emulator.serve(speed=speed))
        environment = {"MUAPI_BASE_URL": str(served[-1]), "MUAPI_API_KEY": "sk-live", **environment}
        screens.append(Screen(words, columns, **environment))
        return screens[-1]

    yield new
    for screen in screens:
        screen._child.close(force=True)
    for each in served:
        each.close()


def endless() -> Emulator:
    return Emulator(job_seconds=math.inf)


@pytest.mark.parametrize("columns", [80, 40])
def test_a_job_is_live_in_a_terminal_and_leaves_it_as_it_was(show: Callable[..., Screen], columns: int) -> None:
    emulator = Emulator(job_seconds=LONG)
    screen = show(emulator, *RUN, "--out", "out", columns=columns)
    screen.wait_for("queued 0:0")
    emulator.clock.sleep(LONG / 2)
    screen.wait_for("processing 0:0")
    emulator.clock.sleep(LONG)
    assert screen.end() == 0
    for words in ("videos mostly take" if columns == 80 else "submitting", "accepted as", "completed; charged"):
        assert words in screen.text
    saved = next(Path("out").iterdir())
    assert str(saved) in re.sub(r"\s", "", ANSI.sub("", screen.raw))
    assert screen.raw.rfind("\x1b[?25h") >= screen.raw.rfind("\x1b[?25l")
    drawn = [line for line in re.split(r"[\r\n]", ANSI.sub("", screen.raw)) if "processing" in line]
    assert drawn
    assert all(len(line) <= columns - 2 for line in drawn)


def test_looks_that_fail_are_seen_and_the_wait_goes_on(show: Callable[..., Screen]) -> None:
    troubles = Faults.script([None, *[Fault.SERVER_ERROR] * 3])
    screen = show(Emulator(job_seconds=math.inf, faults=troubles), *RUN, columns=100)
    screen.wait_for("looks failed, it is looked on: HTTP 500")
    screen.wait_for("queued 0:0")
    screen.interrupt()
    assert screen.end() == 130


def test_what_a_narrow_line_has_no_room_for_is_left_out_whole() -> None:
    parts = [
        ("accepted 0:05", "bold"),
        ("usually 7 to 68 s (your last 48)", ""),
        ("0.015 USD", ""),
        ("balance 9 USD", ""),
    ]
    assert [words for words, _ in fit(parts, 38)] == ["accepted 0:05", "0.015 USD"]
    assert [words for words, _ in fit(parts, 24)] == ["accepted 0:05", "0.015 USD"]
    assert fit(parts, 5) == parts[:1]
    assert fit(parts, 200) == parts
    trouble = ("a look failed, it is looked on: HTTP 500", "yellow")
    assert fit([parts[0], trouble, *parts[1:]], 20) == [parts[0], trouble]


@pytest.mark.parametrize("columns", [80, 40])
def test_ctrl_c_says_what_lives_on_and_how_to_take_it_up(show: Callable[..., Screen], columns: int) -> None:
    screen = show(endless(), *RUN, columns=columns)
    screen.wait_for("queued 0:0")
    screen.interrupt()
    assert screen.end() == 130
    joined = re.sub(r"\s", "", ANSI.sub("", screen.raw))
    (job,) = set(re.findall(r"acceptedas([0-9a-f-]{36})", joined))
    assert re.search("liveson(andmaybecharged|andwascharged[^:]*):MuAPIhasnoroutetocancelajob", joined)
    assert joined.endswith(f"muapi-clientwait{job}")


def test_without_colour_there_is_none(show: Callable[..., Screen]) -> None:
    for environment in ({}, {"NO_COLOR": "1"}):
        troubles = Faults.script([None, *[Fault.SERVER_ERROR] * 50])
        screen = show(Emulator(job_seconds=math.inf, faults=troubles), *RUN, **environment)
        screen.wait_for("failed, it is looked on")
        screen.interrupt()
        assert screen.end() == 130
        assert bool(COLOUR.search(screen.raw)) != bool(environment)


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"CI": "1"}], ids=str)
def test_where_nothing_can_be_drawn_anew_lines_come_with_news(
    show: Callable[..., Screen], environment: dict[str, str]
) -> None:
    emulator = Emulator(job_seconds=LONG)
    screen = show(emulator, *RUN, **environment)
    screen.wait_for("queued 0:0")
    emulator.clock.sleep(LONG / 2)
    screen.wait_for("processing 0:0")
    emulator.clock.sleep(LONG)
    assert screen.end() == 0
    assert "\x1b" not in screen.raw
    told = [line.split()[0] for line in screen.raw.splitlines() if "videos mostly take" in line]
    assert [word for word, _ in groupby(told)] == ["queued", "processing"]


def test_a_hundred_jobs_fit_a_screen_and_ctrl_c_tells_how_to_go_on(show: Callable[..., Screen]) -> None:
    Path("foxes.csv").write_text("prompt\n" + "".join(f"fox {n}\n" for n in range(100)))
    words = ("batch", "foxes.csv", VIDEO.slug, "--concurrency", "100")
    emulator = endless()
    screen = show(emulator, *words)
    screen.wait_for("0 of 100 done, 100 running")
    screen.interrupt()
    assert screen.end() == 130
    assert "stopping once it is known what became of each submit" in screen.text
    assert "100 live on (" in screen.text
    assert re.sub(r"\s", "", screen.text).endswith("togoon:thesamecommandagain.")
    assert emulator.accepted == 100
    own = default_journal()
    with MuAPI("sk-live", journal=own) as mu:
        states = {entry.state for entry in mu.jobs(all_accounts=True)}
    assert states == {"accepted"}


def test_a_batch_is_drawn_below_its_results(show: Callable[..., Screen]) -> None:
    Path("foxes.csv").write_text("prompt\n" + "".join(f"fox {n}\n" for n in range(5)))
    screen = show(Emulator(job_seconds=1), "batch", "foxes.csv", IMAGE.slug, "--out", "out")
    screen.wait_for("5 of 5 done in")
    assert screen.end() == 0
    assert screen.text.count("out/") == 5
    assert "5 finished" in screen.text.rpartition("foxes.csv")[2]


def test_a_file_gets_lines_at_moments_and_no_more(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    now = [0.0]
    monkeypatch.setattr(_live.time, "monotonic", lambda: now[0])
    with MuAPI("sk-live", transport=Emulator().transport()) as mu:
        live = _live.LiveJob(mu, None, "looking")
        live._painter = _live.find_painter()
        live._moment = _live.MOMENTS[0]
        live.change(status="queued")
        for second in range(200):
            now[0] = float(second)
            if second == 45:
                live.fail(ConnectionError("gone"))  # type: ignore[arg-type]
            if second == 50:
                live.change(status="processing", failures=0)
            assert live._painter is not None
            live._draw(live._painter)
    assert [line.split(",")[0] for line in capsys.readouterr().err.splitlines()] == [
        "queued 0:10",
        "queued 0:30",
        "queued 0:45",
        "processing 1:00",
        "processing 2:00",
        "processing 3:00",
    ]


def test_no_word_of_a_server_steers_a_terminal_or_a_runner(capsys: Any) -> None:
    with MuAPI("sk-live", transport=Emulator().transport()) as mu:
        live = _live.LiveJob(mu, None, "looking")
        live.change(status="::error::\x1b[2J\nqueued")
        live.fail(ConnectionError("\x1b]0;gotcha\x07"))  # type: ignore[arg-type]
        painter = _live.find_painter()
        assert painter is not None
        live._moment = 0.0
        live._draw(painter)
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert not said.startswith("::")
    assert said.count("\n") == 1


def test_when_a_job_usually_ends_is_told_by_what_was_learnt(tmp_path: Path) -> None:
    from by_kind import PICTURE, make_chat, make_edit, make_image

    emulator = Emulator(job_seconds=50)
    call = make_image(prompt="x")
    with MuAPI("sk-live", transport=emulator.transport(), journal=tmp_path / "jobs.db") as mu:
        assert re.fullmatch(r"(fast )?images mostly take (20 to 60|2 to 5) s", _live.describe_usual(mu, call, 0))
        assert _live.describe_usual(mu, None, 0) == ""
        assert _live.describe_usual(mu, make_chat(prompt="x"), 0) == ""  # nothing is known of texts
        assert "images mostly take" in _live.describe_usual(mu, make_edit(prompt="x", images_list=[PICTURE]), 0)
        for model in catalog.find(kind="video"):
            assert "images mostly" not in _live.describe_usual(mu, model.call(), 0)  # nor of what upscales videos
        for _ in range(4):
            mu.run(call)
        told = _live.describe_usual(mu, call, 0)
        assert re.fullmatch(r"usually (4[5-9]|5[0-9])( to (4[5-9]|5[0-9]))? s \(your last 4\)", told)
        assert _live.describe_usual(mu, call, 500).endswith(", and this one is late")


def test_of_few_durations_all_count_and_of_many_the_middle() -> None:
    durations = Durations()
    kind = Kind("fox")
    for second in (10.0, 20.0):
        durations.teach(kind, after=second, until=second)
    assert durations.usual(kind) is None
    for second in (30.0, *[25.0] * 12, 900.0):
        durations.teach(kind, after=second, until=second)
    assert durations.usual(kind) == (25.0, 25.0, 16)
