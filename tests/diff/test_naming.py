"""The names and groups of a document that is not rendered yet are those the rendering will give it."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from muapi_client._settings.webhook import WEBHOOK_NAMES
from muapi_client.pinning import diff, pinned
from muapi_client.pinning._diff import media_fields
from muapi_client.pinning._diff.schemas import Schemas
from muapi_client.pinning._document import media_types, naming
from muapi_client.pinning._document.jobs import DECIDED_PLAIN, SUBMIT_FIELDS
from muapi_client.pinning._document.naming import CLIENTS, GROUPS, TIERS, function_name, group_of
from muapi_client.pinning._document.reader import Document, Node
from muapi_client.pinning._report.report import group_changes
from muapi_generated import types
from rules import groups, jobs, names, price_list, schemas
from rules import media_types as of_the_generator
from rules.document_checks import split_path
from rules.errors import GenerationError

ROOT = Path(__file__).parents[2]


def test_every_pinned_model_has_the_name_and_group_it_is_rendered_under() -> None:
    rendered = json.loads(files("muapi_generated").joinpath("catalog.json").read_bytes())["models"]
    ours = {
        one.slug: (one.function, group_of(one.path, one.tags[0], one.job))
        for one in Document(pinned().document).operations.values()
        if one.job != "plain"
    }
    assert ours == {one["slug"]: (one["function"], one["group"]) for one in rendered}


def test_every_pinned_operation_has_a_name_of_its_own() -> None:
    document = Document(pinned().document)
    operations = tomllib.loads((ROOT / "spec/lock.toml").read_text(encoding="utf-8"))["operations"]
    assert len({one.function for one in document.operations.values()}) == len(document.operations) == operations


SLUGS = st.one_of(
    st.text(max_size=20),
    st.from_regex(r"[a-z0-9_.{}/-]{0,20}", fullmatch=True),
    st.sampled_from(
        [
            "import",
            "id",
            "self",
            "3d",
            "",
            "x-publish",
            "seo-y",
            "a-trainer",
            "gpt-5",
            "text-to-image",
            "str",
            "+1",
            "votes/-1",
            "x-publish?seo-y=1",
            "a?b=-train#gpt-5",
        ]
    ),
)


@given(SLUGS, st.sampled_from(["GET", "POST", "DELETE"]), st.sampled_from([*groups.TAGS, "New", ""]), st.data())
def test_the_rules_are_the_generators(slug: str, method: str, tag: str, data: st.DataObject) -> None:
    path = f"/api/v1/{slug}"
    try:
        rendered = names.name_function(method, path)
    except GenerationError:
        rendered = ""
    assert function_name(method, path) == rendered
    kind = data.draw(st.sampled_from(["job", "stream", "plain"]))
    assert group_of(path, tag, kind) == groups.find_group(split_path(slug)[0], tag or None, kind)[0]


def test_the_media_types_are_the_generators() -> None:
    for name in ("JSON", "PLAIN_JSON", "MULTIPART", "URL_ENCODED", "RAW"):
        ours, rendered = (getattr(module, name) for module in (media_types, of_the_generator))
        assert (ours.pattern, ours.flags) == (rendered.pattern, rendered.flags)


def test_the_groups_and_tiers_are_the_generators() -> None:
    assert set(groups.GROUPS) == GROUPS
    assert price_list.TIERS == TIERS


TEXTS = st.sampled_from([
    {"type": "string"}, {"type": "string", "format": "uri"}, {"type": ["string", "null"], "format": "uri"},
    {"type": "string", "format": "uri", "enum": ["a"]}, {"type": "integer", "format": "uri"},
    {"$ref": "#/components/schemas/Address"},
])  # fmt: skip
FIELDS = st.one_of(
    TEXTS,
    st.builds(lambda item: {"type": "array", "items": item}, TEXTS),
    st.builds(lambda item: {"type": "array", "items": {"type": "array", "items": item}}, TEXTS),
    st.builds(lambda some: {"anyOf": [*some, {"type": "null"}]}, st.lists(TEXTS, min_size=1, max_size=2)),
)
WIRES = st.sampled_from(["image_url", "f", "webhook_url", "lora_path", "path", "my_path", "video_url", "linkedin_url"])


@given(WIRES, FIELDS)
def test_what_takes_media_is_what_the_generator_says(wire: str, schema: dict[str, object]) -> None:
    components = {"schemas": {"Address": {"type": "string", "format": "uri"}}}
    rendered = schemas.Schemas({"components": components}).read_field(wire, schema, required=False).is_media
    document = Document({"components": components})
    body = Node({"type": "object", "properties": {wire: schema}}, "#")
    assert dict(media_fields.iter_fields(Schemas(document), body)) == {wire: rendered}


def test_what_is_the_clients_own_is_what_the_corrections_take_away() -> None:
    corrections = (ROOT / "spec/corrections.yaml").read_text(encoding="utf-8")
    removed = re.findall(r"@\.name == '([^']+)' && @\.in == '(query)'\]\n(?:.*\n)*?.*remove: true", corrections)
    assert {(place, name) for name, place in removed} == CLIENTS
    headers = re.search(r"@\.in == 'header' && \((.*?)\)\]", corrections, re.DOTALL)
    assert headers is not None
    pages = re.findall(r"@\.name == '([^']+)'", headers[1])
    assert {*pages, *types.OWN_HEADERS} == naming.OWN_HEADERS


def test_a_renamed_function_is_told_under_both_names() -> None:
    def made(path: str) -> dict[str, object]:
        return {"openapi": "3.1.0", "paths": {path: {"post": {"summary": "same (fast)", "responses": {}}}}}

    found = diff(made("/api/v1/a-model"), made("/api/v1/a-model-2"))
    (change,) = found.changes
    assert (change.function, change.new_function) == ("a_model", "a_model_2")
    assert found.only(["a_model_2"]).changes == found.only(["a-model"]).changes == found.changes


def test_the_pinned_models_are_those_the_rendering_finds() -> None:
    document = Document(pinned().document)
    rendered = json.loads(files("muapi_generated").joinpath("catalog.json").read_bytes())["models"]
    ours = {one.slug for one in document.operations.values() if one.job == "job"}
    assert ours == {one["slug"] for one in rendered if not one["streams"]}
    assert len(ours) > 100, "and what only looks like one, `nox -s generate` tells"


def test_what_is_decided_to_be_no_model_is_what_the_corrections_say() -> None:
    actions = YAML(typ="safe").load((ROOT / "spec/corrections.yaml").read_text(encoding="utf-8"))["actions"]
    marks = [one for one in actions if "x-python" in str(one.get("update"))]
    assert all(one["update"] == {"x-python": {"job": False}} for one in marks)
    assert {path for one in marks for path in re.findall(r"'(/[^']+)'", one["target"])} == DECIDED_PLAIN
    assert jobs.SUBMIT_FIELDS == SUBMIT_FIELDS
    assert jobs.WEBHOOK_NAMES == WEBHOOK_NAMES == naming.WEBHOOK_NAMES


NAMED_FIELDS = st.lists(st.sampled_from(["request_id", "status", "shot_id"]), max_size=2, unique=True)
ANSWERS = st.one_of(
    st.just({}),
    st.just({"type": "array"}),
    st.builds(lambda names: {"type": "object", "properties": {name: {} for name in names}}, NAMED_FIELDS),
    st.builds(lambda names: {"anyOf": [{"properties": {name: {} for name in names}}, {"type": "null"}]}, NAMED_FIELDS),
    st.just({"$ref": "#/components/schemas/Answer"}),
)
KINDS = st.sampled_from([
    "application/json", "application/json; charset=utf-8", "application/merge-patch+json", "multipart/form-data",
])  # fmt: skip
BODIES = st.sampled_from([
    {"type": "object"}, {"type": "object", "properties": {"webhook_url": {"type": "string"}}},
])  # fmt: skip
OPERATIONS = st.fixed_dictionaries({
    "tags": st.sampled_from([[], ["Audio"], ["API"], ["New"], ["Account"]]),
    "parameters": st.sampled_from([[], [{"name": "webhook", "in": "query"}], [{"name": "webhook_url", "in": "query"}]]),
    "requestBody": st.one_of(
        st.just({}), st.builds(lambda kind, schema: {"content": {kind: {"schema": schema}}}, KINDS, BODIES)
    ),
    "responses": st.builds(lambda kind, schema: {"200": {"content": {kind: {"schema": schema}}}}, KINDS, ANSWERS),
})  # fmt: skip
PATHS = st.sampled_from([f"/api/v1/{slug}" for slug in ("a", "b", "c", "d/e", "d/f", "{id}/g", "a/stream")])


@given(
    st.dictionaries(PATHS, st.dictionaries(st.sampled_from(["post", "put", "get"]), OPERATIONS, min_size=1), min_size=1)
)
def test_what_is_a_job_is_what_the_generator_says(paths: dict[str, dict[str, object]]) -> None:
    answer = {"type": "object", "properties": {"request_id": {"type": "string"}, "id": {"type": "string"}}}
    document = {"openapi": "3.1.0", "paths": paths, "components": {"schemas": {"Answer": answer}}}
    rendered = jobs.find_jobs(document, schemas.Schemas(document))
    ours = Document(document).operations
    assert {key for key, one in ours.items() if one.job == "job"} == rendered.places
    named = {note.split(" looks ")[0] for note in rendered.notes if " looks like a model " in note}
    assert {f"{method} {path}" for (method, path), one in ours.items() if one.looks_like_job} == named


def test_a_new_operation_that_looks_like_a_model_is_named() -> None:
    def made(**new: dict[str, object]) -> dict[str, object]:
        body = {"content": {"application/json": {"schema": {"type": "object"}}}}
        model = {"tags": ["Audio"], "requestBody": body, "responses": {}}
        old = {name: {**model, "parameters": [{"name": "webhook", "in": "query"}]} for name in ("one", "two")}
        posts = {**old, **{name: {**model, **more} for name, more in new.items()}}
        return {"openapi": "3.1.0", "paths": {f"/api/v1/{name}": {"post": post} for name, post in posts.items()}}

    found = diff(made(), made(taken={}, riddle={"tags": ["API"]}, puzzle={"tags": ["API"]}))
    assert {(one.slug, one.effect) for one in found.changes} == {
        ("taken", "presumed"),
        ("riddle", "undecided"),
        ("puzzle", "undecided"),
    }
    assert all(f'"{one.slug}"' in one.sentence for one in found.changes)
    assert len(group_changes(found, "additive")) == 3
