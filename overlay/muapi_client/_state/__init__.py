"""The state of a client: money, its key, its jobs, its uploads; and the context of its flows.

Journals load once they are asked for, since one imports sqlite3: ``MuAPI`` names them in an annotation and loads
without.
"""

from typing import TYPE_CHECKING, Any

from muapi_client._runtime.forks import held

if TYPE_CHECKING:
    from muapi_client._state.journal.postgres import PostgresJournal as PostgresJournal
    from muapi_client._state.journal.sqlite import Journal as Journal
else:
    HOMES = {"Journal": "journal.sqlite", "PostgresJournal": "journal.postgres"}

    @held
    def __getattr__(name: str) -> Any:
        if name not in HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - with the first journal

        return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
