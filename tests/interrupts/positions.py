"""Where a call can be interrupted, and interrupting it there: at a line of code, or at an await.

Lives here: counting positions and striking at the n-th. Does not live here: what is called (``blocking``,
``awaiting``), whether what came of it is right (``verdicts``).
"""

from __future__ import annotations

import dis
import gc
import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from types import CodeType, FrameType

PACKAGES: Final = ("muapi_client", "muapi_generated", "httpx", "httpcore", "h11")
OURS: Final = ("muapi_client", "muapi_generated")


@dataclass(frozen=True)
class Place:
    """A line of code, told as a developer looks for it."""

    package: str
    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}"

    @property
    def is_ours(self) -> bool:
        """Whether it is a line of this project."""
        return self.package in OURS


NOWHERE: Final = Place("", "?", 0, "?")


class Code:
    """Which files belong to the packages of interest."""

    def __init__(self, packages: tuple[str, ...] = PACKAGES) -> None:
        self._roots = {str(Path(str(import_module(name).__file__)).parent) + "/": name for name in packages}
        self._known: dict[str, tuple[str, str] | None] = {}

    def find(self, filename: str) -> tuple[str, str] | None:
        """The package a file belongs to, and its short name; None for any other."""
        if filename not in self._known:
            roots = (root for root in self._roots if filename.startswith(root))
            root = next(roots, None)
            self._known[filename] = root and (self._roots[root], f"{self._roots[root]}/{filename[len(root) :]}")
        return self._known[filename]

    def place(self, frame: FrameType) -> Place:
        """Where a frame stands."""
        package, file = self.find(frame.f_code.co_filename) or ("", frame.f_code.co_filename)
        return Place(package, file, frame.f_lineno, frame.f_code.co_qualname)


@cache
def with_exits(code: CodeType) -> frozenset[int]:
    """The offsets of the instructions that begin to leave a ``with`` block.

    They are reported as a line of their own, the one of the ``with``; but CPython handles no signal between the end of
    the block, or an exception in it, and the call of ``__exit__``. An exception of a trace function there leaves
    ``__exit__`` out, which none of a signal handler can do. What is called is another matter: an ``__exit__`` that is
    written in Python can be struck at its first line.
    """
    found = dis.get_instructions(code)
    steps = [step for step in found if step.opname not in {"CACHE", "EXTENDED_ARG", "PRECALL", "NOP"}]
    return frozenset(step.offset for at, step in enumerate(steps) if _leaves_with(steps[at : at + 5]))


def _leaves_with(steps: list[dis.Instruction]) -> bool:
    """Whether instructions call ``__exit__``: with three times None, below a value to be returned or not."""
    names = [step.opname for step in steps]
    if names[:2] == ["PUSH_EXC_INFO", "WITH_EXCEPT_START"]:
        return True
    call = steps[1:] if names[0] == "SWAP" else steps[:4]
    loads = [step for step in call[:3] if step.opname == "LOAD_CONST" and step.argval is None]
    # ``f(None, None, None)`` would be told of three arguments; here the first takes the place of ``self``
    in_place = 2 if sys.version_info < (3, 14) else 3
    return len(call) == 4 and len(loads) == 3 and (call[3].opname, call[3].arg) == ("CALL", in_place)


# The instructions before and after which CPython handles no signal: it does where a function begins, where a loop goes
# round and after a call. (What an attribute or an operator calls is a function of its own.)
WITHOUT_SIGNALS = frozenset({
    "CACHE", "CALL_INTRINSIC_1", "CHECK_EXC_MATCH", "COPY", "DELETE_FAST", "EXTENDED_ARG", "JUMP_FORWARD",
    "LOAD_ATTR", "LOAD_CONST", "LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_LOAD_FAST", "LOAD_GLOBAL", "NOP",
    "POP_EXCEPT", "POP_JUMP_FORWARD_IF_FALSE", "POP_JUMP_IF_FALSE", "POP_TOP", "PUSH_EXC_INFO", "RERAISE",
    "RETURN_CONST", "RETURN_VALUE", "STORE_FAST", "STORE_FAST_LOAD_FAST", "SWAP",
})  # fmt: skip


@cache
def lines_without_signals(code: CodeType) -> frozenset[int]:
    """The offsets at which lines begin that no signal can strike, those of :func:`with_exits` among them."""
    found: set[int] = set()
    start, can_strike = -1, True
    for step in dis.get_instructions(code):
        if step.starts_line:
            if not can_strike:
                found.add(start)
            start, can_strike = step.offset, False
        can_strike = can_strike or step.opname not in WITHOUT_SIGNALS
    return with_exits(code) | (found if can_strike else found | {start})


