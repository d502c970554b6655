"""One life of a program that forks: clients at work in threads from their first import on, and children at any moment.

``python tests/forks/life.py URL FOLDER SEED FORKS`` prints one JSON object: which jobs were begun, which came home, and
what became of each child. Lives here: the parent's work, a fork, the child's job. Does not live here: the server and
its books (``sweep``).
"""

from __future__ import annotations

import asyncio
import faulthandler
import io
import json
import os
import random
import select
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Final

import muapi_client

DEADLINE: Final = 60.0  # seconds for a child's job; a machine that is busy takes some
SPAN: Final = 0.25  # seconds, on average, between two forks
MODELS: Final = json.loads(os.environ["MODELS_BY_KIND"])  # the request function of each kind, as tests choose them
PICTURE: Final = b"\x89PNG\r\n\x1a\n" + bytes(200)


class Books:
    """What this process began, and what came of it, each named by its prompt."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.home: list[str] = []
        self.wrong: list[str] = []


class Clients:
    """A blocking client that threads share and an awaiting one, with one journal; each made when first asked for."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self.folder = url, folder
        self._made: dict[str, Any] = {}
        self._lock = threading.RLock()

    def get(self, kind: str) -> Any:
        """The client of that name."""
        with self._lock:
            if kind not in self._made:
                options = {"journal": self.folder / "jobs.db", "timeout": 30.0}
                self._made[kind] = getattr(muapi_client, kind)("sk-live", self._url, **options)
            return self._made[kind]

    def renew_lock(self) -> None:
        """In a child: the lock may have been another thread's."""
        self._lock = threading.RLock()


def run(mu: Any, name: str) -> Any:
    return mu.run(getattr(muapi_client.models, MODELS["image"])(prompt=name))


def submit(mu: Any, name: str) -> Any:
    job = mu.submit(getattr(muapi_client.models.text_to_image, MODELS["other_image"])(prompt=name))
    return job.wait(timeout=60)


def download(mu: Any, name: str) -> Any:
    done = run(mu, name)
    assert mu.download(done, Path(mu.folder)), done
    return done


def upload(mu: Any, name: str) -> Any:
    source = io.BytesIO(PICTURE + name.encode())
    return mu.run(getattr(muapi_client.models, MODELS["edit"])(prompt=name, images_list=[mu.upload(source)]))


def stream(mu: Any, name: str) -> Any:
    return list(mu.stream(getattr(muapi_client.models, MODELS["stream"])(prompt=name)))[-1].prediction


async def arun(mu: Any, name: str) -> Any:
    return await mu.run(getattr(muapi_client.models, MODELS["image"])(prompt=name))


async def asubmit(mu: Any, name: str) -> Any:
    job = await mu.submit(getattr(muapi_client.models.text_to_image, MODELS["other_image"])(prompt=name))
    return await job.wait(timeout=60)


async def adownload(mu: Any, name: str) -> Any:
    done = await arun(mu, name)
    assert await mu.download(done, Path(mu.folder)), done
    return done


async def aupload(mu: Any, name: str) -> Any:
    source = io.BytesIO(PICTURE + name.encode())
    return await mu.run(
        getattr(muapi_client.models, MODELS["edit"])(prompt=name, images_list=[await mu.upload(source)])
    )


async def astream(mu: Any, name: str) -> Any:
    return [event async for event in mu.stream(getattr(muapi_client.models, MODELS["stream"])(prompt=name))][
        -1
    ].prediction


BLOCKING: Final = (run, submit, download, upload, stream)
AWAITING: Final = (arun, asubmit, adownload, aupload, astream)


class Facade:
    """A client and where its files go."""

    def __init__(self, client: Any, folder: Path) -> None:
        self._client, self.folder = client, folder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def work(clients: Clients, books: Books, names: Any, dice: random.Random, over: threading.Event) -> None:
    """Do one job after another, blocking."""
    while not over.is_set():
        do, name = dice.choice(BLOCKING), next(names)
        books.begun.append(name)
        try:
            mu = Facade(clients.get("MuAPI"), clients.folder)
            (books.home if do(mu, name).done else books.wrong).append(name)
        except Exception:  # noqa: BLE001 - told by the books
            books.wrong.append(f"{name} {do.__name__}: {traceback.format_exc()}")


