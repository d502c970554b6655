"""What a package has as fingerprints that was rendered from a document, for documents that are not rendered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict

import muapi_client.cli._spec.locks as command
from muapi_client.pinning import Rendering, pinned
from muapi_client.pinning._document.reader import Document
from muapi_generated import SPEC

sys.path.insert(0, str(Path(__file__).parents[2] / "generator_templates"))  # scripts side by side, no packages

from rules.fingerprints import Essences, hash_essence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest


def fingerprints_of(
    document: Mapping[str, Any], counts: Callable[[Mapping[str, Any]], bool] | None = None
) -> dict[str, str]:
    """The fingerprint of each function of a document that nothing corrects; for ``counts`` see ``Essences``."""
    essences = Essences(document, counts)
    return {
        one.function: hash_essence(essences.select_first_form(one.method, one.path, one.slug))
        for one in Document(document).operations.values()
    }


def rendering_of(document: Mapping[str, Any], sha256: str, corrections_sha256: str = "c" * 64) -> Rendering:
    """What a package was rendered from that was rendered from it."""
    found = fingerprints_of(document)
    return Rendering(document_sha256=sha256, corrections_sha256=corrections_sha256, functions=found, uncorrected=found)


def run_on(monkeypatch: pytest.MonkeyPatch, corrections_sha256: str = SPEC.corrections_sha256) -> None:
    """Let the program be one that was rendered from what is pinned now."""
    pin = pinned()
    spec = SPEC._replace(sha256=pin.lock.document_sha256, corrections_sha256=corrections_sha256)
    rendering = rendering_of(pin.document, spec.sha256, corrections_sha256)
    monkeypatch.setattr(command, "SPEC", spec)
    monkeypatch.setattr(command, "read_rendering", lambda _: asdict(rendering, recurse=False))
