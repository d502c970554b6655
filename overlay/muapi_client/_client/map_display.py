"""Showing how far a map is: in a terminal, in a notebook's cell, in lines elsewhere. Never on standard output.

Lives here: what is shown, where, and how often. Does not live here: the numbers (``_jobs/mapping``), and when they
change (``_transport/map_driver``).

In a terminal rich draws, where it is installed (the extras ``progress`` and ``cli``). Without it a terminal gets lines
like a file. All is drawn by who reads the map, in its own thread: a thread of its own would have to be ended, forked
and killed, to save some milliseconds a second. What cannot be shown is not: a map is paid for, and its display never
ends it.
"""

from __future__ import annotations

import math
import os
import select
import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from muapi_client._runtime.forks import forks
from muapi_client._runtime.locks import ForkLock
from muapi_client._runtime.notebook import find_notebook_display
from muapi_client._types.money import write_usd
from muapi_client._types.outcome import ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from muapi_client._types.outcome import Progress
    from muapi_client.errors import MuAPIError

BAR: Final = 20  # columns
ECHO: Final = 2  # columns that a terminal needs to echo ^C in the same line, so that it can be taken away
CLEARED: Final = "\r\x1b[K\x1b[?25h"  # a terminal's line is empty, and its cursor shown
NAME: Final = 30  # characters of a run's name
ERROR: Final = 300  # characters of an error's text


class View(NamedTuple):
    """What is shown of a map.

    Attributes:
        parts: Its words, each with a style of rich's.
        done: How many calls have ended.
        total: How many there are, or None.
    """

    parts: tuple[tuple[str, str], ...]
    done: int
    total: int | None

    def __str__(self) -> str:
        return ", ".join(words for words, _ in self.parts)


class Painter(Protocol):
    """Where a map is shown.

    Attributes:
        interval: Seconds from one drawing to the next, at the least.
        is_live: Whether one drawing takes the place of the one before, so that the first may come at once.
    """

    interval: float
    is_live: bool

    @property
    def is_away(self) -> bool:
        """Whether the drawing has made way for something, and may come back."""
        ...

    def show(self, view: View, /) -> None:
        """Draw."""
        ...

    def end(self, view: View, last: str) -> None:
        """Draw no more, leave everything as it was, and say one last line, unless it is empty."""
        ...


class Display:
    """The display of one map, from its first step to its end.

    Args:
        total: How many calls there are, or None.
        run: The name of the run, or None.
        read: Reads how far the map is.

    Attributes:
        name: What the map is called.
        total: How many calls there are, or None.
    """

    def __init__(self, total: int | None, run: str | None, read: Callable[[], Progress]) -> None:
        self.total = total
        self.name = "map" if run is None else f"map {run[:NAME]!a}"
        self._read = read
        self._painter: Painter | None = None
        self._began = self._drawn = 0.0
        self._is_stale = False

    def open(self) -> None:
        """Begin."""
        self._began = self._drawn = time.monotonic()
        self._painter = find_painter()
        if self._painter is not None and self._painter.is_live:
            self._draw()

    def change(self) -> None:
        """Something has changed: draw it, or let it be drawn once it may be."""
        self._is_stale = True
        self.catch_up()

    @property
    def due(self) -> float:
        """Seconds after which :meth:`catch_up` has something to draw; infinity where nothing has changed."""
        painter = self._painter
        if painter is None or not (self._is_stale or painter.is_away):
            return math.inf
        return max(self._drawn + painter.interval - time.monotonic(), 0.0)

    def catch_up(self) -> None:
        """Draw what has changed and was not drawn yet, if it may be by now."""
        if self.due == 0.0:
            self._draw()

    def close(self, *, is_left: bool, stopped_by: MuAPIError | None) -> None:
        """End with the sums, and with what there is to do. Twice does no harm.

        Args:
            is_left: Whether the map was left before its end.
            stopped_by: The error after which no more calls were begun, or None.
        """
        painter, self._painter = self._painter, None
        if painter is None:
            return
        with suppress(Exception):  # as below
            progress = self._read()
            seconds = time.monotonic() - self._began
            last = self.sum_up(progress, seconds, is_left=is_left, stopped_by=stopped_by)
            painter.end(self.view(progress), last)

    def view(self, progress: Progress) -> View:
        """What is shown on the way."""
        return make_view(self.name, progress, self.total)

    def sum_up(self, progress: Progress, seconds: float, *, is_left: bool, stopped_by: MuAPIError | None) -> str:
        """The last line: the sums, and in the words of a program what there is to do."""
        return f"{self.name}: {sum_up(progress, self.total, seconds, is_left=is_left, stopped_by=stopped_by)}"

    def _draw(self) -> None:
        self._is_stale = False
        self._drawn = time.monotonic()
        painter = self._painter
        if painter is None:
            return
        try:
            painter.show(self.view(self._read()))
        except Exception as error:  # noqa: BLE001 - a stream that is closed, a library that fails: the map goes on
            self._painter = None
            with suppress(Exception):
                painter.end(View((), 0, None), f"{self.name}: cannot be shown here any more: {error!a}")
            if not isinstance(painter, Lines):
                self._painter = Lines(sys.stderr)


