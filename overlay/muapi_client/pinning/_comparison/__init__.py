"""Comparison: what changed between two documents, said for the users of this client.

Lives here: reading documents tolerantly (``_book``, ``_shapes``), finding what differs (``_values``, ``_facets``,
``_operations``, ``_pairing``, ``_prices``), judging it (``_classes``), which of it a code base uses (``_usage``),
telling it (``_reports`` and its forms). Does not live here: fetching and pinning, the rendering. Each name loads when
it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muapi_client.pinning._comparison._changes import Change, Diff
    from muapi_client.pinning._comparison._document import diff
    from muapi_client.pinning._comparison._reports import Report, told
    from muapi_client.pinning._comparison._usage import Usage, used_in
else:
    _HOME = {
        "Change": "_changes",
        "Diff": "_changes",
        "Report": "_reports",
        "Usage": "_usage",
        "diff": "_document",
        "told": "_reports",
        "used_in": "_usage",
    }

    def __getattr__(name: str) -> Any:
        from importlib import import_module  # noqa: PLC0415 - importing nothing until asked is its purpose

        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


__all__ = ["Change", "Diff", "Report", "Usage", "diff", "told", "used_in"]
