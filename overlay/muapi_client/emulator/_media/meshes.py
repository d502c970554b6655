"""Meshes: a cube in the colour of its mark.

Lives here: a binary glTF 2.0. Does not live here: which file gets which format (``files``).
"""

from __future__ import annotations

import json
import struct
from typing import Any, Final

from muapi_client.emulator._media.palette import colours, note

# Corner n stands at the bits of n: x + 2y + 4z. Each side's corners go counter-clockwise, seen from outside.
_SIDES: Final = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5))
_CORNERS: Final = b"".join(struct.pack("<3f", n & 1, n >> 1 & 1, n >> 2) for n in range(8))
_TRIANGLES: Final = b"".join(struct.pack("<6H", a, b, c, a, c, d) for a, b, c, d in _SIDES)
_FLOAT, _UNSIGNED_SHORT, _VERTICES, _INDICES = 5126, 5123, 34962, 34963  # glTF 2.0: constants of OpenGL


def glb(mark: bytes) -> bytes:
    """GLB: one scene with one cube of side 1."""
    text = json.dumps(_scene(mark), separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    buffer = _CORNERS + _TRIANGLES
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(buffer), b"BIN\0") + buffer
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _scene(mark: bytes) -> dict[str, Any]:
    colour = [value / 255 for value in colours(mark)[0]]
    corners, triangles = len(_CORNERS), len(_TRIANGLES)
    return {
        "asset": {"version": "2.0", "extras": {"note": note(mark).decode()}},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "material": 0}]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [*colour, 1]}}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": _FLOAT,
                "count": 8,
                "type": "VEC3",
                "min": [0, 0, 0],
                "max": [1, 1, 1],
            },
            {"bufferView": 1, "componentType": _UNSIGNED_SHORT, "count": 36, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": corners, "target": _VERTICES},
            {"buffer": 0, "byteOffset": corners, "byteLength": triangles, "target": _INDICES},
        ],
        "buffers": [{"byteLength": corners + triangles}],
    }
