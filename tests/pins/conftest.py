"""The program as a test calls it, in a folder of its own with some code that uses three models."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import by_kind
import pytest

from muapi_client.cli import main
from muapi_client.pinning import fetch, pinned

if TYPE_CHECKING:
    from collections.abc import Callable

sys.path.insert(0, str(Path(__file__).parent))  # for `altered` and `fingerprints_of`

from fingerprints_of import run_on


class Said(NamedTuple):
    """What one call of the program came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, as the one JSON value it is."""
        return json.loads(self.out)


WHOLE = pinned()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pin of five operations: what is compared here does not depend on the other nine hundred."""
    home = tmp_path_factory.mktemp("small")
    # Three models that the project uses, one that it does not, and what the client itself calls.
    models = (by_kind.IMAGE, by_kind.VIDEO, by_kind.CHAT, by_kind.UPSCALE)
    kept = {f"/api/v1/{slug}" for slug in (*(model.slug for model in models), "predictions/{id}/result")}
    paths = {path: item for path, item in WHOLE.document["paths"].items() if path in kept}
    assert paths.keys() == kept
    source = home / "source.json"
    source.write_text(json.dumps({**WHOLE.document, "paths": paths}), encoding="utf-8")
    fetch(str(source), home / "spec", models=str(WHOLE.directory / "models.json"))
    return home / "spec"


@pytest.fixture
def runs_on_it(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program be one that was rendered from that pin."""
    monkeypatch.setattr("muapi_client.pinning._document.pin.checkout", lambda: small)
    run_on(monkeypatch)


@pytest.fixture
def folder(runs_on_it: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with its code in ``src``; the program runs in it."""
    (tmp_path / "src").mkdir()
    image, video, chat = by_kind.IMAGE.function, by_kind.VIDEO.function, by_kind.CHAT.slug
    app = (
        "from muapi_client import MuAPI, raw_call\n"
        f"from muapi_client.models import {image}\n"
        f"from muapi_client.models.text_to_video import {video}\n\n"
        f'CALLS = [{image}(prompt="a fox"), {video}(prompt="a fox"), raw_call("{chat}", {{}})]\n'
    )
    (tmp_path / "src/app.py").write_text(app, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MUAPI_OPENAPI_URL", raising=False)
    return tmp_path


@pytest.fixture
def spec(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Call ``muapi-client spec`` with these words, in that project, without a key."""

    def spec(*words: str) -> Said:
        capsys.readouterr()
        code = main(["spec", *words])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Said(code, out, err)

    return spec


@pytest.fixture
def document(runs_on_it: None) -> dict[str, Any]:
    """The pinned document, to change."""
    return copy.deepcopy(pinned().document)
