"""The places in the pinned document that tests change."""

from __future__ import annotations

from typing import Any

from by_kind import IMAGE, MUSIC


def fields(document: dict[str, Any]) -> dict[str, Any]:
    """The fields of a model, which others may share."""
    content = document["paths"][f"/api/v1/{IMAGE.slug}"]["post"]["requestBody"]["content"]
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name]["properties"]
    return found


def rarely_used(document: dict[str, Any]) -> dict[str, Any]:
    """The operation of a model that the project does not use."""
    found: dict[str, Any] = document["paths"][f"/api/v1/{MUSIC.slug}"]["post"]
    return found
