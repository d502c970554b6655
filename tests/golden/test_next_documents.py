"""Documents that MuAPI may serve next: each is rendered, or stops with the one action that lets it be.

Lives here: a part of the pinned document, changed by a few lines, under our corrections and our code. Does not live
here: the same traits by themselves (``test_answers``, ``test_bodies``, ``test_headers``, ``test_jobs``), operations
that go (``test_removals``), whole later documents (``later``).
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pinned
import pytest
import yaml_of

from render import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pipeline

STRIPPED = 43  # models of a document, once, that had lost their webhook
HISTORY = {
    "type": "object",
    "required": ["items"],
    "properties": {"items": {"type": "array", "items": {"type": "object"}}, "next_cursor": {"type": "integer"}},
}
ACCEPTED = {"type": "object", "required": ["request_id"], "properties": {"request_id": {"type": "string"}}}
PRESET = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "seed": {"type": "integer"}},
}
TRACK = {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}}


def refer(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(name: str) -> dict[str, Any]:
    return {"type": "array", "items": refer(name)}


def content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def operation(answer: dict[str, Any], body: dict[str, Any] | None = None) -> dict[str, Any]:
    sent = {"requestBody": content(body)} if body else {}
    return {"tags": ["API"], "responses": {"200": {"description": "OK", **content(answer)}}, **sent}


def takes_webhook(post: dict[str, Any]) -> bool:
    return any(one["name"] == "webhook" for one in post.get("parameters", ()))


def list_jobs(document: dict[str, Any]) -> list[str]:
    return [path for path, item in document["paths"].items() if takes_webhook(item.get("post", {}))]


def drop_webhook(document: dict[str, Any], path: str) -> None:
    post = document["paths"][path]["post"]
    post["parameters"] = [one for one in post["parameters"] if one["name"] != "webhook"]


def add_resources(document: dict[str, Any]) -> None:
    """Presets that are made, read, changed and listed as one schema; many at once; and an answer that is a union."""
    paths = document["paths"]
    document["components"]["schemas"] |= {"Preset": PRESET, "Track": TRACK}
    paths["/api/v1/anthem"] = {"get": operation({"anyOf": [refer("Track"), {"type": "string"}]})}
    paths["/api/v1/presets"] = {
        "get": operation(list_of("Preset")),
        "post": operation(refer("Preset"), refer("Preset")),
    }
    paths["/api/v1/presets/{id}"] = {
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "get": operation(refer("Preset")),
        "put": operation(refer("Preset"), refer("Preset")),
    }
    paths["/api/v1/presets/bulk"] = {"post": operation(list_of("Preset"), list_of("Preset"))}


def add_model(document: dict[str, Any]) -> None:
    """A paid model as its neighbours are, but for the webhook."""
    tags = {path: document["paths"][path]["post"]["tags"][0] for path in list_jobs(document)}
    telling = Counter(tag for tag in tags.values() if tag != "LLM / Multimodal")  # which all sorts have
    neighbour = next(path for path, tag in tags.items() if tag == max(telling, key=telling.__getitem__))
    document["paths"]["/api/v1/brand-new"] = copy.deepcopy(document["paths"][neighbour])
    document["paths"]["/api/v1/brand-new"]["post"] |= {
        "operationId": "brand_new",
        "summary": "brand-new",
        "requestBody": content({"type": "object", "properties": {"prompt": {"type": "string"}}}),
    }
    drop_webhook(document, "/api/v1/brand-new")


def add_header(document: dict[str, Any]) -> None:
    for item in document["paths"].values():
        item["parameters"] = [
            *item.get("parameters", ()),
            {"name": "x-region", "in": "header", "schema": {"type": "string"}},
        ]


def accept_under_202(document: dict[str, Any]) -> None:
    for path in list_jobs(document):
        responses = document["paths"][path]["post"]["responses"]
        responses["202"] = responses.pop("200")


def declare_history(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["HistoryPage"] = HISTORY
    document["paths"]["/api/v1/history"]["get"]["responses"]["200"] |= content(refer("HistoryPage"))


def declare_submit(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Accepted"] = ACCEPTED
    for path in list_jobs(document):
        (code,) = set(document["paths"][path]["post"]["responses"]) & {"200", "202"}
        document["paths"][path]["post"]["responses"][code] |= content(refer("Accepted"))


@pytest.fixture(scope="session")
def added(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Result:
    """What only adds, in one document: rendering takes seconds."""
    document = pinned.take_part()
    for change in (add_resources, add_model, add_header):
        change(document)
    result = pinned.generate(tmp_path_factory.mktemp("added"), document)
    assert result.code == 0, result.output
    return result


def run_with(package: Path, program: str) -> Any:
    """Run a program on our code and this package in the place of the installed one; the JSON it prints."""
    path = os.pathsep.join([str(package.parent), str(ROOT / "overlay")])
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_resources_unions_lists_headers_and_a_new_model_are_sent_and_read(added: pipeline.Result) -> None:
    program = """
import json
import httpx
from muapi_generated.api.platform import get_anthem, get_presets_id, presets, presets_bulk, put_presets_id
from muapi_client import MuAPI
from muapi_client.models import brand_new

sent = []
def answer(request):
    sent.append([request.method, request.url.path, request.headers.get("x-region"), request.content.decode()])
    return httpx.Response(200, json=answers.pop(0))

