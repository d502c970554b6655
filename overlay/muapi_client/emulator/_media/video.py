"""Films: a square that crosses the picture once, in one second.

Lives here: an MP4 and a WebM, recorded once and marked. Does not live here: which file gets which format (``files``).

Both are 64 pixels a side, eight frames, one second, without sound.
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode
from typing import Final

from muapi_client.emulator._media.palette import note

# zlib, base64 of 1,115 bytes. Made with PyAV 18.1: libx264, profile=baseline, preset=veryslow, crf=30, without the
# encoder's own note (filter_units=remove_types=6); movflags=faststart, fflags=bitexact.
_H264: Final = (
    "eNpjYGBQSCupLMgszs9lYGBiANFAbJRYlmyYW2BiyMDALJCbn1/GwMCQk1uWkcKAAphfgDEjAwghACOqKnS+AwNewARE8SVFidlAdkxJNthOZkzT"
    "QHbjtwervQ5wB6ikppQUA2mZ1JziEoQOqLlgvYzXc1MyE4EMhdwUdL9DDAo9AuboZqTkFMFkyjJTUpFVhgH5+R6JeSk5qSA1jE25mXlpQIZIWS7Y"
    "UGRnqqRA5GRSilLTkLzBU1qUowBhMzoVlyTlANmrikuKU5DUzAJFGo6gALnVgcEDSHvgVIEOJP7/B5IGQFOdGZ0OcP1/yCCeDqSXCQrMEgBFCYhg"
    "ZPiolCjByMCWccKJxRvkQpGkkiJocHLcgJlUXAIOapi9HGAEVAv0AbI4CMsAxZLRxDigtAlQrgrJhSBxUJCaArEoEAtDaREgFgRiIYgdyflI0QuK"
    "N9vSlBJQtJrmpoJpEFBEjkJgtBclFhTkIAcHRyYknXCkFaUC45dROTclEcTPS+1oYv3RE8AgcLyPgYlH8ACDo9/v3fv/2R/MCAAK8n0Ehv0CBhaW"
    "gAYGBTkGQV7vUJ3JQLgrtm5/MMvX6///H8xQEQHK/3FgENBnYGQ8osDAwcnAtCgt0lhn7jS/02W7I9dcOShbepbLXT7oehzQRkPHWTLcn3YIFNxQ"
    "a2aZ4MWpwODC9qCy63lzevHBvjscEukaKk0Bngx8DQKfRc9PnXu+owEUHo6ztJj+7LBc8CWGbe6vuSo7QZHF7zjLmunP8tYq5v51/V+/noWo82TY"
    "b8ZXy3g85df/X+/8HgAFBRxnRTqcN7zgvsDi14v/8TEbgGK8jrMyG87b8dXxlX+qBYUqn+OsygP7LZ8/Zzjw5r+9DgDJZcv6"
)

# zlib, base64 of 880 bytes. Made with PyAV 18.1: libvpx, deadline=best, crf=40, b=50k, fflags=bitexact.
_VP8: Final = (
    "eNqTcr2/eL5TWyOj03cg/tTI4vS5kcOpqaU8NSnXqb2Ryam1kUkiuCGdkQEEmB0EfWeX7PLd3R28ukXUc2Va8JrGhRCeWMi6bCDvmO/uHiBPKORw"
    "evCaJkZOCFcmeDdQsolZ6w3EHIZIBloBkKsWaF3f2Mzv5ODb0OKTWJYW7gimXDo7HPodwIpAjt23DuoW0+uNjMVHO6D6Gec0MihtndNcmpfS0cjQ"
    "1hoWHxZg0dzIqPy4uYW9ONLhQduGRoddjQ4gH24tLt6UfKA7GaE5/cRC18UdLqFBjiGe/n4u7ZMNDKxAyFDPAAYY5J23lTo+fN7IsNhhaiMDQ8MH"
    "Noa5jFoODECnuXO0tna0tnQwMTGV7lK5bNf7g/lX4x72L+vV/z2wX7JjQb1DfYLt/3cPrPYfUXv5kZP76qZjDz83/PvT2/7/iEdJSrz+32/bf0f/"
    "fetecPT+/38aa6c/nCS2e6vVh8AItnucG/25KnaXsZzOs3xeZ///j8/2nVNfy0RqR6wwjFt8R0qfiYnryy3uFwU/Diw+28hQyxDIwsAu8IZBgmWF"
    "VID8A0sFxeXi9S4cvFI39/q/j/6p8Z9TxC/FQraE//GNa0u2SzEw1B+OOwj0zq9/pxh42Zgv8/LOyRK73jp/B8PiRY0Mvxg+MkGM4/kkdeTnwUnx"
    "qgvk+iJOxVS4n9BXPsCweGUjYzmDITNEDdP7P6qrXxclzlptX/FqSwL38xUGDJFMvQ8k1rOYMCye2cj4hcEQahyDRIT+FwbOE/9+G4FNYSqEm8J5"
    "/m78UwZnDZb1fyeHTzePd2dtYYjMPm3g9HLRdAegKUzv0E1ZNf21FQPD4qONzNkMF0GmCIgkqDmm/3/e8G97CkPbujgzKf3vP8vu9fiqOBxgvhLz"
    "4YEkb2SynXH3/4b/NaEvTQw+2cVk3PkdW3b99UQGUJqfuLt/cyPD9i5g3vrYxOj8oZEZABAFPaM="
)


def mp4(mark: bytes) -> bytes:
    """MP4 with H.264; the mark stands in a ``free`` box at its end, which players skip."""
    content = note(mark)
    return zlib.decompress(b64decode(_H264)) + struct.pack(">I", 8 + len(content)) + b"free" + content


def webm(mark: bytes) -> bytes:
    """WebM with VP8; the mark stands in a Void element at its end, which players skip."""
    content = note(mark)
    return zlib.decompress(b64decode(_VP8)) + bytes([0xEC, 0x80 | len(content)]) + content