def find_painter() -> Painter | None:
    """What shows a map in this program, or None where nothing can."""
    stream: Any = sys.stderr
    with suppress(Exception):  # of what stands in for IPython, rich or a stream: lines need none of them
        if (display := find_notebook_display()) is not None:
            return Notebook(display)
        # In CI nobody watches; another map's display has this one's lines above it.
        if stream.isatty() and not os.environ.get("CI") and not isinstance(stream, Above):
            with forks.kept_waiting:
                return Terminal(stream)
    return Lines(stream) if stream is not None else None


class Lines:
    """Lines in a file, a pipe, or a terminal in which nothing can be drawn."""

    interval = 10.0
    is_live = is_away = False

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def show(self, view: View) -> None:
        """Write a line."""
        self._write(str(view))

    def end(self, view: View, last: str) -> None:  # noqa: ARG002 - the painters' common form
        """Write the last line."""
        if last:
            self._write(last)

    def _write(self, line: str) -> None:
        if _is_full(self._stream):
            return
        self._stream.write(f"{line}\n")
        self._stream.flush()


def _is_full(stream: Any) -> bool:
    """Whether a line would have to wait for a reader, as in a pipe that nobody reads: the map would wait with it."""
    try:
        return not select.select([], [stream], [], 0)[1]
    except (OSError, ValueError, TypeError):  # no file of the system's, one of a high number, or Windows
        return False


class Notebook:
    """A notebook's cell, one output of which is renewed.

    Args:
        display: IPython's.
    """

    interval = 0.25
    is_live = True
    is_away = False

    def __init__(self, display: Callable[..., Any]) -> None:
        self._display = display
        self._handle: Any = None

    def show(self, view: View) -> None:
        """Renew the output."""
        self._renew(view, str(view))

    def end(self, view: View, last: str) -> None:
        """Renew it once more."""
        self._renew(view, last)

    def _renew(self, view: View, text: str) -> None:
        bar = f'<progress value="{view.done}" max="{view.total}"></progress> ' if view.total else ""
        data = {"text/plain": text, "text/html": f"{bar}<span>{escape(text)}</span>"}
        if self._handle is None:
            self._handle = self._display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)


