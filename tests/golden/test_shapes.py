"""Requests of any shape a document may give them: what a client asks for, and what it then sends.

What they may be in a form, in headers and as a whole body has tests of its own: ``test_forms``, ``test_headers``,
``test_bodies``.
"""

from __future__ import annotations

import json
import pickle
import tomllib
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

import pytest
from shapes import NUMBER, TEXT, Rendered, anything_of, body_of, document_of, ref, run, sending, taking

from muapi_client import Call
from muapi_client.pinning import fetch
from muapi_client.pinning._document.reader import Document
from muapi_generated.types import Operation
from rules.names import LONGEST, name_function
from rules.patterns import can_check

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASE = anything_of(prompt=TEXT, n=NUMBER)


def test_a_field_required_beside_what_a_body_is_made_of_is_asked_for(build: Callable[..., Rendered]) -> None:
    asking: dict[str, Any] = {
        "beside_all_of": {"allOf": [ref("Base")], "required": ["prompt"]},
        "beside_a_reference": {**ref("Base"), "required": ["prompt"]},
        "in_another_part": {"allOf": [ref("Base"), {"required": ["prompt"]}]},
        "beside_a_reference_in_a_part": {"allOf": [{**ref("Base"), "required": ["prompt"]}, anything_of(x=TEXT)]},
        "of_which_nothing_else_is_said": {**anything_of(n=NUMBER), "required": ["prompt"]},
    }
    schemas = {"Base": BASE, **{f"{name}_model": schema for name, schema in asking.items()}}
    inside = {f"/{name}": {"post": sending(schema)} for name, schema in asking.items()}
    named = {f"/named/{name}": {"post": sending(ref(f"{name}_model"))} for name in asking}
    holder = {"/holder": {"post": sending(anything_of(**{name: ref(f"{name}_model") for name in asking}))}}
    built = build(document_of({**inside, **named, **holder, "/base": {"post": sending(ref("Base"))}}, schemas))
    assert body_of(built.send("base", n=1)) == {"n": 1}
    for name in asking:
        for function in (name, f"named_{name}"):
            with pytest.raises(TypeError, match="prompt"):
                built.function(function)(n=1)
            assert body_of(built.send(function, prompt="p", n=1)) == {"prompt": "p", "n": 1}
        assert built.is_refused("holder", **{name: {"n": 1}})
        assert not built.is_refused("holder", **{name: {"prompt": "p"}})


def test_what_stands_beside_a_reference_counts_since_openapi_31(build: Callable[..., Rendered]) -> None:
    document = document_of({"/a": {"post": sending({**ref("Base"), "required": ["prompt"]})}}, {"Base": BASE})
    assert body_of(build({**document, "openapi": "3.0.3"}).send("a", n=1)) == {"n": 1}
    with pytest.raises(TypeError, match="prompt"):
        build(document).function("a")(n=1)


@pytest.mark.parametrize(
    ("declared", "sent"),
    [
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("Application/JSON", "application/json"),
        ("application/merge-patch+json", "application/merge-patch+json"),
        ("application/vnd.api+json; version=1", "application/vnd.api+json; version=1"),
    ],
)
def test_a_body_of_json_is_sent_as_what_the_document_calls_it(
    declared: str, sent: str, build: Callable[..., Rendered]
) -> None:
    built = build(document_of({"/a": {"post": sending(BASE, declared)}}))
    request = built.send("a", prompt="p")
    assert body_of(request) == {"prompt": "p"}
    assert request.headers["content-type"] == sent
    call = built.function("a")(prompt="p")
    assert Call.from_json(call.to_json()) == call == pickle.loads(pickle.dumps(call))


def test_plain_json_comes_before_other_media_types(build: Callable[..., Rendered]) -> None:
    operation = sending(BASE, "multipart/form-data; boundary=x")
    operation["requestBody"]["content"] |= {"application/x+json": {"schema": BASE}, "application/json;v=1": {}}
    built = build(document_of({"/a": {"post": operation}}))
    assert built.send("a", body={"x": 1}).headers["content-type"] == "application/json"


@pytest.mark.parametrize("label", ["text", "application/x+json\r\nx-evil: 1", "application/json; v=é", None])
def test_what_is_no_media_type_labels_no_body(label: Any) -> None:
    with pytest.raises(ValueError, match="is no media type of a body"):
        Operation("a", "POST", "/a", media_type=label)


