"""What bytes are and what files are called: for any input, a safe answer."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

import pytest
from fileserver import HTML, MP4, PNG
from hypothesis import assume, given
from hypothesis import strategies as st

from muapi_client._files.attachments import find_attachments, with_urls
from muapi_client._files.fetch import find_misfit
from muapi_client._files.media import (
    SIGNATURES,
    SUFFIXES,
    choose_suffix,
    clean_stem,
    encode_name,
    guess_type,
    is_page,
    is_text,
    iterate_names,
    make_stem,
    settle,
    sniff,
)
from muapi_client._files.temp_file import PartialFile
from muapi_client._files.urls import is_safe, resolve_redirect, show_url
from muapi_client._spec.raw_call import raw_call

if TYPE_CHECKING:
    from collections.abc import Mapping

RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{name}{n}" for name in ("COM", "LPT") for n in range(1, 10))}
HOSTILE = st.sampled_from([
    "../../etc/passwd", "..", ".", "/", "\\", "C:\\x", "CON", "nul", "com1", "a\x00b", "-rf", "~", "a/b", "a\nb",
    "\u200b", "é", "\ud800", "x" * 300, " ", ".hidden", "a.png", "$(id)", "%2e%2e%2f", "CON.png", "aux.", "a:b",
    "a|b", "<a>", "*?",
])  # fmt: skip
ANY_TEXT = st.text() | HOSTILE


@given(ANY_TEXT, st.integers(0, 10_000), st.sampled_from(sorted({*SUFFIXES.values(), "application/octet-stream"})))
def test_an_outputs_name_is_safe_everywhere(request_id: str, index: int, media_type: str) -> None:
    name = next(iterate_names(make_stem(request_id, index), choose_suffix(media_type)))
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*\.[a-z0-9]+", name)
    assert len(name) < 120
    assert PureWindowsPath(name).name == name == PurePosixPath(name).name
    assert name.partition(".")[0].upper() not in RESERVED


@given(ANY_TEXT)
def test_a_name_of_ones_own_is_safe_everywhere_and_the_same_where_it_is_safe(text: str) -> None:
    stem = clean_stem(text)
    name = f"{stem}.png"
    assert PureWindowsPath(name).name == name == PurePosixPath(name).name
    assert not set(name) & set('<>:"|?*')
    assert not name.startswith((".", "-", " "))
    assert len(name.encode()) < 200
    assert name.partition(".")[0].upper() not in RESERVED
    assert clean_stem(stem) == stem


@given(ANY_TEXT, ANY_TEXT)
def test_two_names_of_ones_own_never_become_one(one: str, other: str) -> None:
    assume(one != other)
    assert clean_stem(one) != clean_stem(other)


@given(ANY_TEXT, ANY_TEXT, st.integers(0, 99), st.integers(0, 99))
def test_two_outputs_never_share_a_name(one: str, other: str, first: int, second: int) -> None:
    assume((one or "output", first) != (other or "output", second))
    assert make_stem(one, first) != make_stem(other, second)


@given(st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_-]{0,63}\Z"))
def test_an_ordinary_id_stays_readable(request_id: str) -> None:
    assert make_stem(request_id, 3) == f"{request_id}-3"


def test_free_names_are_told_apart() -> None:
    names = iterate_names("a", "png")
    assert [next(names) for _ in range(3)] == ["a.png", "a-2.png", "a-3.png"]


@given(ANY_TEXT, st.sampled_from(sorted(set(SUFFIXES.values()))))
def test_a_sent_name_can_break_no_header(name: str, media_type: str) -> None:
    sent = encode_name(name, media_type)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.[A-Za-z0-9]+", sent)
    assert len(sent) < 120
    assert guess_type(sent) == media_type or media_type == SUFFIXES.get(sent.rpartition(".")[2].lower())


@given(st.binary(max_size=600), ANY_TEXT)
def test_any_bytes_are_something(head: bytes, told: str) -> None:
    media_type = settle(head, told, None)
    assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", media_type)
    assert isinstance(find_misfit(head, "image/png", told), str)


@given(st.sampled_from(SIGNATURES), st.binary(min_size=400, max_size=400))
def test_a_signature_is_told_whatever_follows(signature: tuple[int, bytes, str], rest: bytes) -> None:
    offset, mark, media_type = signature
    found = sniff(b"\x01" * offset + mark + rest)
    assert found == media_type or any(mark.startswith(other) for _, other, kind in SIGNATURES if kind == found)


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (PNG, "image/png"),
        (MP4, "video/mp4"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "video/webm"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", "video/x-matroska"),
        (b"OggS\x00\x02" + b"\x00" * 22 + b"\x01vorbis", "audio/ogg"),
        (b"OggS\x00\x02" + b"\x00" * 22 + b"\x80theora", "video/ogg"),
        (b"\x00\x00\x00\x20ftypM4A ", "audio/mp4"),
        (b"\x00\x00\x00\x14ftypqt  ", "video/quicktime"),
        (b"\x00\x00\x00\x1cftypheic", "image/heic"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"BM\x36\x00\x0c\x00\x00\x00\x00\x00", "image/bmp"),
        (b"G\x40\x00\x10" + b"\xff" * 184 + b"G" + b"\xff" * 187 + b"G", "video/mp2t"),
        (b'<?xml version="1.0"?>\n<!-- made -->\n<svg xmlns="...">', "image/svg+xml"),
        (b"BMW makes cars, not bitmaps", None),
        (b"Good grief", None),
        (b"", None),
    ],
)
def test_what_bytes_are(head: bytes, media_type: str | None) -> None:
    assert sniff(head) == media_type


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))))
def test_text_is_text_wherever_it_is_cut(text: str) -> None:
    content = text.encode()
    assert all(is_text(content[:end]) for end in range(len(content) + 1))


def test_pages_are_told_from_drawings() -> None:
    assert is_page(HTML)
    assert is_page(b"  <?xml version='1.0'?><Error><Code>NoSuchKey</Code>")
    assert not is_page(b"<?xml version='1.0'?><svg>")
    assert not is_page(PNG)


@pytest.mark.parametrize(
    ("head", "told", "suffix"),
    [(b"PK\x03\x04", "model/vnd.usdz+zip", "usdz"), (b"PK\x03\x04", "image/png", "zip"), (b"\x00", None, "bin")],
)
def test_archives_and_unknown_bytes(head: bytes, told: str | None, suffix: str) -> None:
    assert choose_suffix(settle(head, told)) == suffix


@given(ANY_TEXT, ANY_TEXT)
def test_any_address_is_judged(url: str, location: str) -> None:
    for candidate in (
        url,
        f"https://{url}",
        f"http://{url}",
        resolve_redirect("https://x/y", location),
        resolve_redirect(url, location),
    ):
        if is_safe(candidate, loopback=False):
            assert candidate.lower().startswith("https://")
        assert isinstance(show_url(candidate), str)


@pytest.mark.parametrize(
    ("url", "loopback", "safe"),
    [
        ("https://cdn.muapi.ai/a.png", False, True),
        ("http://127.0.0.1:8000/a", True, True),
        ("http://localhost/a", True, True),
        ("http://[::1]/a", True, True),
        ("http://127.0.0.1/a", False, False),
        ("http://127.0.0.1.example.com/a", True, False),
        ("http://localhost@example.com/a", True, False),
        ("https://user:secret@cdn.muapi.ai/a", True, False),
        ("https://x:port/a", True, False),
        ("https:///a", True, False),
        ("https://x/a b", True, False),
        ("https://x/a\r\nx-evil: 1", True, False),
    ],
)
def test_safe_addresses(url: str, *, loopback: bool, safe: bool) -> None:
    assert is_safe(url, loopback=loopback) is safe


def test_a_message_shows_no_signature() -> None:
    assert show_url("https://s3/x/a.png?X-Amz-Signature=secret#f") == "https://s3/x/a.png"


BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.builds(Path, st.just("a.png")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(st.dictionaries(st.text(max_size=3), BODIES, max_size=4))
def test_every_file_is_found_and_replaced(body: Mapping[str, object]) -> None:
    call = raw_call("new/model", body)
    found = find_attachments(call.body)
    assert str(call.body).count("PosixPath(") <= len(found)
    replaced = with_urls(call, {where: f"https://x/{index}" for index, (where, _) in enumerate(found)})
    assert find_attachments(replaced.body) == []
    if not found:
        assert replaced == call


def test_a_part_that_was_never_opened_is_discarded_in_peace(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "never"):
        pass
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:word@cdn.example/a.png?signature=5ecret", "https://cdn.example/a.png"),
        ("cdn.example/a.png?signature=5ecret", "'cdn.example/a.png'"),
        ("https://user:word@[broken/a?signature=5ecret", "'[broken/a'"),
        ("foo", "'foo'"),
    ],
)
def test_an_address_in_a_message_has_no_password_and_no_signature(url: str, shown: str) -> None:
    assert show_url(url) == shown
