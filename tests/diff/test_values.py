"""Schemas compared, one pair at a time: what is narrower, what is wider, and what is only written another way."""

from __future__ import annotations

from typing import Any

import pytest

from muapi_client.pinning import diff

NULL = {"type": "null"}
TEXT = {"type": "string"}


def document(schema: Any, side: str = "body", version: str = "3.1.0", **components: Any) -> dict[str, Any]:
    """A document with one operation, whose field ``f`` has the schema, in its body or its answer."""
    content = {"application/json": {"schema": {"type": "object", "properties": {"f": schema}}}}
    operation: dict[str, Any] = {"parameters": [{"name": "webhook", "in": "query", "schema": TEXT}], "responses": {}}
    if side == "body":
        operation["requestBody"] = {"content": content}
    else:
        operation["responses"] = {"200": {"description": "", "content": content}}
    return {"openapi": version, "paths": {"/api/v1/m": {"post": operation}}, "components": {"schemas": components}}


def told(old: Any, new: Any, side: str = "body", **components: Any) -> list[tuple[str, str, str, str]]:
    found = diff(document(old, side, **components), document(new, side, **components))
    return [(one.field, one.kind, one.effect, one.impact) for one in found.changes]


NARROWER: list[tuple[Any, Any, str]] = [
    ({}, TEXT, "type"),
    ({"type": ["string", "integer"]}, TEXT, "type"),
    ({"anyOf": [TEXT, {"type": "boolean"}]}, {"type": "boolean"}, "type"),
    ({"type": "number"}, {"type": "integer"}, "type"),
    ({"type": ["string", "null"]}, TEXT, "nullable"),
    (TEXT, {"type": "string", "enum": ["a"]}, "enum"),
    ({"enum": ["a", "b"]}, {"const": "a"}, "enum"),
    ({"enum": [1, 2]}, {"enum": [1]}, "enum"),
    ({"enum": [1, True]}, {"enum": [1]}, "type"),
    ({"enum": ["auto", 1, 2]}, {"enum": ["auto", 1]}, "enum"),
    ({"type": "integer"}, {"type": "integer", "minimum": 1}, "minimum"),
    ({"type": "number", "minimum": 1}, {"type": "number", "exclusiveMinimum": 1}, "minimum"),
    ({"type": "number", "maximum": 4}, {"type": "number", "maximum": 4, "exclusiveMaximum": True}, "maximum"),
    ({"type": "integer", "multipleOf": 4}, {"type": "integer", "multipleOf": 8}, "multiple_of"),
    (TEXT, {"type": "string", "minLength": 1}, "length"),
    ({"type": "array", "items": TEXT}, {"type": "array", "items": TEXT, "maxItems": 1}, "items"),
    ({"type": "number", "multipleOf": 0.1}, {"type": "number", "multipleOf": 0.3}, "multiple_of"),
    ({"type": "number", "multipleOf": 0.5}, {"type": "number", "multipleOf": 10**400}, "multiple_of"),
    ({"type": "array"}, {"type": "array", "uniqueItems": True}, "unique"),
    (TEXT, {"type": "string", "format": "date-time"}, "moment"),
    (TEXT, {"type": "string", "format": "uuid"}, "format"),
    (TEXT, {"type": "string", "pattern": "a"}, "pattern"),
    ({"type": "object"}, {"type": "object", "additionalProperties": False}, "extra_fields"),
    ({"type": "object"}, {"type": "object", "maxProperties": 2}, "size"),
]


@pytest.mark.parametrize(("wide", "narrow", "kind"), NARROWER)
def test_a_request_narrowed_breaks_and_widened_adds(wide: Any, narrow: Any, kind: str) -> None:
    assert told(wide, narrow) == [("f", kind, "narrowed", "breaking")]
    ((field, found, effect, impact),) = told(narrow, wide)
    assert (field, found, impact) == ("f", kind, "additive")
    assert effect in ("widened", "wider_number")