mu = MuAPI("k", transport=httpx.MockTransport(answer))
preset, track = {"name": "a", "seed": 1}, {"title": "t"}
answers = [preset, preset, preset, [preset], track, "a text", {"request_id": "r", "status": "processing"}]
read = [
    mu.send(presets.presets(name="a", seed=1, x_region="eu")).seed,
    mu.send(get_presets_id.get_presets_id(id="7")).name,
    mu.send(put_presets_id.put_presets_id(id="7", name="a")).name,
    mu.send(presets_bulk.presets_bulk(body=[{"name": "a"}]))[0].name,
    mu.send(get_anthem.get_anthem()).title,
    mu.send(get_anthem.get_anthem()),
    mu.with_options(strict=False).submit(brand_new(x_region="us")).id,
]
print(json.dumps({"sent": sent, "read": read}))
"""
    told = run_with(added.package, program)
    assert told["read"] == [1, "a", "a", "a", "t", "a text", "r"]
    assert [one[:3] for one in told["sent"]] == [
        ["POST", "/api/v1/presets", "eu"],
        ["GET", "/api/v1/presets/7", None],
        ["PUT", "/api/v1/presets/7", None],
        ["POST", "/api/v1/presets/bulk", None],
        ["GET", "/api/v1/anthem", None],
        ["GET", "/api/v1/anthem", None],
        ["POST", "/api/v1/brand-new", "us"],
    ]
    assert json.loads(told["sent"][3][3]) == [{"name": "a"}]


def list_models(result: pipeline.Result) -> set[str]:
    assert result.code == 0, result.output
    return {model["slug"] for model in json.loads(result.text("catalog.json"))["models"]}


def test_a_model_without_webhook_is_one_and_is_told(added: pipeline.Result) -> None:
    assert "brand-new" in list_models(added)
    assert "POST /api/v1/brand-new takes no webhook and is taken for a model" in added.output


def test_known_models_without_webhook_stay_models_or_are_told_with_the_action_that_keeps_them(tmp_path: Path) -> None:
    jobs = list_jobs(pinned.DOCUMENT)[: STRIPPED * 2]
    document = pinned.take_part(*jobs)
    for path in jobs[:STRIPPED]:
        drop_webhook(document, path)
    result = pinned.generate(tmp_path, document)
    lost = [path for path in jobs if path.removeprefix("/api/v1/") not in list_models(result)]
    for path in jobs[:STRIPPED]:
        words = "looks like a model and is not taken for one" if path in lost else "is taken for a model"
        (told,) = [line for line in result.output.splitlines() if line.startswith(f"POST {path} ")]
        assert words in told
        assert ("let a correction update it with x-python: {job: true}" in told) is (path in lost)
    overlay = yaml_of.read(ROOT / "spec/corrections.yaml")
    overlay["actions"] += [
        {"target": f"$.paths['{path}'].post", "description": "Paid.", "update": {"x-python": {"job": True}}}
        for path in lost
    ]
    mended = pinned.generate(tmp_path, document, json.dumps(overlay))
    assert {path.removeprefix("/api/v1/") for path in jobs} <= list_models(mended)


CHANGES = [accept_under_202, declare_history, declare_submit]
TOLD = {
    "accept_under_202": [[".responses['200']", "matches nothing", "near it: '202'"]],
    "declare_history": [
        ["HistoryPage is {", "adds what is there already", "at $.components.schemas."],
        ["/history'].get.responses['200']", "was written against {}", "finds {", "HistoryPage"],
    ],
    "declare_submit": [[".responses['200']", "finds {", "schemas/Accepted"]],
}


def mend(actions: list[dict[str, Any]], changes: list[Any]) -> list[dict[str, Any]]:
    """What a person does whom the messages of those changes tell which action no longer applies."""
    mended = copy.deepcopy(actions)
    (submit,) = (one for one in mended if "'webhook'" in one["target"] and ".responses" in one["target"])
    (history,) = (one for one in mended if "/history'" in one["target"] and ".responses" in one["target"])
    if accept_under_202 in changes:
        submit["target"] = submit["target"].replace("['200']", "['202']")
    if declare_submit in changes:
        submit["x-found"] = refer("Accepted")
    if declare_history in changes:
        mended.remove(history)
        (shapes,) = (one for one in mended if "HistoryPage" in (one.get("update") or {}))
        del shapes["update"]["HistoryPage"]
    return mended


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_document_now_says_itself_stops_and_names_the_action(change: Any, tmp_path: Path) -> None:
    document = pinned.take_part()
    change(document)
    result = pinned.generate(tmp_path, document)
    assert (result.code, "Traceback" in result.output) == (1, False)
    assert result.output.count("retarget the action") == 1
    for parts in TOLD[change.__name__]:
        assert [part for part in parts if part not in result.output] == [], result.output
    assert result.output.count("It was made because: ") == len(TOLD[change.__name__]), result.output


def test_with_the_actions_mended_it_is_rendered_and_every_model_stays(tmp_path: Path) -> None:
    document = pinned.take_part()
    jobs = {path.removeprefix("/api/v1/") for path in list_jobs(document)}
    for change in CHANGES:
        change(document)
    overlay = yaml_of.read(ROOT / "spec/corrections.yaml")
    result = pinned.generate(tmp_path, document, json.dumps({**overlay, "actions": mend(overlay["actions"], CHANGES)}))
    assert jobs <= list_models(result)
    assert "items: list[dict[str, Any]]" in result.text("models/history_page.py")
