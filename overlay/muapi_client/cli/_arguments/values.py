"""Words that are numbers, times and amounts, read for argparse.

Lives here: what one word can be. Does not live here: which option takes it (the modules beside this one).
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from muapi_client._types.money import LARGEST, usd

if TYPE_CHECKING:
    from decimal import Decimal

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
    return {kind: _read_duration(seconds) for kind, seconds in _read_pairs(text).items()}


def read_shape(text: str) -> dict[str, Any]:
    """How answers are laid out, by name."""
    switches = {"true": True, "false": False}
    return {
        name: tuple(value.split("+")) if name == "running" else switches.get(value, value)
        for name, value in _read_pairs(text).items()
    }


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


def read_most(text: str) -> int:
    """How many at most; 0 for all."""
    return 0 if text == "0" else read_count(text)


def read_count(text: str) -> int:
    """A whole number above 0."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)
