"""Test the journal of a fleet on a real PostgreSQL: ``run.py [--without-postgres] [pytest arguments]``.

Starts a server (``postgres_server``), has the tests of journals run on it that otherwise run on files, and those of
this folder, and stops it. Where no server can be had it says so and fails, unless told ``--without-postgres``: then the
ordinary suite has tested what needs none. ``MUAPI_TEST_POSTGRES`` names a server that is running already.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))  # for `postgres_server`, wherever this is run from

from postgres_server import NoServerError, PostgresServer

ROOT: Final = Path(__file__).parents[2]
ON_BOTH: Final = ("tests/journal", "tests/map", "tests/twins/test_journal.py", "tests/twins/test_reuse.py")
WITHOUT: Final = "--without-postgres"


def say(text: str) -> None:
    """Speak on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run_tests(url: str, words: list[str]) -> int:
    """Run them on a database; answers pytest's exit status."""
    chosen = words or ["-n", "auto", "tests/fleet", *ON_BOTH]
    command = (sys.executable, "-m", "pytest", "-q", "-k", "postgres or fleet", *chosen)
    return subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, "MUAPI_TEST_POSTGRES": url}).returncode


def main() -> int:
    """Start a server, run the tests, stop it."""
    words = [word for word in sys.argv[1:] if word != WITHOUT]
    if url := os.environ.get("MUAPI_TEST_POSTGRES"):
        return run_tests(url, words)
    try:
        server = PostgresServer()
    except NoServerError as error:
        say(f"no PostgreSQL server can be had, so the journal of a fleet is not tested: {error}")
        if WITHOUT in sys.argv[1:]:
            return 0
        say(f"`-- {WITHOUT}` passes all the same")
        return 1
    try:
        return run_tests(server.url, words)
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
