"""What is refused, in which words, and that a refusal costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from by_kind import COMPANY, IMAGE, fields_of, needs, row

from muapi_client.emulator import Emulator, Request
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from collections.abc import Callable

FOX = {"prompt": "a red fox in snow"}
LINK = "https://example.com/a.png"

# Models with a rule of their own, and what the document has to say of it.
LIBRARY, TWO = "ad-library-search", {"minLength": 2, "maxLength": 2}
HORSE, ONE = "happy-horse-1-image-to-video", {"minItems": 1, "maxItems": 1}
EDITED = "qwen-image-edit-plus"
REVIEWS, TENS = "seo-app-reviews", {"multipleOf": 10, "minimum": 10}
SPEAKER, EITHER = "deepseek-v4-flash", {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


@pytest.fixture
def refusal(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Send a body to a model and expect the problems of a 422, nothing charged."""

    def problems(slug: str, body: Any) -> list[dict[str, Any]]:
        emulator = Emulator()
        answer = connect(emulator)("POST", slug, json=body)
        assert answer.status_code == 422, answer.text
        assert (emulator.accepted, emulator.charged_usd) == (0, 0)
        return [without_input(problem) for problem in answer.json()["detail"]]

    return problems


def without_input(problem: dict[str, Any]) -> dict[str, Any]:
    """An entry without what it repeats of the request, and its page."""
    assert problem["url"] == f"https://errors.pydantic.dev/2.12/v/{problem['type']}"
    assert "input" in problem
    return {name: value for name, value in problem.items() if name not in ("input", "url")}


@pytest.mark.parametrize(
    ("method", "path", "sent", "inputs"),
    [
        ("POST", IMAGE.slug, {"json": {**FOX, "width": "wide", "num_images": 9}}, ["wide", 9]),
        ("POST", IMAGE.slug, {"json": {"model_id": [{"model": "x"}, {"weight": 1}]}}, [{"weight": 1}]),
        ("POST", COMPANY.slug, {"json": {"idempotency_key": "a"}}, [{"idempotency_key": "a"}]),
        ("POST", IMAGE.slug, {"content": b"prompt=fox", "headers": {"content-type": "text/plain"}}, ["prompt=fox"]),
        ("POST", IMAGE.slug, {"content": b'{"prompt": '}, [{}]),
        ("POST", IMAGE.slug, {}, [None]),
        ("DELETE", "keys/first", {}, ["first"]),
        ("GET", "history", {"params": {"limit": "x"}}, ["x"]),
        ("GET", "get_upload_url", {"params": {"name": "a"}}, [None]),
    ],
)
def test_a_refusal_repeats_the_value_that_was_refused_or_what_lacks_one(
    connect: Callable[..., Any], method: str, path: str, sent: dict[str, Any], inputs: list[Any]
) -> None:
    answer = connect(Emulator())(method, path, **sent)
    assert answer.status_code == 422
    assert [problem["input"] for problem in answer.json()["detail"]] == inputs


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", IMAGE.slug), ("GET", "account/balance"), ("GET", "predictions/x/result")],
)
def test_no_key_and_a_bad_key(connect: Callable[..., Any], method: str, path: str) -> None:
    emulator = Emulator()
    body = FOX if method == "POST" else None
    missing = connect(emulator, None)(method, path, json=body)
    assert (missing.status_code, missing.json()) == (401, {"detail": "Not authorized"})
    bad = connect(emulator, "sk-stolen")(method, path, json=body)
    assert (bad.status_code, bad.json()) == (403, {"detail": "Not authorized"})
    assert "x-account-balance" not in bad.headers
    assert emulator.accepted == 0


@pytest.mark.parametrize(
    "path", [IMAGE.name, IMAGE.function, "mmaudio-v2%2Ftext-to-audio", "", "predictions/a%2Fb/result", "../../openapi"]
)
def test_unknown_paths(connect: Callable[..., Any], path: str) -> None:
    answer = connect(Emulator())("POST", path, json=FOX)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_an_unknown_prediction(connect: Callable[..., Any]) -> None:
    answer = connect(Emulator())("GET", "predictions/none/result")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", IMAGE.slug, "POST"),
        ("POST", "predictions/x/result", "GET"),
        ("PUT", "keys", "GET, POST"),
    ],
)
def test_a_wrong_method(connect: Callable[..., Any], method: str, path: str, allow: str) -> None:
    answer = connect(Emulator())(method, path)
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize(
    ("method", "path", "loc", "kind"),
    [
        ("DELETE", "keys/first", ["path", "key_id"], "int_parsing"),
        ("GET", "storyboard-projects/first", ["path", "id"], "int_parsing"),
        ("GET", "get_upload_url", ["query", "filename"], "missing"),
        ("GET", "account/auto-topup/verify", ["query", "session_id"], "missing"),
    ],
)
def test_a_path_and_a_query_are_judged_too(
    connect: Callable[..., Any], method: str, path: str, loc: list[str], kind: str
) -> None:
    answer = connect(Emulator())(method, path)
    assert answer.status_code == 422
    assert [(problem["loc"], problem["type"]) for problem in answer.json()["detail"]] == [(loc, kind)]


