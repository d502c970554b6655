"""Sounds: one tone, briefly.

Lives here: a WAV whose pitch is drawn from its mark, an MP3 that is the same for all but for its tag. Does not live
here: which file gets which format (``files``).
"""

from __future__ import annotations

import math
import struct
import zlib
from base64 import b64decode
from typing import Final

from muapi_client.emulator._media.palette import note
from muapi_client.emulator._media.riff import chunk, riff

_RATE: Final = 8000  # samples a second
_SAMPLES: Final = 2000

# zlib, base64 of 1,150 bytes: 440 Hz for half a second. Made with PyAV 18.1: libmp3lame, mono, 22,050 samples a second,
# 16 kbit/s; id3v2_version=0, write_xing=0.
_LAME: Final = (
    "eNqNkmtMW3UYh//ntOWclkIZFUSGs0BFLmW2EzYWTSiXFiwtq7CCZBdqV9jATbpBZBihLZAJrsRdCkKFXZKtsGYKA5Uhix6g1sncwGQdoA6KwHDI"
    "zYFcpPTYUz76xff78z6/35sXX2KZAeq1e+SFBACPh+20I8XFZcHdHyEDemmgtmexdD2hQaXWF02Txz4l+5QaVnu+248vBZndaKDsJmQIBZjGS3IN"
    "8svH6NqHtTzfPPBOuPQ5CKi9GUiXVNbYtt9nc8SCxktxp8iN5pWhhEYBiPLWwdhd7CFER+NsvbMhNWxhZR8a3A+drPYt+ayLZ1qRWWkVFoIhU4GI"
    "AzJX2LBK1FJuFHzBpYHte16hBlA0NR6cIYPkeKQdL57BZ/FHf/iH1XxFMAhVmhoKFlb43EqQMsgFRqiKkgQ/fb85nMyOb7g/+5LiSudU7IbMisZN"
    "QFfYXxKFUFRFeJbZ5JZtx3SwnCbp7R1i2LYp7kU/uXjAXR2L33j8wzUs3W1cVJ/vWQ/bCJEnsiaKAsgy6unfOmkpH/Gg5A5y/tZmO8NYh0Oxg27W"
    "vW+fYvjBmJehRRAODROMD6LZYs7CuW1Rc7cK5tb02nQ4KlixGoqigAkaSRUnAp4UPmPFmL4tUWYQzA60xRkue5lNUXfgh6yZVZgGuc6U8fJ0EEa/"
    "XzJxiMF6K1Bc59b0deSm6fHRSqJQEFIv4hIe7CyiZdaG5YmhQY+aovRPBvzk4xwD5dKdiM3L/8RumIh1F5AcKiGKQM9tQeH17RZgQ3I7A22IJlll"
    "TCGljjHVBQ6DczvWhOylivTtRuAq9CrK2mIQS8f6avOHUlUG3T5AL5jB5/FR0x1hdtzLPwqOADIIBlUUpvI8wUSjQOhiIvqGxaxT1rLrneaxX3Hj"
    "qJSqDaF7CzhptnpY/qL/4WZt4y3K0zyi0BvoovMIC8v8wdlFi6PVMdN/kyzPIikqTHQKAJgfxLHuSEL/ZNDJPdk3ChKd65wiPmITuq6NG/FH0U3M"
    "4+vuuo+NAAAjWHM/0z1z6ai+LUb0TXFOH0ldh887CCbJ+QqucBO1GYl5yl9gUkqinKxhyZ+HPN8bjmGrvmcFTpa+Ozh3lTf2AJ/CCUZMBUIOmF7m"
    "47jEJUqQY1L6YSZAQQfQIUdyJLVLo1V0gaQxS5W8e6yOKLSP1iJiE2+KT8c+6/cinxgqwPG55DOZmSVkEHT6bknrvGPDjJzfBWvaCi+fTKt2iWh+"
    "wlDiCge6f3v9rwXVwgdBapyaxpenOtrWC+2x/acVF96EzA0hos/xuu3xtwlGxOCFPMjax4d/arb/rmv3jVSX7yLf3iO+mElRHmTi9yYVP8+1TlZz"
    "x7uaHfnKIjPBRDEaPPVhDccAUz0VdzXwHMMu8xHHSQSv7eRxubL/DlEoAABSMoQBIPuf8y/urfms"
)


def wav(mark: bytes) -> bytes:
    """WAV: a quarter of a second, one channel of 16 bits, between 200 and 400 Hz."""
    period = 20 + mark[0] % 21  # samples
    wave = [round(8000 * math.sin(2 * math.pi * at / period)) for at in range(period)]
    samples = (wave * (_SAMPLES // period + 1))[:_SAMPLES]
    return riff(
        b"WAVE",
        chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, _RATE, 2 * _RATE, 2, 16)),  # 1: PCM
        chunk(b"LIST", b"INFO" + chunk(b"ICMT", note(mark) + b"\0")),
        chunk(b"data", struct.pack(f"<{_SAMPLES}h", *samples)),
    )


def mp3(mark: bytes) -> bytes:
    """MP3 behind an ID3 2.3 tag."""
    text = b"\0note\0" + note(mark)  # 0: Latin-1
    frame = b"TXXX" + struct.pack(">IH", len(text), 0) + text
    size = bytes([len(frame) >> 7, len(frame) & 0x7F])  # seven bits a byte
    return b"ID3\x03\0\0\0\0" + size + frame + zlib.decompress(b64decode(_LAME))
