"""What a job made, out of any shape."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import Output
from muapi_client._types.outputs import find_addresses, media_type, read_outputs

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["url", "value", "text", "image_url", "x"]), inner, max_size=4)
    ),
    max_leaves=15,
)
PLACES = st.sampled_from(["outputs", "output", "images", "data", "other"])


@given(st.dictionaries(PLACES, JSON))
def test_no_answer_is_too_odd(said: dict[str, Any]) -> None:
    for output in read_outputs(said):
        assert output.url is None or output.url
        assert output.text is None or output.text
        assert output.url is None or output.text is None
        assert (output.url, output.text, output.data) != (None, None, None)


@given(st.lists(st.text(min_size=1), min_size=1))
def test_every_string_is_kept_whole_and_in_order(texts: list[str]) -> None:
    found = [(output.url, output.text) for output in read_outputs({"outputs": texts})]
    assert [url or text for url, text in found] == [
        text.strip() if url else text for text, (url, _) in zip(texts, found, strict=True)
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x/a.png", "image/png"),
        ("https://x/a.PNG?sig=1.mp4#frag.wav", "image/png"),
        ("https://x/a.tar.jpg", "image/jpeg"),
        ("https://x/a.jpeg", "image/jpeg"),
        ("https://x/a.webp", "image/webp"),
        ("https://x/v.mp4", "video/mp4"),
        ("https://x/s.mp3", "audio/mpeg"),
        ("https://x/m.glb", "model/gltf-binary"),
        ("https://x/a", None),
        ("https://x/dir.png/a", None),
        ("https://x.png", None),
        ("https://x/.png/", None),
        ("https://x/a.exe", None),
        ("https://[::1", None),
        ("", None),
    ],
)
def test_the_media_type_of_an_ending(url: str, expected: str | None) -> None:
    assert media_type(url) == expected


@given(st.text())
def test_any_text_has_a_media_type_or_none(url: str) -> None:
    assert media_type(url) is None or "/" in str(media_type(url))


def test_an_object_keeps_what_else_it_says() -> None:
    item = {"url": "https://x/a.png", "seed": 7}
    assert read_outputs({"outputs": [item]}) == (Output("https://x/a.png", None, item, "image/png"),)


@pytest.mark.parametrize("blank", ["\n", " ", "\r\n", "\t", "\u00a0"])
def test_blanks_around_a_url_are_taken_off(blank: str) -> None:
    item = {"url": f"{blank}https://x/a.png{blank}"}
    assert read_outputs({"outputs": [item["url"], item]}) == (
        Output("https://x/a.png", None, None, "image/png"),
        Output("https://x/a.png", None, item, "image/png"),
    )


def test_a_files_name_may_hold_spaces() -> None:
    assert read_outputs({"output": "https://x/my red fox.png"})[0].url == "https://x/my red fox.png"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("data:image/png;base64,iVBORw0KGgo=", "image/png"),
        ("DATA:Image/PNG;charset=x;BASE64,iVBORw0KGgo=", "image/png"),
        ("data:;base64,aGk=", "text/plain"),
        ("data:text/plain,hi%20there", "text/plain"),
    ],
)
def test_a_data_url_is_a_url(url: str, told: str) -> None:
    assert read_outputs({"outputs": [url, {"url": url}]}) == (
        Output(url, None, None, told),
        Output(url, None, {"url": url}, told),
    )


@pytest.mark.parametrize(
    "text",
    [
        "https://x/a.png is ready",
        "https://x/a.png and https://x/b.png",
        "https://x y/b.png",
        "http://x\nsecond line",
        "ftp://x",
        "see https://x",
        "data: three, two, one",
        "data:three, two",
        "data:,",
        "data:image/png;base64 and so on",
    ],
)
def test_text_that_mentions_a_url_is_text(text: str) -> None:
    assert read_outputs({"output": text}) == (Output(text=text),)


def test_the_documented_place_wins() -> None:
    said = {"outputs": ["https://x/1.png"], "output": "https://x/2.png", "data": {"url": "https://x/3.png"}}
    assert [output.url for output in read_outputs(said)] == ["https://x/1.png"]


SOUND = "https://cdn.muapi.ai/outputs/1.mp3"
PICTURE = "https://cdn.muapi.ai/outputs/1.png"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"outputs": [{"audio": SOUND}]}, [SOUND]),
        ({"outputs": [{"audio": {"url": SOUND}}]}, [SOUND]),
        ({"outputs": [{"audio_url": SOUND}]}, [SOUND]),
        ({"output": {"output_url": SOUND}}, [SOUND]),
        ({"output": {"images": [PICTURE, {"url": f"{PICTURE}?2"}]}}, [PICTURE, f"{PICTURE}?2"]),
        ({"output": {"images": PICTURE}}, [PICTURE]),
        ({"output": {"images": [], "url": PICTURE}}, [PICTURE]),
        ({"outputs": [{"audio": "quiet piano", "url": SOUND}]}, [SOUND]),
    ],
)
def test_outputs_in_every_shape_that_was_observed(answer: dict[str, Any], expected: list[str]) -> None:
    assert [output.url for output in read_outputs(answer)] == expected


def test_a_word_where_a_sound_may_be_is_no_url() -> None:
    assert read_outputs({"outputs": [{"audio": "quiet piano"}]}) == (Output(data={"audio": "quiet piano"}),)


def test_addresses_among_an_answers_own_fields() -> None:
    answer = {"url": PICTURE, "status": "completed", "audio_url": SOUND, "videoUrl": "http://127.0.0.1:8/v.mp4"}
    assert [*find_addresses(answer)] == ["url", "audio_url", "videoUrl"]
    assert [*find_addresses(answer, [{"image": [{"deep": f" {PICTURE} "}]}])] == ["audio_url", "videoUrl"]
    assert [*find_addresses({"a_url": "https://x/a%20b.png"}, {"p": "https://x/a b.png"})] == []


@pytest.mark.parametrize(
    "name",
    ["webhook_url", "status_url", "cancel_url", "get_url", "checkout_url", "webhookUrl", "urls", "curl", "image_url_x"],
)
def test_a_name_that_says_something_else_is_no_output(name: str) -> None:
    assert find_addresses({name: PICTURE}) == {}


@pytest.mark.parametrize(
    "value",
    [
        "http://cdn.muapi.ai/1.png",
        "http://192.168.0.1/1.png",
        "data:image/png;base64,aGk=",
        "javascript:alert(1)",
        "ftp://x/1.png",
        "https:///1.png",
        "https://[::1",
        "https://api.muapi.ai/api/v1/predictions/abc/result",
        "https://api.muapi.ai/api/v1/x",
        "https://x/1.png is ready",
        "",
        7,
        None,
        [PICTURE],
    ],
)
def test_what_is_no_address_of_a_file_is_no_output(value: object) -> None:
    assert find_addresses({"output_url": value}) == {}
