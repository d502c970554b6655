"""Where words go: results to standard output, everything else to standard error.

Words of a document or a server steer nobody on the way: no control character is printed, neither to a terminal nor to a
file (CI prints files, too), and no line is one that a runner of GitHub Actions would take for a command. What a model
made is another matter: a file gets every character that was paid for.

Lives here: the two streams, and what happens when one of them fails. Does not live here: how a value looks
(``_formats``), what an error means (``_exit``).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

HIDDEN: Final = "\N{REPLACEMENT CHARACTER}"
# Control characters but for tab and newline, and what breaks a line or turns it around (Unicode's annex 9).
_STEERING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
# A runner obeys a line that begins with `::`, white space aside, or has `##[` anywhere (actions/runner, ActionCommand).
_COMMAND: Final = re.compile(r"^\s*:(?=:)|##(?=\[)", re.MULTILINE)
# What JSON leaves as it is, of the same characters and commands; `##` stands in a string only.
_CONTROLS: Final = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]|(?<=##)\\[")


class Console(NamedTuple):
    """How this call of the program speaks.

    Attributes:
        json: Whether it speaks JSON: one value on standard output, one object a line on standard error.
        transport: An httpx transport to use in place of the network, or None.
        quiet: Whether it says nothing but results and errors.
    """

    json: bool = False
    transport: Any = None
    quiet: bool = False

    def result(self, value: Any, plain: str) -> None:
        """Print what was asked for, in whichever of its two forms is wanted; an empty plain text prints nothing."""
        text = dumps(value, indent=2) if self.json else _make_inert(_STEERING.sub(HIDDEN, _to_terminal(plain)))
        if text:
            print(text, flush=True)

    def made(self, value: Any, plain: str) -> None:
        """Print what a model made; a file gets every character of it."""
        text = dumps(value, indent=2) if self.json else _to_terminal(plain)
        if text:
            print(text, flush=True)

    def piece(self, value: Any, plain: str) -> None:
        """Print a piece of what a model wrote, or one line of JSON; a file gets every character of it."""
        print(dumps(value) if self.json else _to_terminal(plain), end="\n" if self.json else "", flush=True)

    def say(self, plain: str, event: Mapping[str, Any]) -> None:
        """Tell something on the way, on standard error.

        A job's wait must not end because nobody listens, so a standard error that fails is left alone.
        """
        with contextlib.suppress(OSError, ValueError):  # ValueError: the stream was closed
            print(dumps(event) if self.json else make_safe(plain), file=sys.stderr, flush=True)

    def remark(self, plain: str) -> None:
        """Tell people what a program finds in the result itself."""
        if not (self.json or self.quiet):
            self.say(plain, {})

    @property
    def width(self) -> int | None:
        """How many characters a line of the terminal has; None where standard output is none, and takes any number."""
        if not sys.stdout.isatty():
            return None
        import shutil  # noqa: PLC0415 - 10 ms, and most commands lay nothing out

        return shutil.get_terminal_size().columns

    def agrees(self, question: str) -> bool:
        """Ask the person at the terminal; anything but yes means no, and so does that nobody sits there."""
        if sys.stdin is None or not sys.stdin.isatty():
            return False
        with contextlib.suppress(OSError, ValueError):
            print(_make_inert(_one_line(f"{question} [y/N] ")), end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in {"y", "yes"}


def dumps(value: Any, *, indent: int | None = None) -> str:
    """JSON as people read it, or with escapes where standard output cannot encode it."""
    text = _CONTROLS.sub(_as_json, json.dumps(value, ensure_ascii=False, indent=indent))
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return _CONTROLS.sub(_as_json, json.dumps(value, indent=indent))
    return text


def be_lenient() -> None:
    """Let neither a letter nor a closed stream stop a job that is paid for.

    What a stream cannot encode is escaped. A stream that was closed before this program began is None: words on the way
    then go nowhere, where ``print`` would take standard output for them, and a result fails as on a full disk.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - for as long as the program runs
    if sys.stdout is None:
        sys.stdout = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - as above; to be read: a write fails
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # a stand-in may know no reconfigure()
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def abandon_stdout() -> None:
    """Let the interpreter's last flush go nowhere, once standard output has failed (Python's manual, on SIGPIPE)."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, sys.stdout.fileno())
        finally:
            os.close(nowhere)


def make_safe(text: str) -> str:
    """A text as one line that steers neither a terminal nor a runner."""
    return _make_inert(_one_line(text))


def _to_terminal(text: str) -> str:
    """A text without what could steer a terminal, where standard output is one."""
    if not sys.stdout.isatty():
        return text
    return "".join(letter if letter.isprintable() or letter in "\n\t" else HIDDEN for letter in text)


def _one_line(text: str) -> str:
    shown = " ".join(text.split()) if "\n" in text or "\r" in text else text
    return "".join(letter if letter.isprintable() else HIDDEN for letter in shown)


def _make_inert(text: str) -> str:
    """A text no line of which is a command, by a space of no width in each that was."""
    return _COMMAND.sub("\\g<0>\N{ZERO WIDTH SPACE}", text)


def _as_json(found: re.Match[str]) -> str:
    """One character of a JSON string in its other form, which means the same."""
    return "".join(f"\\u{ord(letter):04x}" for letter in found[0])
