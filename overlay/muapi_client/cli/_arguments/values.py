"""Words that are numbers, times and amounts, read for argparse.

Lives here: what one word can be. Does not live here: which option takes it (the modules beside this one).
"""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from muapi_client._types.money import LARGEST, usd

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from decimal import Decimal

    from muapi_client.emulator import Shape

UNITS: Final = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


def read_time(text: str) -> datetime:
    """A moment; UTC where no zone is told."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date or time, such as 2026-08-01T12:00:00+02:00") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def read_seconds(text: str) -> float:
    """A positive number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not (isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number of seconds")
    return seconds


def read_past(text: str) -> datetime:
    """A moment, or how long ago it was: ``30d``, ``12h``, ``15m``."""
    unit = UNITS.get(text[-1:])
    if unit is None or not text[:-1].isascii() or not text[:-1].isdigit():
        return read_time(text)
    try:
        return datetime.now(UTC) - int(text[:-1]) * unit
    except (OverflowError, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} is longer ago than the calendar reaches") from None


def read_port(text: str) -> int:
    """A port; 0 lets the system choose."""
    if not (text.isascii() and text.isdigit() and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return int(text)


def read_rate(text: str) -> float:
    """A share, from 0 to 1."""
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no rate from 0 to 1, such as 0.2")
    return rate


def read_usd(text: str) -> Decimal:
    """An amount in USD that is not negative."""
    amount = usd(text)
    if amount is None or amount < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount in USD, such as 0.50: from 0 to less than {LARGEST:,}")
    return amount


def read_limit(text: str) -> str:
    """A budget, as ``_config.read_budget`` reads it: ``5``, ``5/day``."""
    from muapi_client.cli._config import read_budget  # noqa: PLC0415 - loads the errors, which --help need not

    try:
        read_budget(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
    return text


def read_job_seconds(text: str) -> float | dict[str, float]:
    """How long jobs take: seconds, or seconds by kind."""
    if "=" not in text:
        return _read_duration(text)
    pairs = _read_pairs(text)
    _check_kinds(pairs)
    return {kind: _read_duration(seconds) for kind, seconds in pairs.items()}


def read_kind(text: str) -> str:
    """A kind of job."""
    _check_kinds([text])
    return text


def read_shape(text: str) -> Shape:
    """How answers are laid out, by name."""
    from attrs import fields_dict  # noqa: PLC0415 - few emulators are given a shape

    from muapi_client.emulator import Shape  # noqa: PLC0415 - as above

    given, known = _read_pairs(text), fields_dict(Shape)
    unknown = [name for name in given if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"a shape has no {unknown[0]!r}; there are {', '.join(known)}")
    switches = {"true": True, "false": False}
    values: dict[str, Any] = {
        name: tuple(value.split("+")) if name == "running" else switches.get(value, value)
        for name, value in given.items()
    }
    with _refusing():
        return Shape(**values)


def read_host(text: str) -> str:
    """A name that an emulator answers under."""
    from muapi_client.emulator._http.access import read_names  # noqa: PLC0415 - few emulators are given one

    with _refusing():
        read_names([text])
    return text


def read_origin(text: str) -> str:
    """An origin whose pages may read an emulator's answers, or ``*``."""
    from muapi_client.emulator._http.access import read_origins  # noqa: PLC0415 - as for a host

    with _refusing():
        read_origins([text])
    return text


def read_token(text: str) -> str:
    """What lets in whoever steers an emulator."""
    from muapi_client.emulator._http.control import check_token  # noqa: PLC0415 - as for a host

    with _refusing():
        check_token(text)
    return text


def _check_kinds(kinds: Iterable[str]) -> None:
    from muapi_client.emulator._state.behavior import check_kinds  # noqa: PLC0415 - few emulators are given any

    with _refusing():
        check_kinds("it", kinds)


@contextmanager
def _refusing() -> Generator[None, None, None]:
    """Say what the emulator says of a word as argparse says what is wrong with one."""
    try:
        yield
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _read_pairs(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    wrong = next((name for name, equals, value in pairs if not (name and equals and value)), None)
    if wrong is not None:
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=VALUE,NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _read_duration(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, such as 30, 0 or inf")
    return seconds


def read_name(text: str) -> str:
    """A pattern of names, as ``_names`` reads it."""
    from muapi_client.cli._names import read_pattern  # noqa: PLC0415 - few commands save anything

    try:
        read_pattern(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
    return text


def read_whole(text: str) -> int:
    """A whole number, 0 among them."""
    if not (text.isascii() and text.isdigit() and int(text) < 10**9):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number: 0 or above")
    return int(text)


def read_count(text: str) -> int:
    """A whole number above 0."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)