def test_a_missing_field_and_a_wrong_one_come_in_the_fields_order(refusal: Callable[..., Any]) -> None:
    fields = fields_of(pinned().document, IMAGE)
    *others, last = fields["num_images"]["enum"]
    expected = f"{', '.join(map(str, others))} or {last}"
    problems = {
        "prompt": {"type": "string_type", "msg": "Input should be a valid string"},
        "width": {
            "type": "int_parsing",
            "msg": "Input should be a valid integer, unable to parse string as an integer",
        },
        "num_images": {
            "type": "literal_error",
            "msg": f"Input should be {expected}",
            "ctx": {"expected": expected},
        },
    }
    found = refusal(IMAGE.slug, {"num_images": 9, "width": "wide", "prompt": None})
    order = [name for name in fields if name in problems]
    assert found == [{"loc": ["body", name], **problems[name]} for name in order]


@pytest.mark.parametrize(
    ("slug", "body", "problem"),
    [
        row(
            "vidu-v2.0-t2v",
            {},
            {"type": "missing", "loc": ["body", "prompt"], "msg": "Field required"},
            prompt={"required": True},
        ),
        row(
            "vidu-v2.0-t2v",
            {**FOX, "aspect_ratio": "16:9"},
            {
                "type": "literal_error",
                "loc": ["body", "aspect_ratio"],
                "msg": "Input should be '9:16'",
                "ctx": {"expected": "'9:16'"},
            },
            aspect_ratio={"enum": ["9:16"]},
        ),
        (
            IMAGE.slug,
            {"width": 1.5},
            {
                "type": "int_from_float",
                "loc": ["body", "width"],
                "msg": "Input should be a valid integer, got a number with a fractional part",
            },
        ),
        (
            IMAGE.slug,
            {"sync": "perhaps"},
            {
                "type": "bool_parsing",
                "loc": ["body", "sync"],
                "msg": "Input should be a valid boolean, unable to interpret input",
            },
        ),
        (
            IMAGE.slug,
            {"webhook_url": "data:image/png;base64,AAAA"},
            {
                "type": "url_scheme",
                "loc": ["body", "webhook_url"],
                "msg": "URL scheme should be 'http' or 'https'",
                "ctx": {"expected_schemes": "'http' or 'https'"},
            },
        ),
        (
            IMAGE.slug,
            {"webhook_url": "./picture.png"},
            {
                "type": "url_parsing",
                "loc": ["body", "webhook_url"],
                "msg": "Input should be a valid URL, relative URL without a base",
                "ctx": {"error": "relative URL without a base"},
            },
        ),
        (
            IMAGE.slug,
            {"webhook_url": ""},
            {
                "type": "url_parsing",
                "loc": ["body", "webhook_url"],
                "msg": "Input should be a valid URL, input is empty",
                "ctx": {"error": "input is empty"},
            },
        ),
        (
            IMAGE.slug,
            {"model_id": [{"model": "x", "weight": 1}, {}]},
            {"type": "missing", "loc": ["body", "model_id", 1, "model"], "msg": "Field required"},
        ),
        (
            IMAGE.slug,
            {"model_id": "civitai:1"},
            {"type": "list_type", "loc": ["body", "model_id"], "msg": "Input should be a valid list"},
        ),
        (
            IMAGE.slug,
            {"model_id": ["civitai:1"]},
            {
                "type": "model_attributes_type",
                "loc": ["body", "model_id", 0],
                "msg": "Input should be a valid dictionary or object to extract fields from",
            },
        ),
        row(
            "seo-youtube-video-info",
            {"video_id": "short short"},
            {
                "type": "string_pattern_mismatch",
                "loc": ["body", "video_id"],
                "msg": "String should match pattern '^[A-Za-z0-9_-]{11}$'",
                "ctx": {"pattern": "^[A-Za-z0-9_-]{11}$"},
            },
            video_id={"pattern": "^[A-Za-z0-9_-]{11}$"},
        ),
        (
            IMAGE.slug,
            [FOX],
            {
                "type": "model_attributes_type",
                "loc": ["body"],
                "msg": "Input should be a valid dictionary or object to extract fields from",
            },
        ),
    ],
)
def test_one_problem_in_the_servers_words(
    refusal: Callable[..., Any], slug: str, body: Any, problem: dict[str, Any]
) -> None:
    assert problem in refusal(slug, body)