def test_a_name_may_stand_in_path_query_and_body_at_once(build: Callable[..., Rendered]) -> None:
    parameters = [{"name": "id", "in": place, "required": True, "schema": TEXT} for place in ("query", "path")]
    operation = {**sending(anything_of(id=TEXT)), "parameters": parameters}
    built = build(document_of({"/things/{id}": {"post": operation}}))
    request = built.send("things_id", id="p", id_query="q", id_body="b")
    assert (request.url.path, dict(request.url.params), body_of(request)) == ("/things/p", {"id": "q"}, {"id": "b"})


def test_names_that_cannot_be_told_apart_are_refused_with_their_places(tmp_path: Path) -> None:
    parameters = [{"name": name, "in": "query", "schema": TEXT} for name in ("a-b", "a_b")]
    result = run(document_of({"/a": {"get": taking(*parameters)}}), tmp_path / "package")
    assert result.code == 1
    assert "'a-b in the query of GET /a' and 'a_b in the query of GET /a'" in result.output


def test_signs_tell_names_apart(build: Callable[..., Rendered]) -> None:
    """GitHub counts reactions under such names."""
    signs = ["+1", "-1"]
    many = [f"v{number}" for number in range(30)]
    listed = {"+1": {"enum": ["+1", *many]}, "-1": {"enum": ["-1", *many]}, "vote": {"enum": [*signs, 1, -1]}}
    inside = anything_of(**{"+1": ref("+1"), "-1": ref("-1")})
    paths: dict[str, Any] = {f"/votes/{sign}": {"post": sending(anything_of(**listed))} for sign in signs}
    paths["/inside"] = {"post": sending(inside)}
    built = build(document_of(paths, {"+1": anything_of(a=TEXT), "-1": anything_of(b=TEXT)}))
    for name, path in (("votes_plus_1", "/votes/+1"), ("votes_minus_1", "/votes/-1")):
        request = built.send(name, plus_1="+1", minus_1="v7", vote=-1)
        assert (request.url.path, body_of(request)) == (path, {"+1": "+1", "-1": "v7", "vote": -1})
        assert built.is_refused(name, plus_1="-1")
        assert built.is_refused(name, vote="1")
    assert body_of(built.send("inside", plus_1={"a": "x"}, minus_1={"b": "x"})) == {"+1": {"a": "x"}, "-1": {"b": "x"}}
    assert built.is_refused("inside", plus_1={"b": "x"})


def test_path_items_may_be_references(build: Callable[..., Rendered]) -> None:
    items = {"A": {"post": sending(BASE)}, "B": {"$ref": "#/components/pathItems/A", "get": taking()}}
    paths = {
        "/a": {"$ref": "#/components/pathItems/A"},
        "/b": {"$ref": "#/components/pathItems/B", "delete": taking()},
        "/c": {"$ref": "#/paths/~1b"},
    }
    built = build(document_of(paths, components={"pathItems": items}))
    assert body_of(built.send("a", n=1)) == {"n": 1}
    for name in ("b", "c"):
        assert body_of(built.send(name, n=1)) == {"n": 1}
        assert built.send(f"get_{name}").url.path == f"/{name}"
        assert built.send(f"delete_{name}").method == "DELETE"


def test_a_document_of_referred_path_items_can_be_pinned(tmp_path: Path) -> None:
    item = {"$ref": "#/components/pathItems/A"}
    paths = {"/api/v1/a": item, "/api/v1/b": {"$ref": "#/paths/~1elsewhere"}, "/elsewhere": item}
    document = document_of(paths, components={"pathItems": {"A": {"post": sending(BASE)}}})
    (tmp_path / "served.json").write_text(json.dumps(document), encoding="utf-8")
    fetch(str(tmp_path / "served.json"), tmp_path / "pin")
    pinned = json.loads((tmp_path / "pin/openapi.json").read_text(encoding="utf-8"))
    assert Document(pinned).operations.keys() == {("POST", "/api/v1/a"), ("POST", "/api/v1/b")}
    assert tomllib.loads((tmp_path / "pin/lock.toml").read_text(encoding="utf-8"))["operations"] == 2


