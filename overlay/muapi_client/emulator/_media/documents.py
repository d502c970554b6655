"""Everything that is neither seen nor heard: texts, documents, archives, weights.

Lives here: the smallest file of each format that has something in it. Does not live here: which file gets which format
(``files``).
"""

from __future__ import annotations

import io
import json
import struct

from muapi_client.emulator._media.palette import note


def plain_text(mark: bytes) -> bytes:
    """One line."""
    return note(mark) + b"\n"


def json_text(mark: bytes) -> bytes:
    """One JSON object."""
    return json.dumps({"note": note(mark).decode()}).encode()


def subtitles(mark: bytes) -> bytes:
    """SubRip: one caption for the first second."""
    return b"1\n00:00:00,000 --> 00:00:01,000\n" + note(mark) + b"\n"


def pdf(mark: bytes) -> bytes:
    """PDF 1.4: one page with one line."""
    line = b"BT /F1 8 Tf 20 50 Td (" + note(mark) + b") Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 99] /Contents 4 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(line), line),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    text = b"%PDF-1.4\n"
    table = b"0000000000 65535 f \n"
    for number, content in enumerate(objects, 1):
        table += b"%010d 00000 n \n" % len(text)
        text += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    count = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(text))
    return text + b"xref\n0 %d\n%s" % (count, table) + trailer


def archive(mark: bytes) -> bytes:
    """ZIP with one text in it, dated 1980, the earliest day the format knows."""
    from zipfile import ZipFile, ZipInfo  # noqa: PLC0415 - takes 10 ms, and few jobs make archives

    whole = io.BytesIO()
    with ZipFile(whole, "w") as opened:
        opened.writestr(ZipInfo("note.txt"), plain_text(mark))
    return whole.getvalue()


def safetensors(mark: bytes) -> bytes:
    """Weights: one tensor of 4 by 8 numbers."""
    numbers = struct.pack("<32f", *(value / 255 for value in mark))
    tensor = {"dtype": "F32", "shape": [4, 8], "data_offsets": [0, len(numbers)]}
    head = json.dumps({"__metadata__": {"note": note(mark).decode()}, "lora.weight": tensor}).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + numbers


def unknown(mark: bytes) -> bytes:
    """Bytes of no format at all."""
    return b"\0" + note(mark) + b"\0" + mark
