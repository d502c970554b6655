"""Two threads that fork, each in the middle of an import: ``python tests/forks/two_threads.py FOLDER``.

Prints how their children ended. It is a program of its own since a child that is no child of the main thread frees what
that one keeps for itself, in a test run what PyAV keeps, whose threads do not exist there.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from pathlib import Path

from muapi_client._runtime import forks as waiting_room
from muapi_client._runtime.forks import forks

waiting_room.PATIENCE = 0.2  # seconds, of 60
both = threading.Barrier(2)


def fork_here() -> None:
    """Called by the code of both modules, once both are being imported."""
    both.wait()
    child = os.fork()
    if child == 0:
        os._exit(0)
    sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")


def load(name: str) -> None:
    with forks.kept_waiting:
        importlib.import_module(name)


folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
threads = []
for name in ("forking_here", "forking_there"):
    (folder / f"{name}.py").write_text("from __main__ import fork_here\nfork_here()\n")
    threads.append(threading.Thread(target=load, args=(name,)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