@pytest.mark.parametrize(("wide", "narrow", "kind"), NARROWER)
def test_an_answer_never_breaks_by_promising_more(wide: Any, narrow: Any, kind: str) -> None:
    ((_, found, _, impact),) = told(wide, narrow, "answer")
    assert found == kind
    assert impact == ("breaking" if kind == "moment" else impact)  # a text becomes a datetime
    assert impact in ("additive", "cosmetic", "breaking" if kind == "moment" else "additive")


CHANGED: list[tuple[Any, Any, str, str]] = [
    (TEXT, {"type": "boolean"}, "type", "breaking"),
    ({"type": "string", "format": "uri"}, TEXT, "media", "breaking"),
    ({"type": "array", "items": {"type": "string", "format": "uri"}}, {"type": "array"}, "type", "additive"),
    (TEXT, {"type": "string", "format": "uri"}, "format", "breaking"),
    ({"type": "string", "format": "binary"}, TEXT, "file", "breaking"),
    ({"type": "number", "multipleOf": 1.5}, {"type": "number", "multipleOf": 10**400 + 1}, "multiple_of", "breaking"),
    (
        {"anyOf": [{"type": "integer", "default": 1}, TEXT]},
        {"anyOf": [{"type": "integer", "default": 9}, TEXT]},
        "default",
        "silent",
    ),
    (
        {"anyOf": [{"type": "integer", "default": 1}, {"type": "string", "default": "a"}]},
        {"anyOf": [{"type": "integer", "default": 1}, {"type": "string", "default": "b"}]},
        "default",
        "silent",
    ),
    (
        {"oneOf": [{"type": "integer"}, TEXT]},
        {"oneOf": [{"type": "integer", "readOnly": True}, TEXT]},
        "read_only",
        "silent",
    ),
    ({"allOf": [{"type": "string"}, {"type": "integer"}]}, {"allOf": [{}, {"type": "integer"}]}, "rule", "breaking"),
    ({"const": "a"}, {"const": "b"}, "const", "breaking"),
    ({"enum": ["a", "b"]}, {"enum": ["b", "c"]}, "enum", "breaking"),
    ({"enum": ["a", "b"]}, {"enum": ["b", "a"]}, "enum_order", "silent"),
    ({"type": "string", "format": "uri"}, {"type": "string", "format": "uuid"}, "format", "breaking"),
    ({"type": "integer", "multipleOf": 4}, {"type": "integer", "multipleOf": 6}, "multiple_of", "breaking"),
    ({"type": "boolean", "default": True}, {"type": "boolean", "default": 1}, "default", "silent"),
    ({"type": "string", "readOnly": False}, {"type": "string", "readOnly": True}, "read_only", "silent"),
    ({"not": TEXT}, {"not": {"type": "integer"}}, "rule", "breaking"),
    ({"type": "array", "prefixItems": [TEXT]}, {"type": "array"}, "rule", "breaking"),
    ({"type": "integer", "format": "int32"}, {"type": "integer", "format": "int64"}, "remark", "cosmetic"),
    ({"x-order": 1}, {"x-order": 2}, "remark", "cosmetic"),
    ({"title": "A"}, {"title": "B"}, "text", "cosmetic"),
    (
        {"anyOf": [TEXT, {"type": "integer", "title": "A"}]},
        {"anyOf": [TEXT, {"type": "integer"}]},
        "remark",
        "cosmetic",
    ),
    ({"type": "string", "minLength": "x"}, TEXT, "rule", "breaking"),
]


@pytest.mark.parametrize(("old", "new", "kind", "impact"), CHANGED)
def test_what_is_neither_narrower_nor_wider(old: Any, new: Any, kind: str, impact: str) -> None:
    assert [(one, how_bad) for _, one, _, how_bad in told(old, new)] == [(kind, impact)]


