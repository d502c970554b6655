"""The lock: which document is pinned, and how it came here. Pure: a value, and its TOML.

Lives here: the facts a lock holds, reading and writing them. Does not live here: files (``pin``), what is
compared with what (``verify``).
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from typing import Any, Final

from attrs import asdict, fields, frozen

from muapi_client.pinning._document.canonical import count_schemas, iter_operations
from muapi_client.pinning._document.errors import PinError, quote

# The generator that renders this pin, the same as in pyproject's group `generate`: a pin and another
# generator's output do not belong together. Changed here by whoever changes it there; a test compares the
# two.
GENERATOR = "openapi-python-client==0.29.1"

HEADER = """\
# Which document is pinned, and how it came here. Written by `nox -s fetch`; not edited.
"""

SHORT: Final = 12  # characters of a hash that tell documents apart for a reader


@frozen(kw_only=True)
class Lock:
    """The facts about a pinned document.

    Attributes:
        source: Where the document comes from: a URL, or ``file:NAME``.
        fetched_at: When it was fetched, UTC, ISO 8601.
        etag: The server's ETag for it; empty when it gave none, or when another server stands in for
            ``source``.
        served_sha256: Hash of the bytes that were served.
        document_sha256: Hash of spec/openapi.json: the document's identity (its own version stays "1.0.0").
        models_sha256: Hash of spec/models.json, empty when no price catalogue is pinned.
        openapi: The OpenAPI version the document is written in.
        operations: How many operations are pinned.
        schemas: How many component schemas are pinned.
        generator: The generator that renders it.
        note: What else a reader should know about where it comes from.
    """

    __module__ = "muapi_client.pinning"

    source: str
    fetched_at: str
    etag: str
    served_sha256: str
    document_sha256: str
    models_sha256: str
    openapi: str
    operations: int
    schemas: int
    generator: str
    note: str

    def to_toml(self) -> str:
        """Write the lock as TOML, one fact a line."""
        return HEADER + "".join(f"{name} = {_to_toml(value)}\n" for name, value in asdict(self).items())

    @classmethod
    def from_toml(cls, text: str) -> Lock:
        """Read a lock.

        Raises:
            PinError: This is no lock, or a fact is missing or of another type.
        """
        try:
            found = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise PinError(f"spec/lock.toml is not TOML: {error}") from None
        wanted = {fact.name: int if fact.name in {"operations", "schemas"} else str for fact in fields(cls)}
        wrong = [name for name, kind in wanted.items() if type(found.get(name)) is not kind]
        if wrong or found.keys() - wanted.keys():
            raise PinError(
                "spec/lock.toml is no lock of this version: look at "
                + ", ".join(wrong + sorted(map(quote, found.keys() - wanted.keys())))
            )
        return cls(**found)


def sha256(content: bytes) -> str:
    """The identity of some bytes: their SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def derive_facts(content: dict[str, Any], document: bytes, models: bytes | None) -> dict[str, Any]:
    """The facts of a lock that follow from the pinned files alone.

    Args:
        content: What spec/openapi.json says, in its canonical form.
        document: The bytes of spec/openapi.json.
        models: The bytes of spec/models.json, None where there is none.
    """
    return {
        "document_sha256": sha256(document),
        "models_sha256": "" if models is None else sha256(models),
        "openapi": content["openapi"],
        "operations": sum(1 for _ in iter_operations(content)),
        "schemas": count_schemas(content),
        "generator": GENERATOR,
    }


def _to_toml(value: str | int) -> str:
    # A JSON string is a TOML basic string but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
