"""Which operations are taken for models, by which sign, and that no operation vanishes without a word."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
import specimen

if TYPE_CHECKING:
    from collections.abc import Callable

    import pipeline

WEBHOOK = {"name": "webhook", "in": "query", "schema": {"type": "string"}}
SUBMISSION = {"type": "object", "properties": {"request_id": {"type": "string"}, "status": {"type": "string"}}}
OWN_ANSWER = {"type": "object", "properties": {"request_id": {"type": "string"}, "shot_id": {"type": "string"}}}
MARK = """\
  - target: $.paths['/api/v1/{slug}'].post
    description: Decided.
    update: {{ x-python: {mark} }}
"""


def post(answer: dict[str, Any], tag: str = "Video: Text-to-Video", **more: Any) -> dict[str, Any]:
    """An operation of a model's form that takes no webhook."""
    body = specimen.body({"type": "object", "properties": {"prompt": {"type": "string"}}})
    return {
        "post": {"tags": [tag], "summary": "New", "requestBody": body, "responses": specimen.answer(answer), **more}
    }


@pytest.fixture
def models(document: dict[str, Any]) -> dict[str, Any]:
    """Two models of one tag, and one of another."""
    first = document["paths"]["/api/v1/vidu-v2.0"]
    second = copy.deepcopy(first)
    second["post"]["summary"] = "second"
    document["paths"]["/api/v1/second-t2v"] = second
    return document


def list_models(result: pipeline.Result) -> set[str]:
    assert result.code == 0, result.output
    return {model["slug"] for model in json.loads(result.text("catalog.json"))["models"]}


def mark(slug: str, word: str) -> str:
    return specimen.CORRECTIONS + MARK.format(slug=slug, mark=word)


def test_a_new_post_among_models_of_its_tag_is_one_and_is_named(
    models: dict[str, Any], render: Callable[..., pipeline.Result]
) -> None:
    models["paths"]["/api/v1/brand-new-t2v"] = post({})
    result = render(document=models)
    assert "brand-new-t2v" in list_models(result)
    assert "POST /api/v1/brand-new-t2v takes no webhook and is taken for a model" in result.output
    assert "Call[models.Submission]" in result.text("api/text_to_video/brand_new_t2v.py")


@pytest.mark.parametrize(
    "new",
    [
        post({}, tag="Utilities"),  # of which there is no model
        post({}, tag="API"),  # which says nothing
        post(OWN_ANSWER),  # which holds more than a submit's
    ],
)
def test_one_that_only_looks_like_a_model_is_none_and_is_named(
    new: dict[str, Any], models: dict[str, Any], render: Callable[..., pipeline.Result]
) -> None:
    models["paths"]["/api/v1/riddle"] = new
    result = render(document=models)
    assert "riddle" not in list_models(result)
    assert "POST /api/v1/riddle looks like a model and is not taken for one" in result.output


def test_an_answer_with_a_request_id_makes_a_model_whatever_the_tag(
    models: dict[str, Any], render: Callable[..., pipeline.Result]
) -> None:
    models["paths"]["/api/v1/told"] = post(SUBMISSION, tag="Utilities")
    result = render(document=models)
    assert "told" in list_models(result)
    assert "told" not in result.output.replace(str(result.package), "")  # the document itself says so


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/api/v1/{id}/again", post({"type": "object", "properties": {"shot_id": {"type": "string"}}})),
        ("/api/v1/second-t2v/stream", post({})),
        ("/api/v1/second-t2v-ready", post({"type": "object", "properties": {"url": {"type": "string"}}})),
        ("/api/v1/looked-up", {"get": post(SUBMISSION)["post"]}),
    ],
)
def test_what_has_not_a_models_form_is_none_without_a_word(
    path: str, operation: dict[str, Any], models: dict[str, Any], render: Callable[..., pipeline.Result]
) -> None:
    models["paths"][path] = operation
    result = render(document=models)
    assert list_models(result) - {"vidu-v2.0", "second-t2v", "talker"} <= {"second-t2v/stream"}
    assert " model" not in result.output


def without_body(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in post(answer)["post"].items() if key != "requestBody"}


NOTIFIED = {"type": "object", "properties": {"prompt": {"type": "string"}, "webhook_url": {"type": "string"}}}
OLD_ANSWER = {"type": "object", "properties": {"id": {"type": "string"}, "status": {"type": "string"}}}
PLACEHOLDER = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
FORM = specimen.body({"type": "object", "properties": {"prompt": {"type": "string"}}}, "multipart/form-data")


@pytest.mark.parametrize(
    ("place", "operation"),
    [
        ("POST /api/v1/riddle", post(SUBMISSION, requestBody=FORM)["post"]),
        ("POST /api/v1/{id}/riddle", post(SUBMISSION, parameters=[PLACEHOLDER])["post"]),
        ("POST /api/v1/riddle", without_body(SUBMISSION)),
        ("POST /api/v1/riddle", post(OLD_ANSWER, parameters=[{**WEBHOOK, "name": "webhook_url"}])["post"]),
        ("POST /api/v1/riddle", post(OLD_ANSWER, requestBody=specimen.body(NOTIFIED))["post"]),
        ("PUT /api/v1/riddle", post(SUBMISSION)["post"]),
    ],
    ids=["form", "placeholder", "no body", "query", "field", "PUT"],
)
def test_what_hints_at_a_job_is_named_whatever_its_form(
    place: str, operation: dict[str, Any], models: dict[str, Any], render: Callable[..., pipeline.Result]
) -> None:
    method, path = place.split()
    models["paths"][path] = {method.lower(): operation}
    result = render(document=models)
    assert not [slug for slug in list_models(result) if "riddle" in slug]
    assert f"{place} looks like a model and is not taken for one" in result.output


