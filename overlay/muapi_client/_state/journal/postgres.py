"""The journal of a fleet: a PostgreSQL database, which many machines share.

Lives here: opening it. Does not live here: what is written and read of a job (``base``), the connection
(``server``), which is loaded with the first of them.
"""

from weakref import finalize

from muapi_client._runtime.forks import forks
from muapi_client._settings.database import DatabaseAddress, is_address
from muapi_client._state.journal.base import BUSY_SECONDS, BaseJournal, read_busy_timeout
from muapi_client._state.journal.store import close_abandoned
from muapi_client.errors import JournalError


class PostgresJournal(BaseJournal):
    """The journal of a fleet: ``MuAPI(journal="postgresql://user:password@host/database")``. It may serve many threads.

    Its tables (``muapi_job``, ``muapi_budget``, ``muapi_meta``) are made where there are none, in the first schema of
    the connection's ``search_path``. Jobs are dated, and leases end, by the server's clock. Needs psycopg:
    ``pip install "muapi-client[postgres]"``.

    Args:
        url: The database, as libpq takes it: ``postgresql://user:password@host:port/name?parameters``. The password
            may be left to ``PGPASSWORD`` or ``~/.pgpass``; it is shown nowhere.
        busy_timeout: How many seconds a write waits for others, and for a server that is away.

    Attributes:
        commits: Carries out what threads and tasks write at one moment in one transaction.

    Raises:
        JournalError: psycopg is missing; the server cannot be reached or lets nobody in; the database is older than
            PostgreSQL 14, cannot hold every text, or holds a journal of a later version's form.
    """

    __module__ = "muapi_client"

    def __init__(self, url: str, *, busy_timeout: float = BUSY_SECONDS) -> None:
        address = url if isinstance(url, DatabaseAddress) else DatabaseAddress(url) if is_address(url) else None
        del url  # a traceback that shows locals shows no password
        if address is None:
            raise JournalError("a database's address begins with postgresql://; a file's journal is Journal(path)")
        if not is_address(address.reveal()):
            raise JournalError(
                f"journal {address.name}: a journal is a file, by its path, or a PostgreSQL database, by an address"
                " that begins with postgresql://"
            )
        seconds = read_busy_timeout(busy_timeout)
        try:
            with forks.kept_waiting:
                from muapi_client._state.journal.server import JournalServer  # noqa: PLC0415 - needs psycopg
        except ImportError as error:
            raise JournalError(
                f"journal {address.name}: a PostgreSQL journal needs psycopg and libpq ({error}):"
                " pip install 'muapi-client[postgres]', or 'psycopg[binary]' where the system has no libpq"
            ) from error
        server = JournalServer(address, seconds)
        finalize(self, close_abandoned, server)
        super().__init__(server, seconds)

    def __reduce__(self) -> str:
        raise TypeError("a journal is not pickled; open it anew in the other process")
