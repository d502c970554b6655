"""The state of a client: money, its key, its jobs, its uploads; and the context of its flows.

``Journal`` loads once it is asked for, since it imports sqlite3: ``MuAPI`` names it in an annotation and loads without.
"""

from typing import TYPE_CHECKING, Any

from muapi_client._runtime.forks import held

if TYPE_CHECKING:
    from muapi_client._state.journal_sqlite import Journal as Journal
else:

    @held
    def __getattr__(name: str) -> Any:
        if name != "Journal":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - with the first journal

        return import_module(f"{__name__}.journal_sqlite").Journal
