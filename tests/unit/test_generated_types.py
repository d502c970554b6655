"""The words generated code speaks: calls travel as JSON and through pickling, and UNSET stays one."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import attrs
import pytest
from by_kind import IMAGE, ImageRequest, make_image
from hypothesis import given as cases
from hypothesis import strategies as st

from muapi_generated import models
from muapi_generated.types import UNSET, Call, Operation, given

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=4)
PATHS = st.sampled_from(["/", "/api/v1/x", "/api/v1/things/{id}", "/größe/a.b/"])
OPERATIONS = st.builds(Operation, st.text(), st.sampled_from(["GET", "POST"]), PATHS, st.text(), st.text())
CALLS = st.builds(Call, OPERATIONS, st.none() | OBJECTS, OBJECTS, st.just({}), OBJECTS)


@pytest.mark.parametrize("travel", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_unset_stays_one(travel: Any) -> None:
    assert travel(UNSET) is UNSET
    assert travel({"a": [UNSET]})["a"][0] is UNSET


def test_unset_is_false_and_says_its_name() -> None:
    assert not UNSET
    assert repr(UNSET) == "UNSET"


@cases(CALLS)
def test_a_call_survives_json_and_pickling(call: Call[Any]) -> None:
    assert Call.from_json(call.to_json()) == call
    assert pickle.loads(pickle.dumps(call)) == call
    assert copy.deepcopy(call) == call


def test_a_call_is_frozen_and_compares_by_value() -> None:
    call = make_image(prompt="a fox")
    assert call == make_image(prompt="a fox")
    assert call != make_image(prompt="a fox", width=512)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        call.body = {}  # type: ignore[misc]


def test_an_operation_knows_its_slug_and_whether_it_is_a_job() -> None:
    operation = make_image().operation
    assert (operation.slug, operation.is_job) == (IMAGE.slug, True)
    assert not Operation("get_history", "GET", "/api/v1/history", "HistoryPage").is_job


def test_fields_left_out_are_dropped_and_null_is_not() -> None:
    assert given(a=UNSET, b=None, c=False, d=0) == {"b": None, "c": False, "d": 0}


def test_models_become_mappings_and_tuples_lists_however_deep() -> None:
    item = models.LoraItem(path="a", scale=1)
    assert given(a=(item, {"x": (item,)}), b=("u", "v")) == {
        "a": [{"path": "a", "scale": 1}, {"x": [{"path": "a", "scale": 1}]}],
        "b": ["u", "v"],
    }


def test_an_object_that_keeps_something_to_itself_is_taken_for_no_body() -> None:
    @attrs.frozen
    class Holder:
        url: str
        _client: object = None

    holder = Holder("https://x/a.png", object())
    assert given(image_url=holder, images_list=[holder]) == {"image_url": holder, "images_list": [holder]}


def test_a_model_sends_only_what_was_set() -> None:
    assert given(one=ImageRequest(prompt="a"))["one"] == {"prompt": "a"}


def test_what_is_given_does_not_follow_later_changes() -> None:
    images = ["https://a.b/c"]
    body = given(images_list=images)
    images.append("more")
    assert body == {"images_list": ["https://a.b/c"]}


def test_a_call_with_files_has_no_json_form_and_says_what_to_do() -> None:
    call: Call[Any] = Call(Operation("upload_file", "POST", "/api/v1/upload_file"), files={"file": b"1"})
    with pytest.raises(TypeError, match=r"upload_file.*file.*give the URL that mu"):
        call.to_json()


@pytest.mark.parametrize(("value", "error"), [(object(), TypeError), (float("nan"), ValueError), (b"1", TypeError)])
def test_a_value_json_has_no_form_for_is_an_error(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Call(Operation("a", "POST", "/a"), {"x": value}).to_json()


def test_a_raw_body_may_hold_tuples_and_models() -> None:
    call: Call[Any] = Call(Operation("", "POST", "/a"), {"x": (models.LoraItem(path="a", scale=1),)})
    assert json.loads(call.to_json())["body"] == {"x": [{"path": "a", "scale": 1}]}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "3", '{"operation": {}}', '{"operation": {"name": "a", "method": "GET", "path": "/"}, "more": 1}'],
)
def test_text_that_is_no_call_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Call.from_json(text)


@pytest.mark.parametrize("part", ["query", "path", "headers", "cookies"])
def test_parts_of_a_call_are_objects(part: str) -> None:
    whole = {"operation": {"name": "a", "method": "GET", "path": "/"}, part: [1]}
    with pytest.raises(ValueError, match="are objects"):
        Call.from_json(json.dumps(whole))


@pytest.mark.parametrize("text", ["", "x", "{}", "[]", "7", "null", "[" * 100_000, None, 7])
def test_what_is_no_call_says_what_to_give(text: Any) -> None:
    with pytest.raises(
        ValueError, match=r"call.*: give what Call\.to_json\(\) wrote|; give what Call\.to_json\(\) wrote"
    ):
        Call.from_json(text)


def test_a_call_that_holds_a_path_says_to_upload_it() -> None:
    call: Call[Any] = Call(Operation("a", "POST", "/a"), {"image_url": Path("a.png")})
    with pytest.raises(TypeError, match=r"^a: this call has no JSON form .*give the URL that mu"):
        call.to_json()


def test_an_operation_keeps_its_label_its_prefix_and_its_checks_wherever_it_is_saved() -> None:
    whole = Operation(
        "f", "POST", "/v2/f", media_type="application/vnd.a+json", prefix="/v2/", checks="api.platform.get_history"
    )
    call: Call[Any] = Call(whole)
    assert (pickle.loads(pickle.dumps(call)), copy.deepcopy(call), Call.from_json(call.to_json())) == (call,) * 3
    assert Call.from_json(call.to_json()).operation.slug == "f"
