"""What is refused here, before anything is sent, in the form of the server's own 422."""

from __future__ import annotations

from typing import Any

import pytest
from by_kind import make_image
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import MuAPI, raw_call
from muapi_client._spec.validation import check
from muapi_client.emulator import Emulator
from muapi_client.errors import ValidationError
from muapi_generated.types import Call

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OPERATION = make_image(prompt="a fox").operation
FIELDS = ["prompt", "width", "height", "num_images", "model_id", "sync", "webhook_url"]


def problems(**body: Any) -> list[tuple[Any, str]]:
    try:
        check(Call(OPERATION, body))
    except ValidationError as error:
        found = error
    else:
        return []
    assert found.status_code is None
    assert all(set(problem) <= {"loc", "msg", "type", "ctx"} for problem in found.errors)
    return [(problem["loc"], problem["type"]) for problem in found.errors]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": "a fox"},
        {"prompt": "", "width": 1, "num_images": 4, "sync": True, "webhook_url": None},
        {"model_id": []},
        {"model_id": [{"model": "owner/lora", "weight": 1.0}]},
    ],
    ids=str,
)
def test_what_fits_passes(body: dict[str, Any]) -> None:
    check(Call(OPERATION, body))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"prompt": None}, [(["body", "prompt"], "string_type")]),
        ({"prompt": 7}, [(["body", "prompt"], "string_type")]),
        ({"width": "7"}, [(["body", "width"], "int_type")]),
        ({"width": True}, [(["body", "width"], "int_type")]),
        ({"width": None}, [(["body", "width"], "int_type")]),
        ({"num_images": 5}, [(["body", "num_images"], "literal_error")]),
        ({"sync": 1}, [(["body", "sync"], "bool_type")]),
        ({"promt": "a fox"}, [(["body", "promt"], "extra_forbidden")]),
        ({"prompt": 7, "width": "x"}, [(["body", "prompt"], "string_type"), (["body", "width"], "int_type")]),
    ],
    ids=str,
)
def test_what_does_not_fit_is_told(body: dict[str, Any], expected: list[Any]) -> None:
    assert problems(**body) == expected


def test_a_misspelt_field_gets_a_guess() -> None:
    with pytest.raises(ValidationError, match="did you mean 'num_images'"):
        check(Call(OPERATION, {"num_image": 2}))


def test_a_field_like_no_other_gets_the_list() -> None:
    with pytest.raises(ValidationError, match="the fields are prompt, "):
        check(Call(OPERATION, {"zzzzzz": 2}))


def test_several_unknown_fields_are_told_in_order() -> None:
    names = [f"zz{index}" for index in range(10)]
    assert [loc[1] for loc, _ in problems(**dict.fromkeys(names, 1))] == names


def test_a_raw_call_passes_whatever_it_says() -> None:
    check(raw_call("any/model", {"anything": object()}))


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=6), JSON))
def test_no_body_is_more_than_refused(body: dict[str, Any]) -> None:
    for loc, kind in problems(**body):
        assert loc[0] == "body"
        assert loc[1] in body
        assert kind


@pytest.mark.parametrize("body", [{"width": "512"}, {"width": True}, {"sync": "yes"}, {"sync": 1}, {"width": "512.0 "}])
def test_what_the_server_may_read_as_what_belongs_there_says_how_to_send_it(body: dict[str, Any]) -> None:
    call = Call(OPERATION, {"prompt": "a fox", **body})
    with pytest.raises(ValidationError, match="; the server may take it: a client with strict=False sends it as it is"):
        check(call)
    emulator = Emulator()
    with MuAPI("sk-live", transport=emulator.transport(), strict=False) as mu:
        mu.submit(call)
    assert emulator.requests[-1].json == call.body


@pytest.mark.parametrize(
    "body", [{"width": "wide"}, {"width": "1.5"}, {"sync": 2}, {"width": None}, {"num_images": "1"}]
)
def test_what_the_server_refuses_too_says_nothing_of_it(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        check(Call(OPERATION, {"prompt": "a fox", **body}))
    assert "may take it" not in str(caught.value)
