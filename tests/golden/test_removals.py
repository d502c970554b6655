"""Any operation of the pinned document may go: the others are rendered, and ours still finds all that it uses.

Lives here: the pinned document without one of its operations, through the command. Does not live here: which names our
code uses and what a correction says that finds nothing (``test_regeneration``, ``test_corrections``).

``nox -s removals`` takes each operation out of the whole document in turn; a run of the suite, a sample out of a small
part of it, in which groups are left empty.
"""

from __future__ import annotations

import copy
import os
import re
from typing import TYPE_CHECKING, Any

import pinned
import pytest

from muapi_client.cli._demo import KINDS
from muapi_client.pinning._document.canonical import restrict_to_scope
from rules import corrections

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pipeline

ACTIONS = corrections.read_actions(pinned.CORRECTIONS)
KEPT = next(action.update for action in ACTIONS if action.keeps)
OURS = {f"{method.upper()} {path}" for path, item in KEPT.items() for method in item}
IS_WHOLE = os.environ.get("MUAPI_REMOVE_EACH") == "1"
SAMPLED = 6  # every so many of the small part's operations


def list_operations(document: dict[str, Any]) -> list[str]:
    return [f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item]


def without(document: dict[str, Any], *operations: str) -> dict[str, Any]:
    """The document without operations, and without what only they used."""
    paths = copy.deepcopy(document["paths"])
    for operation in operations:
        method, _, path = operation.partition(" ")
        paths.get(path, {}).pop(method.lower(), None)
    return restrict_to_scope({**document, "paths": {path: item for path, item in paths.items() if item}})


WHOLE = pinned.DOCUMENT if IS_WHOLE else pinned.take_part()
OPERATIONS = list_operations(WHOLE)


@pytest.fixture
def generate(tmp_path: Path) -> Callable[[dict[str, Any]], pipeline.Result]:
    """Render a document under our code, as `nox -s generate` does."""
    return lambda document: pinned.generate(tmp_path, document)


@pytest.mark.parametrize("operation", OPERATIONS if IS_WHOLE else OPERATIONS[::SAMPLED])
def test_without_any_one_operation_the_others_are_rendered(
    operation: str, generate: Callable[[dict[str, Any]], pipeline.Result]
) -> None:
    result = generate(without(WHOLE, operation))
    assert result.code == 0, result.output
    left = len(OPERATIONS) - (operation not in OURS)
    assert f"{left} of {left} operations" in result.output


def test_what_our_own_methods_ask_is_kept_and_told(generate: Callable[[dict[str, Any]], pipeline.Result]) -> None:
    result = generate(without(WHOLE, *OURS))
    assert result.code == 0, result.output
    (told,) = [line for line in result.output.splitlines() if " keeps " in line]
    assert told.startswith("An operation is gone: correction 1 ($.paths) keeps ")
    assert set(re.findall(r"[A-Z]+ /api/v1/[^,:\s]+", told)) == OURS


def test_what_corrections_and_the_demo_are_about_may_all_go_at_once(
    generate: Callable[[dict[str, Any]], pipeline.Result],
) -> None:
    named = [f"POST /api/v1/{kind.favourite}" for kind in KINDS]
    targets = [place for action in ACTIONS for place in re.findall(r"/api/v1/[^'\"\s]+", action.target)]
    named += [f"{method} {path}" for path in targets for method in ("GET", "PUT", "POST", "DELETE")]
    named += [operation for action in ACTIONS for operation in action.operations]
    result = generate(without(WHOLE, *(set(named) - OURS)))
    assert result.code == 0, result.output
    told = [line for line in result.output.splitlines() if line.startswith("An operation is gone: correction ")]
    assert any("auto-topup" in line and "matches nothing" in line for line in told)
    assert any("@.const" in line for line in told)


def test_ours_are_in_the_document_as_they_would_be_kept() -> None:
    for path, item in KEPT.items():
        for method, kept in item.items():
            named = {(one["in"], one["name"]) for one in kept.get("parameters", ())}
            today = pinned.DOCUMENT["paths"].get(path, {}).get(method, kept)  # should it be gone
            found = {(one["in"], one["name"]) for one in today.get("parameters", ())}
            assert named <= found, f"{method} {path} takes other parameters now: change what is kept, too"
