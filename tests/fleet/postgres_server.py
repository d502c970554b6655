"""A real PostgreSQL of a test's own: a throw-away data directory, a free port of 127.0.0.1, stopped by its pid.

It runs as another user where we are root, for it refuses to be root's; that user may enter the directory's parents. The
packaged cluster, if there is one, is left alone. Debian's binaries lie in ``/usr/lib/postgresql/*/bin``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

USER: Final = "muapi"  # of the databases
PASSWORD: Final = "s3cret-passw0rd"  # which no message of ours may show
PATIENCE: Final = 60.0  # seconds a server may take to start or stop on a busy machine


class NoServerError(Exception):
    """There is no PostgreSQL on this machine, or nobody to run it as."""


def find_binaries() -> Path:
    """The directory of ``initdb`` and ``postgres``, the newest version's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise NoServerError("no PostgreSQL here: `apt-get install postgresql` brings one")
    return found[-1].parent if found else Path(str(on_path)).resolve().parent


def find_user() -> pwd.struct_passwd | None:
    """Whom it runs as, or None: ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoServerError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


class PostgresServer:
    """A server, running from the end of ``__init__`` until :meth:`remove`.

    Attributes:
        url: Of its database, for the user that a journal has.
        port: Where it listens.
    """

    def __init__(self) -> None:
        self._binaries, self._user = find_binaries(), find_user()
        self._folder = Path(tempfile.mkdtemp(prefix="muapi-postgres-", dir="/tmp"))
        self._folder.chmod(0o755)  # the other user enters it
        self._data = self._folder / "data"
        self._data.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
            os.chown(self._data, self._user.pw_uid, self._user.pw_gid)
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        self._run(
            "initdb", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256",
            f"--username={USER}", f"--pwfile={secret}", f"--pgdata={self._data}",
        )  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/postgres"
        self._process: subprocess.Popen[Any] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it takes connections; after a crash it recovers first."""
        self.begin()
        ends = time.monotonic() + PATIENCE
        command = [str(self._binaries / "pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={self.port}"]
        while subprocess.run(command, check=False).returncode != 0:
            if self._process is None or self._process.poll() is not None or time.monotonic() > ends:
                raise NoServerError((self._folder / "log").read_text("utf-8", "replace")[-2000:])
            time.sleep(0.05)

    def begin(self) -> None:
        """Start it, and wait for nothing."""
        options = ("listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}", "max_connections=200")
        command = [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *(word for option in options for word in ("-c", option))],
                stdout=log, stderr=log, start_new_session=True, **self._as_user(),
            )  # fmt: skip

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Read its database behind the journal's back."""
        import psycopg

        with psycopg.connect(self.url) as db:
            return db.execute(query.encode()).fetchall()

    def kill(self) -> None:
        """End it and all its processes without a word, as a machine that loses its power does."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have it let connections be made, and answer none of them."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Shut it down in order, whoever is connected."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # "fast": sessions are ended
            self._process.wait(PATIENCE)

    def remove(self) -> None:
        """Shut it down, and leave nothing of it."""
        self.stop()
        shutil.rmtree(self._folder)

    def _run(self, name: str, *words: str) -> None:
        done = subprocess.run(
            [self._binaries / name, *words], capture_output=True, text=True, check=False, **self._as_user()
        )
        if done.returncode != 0:
            raise NoServerError(f"{name}: {done.stdout}{done.stderr}")

    def _as_user(self) -> dict[str, Any]:
        words: dict[str, Any] = {"cwd": self._folder}
        if self._user is not None:
            words |= {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return words
