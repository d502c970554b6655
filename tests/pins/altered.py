"""The places in the pinned document that tests change."""

from __future__ import annotations

from typing import Any

from by_kind import IMAGE, UPSCALE, fields_of


def fields(document: dict[str, Any]) -> dict[str, Any]:
    """The fields of a model, which others may share."""
    return fields_of(document, IMAGE)


def rarely_used(document: dict[str, Any]) -> dict[str, Any]:
    """The operation of a model that the project does not use."""
    found: dict[str, Any] = document["paths"][f"/api/v1/{UPSCALE.slug}"]["post"]
    return found
