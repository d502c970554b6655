"""The checks of request bodies: they accept what the document's own schema accepts, and say what the server would."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from by_kind import ImageRequest
from hypothesis import given
from hypothesis import strategies as st

from muapi_generated import checks, models
from muapi_generated.types import UNSET

DOCUMENT = json.loads((Path(__file__).parents[2] / "spec/openapi.json").read_text(encoding="utf-8"))
SCHEMAS = DOCUMENT["components"]["schemas"]
# Bodies with bounds, enums of text and of numbers, null beside types, lists, nested models, const, pattern, steps.
SAMPLED = (
    "AICaptionsRequest",
    "AbliteratedLlmRequest",
    "FacebookReelsRequest",
    "Flux1DevStyleLoraTrainerRequest",
    "Flux2Klein4BEditLoraRequest",
    "GrokImagineImage2EditRequest",
    "ImageRequest",
    "OpenRouterVisionRequest",
    "SeoAiMentionsMetricsRequest",
    "SeoAppReviewsRequest",
    "SeoYoutubeVideoCommentsRequest",
    "ViduT2VRequest",
)
SAMPLE = tuple(name for name in SAMPLED if name in SCHEMAS and hasattr(models, name))  # some may be gone


WEB_ADDRESS = r"^[\x00-\x20]*[hH][tT][tT][pP][sS]?://[^\x00-\x20/?#]"


def of_the_web(schema: Any) -> Any:
    """JSON Schema's ``format: uri`` takes any scheme or is not looked at; MuAPI takes web addresses only."""
    if isinstance(schema, dict):
        narrowed = {"pattern": WEB_ADDRESS} if schema.get("format") == "uri" else {}
        return {key: of_the_web(value) for key, value in schema.items() if key not in ("format", "default")} | narrowed
    return [of_the_web(one) for one in schema] if isinstance(schema, list) else schema


def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": of_the_web(SCHEMAS)}}
    return jsonschema_rs.Draft202012Validator(schema)


