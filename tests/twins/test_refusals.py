"""A request the server refuses: the right class, its words whole, nothing sent twice."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE, STREAM, make_image

from muapi_client import MuAPIError, Retry, errors, raw_call
from muapi_generated.types import Call, Operation

if TYPE_CHECKING:
    from twins.conftest import Twin

PROBLEM = {"loc": ["body", "width"], "msg": "Input should be >= 1", "type": "greater_than_equal", "ctx": {"ge": 1}}
READ: Call[Any] = Call(Operation("", "GET", "/api/v1/account/balance"))
CHANGE: Call[Any] = Call(Operation("", "POST", "/api/v1/account/topup"), {"amount": 5})

REFUSALS: list[tuple[int, Any, type[errors.APIStatusError]]] = [
    (400, {"detail": "Bad Request"}, errors.APIStatusError),
    (401, {"detail": "Not authorized"}, errors.AuthenticationError),
    (402, {"detail": "Insufficient credit balance"}, errors.InsufficientCreditError),
    (403, {"detail": "Not authorized"}, errors.AuthenticationError),
    (404, {"detail": "Not Found"}, errors.NotFoundError),
    (405, {"detail": "Method Not Allowed"}, errors.APIStatusError),
    (413, "Payload Too Large", errors.APIStatusError),
    (418, {"detail": {"reason": ["teapot", {"deep": None}]}}, errors.APIStatusError),
    (422, {"detail": [PROBLEM]}, errors.ValidationError),
    (422, {"detail": "width is too small"}, errors.ValidationError),
    (422, {"detail": {"msg": "odd"}}, errors.ValidationError),
    (422, {"detail": [PROBLEM, "odd", 7, None]}, errors.ValidationError),
    (422, {"message": "no detail at all"}, errors.ValidationError),
    (422, [], errors.ValidationError),
    (429, {"detail": "Too Many Requests"}, errors.RateLimitError),
]


@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS, ids=lambda value: str(value)[:40])
def test_a_refused_submit(twin: Twin, status: int, body: Any, kind: type[errors.APIStatusError]) -> None:
    face = twin((status, body, {"x-account-balance": "2.5000"}), retry=Retry(attempts=1))
    with pytest.raises(MuAPIError) as caught:
        face.run(twin.call)
    error = caught.value
    assert type(error) is kind
    assert (error.status_code, str(error.balance), error.cost) == (status, "2.5000", None)
    assert error.detail == (body.get("detail", body) if isinstance(body, dict) else error.detail)
    assert str(status) in str(error)
    assert len(face.server.requests) == 1
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (type(again), str(again), vars(again)) == (kind, str(error), vars(error))


def test_a_refusal_tells_which_request_was_refused(twin: Twin) -> None:
    refused = (403, {"detail": "Not authorized"})
    for go, request in (
        (lambda face: face.submit(twin.call), "POST /api/v1/new/model"),
        (lambda face: face.send(READ), "GET /api/v1/account/balance"),
        (lambda face: face.estimate(make_image(prompt="a fox")), f"POST /api/v1/models/{IMAGE.name}/estimate-cost"),
        (lambda face: face.upload(b"\x89PNG\r\n\x1a\n" + bytes(64)), "POST /api/v1/upload_file"),
    ):
        with pytest.raises(errors.AuthenticationError, match=f"^HTTP 403 to {request}: Not authorized"):
            go(twin(refused, refused))


def test_validation_errors_keep_the_servers_form(twin: Twin) -> None:
    with pytest.raises(errors.ValidationError, match="width: Input should be >= 1") as caught:
        twin((422, {"detail": [PROBLEM]})).submit(twin.call)
    assert caught.value.errors == [PROBLEM]
    assert caught.value.detail == [PROBLEM]


def test_a_validation_error_whose_detail_is_a_string(twin: Twin) -> None:
    with pytest.raises(errors.ValidationError, match="width is too small") as caught:
        twin((422, {"detail": "width is too small"})).submit(twin.call)
    assert (caught.value.errors, caught.value.detail) == ([], "width is too small")


def test_a_long_refusal_is_told_whole(twin: Twin) -> None:
    why = "because " * 2000
    with pytest.raises(errors.APIStatusError) as caught:
        twin((400, {"detail": why})).submit(twin.call)
    assert caught.value.detail == why
    assert why in str(caught.value)


@pytest.mark.parametrize("status", [500, 502, 503, 599])
def test_a_server_that_fails_to_answer_a_read(twin: Twin, status: int) -> None:
    face = twin((status, {"detail": "boom"}), retry=Retry(attempts=3))
    with pytest.raises(errors.ServerError, match="boom") as caught:
        face.send(READ)
    assert caught.value.status_code == status
    assert len(face.server.requests) == 3


@pytest.mark.parametrize("answer", [(500, ""), (200, "<html>"), (200, "{"), (408, "")], ids=str)
def test_a_change_is_never_sent_twice(twin: Twin, answer: Any) -> None:
    face = twin(answer)
    with pytest.raises(MuAPIError) as caught:
        face.send(CHANGE)
    assert type(caught.value) is errors.SubmitOutcomeUnknownError
    assert caught.value.call == CHANGE
    assert len(face.server.requests) == 1


@pytest.mark.parametrize("answer", [(200, "<html>"), (200, "{"), (200, "")], ids=str)
def test_a_job_sent_by_send_obeys_the_submit_rule(twin: Twin, answer: Any) -> None:
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        twin(answer).send(make_image(prompt="a red fox"))


def test_send_reads_again_what_passes(twin: Twin) -> None:
    face = twin(TimeoutError("timed out"), (429, "", {"retry-after": "2"}), (502, "<html>"), {"balance": 7})
    assert face.send(READ) == {"balance": 7}
    assert len(face.server.requests) == 4


def test_a_read_that_answers_a_page(twin: Twin) -> None:
    with pytest.raises(errors.ResponseError) as caught:
        twin((200, "<html>Login</html>"), retry=Retry(attempts=2)).send(READ)
    assert caught.value.body == b"<html>Login</html>"


def test_an_answer_without_content_is_none(twin: Twin) -> None:
    assert twin((204, "")).send(Call(Operation("", "DELETE", "/api/v1/keys/{id}"), path={"id": 7})) is None


@pytest.mark.parametrize("body", [7, "text", None, True, [1], {"balance": "odd", "new": 1}], ids=repr)
def test_a_typed_answer_of_the_wrong_shape(twin: Twin, body: Any) -> None:
    for method in ("account", "keys", "models"):
        face = twin((200, body))
        resource = getattr(face.mu, method)
        try:
            face.go(resource.balance() if method == "account" else resource.list())
        except MuAPIError as error:
            assert type(error) is errors.ResponseError  # noqa: PT017 - either outcome is allowed, nothing else is


class TestRefusedHere:
    def test_a_value_out_of_bounds(self, twin: Twin) -> None:
        face = twin({})
        with pytest.raises(errors.ValidationError, match="nothing was sent") as caught:
            face.submit(make_image(num_images=9))  # type: ignore[arg-type]
        assert caught.value.status_code is None
        assert caught.value.errors[0]["loc"] == ["body", "num_images"]
        assert caught.value.errors[0]["type"] == "literal_error"
        assert face.server.requests == []

    def test_an_unknown_field_with_a_guess(self, twin: Twin) -> None:
        call = make_image(prompt="a fox")
        face = twin({})
        with pytest.raises(errors.ValidationError, match="did you mean 'prompt'"):
            face.submit(Call(call.operation, {"promt": "a fox"}))
        assert face.server.requests == []

    def test_not_strict_leaves_it_to_the_server(self, twin: Twin) -> None:
        face = twin({"request_id": "abc"}, strict=False)
        assert face.submit(make_image(num_images=9)).id == "abc"  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "value", [{1, 2}, object(), float("nan"), b"bytes", "\ud800"], ids=lambda value: type(value).__name__
    )
    def test_what_json_has_no_form_for(self, twin: Twin, value: Any) -> None:
        face = twin({})
        call = Call(twin.call.operation, {"field": value})
        with pytest.raises(errors.ValidationError, match="JSON"):
            face.submit(call)
        assert face.server.requests == []

    def test_a_body_that_holds_itself(self, twin: Twin) -> None:
        body: dict[str, Any] = {}
        body["self"] = body
        with pytest.raises(errors.ValidationError):
            twin({}).submit(Call(twin.call.operation, body))

    def test_a_path_that_lacks_a_parameter(self, twin: Twin) -> None:
        face = twin({})
        with pytest.raises(errors.ValidationError, match="lacks a parameter"):
            face.send(Call(Operation("", "GET", "/api/v1/predictions/{id}/result")))
        assert face.server.requests == []


@pytest.mark.parametrize("name", [IMAGE.function, IMAGE.name])
def test_a_slug_that_is_another_name_of_a_model_is_told_the_slug(twin: Twin, name: str) -> None:
    face = twin((404, {"detail": "Not Found"}))
    for method in (face.run, face.submit, face.send):
        with pytest.raises(
            errors.NotFoundError, match=f"no slug '{name}'; did you mean '{IMAGE.slug}'.*{IMAGE.function}"
        ):
            method(raw_call(name, {"prompt": "a red fox"}))
    with pytest.raises(errors.NotFoundError, match=r"catalog\.find\(\)"):
        face.run(raw_call("no-such-model-at-all"))
    with pytest.raises(errors.NotFoundError, match=r"catalog\.find\(\)"):
        face.run(raw_call(IMAGE.slug))


def test_a_charge_is_told_rather_than_a_slug(twin: Twin) -> None:
    face = twin((404, {"detail": "Not Found", "cost": {"amount_usd": 0.5}}))
    with pytest.raises(errors.NotFoundError, match=r"a charge of 0\.5 USD all the same"):
        face.run(raw_call(IMAGE.function, {"prompt": "a red fox"}))


def test_a_stream_is_told_the_slug_too(twin: Twin) -> None:
    face = twin((404, {"detail": "Not Found"}))
    with pytest.raises(errors.NotFoundError, match=f"did you mean '{STREAM.slug}'"):
        face.events(raw_call(STREAM.function))