def test_references_may_lead_anywhere_in_the_document(build: Callable[..., Rendered]) -> None:
    body_schema = "requestBody/content/application~1json/schema"
    schemas = {
        "Inner": TEXT,  # whose name is that of another one, within Holder
        "Holder": {
            "$defs": {"Inner": {"enum": ["p", "q"]}, "Part": {**anything_of(a=TEXT, part=TEXT), "required": ["a"]}},
            "anyOf": [TEXT, {"type": "array", "items": {"type": "integer", "maximum": 3}}],
        },
    }
    fields = {
        "word": {"$ref": "#/components/schemas/Holder/$defs/Inner"},
        "same": {"$ref": "#/components/schemas/Holder/%24defs/Inner"},
        "part": {"$ref": "#/components/schemas/Holder/$defs/Part"},
        "small": {"$ref": "#/components/schemas/Holder/anyOf/1/items"},
        "base": {"$ref": f"#/paths/~1other/post/{body_schema}"},
        "text": ref("Inner"),
    }
    first = {**sending(anything_of(**fields)), "parameters": [{"$ref": "#/paths/~1other/post/parameters/0"}]}
    other = {**sending(BASE), "parameters": [{"name": "q", "in": "query", "schema": TEXT}]}
    built = build(document_of({"/a": {"post": first}, "/other": {"post": other}}, schemas))
    given: dict[str, Any] = {"word": "p", "same": "q", "part": {"a": "x"}, "small": 3, "base": {"n": 1}, "text": "r"}
    request = built.send("a", **given, q="x")
    assert (body_of(request), request.url.params["q"]) == (given, "x")
    for wrong in ({"word": "r"}, {"same": "r"}, {"part": {}}, {"small": 4}, {"base": {"m": 1}}):
        assert built.is_refused("a", **wrong)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("#/components/schemas/Holder/$defs/Gone", "which it does not hold"),
        ("#/components/schemas/Holder/anyOf/7", "which it does not hold"),
        ("#/components/schemas/Holder/required", "is ['a'] where an object belongs"),
        ("#/$defs/Inner", "which it does not hold"),
        ("other.json#/Inner", "which it does not hold"),
    ],
)
def test_a_reference_to_what_is_no_schema_is_refused(reference: str, said: str, tmp_path: Path) -> None:
    holder = {**anything_of(a=TEXT), "required": ["a"], "anyOf": [TEXT]}
    document = document_of({"/a": {"post": sending(anything_of(x={"$ref": reference}))}}, {"Holder": holder})
    result = run(document, tmp_path / "package")
    assert result.code == 1
    assert reference in result.output
    assert said in result.output
    assert "Traceback" not in result.output


def test_names_too_long_for_a_file_are_cut_and_stay_apart(build: Callable[..., Rendered]) -> None:
    start, wide = "/very-long-segment" * 15, "/大" * 90
    models = {f"{'ABc' * 90}{end}": anything_of(**{end: TEXT}) for end in "xy"}
    paths = {f"{start}/{name[-1]}": {"post": sending(ref(name))} for name in models}
    built = build(document_of({**paths, wide: {"get": taking()}}, models))
    files = [file.stem for file in built.folder.rglob("*.py")]
    assert max(len(name.encode()) for name in files) <= 2 * LONGEST
    for end in "xy":
        name = name_function("POST", f"{start}/{end}")
        request = built.send(name, **{end: "v"})
        assert (request.url.path, body_of(request)) == (f"{start}/{end}", {end: "v"})
    assert unquote(built.send(name_function("GET", wide)).url.raw_path.decode()) == wide


LIST: dict[str, Any] = {"type": "array", "items": TEXT}


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ({}, "f=a&f=b"),
        ({"style": "form"}, "f=a&f=b"),
        ({"explode": False}, "f=a,b"),
        ({"style": "form", "explode": False}, "f=a,b"),
        ({"style": "pipeDelimited"}, "f=a|b"),
        ({"style": "pipeDelimited", "explode": True}, "f=a&f=b"),
        ({"style": "spaceDelimited", "explode": False}, "f=a b"),
    ],
)
def test_a_list_in_a_query_is_written_in_the_style_of_the_document(
    style: dict[str, Any], written: str, build: Callable[..., Rendered]
) -> None:
    built = build(document_of({"/a": {"get": taking({"name": "f", "in": "query", "schema": LIST, **style})}}))
    assert unquote_plus(built.send("get_a", f=["a", "b"]).url.query.decode()) == written
    assert built.send("get_a", f=("a",)).url.query == b"f=a"
    assert built.send("get_a", f=[]).url.query == built.send("get_a").url.query == b""