class LineTrace:
    """Notes every line of interest that this thread runs inside ``with``, and raises at the n-th.

    Where no signal can strike is left out: see :func:`lines_without_signals`.

    Attributes:
        places: The lines so far, in order; only kept where ``at`` is None.
        struck: Where ``error`` was raised, or None.
    """

    def __init__(self, code: Code, at: int | None = None, error: BaseException | None = None) -> None:
        self._code, self._at, self._error = code, at, error
        self._count = 0
        self.places: list[Place] = []
        self.struck: Place | None = None

    def __enter__(self) -> Self:
        gc.disable()  # Python drops what is raised within a callback of the collector's
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)
        gc.enable()

    def _call(self, frame: FrameType, _event: str, _argument: Any) -> Callable[..., Any] | None:
        return self._line if self._code.find(frame.f_code.co_filename) else None

    def _line(self, frame: FrameType, event: str, _argument: Any) -> Callable[..., Any]:
        if event == "line" and frame.f_lasti not in lines_without_signals(frame.f_code):
            if self._at is None:
                self.places.append(self._code.place(frame))
            elif self._count == self._at:
                self.struck = self._code.place(frame)
                sys.settrace(None)
                assert self._error is not None
                raise self._error
            self._count += 1
        return self._line


class Stepped:
    """Awaits a coroutine step by step, and strikes at its n-th suspension.

    Args:
        at: Which suspension, from 0; None only notes where they are.
        resuming: Whether to strike when what was awaited is there and the coroutine has not gone on yet, rather than
            as it suspends. Of asyncio alone.
        again: Whether to strike once more at the suspension that follows.

    Attributes:
        strike: What interrupts; to be set before the coroutine is awaited.
        places: Where it suspended.
        struck: Where it was when it was struck, or None.
        interrupted: Whether anything was raised into it at a suspension.
        raised: What it raised, as it came out of the coroutine.
    """

    def __init__(
        self,
        code: Code,
        coroutine: Coroutine[Any, Any, Any],
        at: int | None = None,
        *,
        resuming: bool = False,
        again: bool = False,
    ) -> None:
        self._code, self._coroutine = code, coroutine
        self._at, self._resuming, self._again = at, resuming, again
        self.strike: Callable[[], object] = lambda: None
        self.places: list[Place] = []
        self.struck: Place | None = None
        self.interrupted = False
        self.raised: BaseException | None = None

    async def run(self) -> Any:
        """Await it, as a coroutine of its own."""
        return await self

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self._coroutine.__await__()
        try:
            suspended = inner.send(None)
            while True:
                self._suspended(suspended)
                try:
                    value = yield suspended
                except BaseException as error:  # noqa: BLE001 - the coroutine is told, and decides
                    self.interrupted = True
                    suspended = inner.throw(error)
                else:
                    suspended = inner.send(value)
        except StopIteration as end:
            return end.value
        except BaseException as error:
            self.raised = error
            raise

    def _suspended(self, waited_for: Any) -> None:
        number = len(self.places)
        self.places.append(innermost(self._code, self._coroutine))
        if self._at is None or number not in ((self._at, self._at + 1) if self._again else (self._at,)):
            return
        if self._resuming and hasattr(waited_for, "add_done_callback"):
            waited_for.add_done_callback(lambda _future: self._strike(number))
        else:
            self._strike(number)

    def _strike(self, number: int) -> None:
        self.struck = self.struck or self.places[number]
        self.strike()


def innermost(code: Code, awaited: Any) -> Place:
    """Where a suspended coroutine stands: its innermost line that is of interest."""
    found = NOWHERE
    while awaited is not None:
        frame = _attribute(awaited, "cr_frame", "ag_frame", "gi_frame")
        if frame is not None and code.find(frame.f_code.co_filename):
            found = code.place(frame)
        inner = _attribute(awaited, "cr_await", "ag_await", "gi_yieldfrom")
        if frame is None and inner is None:  # a step of an asynchronous generator, which it does not tell
            inner = next((held for held in gc.get_referents(awaited) if isinstance(held, AsyncGeneratorType)), None)
        awaited = inner
    return found


def _attribute(thing: Any, *names: str) -> Any:
    """The first of some attributes that is there."""
    return next((found for name in names if (found := getattr(thing, name, None)) is not None), None)