ALIKE: list[tuple[Any, Any]] = [
    ({"anyOf": [TEXT, NULL]}, {"type": "string", "nullable": True}),
    ({"anyOf": [TEXT, NULL]}, {"type": ["string", "null"]}),
    ({"anyOf": [TEXT, NULL]}, {"oneOf": [NULL, TEXT]}),
    ({"anyOf": [TEXT, NULL], "default": None}, {"anyOf": [TEXT, NULL]}),
    ({"enum": ["a", None]}, {"anyOf": [{"enum": ["a"]}, NULL]}),
    ({"const": "a"}, {"type": "string", "enum": ["a"]}),
    (
        {"allOf": [{"$ref": "#/components/schemas/Size"}], "default": "s"},
        {"$ref": "#/components/schemas/Size", "default": "s"},
    ),
    ({"$ref": "#/components/schemas/Size"}, {"type": "string", "enum": ["s", "m"]}),
    ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
    ({"type": "integer", "minimum": 1, "exclusiveMinimum": False}, {"type": "integer", "minimum": 1.0}),
    ({"type": "string", "minLength": 0}, TEXT),
    ({"type": "string", "format": "binary"}, {"type": "string", "contentMediaType": "application/octet-stream"}),
    ({"anyOf": [TEXT, {"type": "string", "format": "uri"}]}, TEXT),
    ({"anyOf": [{"type": "string", "format": "uri"}, TEXT, NULL]}, {"type": ["string", "null"]}),
    ({"type": "object", "additionalProperties": True}, {"type": "object"}),
    ({"type": "object", "additionalProperties": True}, {"type": "object", "additionalProperties": {}}),
    ({"type": "object", "additionalProperties": {"title": "Any"}}, {"type": "object"}),
    ({"anyOf": [{"type": "integer", "default": 1}, TEXT]}, {"anyOf": [{"type": "integer"}, TEXT], "default": 1}),
    ({"not": {"$ref": "#/components/schemas/Size"}}, {"not": {"$ref": "#/components/schemas/Size"}}),
    ({"not": {"$ref": "#/components/schemas/Gone"}}, {"not": {"$ref": "#/components/schemas/Gone"}}),
    ({"not": {"$ref": "#/openapi"}}, {"not": {"$ref": "#/openapi"}}),
    (True, {}),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
@pytest.mark.parametrize("side", ["body", "answer"])
def test_another_way_to_write_it_is_no_change(one: Any, other: Any, side: str) -> None:
    size = {"type": "string", "enum": ["s", "m"]}
    assert told(one, other, side, Size=size) == told(other, one, side, Size=size) == []


def test_a_later_version_of_openapi_alone_changes_no_field() -> None:
    old = document({"type": "integer", "nullable": True, "minimum": 0, "exclusiveMinimum": True}, version="3.0.3")
    new = document({"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, NULL]})
    (change,) = diff(old, new).changes
    assert (change.place, change.impact, change.after) == ("document", "cosmetic", {"openapi": "3.1.0"})


def test_a_default_that_never_counts_is_no_danger() -> None:
    def made(default: str) -> dict[str, Any]:
        whole = document({"type": "string", "default": default})
        schema = whole["paths"]["/api/v1/m"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        return {**whole, "x": schema.update(required=["f"])}

    assert [(one.kind, one.impact) for one in diff(made("a"), made("b")).changes] == [("default", "cosmetic")]


def test_a_schema_inside_itself_is_told_once() -> None:
    def node(limit: int) -> dict[str, Any]:
        inner = {"$ref": "#/components/schemas/Node"}
        return {"type": "object", "properties": {"size": {"maximum": limit}, "next": inner, "all": {"items": inner}}}

    old = document({"$ref": "#/components/schemas/Node"}, Node=node(9))
    new = document({"$ref": "#/components/schemas/Node"}, Node=node(8))
    assert [(one.field, one.kind) for one in diff(old, new).changes] == [("f.size", "maximum")]


def test_a_schema_used_in_two_places_is_told_in_both() -> None:
    def made(limit: int) -> dict[str, Any]:
        item = {"$ref": "#/components/schemas/Item"}
        both = {"type": "object", "properties": {"one": item, "many": {"type": "array", "items": item}}}
        return document(both, Item={"type": "object", "properties": {"path": {"type": "string", "maxLength": limit}}})

    assert {one.field for one in diff(made(9), made(8)).changes} == {"f.one.path", "f.many[].path"}


@pytest.mark.parametrize("word", ["anyOf", "allOf", "oneOf"])
def test_a_schema_made_of_itself_ends(word: str) -> None:
    ring = {name: {word: [{"$ref": f"#/components/schemas/{other}"}] * 2} for name, other in ("AB", "BC", "CA")}
    tower = {f"T{n}": {word: [{"$ref": f"#/components/schemas/T{n + 1}"}] * 3} for n in range(60)}
    start = {"anyOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/T0"}]}
    old, new = document(start, **ring, **tower, T60=TEXT), document(start, **ring, **tower, T60={"type": "integer"})
    assert not diff(old, old).changes
    diff(old, new)


def referring(schema: Any) -> dict[str, Any]:
    """A schema that refers to itself by way of a reference with something beside it, at every turn a new one."""
    node = {"type": "object", "properties": {"v": schema, "child": {"$ref": "#/components/schemas/Alias"}}}
    alias = {"$ref": "#/components/schemas/Node", "description": "The same."}
    return document({"$ref": "#/components/schemas/Node"}, Node=node, Alias=alias)


def test_a_circle_of_references_with_words_beside_them_ends() -> None:
    found = diff(referring({"type": "integer"}), referring(TEXT)).changes
    assert {(one.kind, one.impact) for one in found} == {("type", "breaking")}
    assert "f.v" in {one.field for one in found}


def test_a_field_that_two_parts_share_is_what_both_say() -> None:
    def made(most: int) -> dict[str, Any]:
        base = {"type": "object", "properties": {"size": {"type": "string", "maxLength": most}}}
        own = {"type": "object", "properties": {"size": {"type": "string", "description": "How large."}}}
        return document({"allOf": [{"$ref": "#/components/schemas/Base"}, own]}, Base=base)

    found = [(one.field, one.kind, one.effect) for one in diff(made(9), made(8)).changes]
    assert found == [("f.size", "length", "narrowed")]


def test_a_class_that_functions_take_breaks_by_its_name_and_the_bodys_own_breaks_types() -> None:
    thing = {"type": "object", "properties": {"a": TEXT}}
    old, new = ({"$ref": f"#/components/schemas/{name}"} for name in ("Old", "New"))
    assert told(old, new, Old=thing, New=thing) == [("f", "class", "renamed", "breaking")]
    assert told(thing, new, New=thing) == [("f", "class", "added", "additive")]
    assert told(old, thing, Old=thing) == [("f", "class", "renamed", "breaking")]
    bodies = document(old, Old=thing, New=thing), document(old, Old=thing, New=thing)
    for body, schema in zip(bodies, (old, new), strict=True):
        body["paths"]["/api/v1/m"]["post"]["requestBody"]["content"]["application/json"]["schema"] = schema
    assert [(one.kind, one.impact) for one in diff(*bodies).changes] == [("class", "types")]


UNREADABLE: list[Any] = [
    TEXT,
    {"type": "array", "items": TEXT},
    {"type": "object", "properties": {"status": TEXT}},
    {"anyOf": [TEXT, {"type": "integer"}]},
]
READABLE: list[Any] = [
    {"type": "object"},
    {"type": "object", "properties": {"request_id": TEXT}},
    {"properties": {"id": {"type": "integer"}}},
    {"anyOf": [{"type": "object", "properties": {"output": {}}}, TEXT]},
]


@pytest.mark.parametrize("schema", UNREADABLE)
def test_a_job_that_answers_without_its_id_breaks(schema: Any) -> None:
    found = [(one.kind, one.effect, one.impact) for one in diff(answering({}), answering(schema)).changes]
    assert found == [("job_answer", "removed", "breaking")]
    back = diff(answering(schema), answering({})).changes
    assert [(one.kind, one.effect, one.impact) for one in back][-1] == ("job_answer", "added", "additive")


@pytest.mark.parametrize("schema", READABLE)
def test_a_job_that_may_answer_its_id_is_read_as_before(schema: Any) -> None:
    assert "job_answer" not in {one.kind for one in diff(answering({}), answering(schema)).changes}


def answering(schema: Any) -> dict[str, Any]:
    whole = document({}, "answer")
    whole["paths"]["/api/v1/m"]["post"]["responses"]["200"]["content"]["application/json"]["schema"] = schema
    return whole


SERVERS: list[tuple[Any, Any, str]] = [
    ([{"url": "a"}], [{"url": "b"}], "breaking"),
    ([{"url": "a"}], [{"url": "b"}, {"url": "a"}], "silent"),
    (None, [{"url": "b"}], "silent"),
    (
        [{"url": "{x}", "variables": {"x": {"default": "a"}}}],
        [{"url": "{x}", "variables": {"x": {"default": "b"}}}],
        "silent",
    ),
    ([{"url": "a"}], [{"url": "a"}, {"url": "b"}], "cosmetic"),
    ([{"url": "a"}], [{"url": "a", "description": "The first."}], "cosmetic"),
]


@pytest.mark.parametrize(("old", "new", "impact"), SERVERS)
def test_where_the_api_is_is_told(old: Any, new: Any, impact: str) -> None:
    before, after = ({**document({}), **({"servers": one} if one else {})} for one in (old, new))
    assert [(one.place, one.kind, one.impact) for one in diff(before, after).changes] == [
        ("document", "server", impact)
    ]


@pytest.mark.parametrize("where", ["path", "operation"])
def test_servers_of_its_own_are_told(where: str) -> None:
    old, new = document({}), document({})
    item = new["paths"]["/api/v1/m"]
    (item if where == "path" else item["post"])["servers"] = [{"url": "elsewhere"}]
    for before, after in ((old, new), (new, old)):
        assert [(one.kind, one.impact) for one in diff(before, after).changes] == [("own_servers", "silent")]


def test_a_slug_is_the_name_of_all_its_methods() -> None:
    old, new = document({}), document({})
    for whole in (old, new):
        whole["paths"]["/api/v1/m"] = {"get": {"responses": {}}, "put": {"responses": {}}, "post": {"responses": {}}}
    new["paths"]["/api/v1/m"]["get"]["deprecated"] = True
    found = diff(old, new)
    assert found.only(["m"]).changes == found.only(["get_m"]).changes == found.changes
    assert not found.only(["put_m"]).changes


def test_a_reference_that_leads_nowhere_is_compared_as_it_stands() -> None:
    assert told({"$ref": "#/components/schemas/Gone"}, {"$ref": "#/components/schemas/Gone"}) == []
    assert told({"$ref": "other.json#/A"}, {"$ref": "other.json#/B"}) == [("f", "rule", "changed", "breaking")]
    assert told({"$ref": "#/components/schemas/Gone"}, TEXT) != []


def test_a_new_answer_enum_value_breaks_types_and_an_error_breaks_nothing() -> None:
    assert told({"enum": ["a"]}, {"enum": ["a", "b"]}, "answer") == [("f", "enum", "widened", "types")]
    old, new = document({"enum": ["a"]}, "answer"), document({"enum": ["b"]}, "answer")
    for one in (old, new):
        responses = one["paths"]["/api/v1/m"]["post"]["responses"]
        responses["422"] = responses.pop("200")
    assert [(one.place, one.impact) for one in diff(old, new).changes] == [("answer 422", "cosmetic")]


def test_a_plain_answer_that_becomes_a_class_breaks_code_that_reads_it_as_a_dict() -> None:
    def made(schema: Any) -> dict[str, Any]:
        content = {"application/json": {"schema": schema}}
        operation = {"responses": {"200": {"description": "", "content": content}}}
        thing = {"type": "object", "properties": {"id": TEXT}}
        return {"openapi": "3.1.0", "paths": {"/api/v1/m": {"get": operation}}, "components": {"schemas": {"T": thing}}}

    free, typed = made({}), made({"type": "array", "items": {"$ref": "#/components/schemas/T"}})
    for old, new in ((free, typed), (typed, free)):
        assert [(one.kind, one.impact) for one in diff(old, new).changes] == [("answer_class", "breaking")]


def test_fields_trade_names_only_on_evidence() -> None:
    def made(**fields: Any) -> Any:
        return {"type": "object", "properties": fields}

    assert told(made(image_url=TEXT), made(image_urls=TEXT)) == [("f.image_url", "field", "renamed", "breaking")]
    unlike = told(made(prompt=TEXT), made(voice=TEXT))
    assert {(field, effect) for field, _, effect, _ in unlike} == {("f.prompt", "removed"), ("f.voice", "added")}
    either = told(made(image_a=TEXT), made(image_b=TEXT, image_c=TEXT))
    assert "renamed" not in {effect for _, _, effect, _ in either}


def test_an_odd_field_name_stays_one_step_of_the_path() -> None:
    old = {"type": "object", "properties": {'a.b["x"]': {"type": "object", "properties": {"c d": TEXT}}}}
    new = {"type": "object", "properties": {'a.b["x"]': {"type": "object", "properties": {}}}}
    ((field, *_),) = told(old, new)
    assert field == r'f."a.b[\"x\"]"."c d"'


PART = {"type": "object", "properties": {"id": {"type": "string"}}, "x-kind": "account"}
OTHER = {"properties": {"name": {"type": "string", "description": "What they are called. " * 15}}, "x-kind": "person"}


@pytest.mark.parametrize("side", ["body", "answer"])
@pytest.mark.parametrize("unsaid", [{"nullable": False}, {"deprecated": False}, {"readOnly": False}])
def test_what_goes_without_saying_is_no_change_inside_parts(unsaid: dict[str, Any], side: str) -> None:
    said = {**OTHER, "properties": {"name": {**OTHER["properties"]["name"], **unsaid}}}
    assert not told({"allOf": [PART, said]}, {"allOf": [PART, OTHER]}, side)
    clash = {
        "allOf": [{**PART, "minProperties": 1}, {**OTHER, "minProperties": 2}]
    }  # kept, for no part says what holds
    clash_said = {"allOf": [{**PART, "minProperties": 1}, {**said, "minProperties": 2}]}
    assert {one[-1] for one in told(clash_said, clash, side)} <= {"cosmetic"}


def test_a_long_union_tells_what_came_and_went() -> None:
    names = [f"SomethingOfLength{number}" for number in range(20)]
    parts = {name: {"type": "object", "properties": {"k": {"const": name}}} for name in [*names, "Late"]}
    documents = [
        document({"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in some]}, "answer", **parts)
        for some in (names, [*names[2:], "Late"])
    ]
    (sentence,) = [one.sentence for one in diff(*documents).changes if one.kind == "type"]
    lost = "SomethingOfLength0, SomethingOfLength1"
    assert sentence.endswith(f": one of 19 types where it was one of 20 types. Added: Late. Removed: {lost}.")


def test_two_long_values_are_shown_where_they_differ() -> None:
    old, new = ({"type": "string", "pattern": "a" * 300 + end} for end in "xy")
    (change,) = diff(document({"properties": {"f": old}}), document({"properties": {"f": new}})).changes
    assert f'must match …{"a" * 40}y" now, it was …{"a" * 40}x".' in change.sentence


def test_an_operation_of_two_media_types_is_named_once() -> None:
    def made(choices: list[str]) -> dict[str, Any]:
        schema = {"type": "object", "properties": {"model": {"type": "string", "enum": choices}}}
        content = {kind: {"schema": schema} for kind in ("application/json", "multipart/form-data")}
        answer = {"200": {"description": "ok", "content": content}}
        post = {"requestBody": {"content": content}, "responses": answer}
        return {"openapi": "3.1.0", "paths": {"/api/v1/edit": {"post": post}}}

    found = diff(made(["a"]), made(["a", "b"]))
    assert [(one.place, one.kind) for one in found.changes] == [("answer 200", "enum"), ("body", "enum")]


def of_kinds(*kinds: str, schema: Any = TEXT, side: str = "body") -> dict[str, Any]:
    """A document with one operation, whose body or answer may have these media types."""
    made = document(schema, side)
    post = made["paths"]["/api/v1/m"]["post"]
    holder = post["requestBody"] if side == "body" else post["responses"]["200"]
    holder["content"] = dict.fromkeys(kinds, holder["content"]["application/json"])
    return made


@pytest.mark.parametrize("side", ["body", "answer"])
@pytest.mark.parametrize(
    ("before", "after"), [("", "; charset=utf-8"), ("; charset=utf-8", ""), ("", ";charset=UTF-8")]
)
def test_a_charset_beside_json_changes_nothing_and_hides_nothing(side: str, before: str, after: str) -> None:
    old = of_kinds(f"application/json{before}", side=side)
    assert not diff(old, of_kinds(f"application/json{after}", side=side)).changes
    other = of_kinds(f"application/json{after}", schema={"type": "integer"}, side=side)
    assert [(one.field, one.kind) for one in diff(old, other).changes] == [("f", "type")]


def test_another_label_of_json_is_sent_as_it_is_named() -> None:
    old, new = of_kinds("application/json"), of_kinds("application/merge-patch+json")
    assert [(one.kind, one.effect, one.impact) for one in diff(old, new).changes] == [
        ("content_type", "removed", "breaking")
    ]
    media = {"type": "string", "format": "uri"}
    old, new = of_kinds("application/x+json", schema=media), of_kinds("application/x+json")
    assert [(one.kind, one.effect) for one in diff(old, new).changes] == [("media", "removed")]


def test_a_kind_that_no_function_sends_matters_to_nobody() -> None:
    old, new = of_kinds("application/json", "text/csv"), of_kinds("application/json;charset=utf-8")
    assert [(one.kind, one.impact) for one in diff(old, new).changes] == [("content_type", "cosmetic")]


def keyed(kind: str, **parameter: Any) -> dict[str, Any]:
    """A document whose operation takes a parameter that may be a key."""
    made = document(TEXT, securitySchemes={"K": {"type": kind, "in": "cookie", "name": "SID"}} if kind else {})
    components = made["components"].pop("schemas")
    made["components"] = components
    listed = made["paths"]["/api/v1/m"]["post"]["parameters"]
    listed += [{"in": "cookie", "schema": TEXT, **parameter}] if parameter else []
    return made


def test_what_becomes_a_key_is_gone_from_the_function_and_what_is_one_is_the_clients() -> None:
    def effects(old: dict[str, Any], new: dict[str, Any]) -> set[tuple[str, str]]:
        return {(one.effect, one.impact) for one in diff(old, new).changes if one.kind == "parameter"}

    plain, key = keyed("http", name="sid"), keyed("apiKey", name="sid")
    assert effects(keyed("apiKey"), key) == {("added", "cosmetic")}
    assert effects(keyed("http"), keyed("http", name="sid", required=True)) == {("needed", "breaking")}
    assert ("removed", "breaking") in effects(plain, key)


def test_a_charset_beside_a_form_changes_nothing() -> None:
    def form(media_type: str) -> dict[str, Any]:
        made = document(TEXT)
        body = made["paths"]["/api/v1/m"]["post"]["requestBody"]
        body["content"] = {media_type: body["content"]["application/json"]}
        return made

    kind = "application/x-www-form-urlencoded"
    assert {one.impact for one in diff(form(kind), form(f"{kind}; charset=utf-8")).changes} <= {"cosmetic"}
