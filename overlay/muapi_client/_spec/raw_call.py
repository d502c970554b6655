"""Calls of endpoints the pinned document lacks.

Lives here: making one. Does not live here: what of it is checked before it is sent (``_protocol/request``).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from muapi_client._types.words import show
from muapi_client.errors import ValidationError
from muapi_generated.types import Call, Operation


def raw_call(slug: str, body: Mapping[str, Any] | None = None) -> Call[Any]:
    """Build a call of any job endpoint by its slug, untyped and unchecked: for models newer than the pinned document.

    Its fields are not checked, not even where the catalogue knows the slug: use the model's own function for that.

    Args:
        slug: What follows ``/api/v1/``, such as ``any/new-slug``; slashes stay.
        body: The fields as the server knows them.

    Returns:
        The request, unsent: give it to ``MuAPI.run`` or ``submit``.

    Raises:
        ValidationError: The slug cannot be part of a path below ``/api/v1/``, or the body is no mapping.
    """
    if not isinstance(slug, str):
        shown = getattr(slug, "__name__", None) or show(slug)
        raise ValidationError(f"a slug is text, such as 'flux-dev-image', not {shown:.40}")
    if body is not None and not isinstance(body, Mapping):
        raise ValidationError(f"the body of {slug!r} is a mapping of fields, not {show(body)}")
    path = slug.strip("/").removeprefix("api/v1/")
    message = f"{slug!r} is no slug: it is what follows /api/v1/, such as flux-dev-image"
    if not path or not path.isprintable():
        raise ValidationError(message)
    try:
        operation = Operation("", "POST", f"/api/v1/{quote(path)}", answer="Submission")
    except ValueError:  # it leads elsewhere
        raise ValidationError(message) from None
    return Call(operation, dict(body or {}))


raw_call.__module__ = "muapi_client"