class Terminal:
    """The lowest line of a terminal, drawn by rich. It makes way for what the program itself writes there.

    Raises:
        ImportError: There is no rich.
        OSError: The terminal is none in which anything can be drawn anew.
    """

    interval = 0.1
    is_live = True

    def __init__(self, stream: Any) -> None:
        from rich import console, live, progress_bar, table, text  # noqa: PLC0415 - an extra, which takes 60 ms

        class Console(console.Console):
            def on_broken_pipe(self) -> None:
                """Raise it: rich's own ends the program."""
                raise BrokenPipeError

        self._rich: Any = (live.Live, progress_bar.ProgressBar, table.Table.grid, text.Text)
        self._console = Console(file=stream, force_jupyter=False, highlight=False, emoji=False)
        if not self._console.is_interactive or self._console.is_dumb_terminal:
            raise OSError("a terminal in which nothing can be drawn anew")
        self._stream = stream
        self._live: Any = None
        self._is_line_open = False  # the program has written the beginning of a line
        self._is_over = False  # whoever closes the client may do so while another thread reads the map
        self._lock = ForkLock()
        self._pid = os.getpid()
        self._above = [Above(name, self) for name in ("stdout", "stderr") if _is_terminal(getattr(sys, name))]

    @property
    def is_away(self) -> bool:
        """Whether it has made way, and the program's own line is at its end."""
        return self._live is None and not self._is_line_open

    def show(self, view: View) -> None:
        """Draw, unless that would be in the middle of a line of the program's own."""
        live, bar, grid, text = self._rich
        parts = fit(view.parts, self._console.width - ECHO)
        line = text.assemble(*(piece for part in parts for piece in (part, (", ", ""))), no_wrap=True, overflow="crop")
        line.right_crop(2)
        line.truncate(self._console.width - ECHO)
        with self._lock:
            if self._is_line_open or self._is_over:
                return
            shown: Any = line
            if view.total and self._console.width - ECHO > line.cell_len + BAR:
                shown = grid(padding=(0, 1, 0, 0))
                shown.add_column(width=BAR)
                shown.add_column(no_wrap=True, overflow="crop")
                shown.add_row(bar(total=view.total, completed=view.done, width=BAR), line)
            if self._live is None:
                for above in self._above:
                    above.enter()
                options = {"auto_refresh": False, "transient": True, "redirect_stdout": False, "redirect_stderr": False}
                self._live = live(console=self._console, **options)
                self._live.start()
                self._console.show_cursor()  # what kills the program leaves no terminal without one
            self._live.update(shown, refresh=True)

    def make_way(self, text: str) -> None:
        """Take the drawing away, for what the program is about to write."""
        if self._pid != os.getpid():
            return
        with self._lock:
            self._take_away()
            if text:
                self._is_line_open = not text.endswith("\n")

    def end(self, view: View, last: str) -> None:  # noqa: ARG002 - the painters' common form
        """Take the drawing away, and write the last line."""
        with self._lock:
            self._is_over = True
            for above in self._above:
                above.leave()
            self._take_away()
            self._stream.write(f"{chr(10) * self._is_line_open}{last}{chr(10) * bool(last)}")
            self._stream.flush()

    def _take_away(self) -> None:
        live, self._live = self._live, None
        if live is None:
            return
        try:
            live.stop()
        except Exception:  # noqa: BLE001 - it is the program that writes now, and what it writes is to arrive
            with suppress(Exception):
                self._stream.write(CLEARED)


def fit(parts: Sequence[tuple[str, str]], width: int) -> list[tuple[str, str]]:
    """The parts that a line of this width has room for, plain ones whole or not at all: half a sum is none.

    What has a style is what matters, such as a trouble, and stays for the line to cut.
    """
    fitting = list(parts[:1])
    for words, style in parts[1:]:
        if style or len(", ".join(each for each, _ in [*fitting, (words, style)])) <= width:
            fitting.append((words, style))
    return fitting


class Above:
    """In the place of a standard stream that goes to the terminal: what is written stands above the drawing.

    It goes to the stream as it is, and nowhere else.
    """

    def __init__(self, name: str, terminal: Terminal) -> None:
        self._name = name
        self._stream = getattr(sys, name)
        self._terminal = terminal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write above the drawing."""
        self._terminal.make_way(text)
        written: int = self._stream.write(text)
        return written

    def writelines(self, lines: Any) -> None:
        """Write above the drawing."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Make way for what is written beside Python, such as the prompt of ``input()``."""
        self._terminal.make_way("")
        self._stream.flush()

    def enter(self) -> None:
        """Take the stream's place, unless the program has put another one there meanwhile."""
        if getattr(sys, self._name) is self._stream:
            setattr(sys, self._name, self)

    def leave(self) -> None:
        """Give the stream its place back, unless the program has put another one there meanwhile."""
        if getattr(sys, self._name) is self:
            setattr(sys, self._name, self._stream)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError, OSError):  # there is none, or it is closed
        return False


