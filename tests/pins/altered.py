"""The places in the pinned document that tests change."""

from __future__ import annotations

from typing import Any


def fields(document: dict[str, Any]) -> dict[str, Any]:
    """The fields that flux-dev-image shares with two other models."""
    found: dict[str, Any] = document["components"]["schemas"]["ImageRequest"]["properties"]
    return found


def rarely_used(document: dict[str, Any]) -> dict[str, Any]:
    """The operation of a model that the project does not use."""
    found: dict[str, Any] = document["paths"]["/api/v1/suno-create-music"]["post"]
    return found
