"""The emulator that the words of ``muapi-client emulator`` ask for.

Lives here: options of the command line into those of ``Emulator``, and what cannot go together. Does not live here: the
words (``_arguments/local``), serving it (``_emulator``).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator import Emulator, Faults
from muapi_client.emulator._state.behavior import Behavior
from muapi_client.emulator._state.keys import read_secrets
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    import argparse

    from muapi_client.cli._state_file import StateFile

LIVE_KEY: Final = "sk-live"  # the emulator's own, not a secret
TEST_KEY: Final = "sk-test"
BALANCE: Final = 100  # USD
# Options that a kept state has of its own, and `Emulator`'s names for them.
KEPT: Final = {
    "balance": "balance",
    "live_key": "live_keys",
    "test_key": "test_keys",
    "failure_rate": "failure_rate",
    "moderation_rate": "moderation_rate",
    "refund_rate": "refund_rate",
    "result_seconds": "result_seconds",
    "serial": "serial",
    "shape": "shape",
}
USUAL: Final = {"balance": BALANCE, "live_keys": (LIVE_KEY,), "test_keys": (TEST_KEY,)}


def draw_seed() -> int:
    """Draw what ids are drawn from: no two emulators, nor one before and after a reset, give jobs the same ones."""
    return random.SystemRandom().getrandbits(64)


def check_together(options: argparse.Namespace) -> None:
    """Refuse options that cannot be true together, whatever a kept state says.

    Raises:
        ValueError: A key is charged and is not, or the rates pass 1.
    """
    read_secrets(options.live_key or [LIVE_KEY], options.test_key or [TEST_KEY])
    Behavior(failure_rate=options.failure_rate or 0.0, moderation_rate=options.moderation_rate or 0.0)


def open_emulator(options: argparse.Namespace, state: StateFile | None) -> Emulator:
    """A new emulator, or the one whose state was kept.

    Raises:
        MuAPIError: An option is none, two do not go together, or the file holds no state.
        OSError: A file cannot be read.
    """
    seed = draw_seed if options.seed is None else options.seed
    chosen = {name: getattr(options, word) for word, name in KEPT.items() if getattr(options, word) is not None}
    again: dict[str, Any] = {
        "job_seconds": options.job_seconds,
        "webhook_duplicates": options.webhook_duplicates,
        "seed": seed,
        "strict_types": options.strict_types,
        "faults": Faults.chaos(options.chaos, seed=draw_seed() if options.seed is None else options.seed),
        **_read_document(options),
    }
    text = _read_state(state)
    try:
        if state is None or text is None:
            return Emulator(**{**USUAL, **chosen}, **again)
        if chosen:
            word = next(word for word, name in KEPT.items() if name in chosen)
            raise MuAPIError(
                f"{state.path} has a {word.replace('_', ' ')} of its own: leave --{word.replace('_', '-')} out, or name"
                " another file"
            )
        return _load(text, state, again)
    except ValueError as error:
        raise MuAPIError(str(error)) from error


def _load(text: str, state: StateFile, again: dict[str, Any]) -> Emulator:
    """The emulator whose state was kept; what is wrong with that is told with the file's name, the rest comes out."""
    from muapi_client.emulator._state.snapshot import (  # noqa: PLC0415 - most emulators keep none
        IncompleteStateError,
        UnreadableStateError,
    )

    try:
        return Emulator.load(text, **again)
    except UnreadableStateError as error:
        raise _no_state_error(state, error) from error
    except IncompleteStateError as error:
        raise MuAPIError(f"{state.path}: {error}") from error


def _read_state(state: StateFile | None) -> str | None:
    try:
        return state.read() if state is not None else None
    except ValueError as error:
        raise _no_state_error(state, error) from error


def _no_state_error(state: StateFile | None, error: ValueError) -> MuAPIError:
    return MuAPIError(f"{state and state.path} holds no state of an emulator: {error}")


def _read_document(options: argparse.Namespace) -> dict[str, Any]:
    """The document and the prices that were named; empty for the pinned ones."""
    if options.spec is None and options.prices is None:
        return {}
    from muapi_client.pinning import PinError  # noqa: PLC0415 - most emulators answer the pinned document
    from muapi_client.pinning._diff.inputs import read_input, read_price_list  # noqa: PLC0415 - as above

    try:
        given = read_input(options.spec) if options.spec is not None else None
        prices = read_price_list(options.prices) if options.prices is not None else given and given.prices
    except PinError as error:
        raise MuAPIError(str(error)) from None
    return {"document": given and given.document, "prices": prices}
