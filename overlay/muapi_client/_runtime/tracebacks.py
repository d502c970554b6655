"""What the traceback of an exception tells, and must not tell. Pure.

Lives here: whether an exception came out of a user's signal handler, and clearing the locals of frames that hold the
key. Does not live here: what an exception means for a request (``_transport``).

A handler may raise anything, an OSError or a TimeoutError too, and it strikes wherever the program stands: in the
middle of a socket's read, where httpcore takes it for a fault of the network and translates it. It is none: it says
what the program wants.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType


OURS: Final = frozenset({"muapi_client", "httpx"})  # packages of whose frames any may hold a request or its answer


def raise_if_from_signal_handler(error: BaseException) -> None:
    """Raise, as it was, the exception out of a signal handler that ``error`` is or was made of; else do nothing."""
    own = from_signal_handler(error)
    if own is None:
        return
    context = own.__context__
    try:
        raise own
    finally:
        own.__context__ = context  # ``raise`` would name the error it was translated into, which it is the cause of


def from_signal_handler(error: BaseException) -> BaseException | None:
    """The exception out of a signal handler that ``error`` is or was made of, or None."""
    return next((origin for origin in _origins(error) if _passed_a_handler(origin.__traceback__)), None)


def clear_locals(error: BaseException, handled: BaseException | None, *, everything: bool = True) -> None:
    """Empty the frames that an exception has come through so far, up to a signal handler's.

    A report that shows locals would show what they hold.

    Args:
        error: The exception, where it is caught.
        handled: What was being handled already when the work began, which is not touched.
        everything: Whether whoever's frames; False leaves those of a user's own transport alone.
    """
    for origin in _origins(error, but=handled):
        traceback = origin.__traceback__
        while traceback is not None and not _is_handler(traceback.tb_frame):
            if everything or _package_of(traceback.tb_frame) in OURS:
                with suppress(RuntimeError):  # it still runs
                    traceback.tb_frame.clear()
            traceback = traceback.tb_next


def _origins(error: BaseException, *, but: BaseException | None = None) -> Iterator[BaseException]:
    """An exception and what it was made of, the outermost first; ``but`` and what that was made of are left out."""
    seen: set[int] = {id(but)}
    ahead: list[BaseException | None] = [error]
    while ahead:
        origin = ahead.pop(0)
        if origin is None or id(origin) in seen:
            continue
        seen.add(id(origin))
        yield origin
        ahead += [origin.__cause__, origin.__context__]
        if isinstance(origin, BaseExceptionGroup):
            ahead += origin.exceptions


def _package_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _passed_a_handler(traceback: TracebackType | None) -> bool:
    while traceback is not None:
        if _is_handler(traceback.tb_frame):
            return True
        traceback = traceback.tb_next
    return False


def _is_handler(frame: FrameType) -> bool:
    """Return whether a frame is a signal handler's: nothing else is called with the very frame that it interrupts."""
    interrupted, code = frame.f_back, frame.f_code
    if interrupted is None:
        return False
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 0x04)  # CO_VARARGS
    for name in code.co_varnames[:count]:
        given = frame.f_locals.get(name)
        if given is interrupted or (isinstance(given, tuple) and any(kind is interrupted for kind in given)):
            return True
    return False
