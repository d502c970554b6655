"""``muapi-client spec show``: the pinned document in a few lines.

Lives here: the facts that are shown of it. Does not live here: reading the pin (``muapi_client.pinning``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import asdict

from muapi_client.cli._exit import DONE
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    import argparse

    from muapi_client.cli._console import Console


def show(options: argparse.Namespace, console: Console) -> int:  # noqa: ARG001 - every action is called alike
    """Carry out ``spec show``.

    Raises:
        PinError: There is no pinned document.
    """
    facts = _facts()
    width = max(map(len, facts))
    console.result(facts, "\n".join(f"{name.ljust(width)}  {_describe(value)}" for name, value in facts.items()))
    return DONE


def _facts() -> dict[str, Any]:
    """The facts of the lock, and whether this package was rendered from that document."""
    from muapi_generated import SPEC  # noqa: PLC0415 - stands beside what it is compared with

    pin = pinned()
    lock = pin.lock
    return {**asdict(lock), "rendered": SPEC.sha256 == lock.document_sha256, "prices_as_of": pin.models["as_of"]}


def _describe(value: Any) -> str:
    if isinstance(value, bool):
        return "yes: the package was rendered from it" if value else "no: run `nox -s generate`"
    return str(value) or "-"