@pytest.mark.parametrize(
    ("content", "content_type", "kind", "loc"),
    [
        (b"", "application/json", "missing", ["body"]),
        (b'{"prompt": ', "application/json", "json_invalid", ["body", 11]),
        (b"prompt=fox", "application/x-www-form-urlencoded", "model_attributes_type", ["body"]),
        (b"null", "application/json", "missing", ["body"]),
        (b"[]", "application/json", "model_attributes_type", ["body"]),
    ],
)
def test_bodies_that_are_no_json_object(
    connect: Callable[..., Any], content: bytes, content_type: str, kind: str, loc: list[str | int]
) -> None:
    emulator = Emulator()
    headers = {"content-type": content_type}
    answer = connect(emulator)("POST", IMAGE.slug, content=content, headers=headers)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert (problem["type"], problem["loc"]) == (kind, loc)
    assert emulator.accepted == 0


@pytest.mark.parametrize(
    ("content", "status", "body"),
    [
        (b'"\xff"', 400, '{"detail": "There was an error parsing the body"}'),
        (b"[" * 200_000, 400, '{"detail": "There was an error parsing the body"}'),
        (b'{"width": NaN}', 500, "Internal Server Error"),
        (b'{"width": 1e999}', 500, "Internal Server Error"),
        (b'{"prompt": "\\ud800"}', 500, "Internal Server Error"),
    ],
)
def test_what_python_reads_and_json_cannot_say_fails_as_fastapi_does(
    connect: Callable[..., Any], content: bytes, status: int, body: str
) -> None:
    emulator = Emulator()
    headers = {"content-type": "application/json"}
    answer = connect(emulator)("POST", IMAGE.slug, content=content, headers=headers)
    assert (answer.status_code, answer.text) == (status, body)
    assert emulator.accepted == 0


def test_a_body_that_is_no_json_is_refused_before_the_key_is_looked_at(connect: Callable[..., Any]) -> None:
    send = connect(Emulator(), None)
    headers = {"content-type": "application/json"}
    assert send("POST", IMAGE.slug, content=b"{", headers=headers).status_code == 422
    assert send("POST", IMAGE.slug, content=b"{}", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("sent", "location"),
    [
        (("POST", f"{IMAGE.slug}/"), IMAGE.slug),
        (("GET", "account/balance/"), "account/balance"),
        (("DELETE", "predictions/a b//"), None),
        (("DELETE", "predictions/a b/media//"), "predictions/a%20b/media"),
        (("HEAD", "history/?limit=2&cursor=a"), "history?limit=2&cursor=a"),
    ],
)
def test_a_slash_too_much_is_a_redirect(
    connect: Callable[..., Any], sent: tuple[str, str], location: str | None
) -> None:
    answer = connect(Emulator())(*sent)
    assert answer.status_code == (307 if location else 404)
    assert answer.headers.get("location") == (f"https://api.muapi.ai/api/v1/{location}" if location else None)


@pytest.mark.parametrize("path", [IMAGE.slug, "account/balance", "predictions/x/result"])
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_no_operation_answers_head_or_options(connect: Callable[..., Any], method: str, path: str) -> None:
    assert connect(Emulator())(method, path).status_code == 405


def test_a_placeholder_is_no_path(connect: Callable[..., Any]) -> None:
    send = connect(Emulator())
    send("GET", "agent-skills/none")  # now that operation is known
    assert send("GET", "agent-skills/{name}").status_code == 404


def test_a_path_may_spell_any_letter_by_its_number() -> None:
    answer = Emulator().handle(Request("POST", f"/%61pi/v1/{IMAGE.slug}", headers={"x-api-key": "sk-live"}))
    assert answer.status == 422, answer.body


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        row(EDITED, "You must provide between 1 to 3 image URLs", body={"prompt": "a", "images_list": [LINK]}),
        row(
            "grok-imagine-image-to-image",
            "You must provide either `image_url` or `images_list`",
            body={"prompt": "a", "images_list": [LINK]},
        ),
    ],
)
def test_what_the_live_api_is_known_to_refuse_is_refused_in_its_words(
    refusal: Callable[..., Any], slug: str, words: str
) -> None:
    problem = {"type": "value_error", "loc": ["body", "images_list"], "ctx": {"error": {}}}
    assert refusal(slug, {"prompt": "edit test"}) == [{**problem, "msg": f"Value error, {words}"}]
    found = refusal(slug, {"images_list": [], "prompt": 1, "webhook_url": 1})
    assert [entry["loc"][1] for entry in found] == ["prompt", "images_list", "webhook_url"]
    assert [entry["type"] for entry in refusal(slug, {"prompt": "a", "images_list": LINK})] == ["list_type"]


