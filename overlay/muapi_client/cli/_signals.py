"""Signals that end the program: each does what Ctrl-C does, so that it is told what lives on and how to take it up.

A second one ends the program at once, as the system has it: what was submitted is in the journal.

Lives here: SIGTERM and SIGHUP as interrupts, the exit code of either. Does not live here: what an interrupt means to a
job (``_progress``, ``_many``), ending the emulator (``_emulator``).
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Generator

INTERRUPTED: Final = 128 + signal.SIGINT  # as shells have it
ENDING: Final = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Ending:
    """How the program was asked to end.

    Attributes:
        code: The exit code of an interrupt.
    """

    def __init__(self) -> None:
        self.code: int = INTERRUPTED


@contextmanager
def ending_as_interrupts() -> Generator[Ending]:
    """Have SIGTERM and SIGHUP interrupt what is done, as Ctrl-C does.

    One that somebody else has taken, or that is ignored, as SIGHUP is under nohup, stays so.
    """
    ending = Ending()

    def interrupt(number: int, frame: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        ending.code = 128 + number
        at_ctrl_c = signal.getsignal(signal.SIGINT)
        if callable(at_ctrl_c):
            at_ctrl_c(signal.SIGINT, frame)
        else:  # Ctrl-C is ignored, as of a job in the background
            raise KeyboardInterrupt

    is_main = threading.current_thread() is threading.main_thread()  # which alone may ask to be told of signals
    taken = [each for each in ENDING if is_main and signal.getsignal(each) is signal.SIG_DFL]
    for each in taken:
        signal.signal(each, interrupt)
    try:
        yield ending
    finally:
        for each in taken:
            signal.signal(each, signal.SIG_DFL)
