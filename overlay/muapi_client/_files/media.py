"""What bytes are, recognized by their first bytes, and what files made of them are called. Pure.

Lives here: media types with their signatures and suffixes, and names that are safe on every system and in every
header. Does not live here: reading files (``source``, ``temp_file``) or answers. The server's word, a URL's ending or a
Content-Type, counts only where the bytes do not tell.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from typing import TYPE_CHECKING, Final

from muapi_client._types.outputs import MEDIA_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HEAD: Final = 4096  # bytes looked at: a page's first tags and a Matroska file's document type are well within
UNKNOWN: Final = "application/octet-stream"

SIGNATURES: Final = (  # offset in bytes, what stands there, IANA media type (or the usual unregistered one)
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (0, b"\x00\x00\x00\x0cJXL ", "image/jxl"),
    (0, b"\x00\x00\x00\x0cjP  ", "image/jp2"),
    (8, b"WEBP", "image/webp"),
    (8, b"AVI ", "video/x-msvideo"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AIFF", "audio/aiff"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypavis", "image/avif"),
    (4, b"ftyphe", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypmsf1", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypM4B", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (4, b"moov", "video/quicktime"),
    (4, b"mdat", "video/quicktime"),
    (4, b"wide", "video/quicktime"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "video/x-ms-wmv"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (0, b"\x00\x00\x01\xb3", "video/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3\x02", "audio/mpeg"),
    (0, b"ID3\x03", "audio/mpeg"),
    (0, b"ID3\x04", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"MThd", "audio/midi"),
    (0, b"glTF", "model/gltf-binary"),
    (0, b"ply\n", "model/ply"),
    (0, b"ply\r", "model/ply"),
    (0, b"Kaydara FBX Binary", "model/fbx"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
)

SUFFIXES: Final[Mapping[str, str]] = {  # the first one of a type is the one files get
    **MEDIA_TYPES,
    "avif": "image/avif",
    "bmp": "image/bmp",
    "heic": "image/heic",
    "heif": "image/heic",
    "jp2": "image/jp2",
    "jxl": "image/jxl",
    "psd": "image/vnd.adobe.photoshop",
    "tiff": "image/tiff",
    "tif": "image/tiff",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "m4v": "video/mp4",
    "mkv": "video/x-matroska",
    "mpg": "video/mpeg",
    "mpeg": "video/mpeg",
    "ogv": "video/ogg",
    "ts": "video/mp2t",
    "wmv": "video/x-ms-wmv",
    "aac": "audio/aac",
    "aiff": "audio/aiff",
    "aif": "audio/aiff",
    "amr": "audio/amr",
    "mid": "audio/midi",
    "opus": "audio/ogg",
    "oga": "audio/ogg",
    "3mf": "model/3mf",
    "fbx": "model/fbx",
    "ply": "model/ply",
    "usdz": "model/vnd.usdz+zip",
    "csv": "text/csv",
    "md": "text/markdown",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "gz": "application/gzip",
    "safetensors": "application/vnd.safetensors",
}
# What some system lets no file's name hold, and what would steer who reads it in a terminal.
UNFIT: Final = re.compile('[<>:"/\\\\|?*\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]')
LONGEST_ID: Final = 64  # characters of a request id in a name
LONGEST_STEM: Final = 180  # bytes of UTF-8; a name may have 255, and a number, a hash and a suffix follow
RESERVED: Final = frozenset({"AUX", "CON", "NUL", "PRN", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))})

PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})  # what some hosts answer in place of a file
ZIPPED: Final = frozenset({"model/3mf", "model/vnd.usdz+zip"})  # zip archives by their bytes, more by their name
TEXTUAL: Final = frozenset({
    "application/json", "application/x-subrip", "image/svg+xml", "model/gltf+json", "model/obj", "model/ply",
    "model/stl", "text/csv", "text/markdown", "text/plain", "text/vtt", UNKNOWN,
})  # fmt: skip  # types whose files may be plain text


def sniff(head: bytes) -> str | None:
    """The media type a file's first bytes tell, or None."""
    for offset, mark, media_type in SIGNATURES:
        if head.startswith(mark, offset):
            return media_type
    return _container(head) or _frames(head) or ("image/svg+xml" if _is_drawing(head) else None)


def _container(head: bytes) -> str | None:
    if head.startswith(b"\x1aE\xdf\xa3"):  # EBML: the document type tells WebM from Matroska
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head.startswith(b"OggS"):
        return "video/ogg" if b"theora" in head[:512] else "audio/ogg"
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":  # two letters alone would be many a text's
        return "image/bmp"
    return None


