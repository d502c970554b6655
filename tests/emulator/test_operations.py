"""All job operations of the pinned document: a fitting body is accepted, a broken one refused in its place."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from fitting import make_fitting
from hypothesis import given, settings
from hypothesis import strategies as st

from muapi_client import catalog
from muapi_client.emulator import Emulator, Request
from muapi_client.emulator._spec.live_rules import LIVE_RULES
from muapi_client.emulator._spec.operations import read_operations
from muapi_client.pinning import pinned

DOCUMENT = pinned().document
SCHEMAS = DOCUMENT["components"]["schemas"]
HEADERS = {"x-api-key": "sk-live", "content-type": "application/json"}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def jobs() -> dict[str, dict[str, Any]]:
    """The schema of each job's body, but for those of which the live API refuses some that fit (``test_refusals``)."""
    found = {}
    for operation in read_operations().all():
        if operation.rule is None and read_operations().submits_job(operation) and operation.body is not None:
            content = DOCUMENT["paths"][operation.path]["post"]["requestBody"]["content"]
            found[operation.path] = resolved(content["application/json"]["schema"])
    return found


JOBS = jobs()


def minimal(schema: dict[str, Any]) -> Any:
    return make_fitting(schema, SCHEMAS)


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:  # noqa: C901, PLR0911 - one branch a JSON type
    """Any value that fits."""
    schema = resolved(schema)
    if "anyOf" in schema:
        return st.one_of([values(branch) for branch in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from([schema["const"]] if "const" in schema else schema["enum"])
    if isinstance(schema.get("type"), list):
        return st.one_of([values({**schema, "type": each}) for each in schema["type"]])
    match schema.get("type"):
        case "object":
            return bodies(schema)
        case "array":
            least = schema.get("minItems", 0)
            most = min(schema.get("maxItems", least + 2), least + 2)
            return st.lists(values(schema["items"]), min_size=least, max_size=most)
        case "string" if schema.get("format") == "uri" or "pattern" in schema:
            return st.just(minimal(schema))
        case "string":
            least = schema.get("minLength", 0)
            most = min(schema.get("maxLength", least + 20), least + 20)
            return st.text(st.characters(codec="utf-8"), min_size=least, max_size=most)
        case "integer":
            step = schema.get("multipleOf", 1)
            low, high = minimal(schema), math.ceil(schema.get("exclusiveMaximum", 2**40) - 1)
            return st.integers(low // step, schema.get("maximum", high) // step).map(lambda number: number * step)
        case "number":
            high = schema.get("maximum", schema.get("exclusiveMaximum", 1e6))
            return st.floats(minimal(schema), high, exclude_max="exclusiveMaximum" in schema, allow_nan=False)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    return st.none()


def bodies(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    properties = schema.get("properties", {})
    needed = schema.get("required", ())
    return st.fixed_dictionaries(
        {name: values(properties[name]) for name in needed},
        optional={name: values(field) for name, field in properties.items() if name not in needed},
    )


def query_of(path: str) -> dict[str, str]:
    """What a later document may want there."""
    return dict.fromkeys(read_operations().at(path)["POST"].needed, "1")


def post(emulator: Emulator, path: str, body: Any) -> tuple[int, Any]:
    content, query = json.dumps(body).encode(), query_of(path)
    request = Request("POST", path, query=query, headers=HEADERS, body=content, now=emulator.clock.now())
    response = emulator.handle(request)
    return response.status, json.loads(response.body)


def test_the_emulator_knows_the_pinned_documents_jobs() -> None:
    jobs = {model.operation.path for model in catalog.all() if not model.streams}
    assert jobs == {one.path for one in read_operations().all() if read_operations().submits_job(one)}
    ruled = {f"/api/v1/{slug}" for slug in LIVE_RULES}
    contents = {path: DOCUMENT["paths"][path]["post"].get("requestBody", {}).get("content", {}) for path in jobs}
    without_json = {path for path, content in contents.items() if "application/json" not in content}
    assert jobs - JOBS.keys() == jobs & ruled | without_json


def test_every_job_takes_its_minimal_body_and_completes() -> None:
    emulator = Emulator(balance=10_000, job_seconds=1)
    for path, schema in JOBS.items():
        status, answer = post(emulator, path, minimal(schema))
        assert status == 200, (path, answer)
    emulator.clock.sleep(1)
    for path, exchange in zip(JOBS, emulator.requests, strict=True):
        assert (exchange.request.path, exchange.status) == (path, 200)
    assert emulator.accepted == len(JOBS)
    assert emulator.balance == 10_000 - emulator.charged_usd


@pytest.mark.parametrize("key", ["sk-live", "sk-test"])
def test_every_job_yields_something(key: str) -> None:
    emulator = Emulator(balance=10_000, job_seconds=0)
    for path, schema in JOBS.items():
        headers = {**HEADERS, "x-api-key": key}
        request = Request(
            "POST", path, query=query_of(path), headers=headers, body=json.dumps(minimal(schema)).encode()
        )
        request_id = json.loads(emulator.handle(request).body)["request_id"]
        look = Request("GET", f"/api/v1/predictions/{request_id}/result", headers=headers)
        answer = json.loads(emulator.handle(look).body)
        assert (answer["status"], bool(answer["outputs"])) == ("completed", True), path


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_body_that_fits_is_accepted(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(JOBS)))
    body = data.draw(bodies(JOBS[path]))
    status, answer = post(Emulator(balance=10**12), path, body)  # a batch may be of any size
    assert status == 200, answer


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_missing_field_is_refused_by_name(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(path for path, schema in JOBS.items() if schema.get("required"))))
    body = minimal(JOBS[path])
    name = data.draw(st.sampled_from(sorted(body)))
    del body[name]
    emulator = Emulator()
    status, answer = post(emulator, path, body)
    assert status == 422
    (problem,) = answer["detail"]
    assert (problem["type"], problem["loc"], problem["msg"]) == ("missing", ["body", name], "Field required")
    assert (emulator.accepted, emulator.balance) == (0, 100)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_wrong_type_is_refused_in_its_place(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(JOBS)))
    name = data.draw(st.sampled_from(sorted(JOBS[path]["properties"])))
    field = JOBS[path]["properties"][name]
    branches = [resolved(branch) for branch in field.get("anyOf", [field])]
    wrong = "neither" if any(branch.get("type") == "object" for branch in branches) else {"not": "this"}
    emulator = Emulator()
    status, answer = post(emulator, path, {**minimal(JOBS[path]), name: wrong})
    assert status == 422
    assert all(problem["loc"][:2] == ["body", name] for problem in answer["detail"])
    assert all(problem["msg"] and problem["type"] != "value_error" for problem in answer["detail"])
    assert (emulator.accepted, emulator.balance) == (0, 100)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_one_past_a_bound_is_refused_with_the_bound(data: st.DataObject) -> None:
    bounded = sorted(
        (path, name)
        for path, schema in JOBS.items()
        for name, field in schema["properties"].items()
        if any("maximum" in branch for branch in field.get("anyOf", [field]))
    )
    path, name = data.draw(st.sampled_from(bounded))
    field = JOBS[path]["properties"][name]
    branch = next(branch for branch in field.get("anyOf", [field]) if "maximum" in branch)
    step = branch.get("multipleOf", 1)
    beyond = (math.floor(branch["maximum"] / step) + 1) * step
    status, answer = post(Emulator(), path, {**minimal(JOBS[path]), name: beyond})
    assert status == 422
    (problem,) = answer["detail"]
    assert (problem["loc"], problem["type"]) == (["body", name], "less_than_equal")
    assert problem["ctx"]["le"] == branch["maximum"]
