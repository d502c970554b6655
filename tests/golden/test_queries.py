"""Queries: what always goes with a path, and objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest
from shapes import NUMBER, TEXT, Rendered, anything_of, body_of, document_of, ref, run, sending, taking

from muapi_client import Call, errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def query_of(name: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, **more}


def test_a_query_in_a_path_goes_with_every_call_of_its_own_function(build: Callable[..., Rendered]) -> None:
    beta = {**sending(anything_of(a=TEXT)), "parameters": [query_of("n", NUMBER), query_of("beta", TEXT)]}
    paths = {
        "/v1/things": {"post": sending(anything_of(a=TEXT))},
        "/v1/things?beta=true": {"post": beta},
        "/v1/things/{id}?a-b=1&a-b=2&c": {"get": taking()},
    }
    built = build(document_of(paths))
    plain, other = built.send("v1_things", a="x"), built.send("v1_things_beta_true", a="x", n=1)
    assert [request.url.path for request in (plain, other)] == ["/v1/things"] * 2
    assert [dict(request.url.params) for request in (plain, other)] == [{}, {"beta": "true", "n": "1"}]
    assert body_of(other) == {"a": "x"}
    listed = built.send("get_v1_things_id_a_b_1_a_b_2_c", id="i/?x=1").url
    assert listed.raw_path.startswith(b"/v1/things/i%2F%3Fx%3D1?")
    assert sorted(listed.params.multi_items()) == [("a-b", "1"), ("a-b", "2"), ("c", "")]
    call = built.function("v1_things_beta_true")(a="x")
    assert (call.operation.path, call.query) == ("/v1/things", {"beta": "true"})
    assert Call.from_json(call.to_json()) == call
    assert "beta" not in built.function("v1_things_beta_true").__annotations__


def test_a_stream_and_a_job_keep_their_kind_beside_a_query(build: Callable[..., Rendered]) -> None:
    job = {**sending(anything_of(a=TEXT)), "parameters": [query_of("webhook", TEXT)]}
    paths = {"/api/v1/x?beta=1": {"post": job}, "/api/v1/x/stream?beta=1": {"post": sending(anything_of(a=TEXT))}}
    built = build(document_of(paths))
    built.answers = [httpx.Response(200, json={"request_id": "r", "status": "processing"})]
    built.client.submit(built.function("x_beta_1")(a="p"))
    assert (built.requests[-1].url.path, dict(built.requests[-1].url.params)) == ("/api/v1/x", {"beta": "1"})
    assert built.function("x_stream_beta_1").__doc__.splitlines()[-2].strip().endswith("``MuAPI.stream``.")


@pytest.mark.parametrize("path", ["/a?b={c}", "/a?b\\c", "/a?b c", "/a/../b?c=1"])
def test_a_query_in_a_path_is_fixed_and_leads_nowhere_else(path: str, tmp_path: Path) -> None:
    result = run(document_of({path: {"get": taking()}}), tmp_path / "package")
    assert result.code == 1
    assert "no placeholder in its query" in result.output


def test_no_call_made_by_hand_has_a_query_in_its_path(build: Callable[..., Rendered]) -> None:
    built = build(document_of({"/a?b=1": {"get": taking()}}))
    with pytest.raises(ValueError, match="is no path of an API"):
        attrs.evolve(built.function("get_a_b_1")().operation, path="/a?b=1")


def test_an_object_in_a_query_is_its_fields(build: Callable[..., Rendered]) -> None:
    span = {**anything_of(gt=NUMBER, lt={**NUMBER, "maximum": 5}, id={**TEXT, "readOnly": True}), "required": ["gt"]}
    parameters = [
        query_of("at", ref("Span"), required=True),
        query_of("other", span),
        query_of("lt", {**NUMBER, "maximum": 9}),
    ]
    built = build(document_of({"/a": {"get": taking(*parameters)}}, {"Span": span}))
    assert dict(built.send("get_a", gt=1, lt=7).url.params) == {"gt": "1", "lt": "7"}
    assert dict(built.send("get_a", gt=1).url.params) == {"gt": "1"}
    assert built.is_refused("get_a", gt="x")
    assert built.is_refused("get_a", gt=1, lt=10)
    with pytest.raises(TypeError, match="gt"):
        built.function("get_a")()


def test_a_deep_object_in_a_query_is_written_with_brackets(build: Callable[..., Rendered]) -> None:
    deep: dict[str, Any] = {"style": "deepObject", "explode": True}
    free = {"type": "object", "additionalProperties": TEXT, "nullable": True}
    filters = anything_of(gt={**NUMBER, "maximum": 5}, of=anything_of(tags={"type": "array", "items": TEXT}))
    parameters = [query_of("metadata", free, **deep), query_of("where", ref("Where"), **deep), query_of("n", NUMBER)]
    document = document_of({"/a": {"get": taking(*parameters)}}, {"Where": filters}, openapi="3.0.3")
    built = build(document)
    request = built.send("get_a", metadata={"k": "v", "&": "é"}, where={"gt": 1, "of": {"tags": ["x", "y"]}}, n=2)
    assert request.url.params.multi_items() == [
        *(("metadata[k]", "v"), ("metadata[&]", "é"), ("where[gt]", "1")),
        *(("where[of][tags]", "x"), ("where[of][tags]", "y"), ("n", "2")),
    ]
    assert built.send("get_a", where=built.module("models").Where(gt=3)).url.params["where[gt]"] == "3"
    assert built.send("get_a", metadata={}).url.query == b""
    unfit = ({"metadata": {"k": 1}}, {"metadata": "x"}, {"where": {"gt": 6}}, {"where": {"ht": 1}}, {"where": [1]})
    for wrong in unfit:
        assert built.is_refused("get_a", **wrong)
    call = built.function("get_a")(where={"gt": 1})
    assert Call.from_json(call.to_json()) == call


def test_an_object_in_a_query_that_contains_itself_is_refused(build: Callable[..., Rendered]) -> None:
    built = build(document_of({"/a": {"get": taking()}}))
    endless: dict[str, Any] = {}
    endless["a"] = endless
    with pytest.raises(errors.ValidationError, match="the query contains itself"):
        built.client.send(attrs.evolve(built.function("get_a")(), query={"q": endless}))


def test_a_webhook_within_an_object_of_a_query_is_hidden(build: Callable[..., Rendered]) -> None:
    deep = query_of("to", {"type": "object"}, style="deepObject")
    built = build(document_of({"/a": {"get": taking(deep)}}))
    secret = "https://hooks.example/T0K3N-which-is-long"
    built.answers = [httpx.Response(400, json={"detail": f"cannot reach {secret}"})]
    with pytest.raises(errors.APIStatusError) as caught:
        built.send("get_a", to={"webhook_url": secret})
    assert "T0K3N" not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize(
    ("schema", "style"),
    [
        ({"type": "object"}, {}),
        (anything_of(a=TEXT), {"explode": False}),
        (anything_of(a=anything_of(b=TEXT)), {}),
        ({"anyOf": [anything_of(a=TEXT), TEXT]}, {}),
    ],
)
def test_an_object_that_has_no_one_form_in_a_query_is_refused_by_name(
    schema: dict[str, Any], style: dict[str, Any], tmp_path: Path
) -> None:
    result = run(document_of({"/a": {"get": taking(query_of("q", schema, **style))}}), tmp_path / "package")
    assert result.code == 1
    assert "GET /a takes an object in the query" in result.output
