"""Which kind of file a field takes, by its name, and which bytes cannot be of it."""

from __future__ import annotations

import pytest

from muapi_client._files.kinds import ALSO, find_contradiction
from muapi_client._files.media import SUFFIXES
from muapi_client._spec.media_fields import NOUNS, find_kind, is_address

PNG, MP4, OGG = b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x18ftypisom", b"OggS" + bytes(60)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["image_url"], "image"),
        (["images_list"], "image"),
        (["last_image"], "image"),
        (["mask_image_url"], "image"),
        (["audio_files"], "audio"),
        (["audios_list"], "audio"),
        (["reference_video_urls"], "video"),
        (["images", "url"], "image"),
        (["elements", "frontal_image_url"], "image"),
        (["images_data_url"], None),  # an archive
        (["image_or_video_url"], None),
        (["media_url"], None),
        (["file_url"], None),
        (["dataset"], None),
        (["swap_url"], None),
        (["audio_setting"], None),
        (["url"], None),
        ([], None),
    ],
)
def test_a_fields_name_tells_its_kind_or_none(names: list[str], kind: str | None) -> None:
    assert find_kind(names) == kind


@pytest.mark.parametrize(("name", "answer"), [("image_url", True), ("last_image", False), ("webhook_url", False)])
def test_an_address_of_media_is_told_by_the_name(name: str, *, answer: bool) -> None:
    assert is_address(name) is answer


@pytest.mark.parametrize(
    ("head", "kind", "told"),
    [
        (PNG, "image", ""),
        (PNG, "audio", "image/png"),
        (PNG, "video", "image/png"),
        (b"GIF89a", "video", ""),
        (MP4, "image", "video/mp4"),
        (MP4, "audio", ""),
        (OGG, "video", ""),
        (OGG, "image", "audio/ogg"),
        (b"def main(): ...", "video", "text"),
        ("print('grüße')".encode("utf-16"), "image", "text"),
        (b"<html>", "audio", "a web page or an error message"),
        (b"<html>", None, ""),
        (b"\x00\x01\x02", "image", ""),
    ],
)
def test_bytes_contradict_a_kind_or_not(head: bytes, kind: str | None, told: str) -> None:
    assert find_contradiction(head, kind) == told


def test_the_exceptions_are_types_that_are_known() -> None:
    assert set(ALSO) == set(NOUNS.values())
    assert {media_type for types in ALSO.values() for media_type in types} <= set(SUFFIXES.values())
