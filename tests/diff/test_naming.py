"""The names and groups of a document that is not rendered yet are those the rendering will give it."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from muapi_client.pinning import diff, pinned
from muapi_client.pinning._diff import media_fields
from muapi_client.pinning._diff.operations import CLIENTS_PLACES
from muapi_client.pinning._diff.schemas import Schemas
from muapi_client.pinning._document.naming import CLIENTS, GROUPS, TIERS, function_name, group_of
from muapi_client.pinning._document.reader import Document, Node
from rules import groups, names, price_list, schemas
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
        ["import", "id", "self", "3d", "", "x-publish", "seo-y", "a-trainer", "gpt-5", "text-to-image", "str"]
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
    job = data.draw(st.sampled_from(["job", "stream", "plain"]))
    assert group_of(path, tag, job) == groups.find_group(slug, tag or None, job)[0]


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
    assert "@.in == 'header' &&" in corrections
    assert "header" in CLIENTS_PLACES


def test_a_renamed_function_is_told_under_both_names() -> None:
    def made(path: str) -> dict[str, object]:
        return {"openapi": "3.1.0", "paths": {path: {"post": {"summary": "same (fast)", "responses": {}}}}}

    found = diff(made("/api/v1/a-model"), made("/api/v1/a-model-2"))
    (change,) = found.changes
    assert (change.function, change.new_function) == ("a_model", "a_model_2")
    assert found.only(["a_model_2"]).changes == found.only(["a-model"]).changes == found.changes
