"""The pinned document under our corrections and our code, or a part of it: where tests of later documents start."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pipeline

from muapi_client.cli._demo import KINDS
from muapi_client.pinning._document.canonical import restrict_to_scope
from render import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = json.loads((ROOT / "spec/openapi.json").read_text(encoding="utf-8"))
CORRECTIONS = (ROOT / "spec/corrections.yaml").read_text(encoding="utf-8")
PRICES = json.loads((ROOT / "spec/models.json").read_text(encoding="utf-8"))


def take_part(*more: str) -> dict[str, Any]:
    """What our code asks, what corrections and the demo name, and a model of each tag; and the named paths."""
    named = set(re.findall(r"/api/v1/[^'\"\s,\]:]+", CORRECTIONS))
    named |= {f"/api/v1/{kind.favourite}" for kind in KINDS}
    tags = {str(item["post"]["tags"]): path for path, item in DOCUMENT["paths"].items() if "post" in item}
    kept = named | set(tags.values()) | set(more)
    paths = {path: item for path, item in DOCUMENT["paths"].items() if path in kept}
    return restrict_to_scope(copy.deepcopy({**DOCUMENT, "paths": paths}))


def generate(folder: Path, document: dict[str, Any], corrections: str = CORRECTIONS) -> pipeline.Result:
    """Render a document under our code, as `nox -s generate` does."""
    files = {"document": "openapi.json", "corrections": "corrections.yaml", "models": "models.json"}
    texts = {"document": json.dumps(document), "corrections": corrections, "models": json.dumps(PRICES)}
    for name, file in files.items():
        (folder / file).write_text(texts[name], encoding="utf-8")
    words = [word for name, file in files.items() for word in (f"--{name}", str(folder / file))]
    package, code = folder / "out" / "muapi_generated", ROOT / "overlay/muapi_client"
    return pipeline.in_process(["generate", *words, "--output", str(package), "--code", str(code)], package)