async def awork(clients: Clients, books: Books, names: Any, dice: random.Random, over: threading.Event) -> None:
    """Do one job after another, awaiting."""
    while not over.is_set():
        do, name = dice.choice(AWAITING), next(names)
        books.begun.append(name)
        try:
            mu = Facade(clients.get("AsyncMuAPI"), clients.folder)
            (books.home if (await do(mu, name)).done else books.wrong).append(name)
        except Exception:  # noqa: BLE001 - told by the books
            books.wrong.append(f"{name} {do.__name__}: {traceback.format_exc()}")


def names_of(seed: int, who: str) -> Any:
    """Prompts that no other life has."""
    number = 0
    while True:
        number += 1
        yield f"{who} {number} of {seed}"


def trap_sockets() -> list[socket.socket]:
    """Put a trap in the place of each connection that a child inherited; answers the ends that tell of its use."""
    ends = []
    for path in list(Path("/proc/self/fd").iterdir()):
        name = int(path.name)
        try:
            inherited = socket.socket(fileno=os.dup(name))
        except OSError:  # no socket, or closed by now
            continue
        if inherited.family == socket.AF_INET:
            trap, end = socket.socketpair()
            os.dup2(trap.fileno(), name)
            trap.close()
            ends.append(end)
        inherited.close()
    return ends


def was_used(ends: list[socket.socket]) -> bool:
    """Return whether anything was written to one of the traps."""
    readable, _, _ = select.select(ends, [], [], 0)
    return any(end.recv(1) for end in readable)


def live_as_child(clients: Clients, name: str, dice: random.Random, log: Path) -> None:
    """Do one job, and leave: 0 for one that came home, 2 where a connection of the parent's was used, else 1."""
    code = 1
    try:
        file = log.open("w")
        faulthandler.dump_traceback_later(DEADLINE - 5, file=file)
        traps = trap_sockets()
        clients.renew_lock()
        do = dice.choice((*BLOCKING, *AWAITING))
        if do in BLOCKING:
            done = do(Facade(clients.get("MuAPI"), clients.folder), name)
        else:
            done = asyncio.run(do(Facade(clients.get("AsyncMuAPI"), clients.folder), name))
        code = (2 if was_used(traps) else 0) if done.done else 1
    except BaseException:  # noqa: BLE001 - a child must not go on as a second parent
        log.write_text(f"{name}\n{traceback.format_exc()}")
    os._exit(code)


def watch_child(child: int) -> int | None:
    """Its exit code; None for one that has not ended by its deadline, and is killed."""
    ends = time.monotonic() + DEADLINE
    while time.monotonic() < ends:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def main(url: str, folder: Path, seed: int, forks: int) -> dict[str, Any]:
    """Live."""
    dice = random.Random(seed)
    clients, over = Clients(url, folder), threading.Event()
    books = [Books() for _ in range(3)]

    def worker(number: int) -> None:
        who, own = names_of(seed, f"parent {number}"), random.Random(seed + number)
        if number < 2:  # two threads share the blocking client, and one has the awaiting client's loop
            work(clients, books[number], who, own, over)
        else:
            asyncio.run(awork(clients, books[number], who, own, over))

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(len(books))]
    for thread in threads:
        thread.start()
    children: dict[str, int | None] = {}
    watchers = []
    for number in range(forks):
        time.sleep(dice.expovariate(1 / SPAN) if number else dice.uniform(0, 2 * SPAN))
        name = f"child {number} of {seed}"
        child = os.fork()
        if child == 0:
            live_as_child(clients, name, random.Random(seed + 100 + number), folder / f"child-{number}.txt")
        watchers.append((name, child))
        if len(watchers) > 1:  # two at a time, beside their parent
            first, pid = watchers.pop(0)
            children[first] = watch_child(pid)
    for name, child in watchers:
        children[name] = watch_child(child)
    over.set()
    for thread in threads:
        thread.join(2 * DEADLINE)
    mu = clients.get("MuAPI")
    return {
        "begun": [name for each in books for name in each.begun],
        "home": [name for each in books for name in each.home],
        "wrong": [name for each in books for name in each.wrong],
        "hanging": sum(thread.is_alive() for thread in threads),
        "children": children,
        "unknown": [str(entry) for entry in mu.unknown()],
        "unfinished": [str(job) for job in mu.resume()],
        "words": {path.name: path.read_text() for path in sorted(folder.glob("child-*.txt")) if path.stat().st_size},
    }


if __name__ == "__main__":
    faulthandler.register(signal.SIGUSR1)
    told = main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()
    os._exit(0)