VALIDATORS = {name: validator(name) for name in SAMPLE}
NUMBERS = st.integers(-5, 70_000) | st.sampled_from([0.0, 0.5, 1.0, 4.0, -0.1, 2.5]) | st.integers()
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["https://a.b/c.png", "https://cdn.muapi.ai/x", "2026-08-20", "https://"]
)
ANY = st.none() | st.booleans() | NUMBERS | TEXTS | st.lists(NUMBERS | TEXTS, max_size=3) | st.just({})


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values near what a schema takes: some within, some just beside."""
    if "$ref" in schema:
        return bodies(schema["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in schema:
        return st.one_of([values(one) for one in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    if schema.get("type") == "array":
        return st.lists(values(schema.get("items", {})), max_size=schema.get("maxItems", 4) + 1)
    if schema.get("type") in ("integer", "number") and "minimum" in schema:
        low, high = int(schema["minimum"]), int(schema.get("maximum", schema["minimum"] + 10))
        return st.integers(low - 1, high + 1)
    plain = {"string": TEXTS, "boolean": st.booleans(), "null": st.none(), "integer": NUMBERS, "number": NUMBERS}
    return plain.get(schema.get("type", ""), ANY)


@st.composite
def bodies(draw: st.DrawFn, name: str) -> dict[str, Any]:
    schema = SCHEMAS[name]
    body = {}
    for field, about in schema["properties"].items():
        if draw(st.integers(0, 9)) > (1 if field in schema.get("required", ()) else 5):
            body[field] = draw(values(about) if draw(st.integers(0, 9)) else ANY)
    return body


@pytest.mark.parametrize("name", SAMPLE)
@given(data=st.data())
def test_a_body_passes_exactly_when_the_schema_takes_it(name: str, data: st.DataObject) -> None:
    body = data.draw(bodies(name))
    found = list(checks.problems(getattr(models, name), body))
    assert (not found) == VALIDATORS[name].is_valid(body), [(one.loc, one.msg) for one in found]


@pytest.mark.parametrize("name", SAMPLE)
def test_every_problem_of_a_body_is_found_at_its_field(name: str) -> None:
    schema = SCHEMAS[name]
    body = {field: object() for field in schema["properties"]}
    found = [one.loc[0] for one in checks.problems(getattr(models, name), {**body, "nonsense": 1})]
    assert found == [*schema["properties"], "nonsense"]


@pytest.mark.parametrize("name", SAMPLE)
def test_what_is_missing_is_said(name: str) -> None:
    found = [(one.loc, one.type) for one in checks.problems(getattr(models, name), {})]
    assert found == [
        ((field,), "missing") for field in SCHEMAS[name]["properties"] if field in SCHEMAS[name].get("required", ())
    ]


@pytest.mark.parametrize(
    ("check", "value", "kind", "message", "context"),
    [
        (checks.integer(), "5", "int_type", "Input should be a valid integer", {}),
        (checks.integer(), True, "int_type", "Input should be a valid integer", {}),
        (checks.integer(), 1.5, "int_from_float", "fractional part", {}),
        (checks.integer(), float("inf"), "int_from_float", "fractional part", {}),
        (checks.integer(ge=1), 0, "greater_than_equal", "greater than or equal to 1", {"ge": 1}),
        (checks.integer(gt=1), 1, "greater_than", "greater than 1", {"gt": 1}),
        (checks.integer(le=4), 5, "less_than_equal", "less than or equal to 4", {"le": 4}),
        (checks.integer(lt=4), 4, "less_than", "less than 4", {"lt": 4}),
        (checks.integer(multiple_of=64), 65, "multiple_of", "a multiple of 64", {"multiple_of": 64}),
        (checks.number(multiple_of=0.1), 0.35, "multiple_of", "a multiple of 0.1", {"multiple_of": 0.1}),
        (checks.number(), "x", "float_type", "Input should be a valid number", {}),
        (checks.number(), float("nan"), "finite_number", "finite", {}),
        (checks.boolean(), 1, "bool_type", "Input should be a valid boolean", {}),
        (checks.text(), 1, "string_type", "Input should be a valid string", {}),
        (checks.text(min_length=1), "", "string_too_short", "at least 1 character", {"min_length": 1}),
        (checks.text(max_length=2), "abc", "string_too_long", "at most 2 characters", {"max_length": 2}),
        (checks.text(pattern="^a$"), "b", "string_pattern_mismatch", "match pattern '^a$'", {"pattern": "^a$"}),
        (checks.one_of("a", "b", "c"), "d", "literal_error", "'a', 'b' or 'c'", {"expected": "'a', 'b' or 'c'"}),
        (checks.one_of(("a",)), "b", "literal_error", "Input should be 'a'", {"expected": "'a'"}),
        (checks.one_of(1, 2), True, "literal_error", "1 or 2", {"expected": "1 or 2"}),
        (checks.sequence(checks.text()), "abc", "list_type", "Input should be a valid list", {}),
        (checks.sequence(checks.text()), {"a": 1}, "list_type", "Input should be a valid list", {}),
        (checks.mapping(), [], "dict_type", "Input should be a valid dictionary", {}),
        (checks.body("LoraItem"), 3, "model_attributes_type", "valid dictionary or object", {}),
        (checks.text(uri=True), "fox.png", "url_parsing", "upload the file first", None),
        (checks.text(uri=True), "/home/me/fox.png", "url_parsing", "upload the file first", None),
        (checks.text(uri=True), "C:\\fox.png", "url_parsing", "upload the file first", None),
        (checks.text(uri=True), "data:image/png;base64,AA", "url_scheme", "upload the file first", None),
        (checks.text(uri=True), "ftp://a.b/c", "url_scheme", "'http' or 'https'", None),
        (checks.text(uri=True), "https://", "url_scheme", "'http' or 'https'", None),
        (checks.text(uri=True), "https://a.b/" + "c" * 2083, "url_too_long", "at most 2083", {"max_length": 2083}),
        (checks.either(checks.integer(), checks.text()), None, "int_type", "valid integer", {}),
    ],
)
def test_a_refusal_is_worded_as_the_server_words_it(
    check: checks.Check, value: Any, kind: str, message: str, context: dict[str, Any] | None
) -> None:
    with pytest.raises(checks.Rejected) as caught:
        check(None, None, value)
    assert caught.value.type == kind
    assert message in caught.value.msg
    assert context is None or caught.value.ctx == context


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (checks.integer(), 2.0),
        (checks.integer(nullable=True), None),
        (checks.number(ge=0), 10**400),
        (checks.number(multiple_of=0.1), 0.3),
        (checks.number(), 1),
        (checks.text(uri=True), "HTTPS://A.B/c?d=e#f"),
        (checks.text(uri=True, nullable=True), None),
        (checks.one_of(1, 2), 2.0),
        (checks.one_of("a", nullable=True), None),
        (checks.sequence(checks.text()), ("a", "b")),
        (checks.sequence(checks.text(), nullable=True), None),
        (checks.mapping(), {}),
        (checks.body("LoraItem"), {"path": "a", "scale": 1}),
        (checks.body("LoraItem"), models.LoraItem(path="a", scale=1)),
        (checks.either(checks.integer(), checks.text(), nullable=True), None),
        (checks.anything(), object()),
    ],
)
def test_what_the_server_takes_passes(check: checks.Check, value: Any) -> None:
    assert check(None, None, value) is None


CHECKS = [
    checks.integer(),
    checks.number(),
    checks.text(),
    checks.boolean(),
    checks.one_of("a"),
    checks.sequence(checks.text()),
    checks.mapping(),
    checks.body("LoraItem"),
    checks.either(checks.integer()),
]


@pytest.mark.parametrize("check", CHECKS)
def test_what_is_not_sent_cannot_be_wrong(check: checks.Check) -> None:
    assert check(None, None, UNSET) is None


@pytest.mark.parametrize("check", CHECKS)
@given(value=ANY)
def test_a_check_accepts_or_rejects_and_never_breaks(check: checks.Check, value: Any) -> None:
    with contextlib.suppress(checks.Rejected):
        assert check(None, None, value) is None


def test_places_lead_down_to_the_fault() -> None:
    (problem,) = checks.problems(ImageRequest, {"prompt": "a", "model_id": [{"model": "a"}, {}]})
    assert (problem.loc, problem.type, str(problem)) == (
        ("model_id", 1, "model"),
        "missing",
        "model_id.1.model: Field required",
    )


def test_a_model_is_checked_when_it_is_made() -> None:
    with pytest.raises(checks.Rejected, match="less than or equal to 4"):
        models.LoraItem(path="a", scale=5)


def test_a_refusal_travels() -> None:
    refusal = checks.Rejected("missing", "Field required", {"a": 1}, ("x", 0))
    for other in (pickle.loads(pickle.dumps(refusal)), copy.copy(refusal)):
        assert (other.type, other.msg, other.ctx, other.loc) == ("missing", "Field required", {"a": 1}, ("x", 0))
