"""Bodies that are no object of named fields, and what else the values of a request are held against."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest
from shapes import NUMBER, TEXT, Rendered, anything_of, body_of, document_of, ref, sending, taking

from muapi_client import Call, errors
from muapi_generated.types import Operation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NULL = {"type": "null"}
ACCEPTED = {"request_id": "r", "status": "processing"}
ITEM = {**anything_of(a=TEXT, n={**NUMBER, "maximum": 3}), "required": ["a"]}
OTHER = {**anything_of(b={"enum": ["x"]}), "required": ["b"]}


def listing(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def test_a_body_may_be_a_list(build: Callable[..., Rendered]) -> None:
    bodies = {
        "classes": listing(ref("Item"), maxItems=2),
        "texts": listing({"enum": ["a", "b"]}),
        "named": ref("Items"),
        "nullable": {"anyOf": [listing(ref("Item")), NULL]},
    }
    paths = {f"/{name}": {"post": sending(schema)} for name, schema in bodies.items()}
    built = build(document_of(paths, {"Item": ITEM, "Items": listing(ref("Item"))}))
    for name in ("classes", "named", "nullable"):
        assert body_of(built.send(name, body=[{"a": "x"}, {"a": "y", "n": 3}])) == [{"a": "x"}, {"a": "y", "n": 3}]
        assert built.send(name, body=({"a": "x"},)).headers["content-type"] == "application/json"
        for wrong in ([{}], [{"a": "x", "n": 4}], [{"a": "x", "m": 1}], {"a": "x"}, "x", [3]):
            assert built.is_refused(name, body=wrong)
    models = built.module("models")
    assert models.Item.__doc__.startswith("Part of ``/classes``, ``/named`` and ``/nullable``.")
    assert body_of(built.send("classes", body=[models.Item(a="x")])) == [{"a": "x"}]
    assert body_of(built.send("texts", body=["b"])) == ["b"]
    assert body_of(built.send("texts", body=[])) == []
    assert built.is_refused("texts", body=["c"])
    assert built.is_refused("classes", body=[{"a": "x"}] * 3)
    with pytest.raises(TypeError, match="body"):
        built.function("classes")()
    call = built.function("classes")(body=[{"a": "x"}])
    assert Call.from_json(call.to_json()) == call == pickle.loads(pickle.dumps(call))
    with pytest.raises(errors.ValidationError) as caught:
        built.send("classes", body=[{"a": "x", "n": 4}])
    assert caught.value.errors[0]["loc"] == ["body", 0, "n"]


def test_a_body_may_be_one_of_several(build: Callable[..., Rendered]) -> None:
    union = {"oneOf": [ref("Item"), ref("Other")], "discriminator": {"propertyName": "kind"}}
    bodies = {"classes": union, "odd": {"anyOf": [ref("Item"), listing(TEXT), {**NUMBER, "minimum": 2}]}}
    paths = {f"/{name}": {"post": sending(schema)} for name, schema in bodies.items()}
    built = build(document_of(paths, {"Item": ITEM, "Other": OTHER}))
    for given in ({"a": "x"}, {"b": "x"}):
        assert body_of(built.send("classes", body=given)) == given
    assert body_of(built.send("classes", body=built.module("models").Other(b="x"))) == {"b": "x"}
    for wrong in ({"a": "x", "b": "x"}, {}, [{"a": "x"}], None):
        assert built.is_refused("classes", body=wrong) or wrong is None
    for value in ({"a": "x"}, ["x"], 2):
        assert body_of(built.send("odd", body=value)) == value
    assert built.is_refused("odd", body=1)
    assert built.function("classes").__annotations__["body"] == "models.Item | Fields | models.Other"


def test_a_body_that_may_be_left_out_has_a_default(build: Callable[..., Rendered]) -> None:
    operation = sending(listing(TEXT))
    operation["requestBody"]["required"] = False
    built = build(document_of({"/a": {"post": operation}}))
    assert built.send("a").content == b""
    assert body_of(built.send("a", body=["x"])) == ["x"]


def test_a_paid_body_that_is_a_list_is_a_submit_like_any_other(build: Callable[..., Rendered], tmp_path: Path) -> None:
    webhook = {"name": "webhook", "in": "query", "schema": TEXT}
    shot = anything_of(prompt=TEXT, image_url={**TEXT, "format": "uri"})
    job = {**sending(listing(ref("Shot"))), "parameters": [webhook]}
    built = build(
        document_of({"/api/v1/shots": {"post": job}, "/api/v1/upload_file": {"post": taking()}}, {"Shot": shot})
    )
    built.answers = [httpx.Response(200, json=ACCEPTED)]
    call = built.function("shots")(body=[{"prompt": "p"}])
    submitted: Any = built.client.submit(call)
    assert (submitted.call, body_of(built.requests[-1])) == (call, [{"prompt": "p"}])

    (tmp_path / "fox.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    built.answers = [httpx.Response(200, json={"url": "https://x/fox.png"}), httpx.Response(200, json=ACCEPTED)]
    built.client.submit(built.function("shots")(body=[{"prompt": "p", "image_url": tmp_path / "fox.png"}]))
    assert body_of(built.requests[-1]) == [{"prompt": "p", "image_url": "https://x/fox.png"}]

    built.answers = [httpx.ReadTimeout("lost")]
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        built.client.submit(call)
    (lost,) = built.client.unknown()
    assert lost.call == call
    secret = "https://hooks.example/T0K3N-which-is-long"
    built.answers = [httpx.Response(400, json={"detail": secret})]
    with pytest.raises(errors.MuAPIError) as caught:
        built.client.submit(attrs.evolve(call, body=[{"webhook_url": secret}], operation=Operation("", "POST", "/a")))
    assert "T0K3N" not in str(caught.value)


def test_a_body_of_the_wrong_kind_is_refused_where_a_class_is_asked_for(build: Callable[..., Rendered]) -> None:
    built = build(document_of({"/a": {"post": sending(ref("Item"))}}, {"Item": ITEM}))
    call = attrs.evolve(built.function("a")(a="x"), body=[1])
    with pytest.raises(errors.ValidationError, match="valid dictionary"):
        built.client.send(call)


def test_queries_and_paths_are_held_against_what_the_document_says(build: Callable[..., Rendered]) -> None:
    fields: dict[str, tuple[dict[str, Any], list[Any], list[Any]]] = {  # with values that are right, and wrong
        "limit": ({**NUMBER, "minimum": 1, "maximum": 5}, [1, "5", 2.0], [0, 6, "6", "x", True, None]),
        "sort": ({"enum": ["up", "down"]}, ["up"], ["UP", 1]),
        "page": ({"enum": [1, 2]}, [1, "2"], [3, "3"]),
        "name": ({**TEXT, "maxLength": 2, "pattern": "^a"}, ["ab"], ["abc", "b"]),
        "free": (TEXT, ["", 7, True], []),
        "yes": ({"type": "boolean"}, [True, "false"], ["ja", 2]),
        "maybe": ({"anyOf": [{**NUMBER, "maximum": 3}, NULL]}, [3, None], [4]),
        "many": (listing({**NUMBER, "maximum": 3}, maxItems=2), [[1, 2], ["3"], (1,), 1, "2"], [[4], [1, 1, 1], "4"]),
        "words": (listing(TEXT), [["a"], "a"], []),
        "either": ({"anyOf": [NUMBER, {"enum": ["all"]}]}, ["all", 3, "3"], ["none", 1.5]),
    }  # fmt: skip
    parameters = [{"name": name, "in": "query", "schema": schema} for name, (schema, _, _) in fields.items()]
    joined = {"name": "few", "in": "query", "explode": False, "schema": listing({"enum": ["a", 1]}, maxItems=2)}
    inside = {"name": "id", "in": "path", "required": True, "schema": {**NUMBER, "minimum": 1}}
    built = build(document_of({"/{id}": {"get": taking(*parameters, joined, inside)}}))
    for name, (_, right, wrong) in fields.items():
        assert [value for value in right if built.is_refused("get_id", id=1, **{name: value})] == [], name
        assert [value for value in wrong if not built.is_refused("get_id", id=1, **{name: value})] == [], name
    assert built.send("get_id", id=2, few=["a", 1]).url.params["few"] == "a,1"
    assert built.is_refused("get_id", id=2, few=["a", "b"])
    assert built.is_refused("get_id", id=2, few=["a", "a", "a"])
    assert built.is_refused("get_id", id=0)
    sent = len(built.requests)
    with pytest.raises(
        errors.ValidationError, match="get_id: limit: Input should be less than or equal to 5"
    ) as caught:
        built.send("get_id", id=1, limit=7)
    assert caught.value.errors == [
        {"loc": ["query", "limit"], "msg": caught.value.errors[0]["msg"], "type": "less_than_equal", "ctx": {"le": 5}}
    ]
    assert len(built.requests) == sent
    loose = built.client.with_options(strict=False)
    loose.send(built.function("get_id")(id=1, limit=7))
    assert built.requests[-1].url.params["limit"] == "7"


@pytest.mark.parametrize("name", ["os", "api.os", "api.a.b.c", "..api.a.b", "api.a.b\n", 7])
def test_checks_are_found_among_the_functions_alone(name: Any) -> None:
    with pytest.raises(ValueError, match="no module of request functions"):
        Operation("a", "GET", "/a", checks=name)


def test_checks_that_are_not_there_are_told(build: Callable[..., Rendered]) -> None:
    built = build(document_of({"/a": {"get": taking({"name": "n", "in": "query", "schema": NUMBER})}}))
    call = built.function("get_a")(n=1)
    gone = attrs.evolve(call, operation=attrs.evolve(call.operation, checks="api.other.gone"))
    with pytest.raises(errors.ValidationError, match="make the call anew"):
        built.client.send(gone)


def test_maps_and_places_of_a_list_are_checked(build: Callable[..., Rendered]) -> None:
    pair = {"type": "array", "prefixItems": [TEXT, {**NUMBER, "maximum": 3}]}
    fields: dict[str, tuple[dict[str, Any], list[Any], list[Any]]] = {  # with values that are right, and wrong
        "counts": ({"type": "object", "additionalProperties": NUMBER}, [{}, {"a": 1}], [{"a": "x"}, [1], 1]),
        "parts": ({"type": "object", "additionalProperties": ref("Item")}, [{"k": {"a": "x"}}], [{"k": {"n": 1}}]),
        "deep": (
            {"type": "object", "additionalProperties": listing({"type": "object", "additionalProperties": NUMBER})},
            [{"a": [{"b": 1}]}],
            [{"a": [{"b": "x"}]}, {"a": {"b": 1}}],
        ),
        "any": ({"type": "object", "additionalProperties": True}, [{"a": [1]}], [[1]]),
        "null": ({"anyOf": [{"type": "object", "additionalProperties": TEXT}, NULL]}, [None, {"a": "x"}], [{"a": 1}]),
        "pair": ({**pair, "minItems": 2, "maxItems": 2}, [["a", 1], ("a", 3)], [["a"], [1, 1], ["a", 4], ["a", 1, 1]]),
        "more": ({**pair, "items": {"type": "boolean"}}, [["a", 1, True], []], [["a", 1, 1]]),
        "open": (pair, [["a", 1, "x", 7]], [["a", "x"]]),
        "ended": ({**pair, "items": False}, [["a", 1]], [["a", 1, 1]]),
    }  # fmt: skip
    body = anything_of(**{name: schema for name, (schema, _, _) in fields.items()})
    paths = {"/a": {"post": sending(body)}, "/mapped": {"post": sending(fields["parts"][0])}}
    built = build(document_of(paths, {"Item": ITEM}))
    for name, (_, right, wrong) in fields.items():
        assert [value for value in right if built.is_refused("a", **{name: value})] == [], name
        assert [value for value in wrong if not built.is_refused("a", **{name: value})] == [], name
    assert body_of(built.send("a", parts={"k": built.module("models").Item(a="x")})) == {"parts": {"k": {"a": "x"}}}
    assert body_of(built.send("mapped", body={"k": {"a": "x"}})) == {"k": {"a": "x"}}
    assert built.is_refused("mapped", body={"k": {"n": 1}})
    hints = built.function("a").__annotations__
    assert (hints["counts"], hints["pair"]) == ("Mapping[str, int]", "Sequence[str | int]")
    with pytest.raises(errors.ValidationError, match=r"a: counts\.a: Input should be a valid integer"):
        built.send("a", counts={"a": "x"})


def test_what_the_server_alone_gives_is_neither_asked_for_nor_taken(build: Callable[..., Rendered]) -> None:
    given_there = {"readOnly": True}
    base = {**anything_of(id={**NUMBER, **given_there}, name=TEXT), "required": ["id", "name"]}
    inner = {**anything_of(made={**TEXT, **given_there}, size=NUMBER), "required": ["made"]}
    fields = {
        "stamp": ref("Stamp"),
        "beside": {**ref("Text"), **given_there},
        "wrapped": {"allOf": [ref("Text")], **given_there},
        "inner": ref("Inner"),
    }
    body = {"allOf": [ref("Base"), {**anything_of(**fields), "required": ["stamp", "beside", "wrapped"]}]}
    schemas = {"Base": base, "Inner": inner, "Stamp": {**TEXT, **given_there}, "Text": TEXT, "Whole": body}
    paths = {
        "/a": {"post": sending(ref("Whole"))},
        "/form": {"post": sending(base, "multipart/form-data")},
        "/only": {"post": sending(anything_of(id={**NUMBER, **given_there}))},
    }
    built = build(document_of(paths, schemas))
    assert [*built.function("a").__annotations__] == ["name", "inner", "return"]
    assert body_of(built.send("a", name="n", inner={"size": 1})) == {"name": "n", "inner": {"size": 1}}
    assert built.is_refused("a", name="n", inner={"made": "x"})
    call = attrs.evolve(built.function("a")(name="n"), body={"name": "n", "id": 1})
    with pytest.raises(errors.ValidationError, match="id: Unknown field"):
        built.client.send(call)
    assert [*built.function("form").__annotations__] == ["name", "return"]
    assert body_of(built.send("only", body={})) == {}


def test_a_text_or_a_number_may_be_made_of_several(build: Callable[..., Rendered]) -> None:
    fields: dict[str, tuple[dict[str, Any], list[Any], list[Any]]] = {  # with values that are right, and wrong
        "text": ({"allOf": [ref("Short"), {"pattern": "^a"}]}, ["ab"], ["abcd", "b", 1, {}]),
        "number": ({"allOf": [NUMBER, ref("Small"), {"minimum": 2}]}, [2, 5], [1, 6, "x"]),
        "named": (ref("Both"), ["ab"], ["b", "abcd"]),
        "chosen": ({"allOf": [TEXT, {"enum": ["a", "b"]}]}, ["a"], ["c"]),
        "beside": ({"allOf": [ref("Short"), ref("Short")], "minLength": 2}, ["ab"], ["a", "abcd"]),
        "whole": (ref("Whole"), [{"a": "x", "b": "y"}], [{"c": "x"}, "x"]),
        "round": (ref("Round"), [{"a": "x", "again": {"a": "y"}}], ["x"]),
    }  # fmt: skip
    schemas = {
        "Short": {**TEXT, "maxLength": 3},
        "Small": {"maximum": 5, **NUMBER},
        "Both": {"allOf": [ref("Short"), {**TEXT, "pattern": "^a"}]},
        "Part": anything_of(a=TEXT),
        "Whole": {"allOf": [ref("Part"), anything_of(b=TEXT)]},
        "Round": {"allOf": [ref("Part"), anything_of(again=ref("Round"))]},
    }
    body = anything_of(**{name: schema for name, (schema, _, _) in fields.items()})
    built = build(document_of({"/a": {"post": sending(body)}}, schemas))
    for name, (_, right, wrong) in fields.items():
        assert [value for value in right if built.is_refused("a", **{name: value})] == [], name
        assert [value for value in wrong if not built.is_refused("a", **{name: value})] == [], name
    assert not hasattr(built.module("models"), "Both")
