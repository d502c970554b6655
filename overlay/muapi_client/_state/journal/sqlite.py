"""The journal of one machine: a SQLite file.

SQLite in WAL mode, and several processes may share the file. A returned write survives the machine's crash, for each is
synced (``synchronous=FULL``) but the end of an accepted job, which the server tells again, and who waits for one.

Lives here: opening it. Does not live here: what is written and read of a job (``base``), the file itself
(``file``).
"""

import os
from weakref import finalize

from muapi_client._settings.database import DatabaseAddress, means_server
from muapi_client._state.journal.base import BUSY_SECONDS, BaseJournal, read_busy_timeout
from muapi_client._state.journal.file import JournalFile, fix_path
from muapi_client._state.journal.store import close_abandoned
from muapi_client.errors import JournalError


class Journal(BaseJournal):
    """The journal of a client: ``MuAPI(journal="jobs.db")``. One object may serve many threads.

    Args:
        path: The file; made where there is none, for its owner's eyes only. It stays the same whatever directory the
            program changes to.
        busy_timeout: How many seconds a write waits for another process's.

    Attributes:
        commits: Carries out what threads and tasks write at one moment in one transaction.

    Raises:
        JournalError: The file cannot be opened, is no journal, or is of a later version's form.
    """

    __module__ = "muapi_client"

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout: float = BUSY_SECONDS) -> None:
        if means_server(path):
            name = DatabaseAddress(os.fspath(path)).name
            del path  # a traceback that shows locals shows no password
            raise JournalError(
                f"{name} is a server's database, and no file: PostgresJournal('postgresql://…') is for that"
            )
        file = JournalFile(fix_path(path))
        finalize(self, close_abandoned, file)
        super().__init__(file, read_busy_timeout(busy_timeout))
