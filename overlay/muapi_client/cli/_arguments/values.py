"""Words that are numbers, times and amounts, read for argparse.

Lives here: what one word can be. Does not live here: which option takes it (the modules beside this one).
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite


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
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount in USD, such as 0.50")
    return amount


def read_limit(text: str) -> str:
    """A budget, as ``_config.read_budget`` reads it: ``5``, ``5/day``."""
    from muapi_client.cli._config import read_budget  # noqa: PLC0415 - loads the errors, which --help need not

    try:
        read_budget(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
    return text
