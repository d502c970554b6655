"""The files the emulator makes are real ones: each is opened by a program that knows its format."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import wave
import zipfile
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from muapi_client._files import media as sniffing
from muapi_client.emulator._media import files as media
from muapi_client.emulator._media.files import media_of

SEEDS = ["", "one", "two", "0", "ünï\ud800"]
SUFFIXES = sorted(media._MAKERS)


def content(suffix: str, seed: str) -> bytes:
    return media_of(f"outputs/a.{suffix}", seed=seed).content


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "webp", "gif"])
def test_a_picture_is_a_chessboard_of_two_colours(suffix: str, seed: str) -> None:
    with Image.open(io.BytesIO(content(suffix, seed))) as opened:
        opened.load()
        assert opened.format == suffix.upper().replace("JPG", "JPEG")
        assert opened.size == (64, 64)
        picture = opened.convert("RGB")
    one, two = picture.getpixel((0, 0)), picture.getpixel((8, 0))
    assert one != two
    for x in range(64):
        for y in range(64):
            assert picture.getpixel((x, y)) == (one, two)[(x // 8 + y // 8) % 2]


@given(seed=st.text())
def test_all_formats_show_the_same_colours(seed: str) -> None:
    def corner(suffix: str) -> Any:
        maker = media._MAKERS[suffix][1]
        mark = bytes(seed.encode("utf-8", "surrogatepass").ljust(32, b"\xff")[:32])
        with Image.open(io.BytesIO(maker(mark))) as opened:
            picture = opened.convert("RGB")
            return picture.getpixel((0, 0)), picture.getpixel((8, 0))

    exact = corner("png")
    assert corner("webp") == corner("gif") == exact
    for seen, meant in zip(corner("jpg"), exact, strict=True):
        assert all(abs(a - b) <= 3 for a, b in zip(seen, meant, strict=True))  # JPEG rounds


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "h264"), ("webm", "vp8")])
def test_a_film_plays_for_a_second(suffix: str, codec: str, seed: str) -> None:
    with av.open(io.BytesIO(content(suffix, seed))) as opened:
        (stream,) = opened.streams
        assert stream.codec_context.name == codec
        frames = [frame.to_image() for frame in opened.decode(video=0)]
        assert opened.duration == 1_000_000  # microseconds
    assert [frame.size for frame in frames] == [(64, 64)] * 8
    assert len({frame.tobytes() for frame in frames}) == 8  # it moves


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("suffix", "codec"), [("mp3", "mp3float"), ("wav", "pcm_s16le")])
def test_a_sound_is_heard(suffix: str, codec: str, seed: str) -> None:
    with av.open(io.BytesIO(content(suffix, seed))) as opened:
        (stream,) = opened.streams
        assert stream.codec_context.name == codec
        frames = list(opened.decode(audio=0))
    seconds = sum(frame.samples / frame.sample_rate for frame in frames)
    assert 0.2 < seconds < 0.7
    assert len(set(b"".join(bytes(frame.planes[0]) for frame in frames))) > 10  # no silence


@pytest.mark.parametrize("seed", SEEDS)
def test_a_wav_opens_with_the_standard_library(seed: str) -> None:
    with wave.open(io.BytesIO(content("wav", seed))) as opened:
        assert (opened.getnchannels(), opened.getsampwidth(), opened.getframerate()) == (1, 2, 8000)
        assert len(opened.readframes(10_000)) == 2 * opened.getnframes() == 4000


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mesh_is_a_closed_cube(seed: str) -> None:
    whole = content("glb", seed)
    magic, version, length = struct.unpack_from("<4sII", whole)
    assert (magic, version, length) == (b"glTF", 2, len(whole))
    size, kind = struct.unpack_from("<I4s", whole, 12)
    assert kind == b"JSON"
    scene = json.loads(whole[20 : 20 + size])
    length, kind = struct.unpack_from("<I4s", whole, 20 + size)
    buffer = whole[28 + size :]
    assert kind == b"BIN\0"
    assert len(buffer) == length == scene["buffers"][0]["byteLength"]
    assert size % 4 == length % 4 == 0
    primitive = scene["meshes"][scene["nodes"][scene["scenes"][scene["scene"]]["nodes"][0]]["mesh"]]["primitives"][0]
    corners = _read(scene, buffer, primitive["attributes"]["POSITION"], "3f")
    indices = [index for (index,) in _read(scene, buffer, primitive["indices"], "H")]
    assert sorted(corners) == sorted((x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1))
    triangles = list(zip(*[iter(indices)] * 3, strict=True))
    edges = [edge for a, b, c in triangles for edge in ((a, b), (b, c), (c, a))]
    assert len(edges) == len(set(edges)) == 36  # each edge once in each direction: closed, and turned one way
    assert {(b, a) for a, b in edges} == set(edges)
    assert sum(_volume(*(corners[corner] for corner in triangle)) for triangle in triangles) == pytest.approx(1)
    colour = scene["materials"][primitive["material"]]["pbrMetallicRoughness"]["baseColorFactor"]
    assert all(0 <= value <= 1 for value in colour)


def _read(scene: dict[str, Any], buffer: bytes, number: int, form: str) -> list[tuple[float, ...]]:
    accessor = scene["accessors"][number]
    assert accessor["componentType"] == {"3f": 5126, "H": 5123}[form]
    view = scene["bufferViews"][accessor["bufferView"]]
    part = buffer[view.get("byteOffset", 0) :][: view["byteLength"]]
    items = list(struct.iter_unpack(f"<{form}", part))
    assert len(items) == accessor["count"]
    return items


def _volume(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    """Of the pyramid from the origin to a triangle, positive if it is turned outwards."""
    cross = (b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0])
    return sum(x * y for x, y in zip(a, cross, strict=True)) / 6


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_fill_the_tensor_their_head_tells_of(seed: str) -> None:
    whole = content("safetensors", seed)
    (size,) = struct.unpack_from("<Q", whole)
    head = json.loads(whole[8 : 8 + size])
    assert set(head.pop("__metadata__")) == {"note"}
    ((name, tensor),) = head.items()
    assert (name, tensor["dtype"], tensor["shape"]) == ("lora.weight", "F32", [4, 8])
    start, end = tensor["data_offsets"]
    assert (start, end) == (0, 4 * 4 * 8)
    assert len(whole) == 8 + size + end


@pytest.mark.parametrize("seed", SEEDS)
def test_texts_and_archives_open(seed: str) -> None:
    assert json.loads(content("json", seed))["note"].startswith("muapi emulator ")
    assert content("txt", seed).decode().startswith("muapi emulator ")
    number, times, caption = content("srt", seed).decode().splitlines()
    assert (number, times) == ("1", "00:00:00,000 --> 00:00:01,000")
    assert caption.startswith("muapi emulator ")
    with zipfile.ZipFile(io.BytesIO(content("zip", seed))) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == ["note.txt"]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_entry_of_a_pdfs_table_points_at_its_object(seed: str) -> None:
    whole = content("pdf", seed)
    start = int(whole.rsplit(b"startxref\n", 1)[1].split()[0])
    head, count, *_ = whole[start:].split(b"\n")
    assert head == b"xref"
    entries = whole[start:].split(b"\n")[2 : 2 + int(count.split()[1])]
    for number, entry in enumerate(entries[1:], 1):
        assert len(entry) == 19
        assert whole[int(entry[:10]) :].startswith(b"%d 0 obj\n" % number)
    stream = whole.split(b"stream\n")[1].removesuffix(b"\nend")
    assert b"/Length %d " % len(stream) in whole


@pytest.mark.parametrize("suffix", [*SUFFIXES, "unheard-of"])
def test_a_seed_and_a_path_decide_every_byte(suffix: str) -> None:
    files = {content(suffix, str(seed)) for seed in range(300)}
    assert len(files) == 300
    assert files == {content(suffix, str(seed)) for seed in range(300)}
    assert media_of(f"b.{suffix}", seed="0").content not in files
    assert max(map(len, files)) < 8192


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_clients_own_eyes_agree_with_the_suffix(suffix: str) -> None:
    for seed in SEEDS:
        made = media_of(f"outputs/a.{suffix}", seed=seed)
        assert made.content_type == sniffing.guess_type(f"a.{suffix}")
        assert sniffing.settle(made.content[: sniffing.HEAD], made.content_type) == made.content_type
        told = sniffing.sniff(made.content[: sniffing.HEAD])
        assert told == made.content_type or suffix in {"json", "txt", "srt", "safetensors"}


@pytest.mark.parametrize("path", ["", "a", "outputs.d/a", "a.", ".hidden", "a.bin", "a.PNG.part"])
def test_what_no_suffix_tells_is_bytes(path: str) -> None:
    made = media_of(path, seed="one")
    assert made.content_type == "application/octet-stream"
    assert sniffing.sniff(made.content) is None


def test_capitals_and_dots_are_fine() -> None:
    assert media_of("uploads/my.holiday.PNG", seed="one").content_type == "image/png"


def test_media_load_no_library() -> None:
    unloaded = ["zipfile", "wave", "PIL", "av"]
    script = (
        f"import sys, muapi_client.emulator._media.files; print([name for name in {unloaded} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_is_made_in_few_steps(suffix: str) -> None:
    content(suffix, "warm")
    steps = 0

    def count(_frame: Any, event: str, _argument: Any) -> Any:
        nonlocal steps
        steps += event == "line"
        return count

    tracer = sys.gettrace()
    sys.settrace(count)
    try:
        content(suffix, "one")
    finally:
        sys.settrace(tracer)
    assert steps < 10_000  # lines of Python; the longest takes a tenth of that