def _frames(head: bytes) -> str | None:
    """Streams without a header: the sync bytes of MPEG transport packets (188 bytes each) and of MPEG audio frames."""
    if head[:1] + head[188:189] + head[376:377] == b"GGG" and not is_text(head):
        return "video/mp2t"
    sync = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0  # noqa: PLR2004 - 11 bits set
    if sync and not is_text(head):  # UTF-16 begins alike
        return "audio/aac" if head[1] & 0x06 == 0 else "audio/mpeg"
    return None


def _start(head: bytes) -> bytes:
    return head.lstrip(b"\xef\xbb\xbf\x00 \t\r\n\f").lower()


def _is_drawing(head: bytes) -> bool:
    start = _start(head)
    return start.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in start and not is_page(head)


def is_page(head: bytes) -> bool:
    """Return whether a file is a web page, or the XML of a storage service's refusal: no media, despite its name."""
    start = _start(head)
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<script")):
        return True
    return start.startswith((b"<?xml", b"<!--", b"<error")) and (b"<html" in start or b"<error>" in start)


def is_text(head: bytes) -> bool:
    """Return whether a file's first bytes are text: UTF-8, or UTF-16 that says so, without control characters."""
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return not any(ord(char) < 0x20 and char not in "\t\n\r\f\x1b" for char in text)  # noqa: PLR2004 - C0 controls


def guess_type(name: str) -> str | None:
    """The media type a file name's suffix suggests, or None."""
    return SUFFIXES.get(name.rpartition(".")[2].lower()) if "." in name else None


def choose_suffix(media_type: str | None) -> str:
    """The suffix, without its dot, that files of a media type get."""
    return next((suffix for suffix, known in SUFFIXES.items() if known == media_type), "bin")


def settle(head: bytes, *suggested: str | None) -> str:
    """The media type of a file: what its bytes tell, else the first suggestion that is a known type."""
    sniffed = sniff(head)
    known = [media_type for media_type in suggested if media_type is not None and media_type in SUFFIXES.values()]
    if sniffed == "application/zip":
        return next((media_type for media_type in known if media_type in ZIPPED), sniffed)
    if sniffed is not None:
        return sniffed
    return known[0] if known else ("text/plain" if is_text(head) else UNKNOWN)


def family(media_type: str) -> str:
    """``image``, ``video``, ``audio`` or another first half of a media type."""
    return media_type.partition("/")[0]


def make_stem(request_id: str | None, index: int) -> str:
    """The name, without suffix, of a job's output: ``{request_id}-{index}``, safe on every system.

    An id that cannot be part of a name as it stands is cleaned and marked with a piece of its hash, so that two ids
    never share a name. The index keeps the whole from being a name Windows reserves, such as ``CON``.
    """
    name = request_id or "output"
    clean = re.sub(r"\A-|[^A-Za-z0-9_-]", "_", name)[:LONGEST_ID]
    return f"{clean}-{index}" if clean == name else f"{clean}-{_mark(name)}-{index}"


def clean_stem(text: str) -> str:
    """A name without suffix that somebody made for a file, safe on every system, and the same where it is safe already.

    What had to be cleaned is marked with a piece of its hash, so that two names never become one.
    """
    clean = UNFIT.sub("_", text).strip(". ")
    if not clean or clean.partition(".")[0].upper() in RESERVED or clean.startswith("-"):
        clean = f"_{clean}"
    if clean == text and len(clean.encode()) <= LONGEST_STEM:
        return clean
    mark = _mark(text)
    return f"{clean.encode()[: LONGEST_STEM - len(mark) - 1].decode(errors='ignore')}-{mark}"


def _mark(name: str) -> str:
    """A piece of a name's hash, by which it is told from another that is the same once both are cleaned."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def iterate_names(stem: str, suffix: str) -> Iterator[str]:
    """The names to try in turn for a file: ``stem.suffix``, ``stem-2.suffix`` and so on."""
    yield f"{stem}.{suffix}"
    for count in range(2, 10_000):  # a directory with more of one name is a mistake
        yield f"{stem}-{count}.{suffix}"


def encode_name(name: str, media_type: str) -> str:
    """The file name sent with an upload: ASCII without blanks or quotes, its suffix that of the media type."""
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    clean = re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip("._-")[:80] or "upload"
    if SUFFIXES.get(suffix.lower()) != media_type and (media_type in SUFFIXES.values() or not suffix):
        suffix = choose_suffix(media_type)
    return f"{clean}.{re.sub('[^A-Za-z0-9]', '', suffix)[:12] or 'bin'}"