@needs(EDITED, {"prompt": "a", "images_list": [LINK]})
def test_more_pictures_than_the_live_api_takes_are_refused(refusal: Callable[..., Any]) -> None:
    assert refusal(EDITED, {"images_list": [LINK] * 4})[0]["type"] == "value_error"


@pytest.mark.parametrize(
    ("slug", "body", "problems"),
    [
        row(LIBRARY, {"country": "DEU"}, [("string_too_long", ["country"], {"max_length": 2})], country=TWO),
        row(LIBRARY, {"country": "D"}, [("string_too_short", ["country"], {"min_length": 2})], country=TWO),
        row(
            HORSE,
            {"images_list": []},
            [("too_short", ["images_list"], {"field_type": "List", "min_length": 1, "actual_length": 0})],
            images_list=ONE,
        ),
        row(
            HORSE,
            {"images_list": [LINK, LINK]},
            [("too_long", ["images_list"], {"field_type": "List", "max_length": 1, "actual_length": 2})],
            images_list=ONE,
        ),
        row(HORSE, {"images_list": [7]}, [("url_type", ["images_list", 0], None)], images_list=ONE),
        row(REVIEWS, {"depth": 15}, [("multiple_of", ["depth"], {"multiple_of": 10})], depth=TENS),
        row(REVIEWS, {"depth": 0}, [("greater_than_equal", ["depth"], {"ge": 10})], depth=TENS),
        row(
            SPEAKER,
            {"stop": 1},
            [("string_type", ["stop", "str"], None), ("list_type", ["stop", "list[str]"], None)],
            stop=EITHER,
        ),
        row(
            SPEAKER,
            {"stop": ["a", 1]},
            [("string_type", ["stop", "str"], None), ("string_type", ["stop", "list[str]", 1], None)],
            stop=EITHER,
        ),
        row(
            "z-image-base-text-to-image-lora",
            {"image_url": 1},
            [
                ("url_type", ["image_url", "function-wrap[wrap_val()]"], None),
                ("string_type", ["image_url", "str"], None),
            ],
            image_url={"type": "string"},
        ),
    ],
)
def test_bounds_lengths_and_unions(
    refusal: Callable[..., Any], slug: str, body: dict[str, Any], problems: list[Any]
) -> None:
    told = [entry for entry in refusal(slug, body) if entry["type"] != "missing"]
    assert [(entry["type"], entry["loc"][1:], entry.get("ctx")) for entry in told] == problems


def test_unknown_fields_are_ignored_in_silence_as_the_server_does(connect: Callable[..., Any]) -> None:
    answer = connect(Emulator())("POST", IMAGE.slug, json={**FOX, "promt": "typo"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("query", "kind"),
    [({"limit": "0"}, "greater_than_equal"), ({"limit": "101"}, "less_than_equal"), ({"limit": "x"}, "int_parsing")],
)
def test_query_parameters_are_judged_too(connect: Callable[..., Any], query: dict[str, str], kind: str) -> None:
    answer = connect(Emulator())("GET", "history", params=query)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert (problem["type"], problem["loc"]) == (kind, ["query", "limit"])


def test_a_cursor_nobody_gave(connect: Callable[..., Any]) -> None:
    answer = connect(Emulator())("GET", "history", params={"cursor": "yesterday"})
    assert answer.status_code == 400


def test_every_request_is_remembered_with_its_status(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send = connect(emulator)
    send("POST", IMAGE.slug, json=FOX, params={"webhook": "https://example.com/hook"})
    send("GET", "nowhere")
    first, second = emulator.requests
    assert (first.slug, first.status, first.json) == (IMAGE.slug, 200, FOX)
    assert first.request.query == {"webhook": "https://example.com/hook"}
    assert first.request.headers["x-api-key"] == "sk-live"
    assert first.request.host == "api.muapi.ai"
    assert (second.slug, second.status, second.json) == ("nowhere", 404, None)


def test_a_number_in_a_path_may_be_any_length_and_names_nothing(connect: Callable[..., Any]) -> None:
    send = connect(Emulator())
    assert send("DELETE", f"keys/{'9' * 40}").status_code == 404


def test_a_cursor_of_any_length_that_nobody_gave_is_refused(connect: Callable[..., Any]) -> None:
    answer = connect(Emulator())("GET", "history", params={"cursor": "9" * 5000})
    assert answer.status_code == 400
