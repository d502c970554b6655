"""The loggers of this package, and records that can break nothing.

A record is made in the middle of a paid job, and what takes it is the user's: a handler, a filter, a record factory.
One that raises is told of as ``logging`` tells of a handler's fault, on standard error unless
``logging.raiseExceptions`` is off, and the job goes on. One that uses a client itself is not called again by that
client's own records. And any may be slow, or interrupted: so nobody calls :func:`log` while holding a lock that others
wait for, nor between the answer to something paid and the note of it.

Lives here: the loggers, ``MUAPI_LOG``, writing a record. Does not live here: what is logged and when (the flows), which
texts may be written down (``_state/secrets``; a record holds no text of the server's but a status word).
"""

from __future__ import annotations

import logging
import os
from logging import DEBUG, INFO, WARNING
from threading import local
from typing import TYPE_CHECKING, Final

from muapi_client._runtime.locks import ForkLock
from muapi_client._runtime.tracebacks import raise_if_from_signal_handler

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["DEBUG", "FILES", "HTTP", "INFO", "JOBS", "MONEY", "WARNING", "log", "read_environment"]

PACKAGE: Final = logging.getLogger("muapi_client")
HTTP: Final = logging.getLogger("muapi_client.http")  # exchanges, and when one is sent again
JOBS: Final = logging.getLogger("muapi_client.jobs")  # what becomes of submissions and jobs
MONEY: Final = logging.getLogger("muapi_client.money")  # what is set aside, refused for its price, given back, disputed
FILES: Final = logging.getLogger("muapi_client.files")  # uploads and downloads

VARIABLE: Final = "MUAPI_LOG"
LEVELS: Final = {"debug": DEBUG, "info": INFO, "warning": WARNING}
HANDLER: Final = "muapi_client: standard error"  # the name of the handler, by which it is found again
FORM: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Here(local):
    """The lock that this thread holds while it writes a record: an interrupt cannot leave it closed."""

    def __init__(self) -> None:
        self.writing = ForkLock()


_here: Final = _Here()


def log(
    logger: logging.Logger,
    level: int,
    message: str,
    *values: object,
    request_id: str | None = None,
    model: str | None = None,
    cost_usd: Decimal | None = None,
) -> None:
    """Write a record. Ask ``logger.isEnabledFor(level)`` before: what the record tells need not be read otherwise.

    Args:
        message: With a place, as ``%s``, for each of ``values``.
        request_id: The job it is about; the record's ``muapi_request_id``.
        model: Its slug; ``muapi_model``.
        cost_usd: What was charged for it; ``muapi_cost_usd``, as a float, which every formatter can write.
    """
    writing = _here.writing
    if writing.is_mine():  # a handler uses a client
        return
    facts = {
        "muapi_request_id": request_id,
        "muapi_model": model,
        "muapi_cost_usd": None if cost_usd is None else float(cost_usd),
    }
    with writing:
        try:
            logger.log(level, message, *values, extra=facts, stacklevel=2)
        except Exception as error:  # noqa: BLE001 - of the user's handler, filter or factory
            raise_if_from_signal_handler(error)
            report(f"no record could be written to {logger.name}")


def report(what: str) -> None:
    """Tell of the exception that is being handled, as ``logging`` does of a handler's: on standard error, if at all.

    Args:
        what: What came to nothing by it.
    """
    record = logging.LogRecord(PACKAGE.name, WARNING, __file__, 0, what, (), None)
    try:
        logging.Handler().handleError(record)
    except Exception as error:  # noqa: BLE001 - standard error is closed: nobody can be told
        raise_if_from_signal_handler(error)


def read_environment() -> None:
    """Have records written to standard error where ``MUAPI_LOG`` says so: once, however often it is called.

    A word that is none of ``LEVELS`` counts as ``warning``, and a record says so: a program does not end by it.
    """
    word = os.environ.get(VARIABLE, "").strip().lower()
    if not word or any(handler.get_name() == HANDLER for handler in PACKAGE.handlers):
        return
    handler = logging.StreamHandler()
    handler.set_name(HANDLER)
    handler.setFormatter(logging.Formatter(FORM))
    PACKAGE.addHandler(handler)
    PACKAGE.setLevel(LEVELS.get(word, WARNING))
    if word not in LEVELS:
        log(PACKAGE, WARNING, "%s=%.40r is none of %s: it counts as warning", VARIABLE, word, ", ".join(LEVELS))


if not any(isinstance(handler, logging.NullHandler) for handler in PACKAGE.handlers):
    PACKAGE.addHandler(logging.NullHandler())  # else Python itself prints warnings that nobody asked for
read_environment()