def test_items_that_a_list_could_not_be_read_back_from_are_refused(build: Callable[..., Rendered]) -> None:
    of_all = {"type": "array", "items": {"type": ["string", "integer", "boolean"]}}
    listed = {"anyOf": [of_all, TEXT]}
    built = build(
        document_of({"/a": {"get": taking({"name": "x-f", "in": "query", "schema": listed, "explode": False})}})
    )
    assert dict(built.send("get_a", x_f=["a b", 1, True]).url.params) == {"x-f": "a b,1,true"}
    assert dict(built.send("get_a", x_f="a,b").url.params) == {"x-f": "a,b"}
    with pytest.raises(ValueError, match="'a,b' holds ',', which stands between the items"):
        built.send("get_a", x_f=["a,b"])


def test_a_list_in_a_path_is_written_with_commas(build: Callable[..., Rendered]) -> None:
    parameter = {"name": "ids", "in": "path", "required": True, "schema": LIST}
    built = build(document_of({"/things/{ids}": {"get": taking(parameter)}}))
    assert built.send("get_things_ids", ids=["a", "b/c"]).url.raw_path == b"/things/a%2Cb%2Fc"
    assert built.is_refused("get_things_ids", ids=[])


@pytest.mark.parametrize(
    ("place", "style"), [("query", "deepObject"), ("query", "simple"), ("path", "matrix"), ("path", "form")]
)
def test_a_style_that_cannot_be_written_is_refused_by_name(place: str, style: str, tmp_path: Path) -> None:
    parameter = {"name": "f", "in": place, "required": True, "schema": LIST, "style": style}
    result = run(document_of({"/{f}": {"get": taking(parameter)}}), tmp_path / "package")
    assert result.code == 1
    assert f"GET /{{f}} takes {place} f (style '{style}')" in result.output


def test_what_stands_beside_alternatives_or_a_reference_counts(build: Callable[..., Rendered]) -> None:
    whole, null = {"type": "integer", "minimum": 2}, {"type": "null"}
    fields: dict[str, tuple[dict[str, Any], list[Any], list[Any]]] = {  # with values that are right, and wrong
        "either": ({"anyOf": [whole, null], "minimum": 1, "maximum": 5}, [2, 5, None], [1, 6]),
        "one": ({"oneOf": [whole, TEXT], "maximum": 5, "maxLength": 2}, [5, "ab"], [6, "abc"]),
        "all_of": ({"allOf": [whole], "minimum": 3}, [3], [2]),
        "referred": ({**ref("Whole"), "maximum": 5, "description": "d"}, [2, 5], [1, 6]),
        "deeper": ({"anyOf": [{**ref("Either"), "maximum": 5}, null]}, [4, None], [6]),
        "steps": ({"anyOf": [{"type": "integer", "multipleOf": 4}], "multipleOf": 6}, [12], [4, 6]),
        "typed": ({"type": "string", "anyOf": [{"pattern": "^a"}, {}], "maxLength": 2}, ["ab"], ["abc", 1]),
        "matched": ({"anyOf": [TEXT, null], "pattern": "^a"}, ["ab", None], ["ba"]),
        "listed": ({"anyOf": [LIST, null], "maxItems": 1}, [["a"], None], [["a", "b"]]),
        "chosen": ({**ref("Text"), "enum": ["a", "b"]}, ["a"], ["c"]),
        "constant": ({"anyOf": [TEXT, whole], "const": "a"}, ["a"], ["b", 2]),
    }  # fmt: skip
    schemas = {"Whole": whole, "Either": {"anyOf": [ref("Whole"), null]}, "Text": TEXT}
    body = anything_of(**{name: schema for name, (schema, _, _) in fields.items()})
    built = build(document_of({"/a": {"post": sending(body)}}, schemas))
    for name, (_, right, wrong) in fields.items():
        assert [value for value in right if built.is_refused("a", **{name: value})] == [], name
        assert [value for value in wrong if not built.is_refused("a", **{name: value})] == [], name


CHAIN = 3000  # references