def make_view(
    name: str, progress: Progress, total: int | None, *, failed: Sequence[tuple[int, str]] | None = None
) -> View:
    """What is shown of a map on its way.

    Args:
        failed: The words for those that did not end well, where its user has several, each with how many they are of.
    """
    done = count_done(progress)
    parts = [(f"{name}: {_of(done, total)}", ""), (f"{progress.running} running", "")]
    if progress.elsewhere:
        parts.append((f"{progress.elsewhere} {ELSEWHERE}", ""))
    words = [(progress.failed, "failed")] if failed is None else failed
    parts += [(f"{count} {word}", "red") for count, word in words if count]
    if progress.doubtful:
        amount = f" ({write_usd(progress.in_doubt_usd)} USD)" if progress.in_doubt_usd else ""
        parts.append((f"{progress.doubtful} in doubt{amount}", "yellow"))
    parts.append((f"{write_usd(progress.charged_usd)} USD", ""))
    if progress.expected_end is not None and done != total:
        end = progress.expected_end.astimezone()
        is_today = end.date() == datetime.now().astimezone().date()
        parts.append((f"ends about {end:%H:%M:%S}" if is_today else f"ends about {end:%Y-%m-%d %H:%M}", ""))
    return View(tuple(parts), done, total)


def sum_up(
    progress: Progress, total: int | None, seconds: float, *, is_left: bool, stopped_by: MuAPIError | None
) -> str:
    """The last line of a map: its sums, what is doubtful, and what to do about it."""
    text = tell_sums(progress, total, seconds, is_left=is_left, stopped_by=stopped_by)
    if is_left:
        text += " Nothing more is submitted. mu.resume() lists the jobs that live on."
    if progress.doubtful or progress.in_doubt_usd or is_left:
        text += (
            " What is in doubt may have been charged: mu.unknown() lists it, mu.reconcile(entry) looks for its job,"
            " and mu.settle(entry, job) is your word on it."
        )
    return text


def tell_sums(
    progress: Progress, total: int | None, seconds: float, *, is_left: bool, stopped_by: MuAPIError | None
) -> str:
    """The sums of a map, whoever is told what to do about them."""
    ends = [f"{progress.finished} finished"]
    ends += [f"{progress.failed} failed"] if progress.failed else []
    ends += [f"{progress.doubtful} in doubt"] if progress.doubtful else []
    took = timedelta(seconds=round(seconds))
    ends += [f"{progress.elsewhere} {ELSEWHERE}"] if progress.elsewhere else []
    money = f"{write_usd(progress.charged_usd)} USD charged"
    if before := progress.charged_before_usd:
        part = "all" if before == progress.charged_usd else f"{write_usd(before)} USD"
        money += f", {part} of it before or by other processes"
    money += f", {write_usd(progress.in_doubt_usd)} USD in doubt by the price list" if progress.in_doubt_usd else ""
    how = "left with " if is_left else ""
    text = f"{how}{_of(count_done(progress), total)} in {took}: {', '.join(ends)}; {money}."
    if progress.running:  # a job is charged when it is accepted, and counted above when it ends
        text += f" What the {progress.running} that live on cost comes on top."
    if stopped_by is not None:
        text += f" No more calls were begun after this error: {str(stopped_by)[:ERROR].rstrip('.')!a}."
    return text


def count_done(progress: Progress) -> int:
    """How many calls have ended."""
    return progress.finished + progress.failed + progress.doubtful


def _of(done: int, total: int | None) -> str:
    return f"{done} done" if total is None else f"{done} of {total} done"