@pytest.mark.parametrize("word", ["true", "false"])
def test_a_correction_has_the_first_word(
    word: str, models: dict[str, Any], render: Callable[..., pipeline.Result]
) -> None:
    models["paths"]["/api/v1/riddle"] = post({}, tag="Utilities")
    models["paths"]["/api/v1/brand-new-t2v"] = post({})
    for slug in ("riddle", "brand-new-t2v"):
        result = render(document=models, corrections=mark(slug, f"{{ job: {word} }}"))
        assert (slug in list_models(result)) is (word == "true")
        assert f"POST /api/v1/{slug} " not in result.output


def test_the_documents_own_word_under_the_corrections_key_says_nothing(
    models: dict[str, Any], render: Callable[..., pipeline.Result]
) -> None:
    models["paths"]["/api/v1/told"] = post(SUBMISSION, **{"x-python": {"job": False}})
    models["paths"]["/api/v1/plain"] = {"get": {**post({})["post"], "x-python": {"job": True}}}
    models["components"]["pathItems"] = {"Shared": post(SUBMISSION, **{"x-python": "odd"})}
    models["paths"]["/api/v1/shared"] = specimen.ref("Shared") | {"$ref": "#/components/pathItems/Shared"}
    found = list_models(render(document=models))
    assert {"told", "shared"} <= found
    assert "plain" not in found


@pytest.mark.parametrize(
    ("target", "update"),
    [
        ("$.components.schemas.*", "{ x-python: { name: other } }"),
        ("$.paths['/api/v1/vidu-v2.0']", "{ x-python: { job: true } }"),
        ("$.paths['/api/v1/vidu-v2.0'].post", "{ responses: { '200': { x-python: { job: true } } } }"),
    ],
)
def test_the_word_where_nobody_reads_it_is_refused(
    models: dict[str, Any], render: Callable[..., pipeline.Result], target: str, update: str
) -> None:
    action = mark("vidu-v2.0", "{ job: true }").replace("$.paths['/api/v1/vidu-v2.0'].post", target)
    result = render(document=models, corrections=action.replace("{ x-python: { job: true } }", update))
    assert (result.code, "the word x-python, which is read on an operation alone" in result.output) == (1, True)


def test_a_word_that_nobody_knows_is_refused(models: dict[str, Any], render: Callable[..., pipeline.Result]) -> None:
    result = render(document=models, corrections=mark("vidu-v2.0", "{ jobs: true }"))
    assert result.code == 1
    assert (
        "POST /api/v1/vidu-v2.0: a correction gives it x-python: {'jobs': True}; known are {job: true}" in result.output
    )


def test_without_corrections_a_webhook_makes_a_model(
    models: dict[str, Any], render: Callable[..., pipeline.Result]
) -> None:
    del models["components"]["schemas"]["Submission"]
    for item in models["paths"].values():
        item["post"]["parameters"] = [WEBHOOK]
    only_another = specimen.CORRECTIONS[: specimen.CORRECTIONS.index("  - target")] + MARK.format(
        slug="talker", mark="{ job: false }"
    )
    result = render(document=models, corrections=only_another)
    assert list_models(result) == {"vidu-v2.0", "second-t2v"}
    assert "request_id" in result.text("models/submission.py")


def test_what_no_group_took_is_named_with_its_tag(
    models: dict[str, Any], render: Callable[..., pipeline.Result]
) -> None:
    models["paths"]["/api/v1/look"] = {"get": {"tags": ["Brand New"], "responses": specimen.answer({})}}
    models["paths"]["/api/v1/untagged"] = {"get": {"responses": specimen.answer({})}}
    models["paths"]["/api/v1/seo-look"] = {"get": {"tags": ["Brand New"], "responses": specimen.answer({})}}
    output = render(document=models).output
    assert "Tag 'Brand New' is new: its operations are grouped by slug, or under other: GET /api/v1/look." in output
    assert "or under other: GET /api/v1/untagged." in output


def test_a_documents_own_submission_without_a_request_id_makes_no_model(
    models: dict[str, Any], render: Callable[..., pipeline.Result]
) -> None:
    written = {"type": "object", "properties": {"title": {"type": "string"}, "author": {"type": "string"}}}
    models["components"]["schemas"]["Submission"] = written
    models["paths"]["/api/v1/submissions"] = {
        "get": {"tags": ["Video: Text-to-Video"], "responses": specimen.answer(specimen.ref("Submission"))}
    }
    result = render(document=models)
    assert "submissions" not in list_models(result)
    assert "GET /api/v1/submissions" not in result.output