def chain(around: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """A body with a field whose schema refers to another, and that to another, and so on to a text."""
    links = {f"C{number}": around(ref(f"C{number + 1}")) for number in range(CHAIN)}
    return document_of(
        {"/a": {"post": sending(anything_of(q=ref("C0"), base=ref("C2")))}}, {**links, f"C{CHAIN}": TEXT}
    )


def test_a_chain_of_mere_names_is_followed_to_its_end(build: Callable[..., Rendered]) -> None:
    built = build(chain(dict))
    assert body_of(built.send("a", q="x")) == {"q": "x"}
    assert built.is_refused("a", q=1)


@pytest.mark.parametrize(
    "around",
    [
        lambda one: {"anyOf": [one, {"type": "null"}]},
        lambda one: {"type": "array", "items": one},
        lambda one: {"allOf": [one]},
        lambda one: {"allOf": [one, anything_of(a=TEXT)]},
    ],
)
def test_schemas_within_each_other_without_end_are_refused(
    around: Callable[[dict[str, Any]], dict[str, Any]], tmp_path: Path
) -> None:
    result = run(chain(around), tmp_path / "package")
    assert result.code == 1
    assert "more than 50" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("leaf", [TEXT, anything_of(a=TEXT)], ids=["text", "object"])
@pytest.mark.parametrize(
    ("around", "is_small"),
    [
        (lambda one: {"allOf": [one, one]}, True),
        (lambda one: {"anyOf": [one, one]}, True),
        (lambda one: {"type": "array", "prefixItems": [one, one]}, False),
        (
            lambda one: {"anyOf": [{"type": "array", "items": one}, {"type": "array", "items": one, "minItems": 1}]},
            False,
        ),
    ],
)
def test_schemas_that_double_at_each_level_come_to_an_end(
    around: Callable[[dict[str, Any]], dict[str, Any]], is_small: bool, leaf: dict[str, Any], tmp_path: Path
) -> None:
    """Read one by one they would be a thousand million; of most there is but one thing to know."""
    levels = {f"C{number}": around(ref(f"C{number + 1}")) for number in range(30)}
    document = document_of({"/a": {"post": sending(anything_of(q=ref("C0")))}}, {**levels, "C30": leaf})
    result = run(document, tmp_path / "package")
    assert result.code == (0 if is_small else 1)
    assert ("is made of more than 10000 others" in result.output) is not is_small
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("pattern", "is_checked"),
    [
        ("", True),
        (r"^(\w\s?){1,4}\w*\w*\w*x$", False),
        ("(.*)" * 10 + "x", False),
        ("(ab)*(ab)*x", False),
        ("a*b?a*x", False),
        ("a+-b+-c+-d+-e+", False),
        ("^[a-z]+-[a-z]+$", True),
        (r"^v\d+\.\d+\.\d+$", True),
        (r"^(\d{1,3}\.){3}\d{1,3}$", True),
        ("^(?:a+){4}$", False),
        ("^(?:(?:a+){4}){4}$", False),
        ("((a{1,3}){4}){4}", False),
        (r"^[^@\s]+@[^@\s]+\.[a-z]{2,4}$", True),
    ],
)
def test_parts_that_repeat_one_behind_the_other_are_left_to_the_server(pattern: str, is_checked: bool) -> None:
    assert can_check(pattern) is is_checked


def test_a_pattern_of_a_parameter_or_of_a_whole_body_is_left_to_the_server_by_name(
    build: Callable[..., Rendered],
) -> None:
    slow = {**TEXT, "pattern": "^(a+)+$"}
    query = {"name": "q", "in": "query", "schema": slow}
    body = {"content": {"application/json": {"schema": {"type": "array", "items": slow}}}}
    built = build(document_of({"/a": {"post": {**taking(query), "requestBody": body}}}))
    for name in ("q", "body"):
        assert f"Pattern '^(a+)+$' of '{name}' in POST /a is left to the server" in built.output


def test_a_long_list_of_choices_in_a_path_has_a_name_as_elsewhere(build: Callable[..., Rendered]) -> None:
    choices = {"enum": [f"value-{number}" for number in range(30)]}
    parameter = {"name": "kind", "in": "path", "required": True, "schema": choices}
    built = build(document_of({"/a/{kind}": {"get": taking(parameter)}}))
    (source,) = [file.read_text("utf-8") for file in built.folder.glob("api/*/get_a_kind.py")]
    assert "value-29" not in source


def test_a_pattern_that_could_take_for_ever_is_left_to_the_server_and_told(build: Callable[..., Rendered]) -> None:
    body = anything_of(
        slow={**TEXT, "pattern": "^(a+)+$"},
        many={"type": "array", "items": {**TEXT, "pattern": "^(b+)+$"}},
        plain={**TEXT, "pattern": "^a+$"},
    )
    built = build(document_of({"/a": {"post": sending(body)}}))
    text = "a" * 32 + "!"
    assert body_of(built.send("a", slow=text, many=[text])) == {"slow": text, "many": [text]}
    assert built.is_refused("a", plain=text)
    for name, pattern in (("slow", "^(a+)+$"), ("many", "^(b+)+$")):
        assert f"Pattern '{pattern}' of '{name}' in 'ABody' is left to the server" in built.output
    assert "plain" not in built.output
