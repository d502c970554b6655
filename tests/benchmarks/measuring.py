"""What is measured of each client, and in which order: a row a task, in rounds, each client once a round.

So a busy moment of the machine strikes all clients alike, and a ratio is one of numbers that were taken side by side;
each round begins with another client.

Lives here: the tasks, their counts, remarks on what is not fair. Does not live here: carrying one out (``worker``),
writing it down (``table``).
"""

from __future__ import annotations

import ast
import json
import os
import random
import shutil
import subprocess
import sys
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import polling
import rendering
import server
import timing
from clients import CLIENTS
from table import OURS, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

T = TypeVar("T")

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
ABILITIES = ("blocking", "awaiting", "build", "wait", "download")
FIRST = "first call: import, connect, submit, look"
LONG = 300.0  # seconds of the jobs that are waited for, in the mean


class Counts(NamedTuple):
    """How much is done of each thing."""

    rounds: int = 3
    jobs: int = 2_000
    limit: float = 2.5  # seconds in which they begin
    in_flight: tuple[int, ...] = (1, 16, 100, 1_000)
    looks_in_flight: tuple[int, ...] = (16, 100)
    programs: int = 5  # rounds of fresh interpreters
    pairs: int = 60  # of a submit and a look, one after another
    builds: int = 5_000
    waits: int = 10  # jobs that are waited for
    held: int = 1_000  # jobs in flight while memory is taken
    many_held: int = 10_000
    checks: int = 3  # rounds of a type checker
    renderings: int = 3
    checked: int = 99  # scripts, at most


QUICK = Counts(1, 40, 0.5, (1, 16), (16,), 1, 5, 50, 1, 40, 60, 1, 1, 2)

STALLED = "some of its jobs had not ended after three times the time in which they began, and are not counted"
FAILED = "some of its jobs failed, and are not counted: {errors}"
WITH_COMMAND = "here it imports its own command line as well, for click, rich and pygments are installed"
WITHOUT_COMMAND = (
    "half as much again where click, rich and pygments are installed: it imports its own command line then"
)
ANSWERS_STATUS = "its look asks for the status alone; the outputs would take another request"
OPENS = "opens a connection, and loads the certificates, for each request"
BLOCKS = "blocks only: it has no asynchronous client"
AWAITS = "awaits only: it has no blocking client"
LEAVES_OUT = "leaves out the operations it cannot render, with a warning, and checks nothing of what it wrote"
UNTYPED = "is not typed: the checkers learn nothing of it, and mypy says so"
TAKES_DICT = "clients without a number take a dictionary, and check nothing; stock checks no bounds and no types"
VIRTUAL = "in virtual time, in which an exchange takes none; a log-normal length of {mean:g} s in the mean, sigma 0.25"
LEARNED = "after the 48 jobs from which it has learnt how long they take"
BEST = "with the request that tells where the file is; the best of three a round"
IN_PLACE = "writes to where the file shall be, so that one that breaks off is left there half"


class Machine:
    """The server, the folder and the environment of a run."""

    def __init__(self, counts: Counts, cache: Path, folder: Path, url: str, environment: Mapping[str, str]) -> None:
        self.counts, self.cache, self.folder, self.url = counts, cache, folder, url
        path = os.pathsep.join(filter(None, (str(cache), environment.get("PYTHONPATH"))))
        # Whoever asks a keyring, as muapi-cli may, asks none of this machine's.
        own = {"PYTHONPATH": path, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        # Nor does pyright's starter ask for newer versions while its time is taken.
        self.environment = {**environment, **own, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
        self.can: dict[str, set[str]] = {}  # abilities, by client
        self.missing: dict[str, str] = {}  # why, by client
        self.busy: dict[str, float] = {}  # the server's share of the time, at most, by client

    def look_around(self) -> None:
        """See which clients there are, and what each can do."""
        program = "import sys, json; sys.path.insert(0, sys.argv[1]); from importlib import import_module; "
        program += "print(json.dumps(dir(import_module('clients.' + sys.argv[2]))))"
        for client in CLIENTS:
            command = [sys.executable, "-W", "ignore", "-c", program, str(HERE), client.module]
            told = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
            if told.returncode:
                self.missing[client.name] = told.stderr.strip().splitlines()[-1]
            else:
                self.can[client.name] = set(json.loads(told.stdout)) & set(ABILITIES)

    def ask(self, client: str, task: str, journal: Path | None = None, **options: Any) -> dict[str, Any]:
        """What a worker tells of a client's task."""
        command = [sys.executable, "-W", "ignore", str(HERE / "worker.py"), self.url, MODULES[client], task]
        environment = self.environment | ({"BENCH_JOURNAL": str(journal)} if journal else {})
        before = server.busy(self.url)
        told = subprocess.run(
            [*command, json.dumps(options)], env=environment, capture_output=True, text=True, check=False
        )
        if told.returncode:
            raise SystemExit(f"{client}, {task} {options}: {told.stderr}")
        answer: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
        if answer.get("jobs") and journal is None:
            share = (server.busy(self.url) - before) / (answer["seconds"] * answer["jobs"])
            self.busy[client] = max(share, self.busy.get(client, 0.0))
        return answer

    def those_with(self, *abilities: str) -> list[str]:
        """The clients that can do one of these."""
        return [client for client, can in self.can.items() if can & set(abilities)]


@contextmanager
def opened(counts: Counts, cache: Path) -> Iterator[Machine]:
    """A server that runs, a folder that is there, and whatever is compiled kept, until the end."""
    with (
        server.running() as url,
        timing.compiling() as environment,
        TemporaryDirectory(prefix="muapi-bench-") as folder,
    ):
        yield Machine(counts, cache, Path(folder), url, environment)


MODULES = {client.name: client.module for client in CLIENTS}


def in_rounds(rounds: int, clients: Sequence[str], measure: Callable[[str, int], T]) -> dict[str, list[T]]:
    """What each client's rounds told; each begins with the next client."""
    told: dict[str, list[T]] = {client: [] for client in clients}
    for number in range(rounds):
        turn = number % max(1, len(clients))
        for client in [*clients[turn:], *clients[:turn]]:
            told[client].append(measure(client, number))
    return told


def rows(machine: Machine) -> Iterator[Row]:
    """All of it; the stock client first, which the others need."""
    yield _regenerating(machine)
    machine.look_around()
    yield from _programs(machine)
    yield from _one_by_one(machine)
    yield from _many(machine)
    yield from _looks(machine)
    yield from _waits(machine)
    yield from _files(machine)
    yield from _memory(machine)
    yield from _checks(machine)


def _regenerating(machine: Machine) -> Row:
    def measure(client: str, _: int) -> float:
        target = machine.folder / "rendered" / "muapi_generated"
        stock = rendering.stock(rendering.DOCUMENT, machine.cache / "stock_client")
        return timing.once([*rendering.RENDER, "--output", str(target)] if client == OURS else stock)

    numbers = in_rounds(machine.counts.renderings, (OURS, "stock"), measure)
    (machine.cache / "stock_client/py.typed").touch()  # as whoever packages it would
    return Row("regenerate the package, formatted and checked", "s", numbers, {"stock": [LEAVES_OUT]})


def _programs(machine: Machine) -> Iterator[Row]:
    scripts = {client: HERE / f"scripts/with_{MODULES[client]}.py" for client in machine.can}
    heads = {client: _imports(script) for client, script in scripts.items()}
    python = [sys.executable, "-W", "ignore"]
    for client, script in scripts.items():  # compiled, and looked at once
        timing.once([*python, "-c", heads[client], machine.url], machine.environment)
        timing.once([*python, str(script), machine.url], machine.environment)
    for what, words in (
        ("import", lambda client: ["-c", heads[client]]),
        (FIRST, lambda client: [str(scripts[client])]),
    ):
        commands = {client: [*python, *words(client), machine.url] for client in scripts}
        commands |= {"": [*python, "-c", "pass"]}  # taken off the others
        numbers = in_rounds(
            machine.counts.programs,
            list(commands),
            lambda client, _, commands=commands: timing.once(commands[client], machine.environment),
        )
        empty = numbers.pop("")
        less = {client: [a - b for a, b in zip(each, empty, strict=True)] for client, each in numbers.items()}
        commanding = all(find_spec(name) for name in ("click", "rich", "pygments"))
        notes = {"httpx": [WITH_COMMAND if commanding else WITHOUT_COMMAND]}
        yield Row(what, "s", less, {**notes, "muapi-cli": [OPENS]} if what == FIRST else notes)


def _imports(script: Path) -> str:
    """What a script does before it defines its first function."""
    tree = ast.parse(script.read_text())
    first = next(
        number for number, node in enumerate(tree.body) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return ast.unparse(ast.Module(tree.body[:first], []))


def _one_by_one(machine: Machine) -> Iterator[Row]:
    counts = machine.counts
    numbers = in_rounds(
        counts.rounds,
        machine.those_with("build"),
        lambda client, _: machine.ask(client, "build", times=counts.builds)["seconds"],
    )
    yield Row("build a call, checked", "s", numbers, {"": [TAKES_DICT]})
    numbers = in_rounds(
        counts.rounds,
        machine.those_with("blocking", "awaiting"),
        lambda client, _: machine.ask(client, "one", jobs=counts.pairs)["seconds"],
    )
    yield Row("submit + look, one connection", "s", numbers, {"fal-client": [ANSWERS_STATUS], "muapi-cli": [OPENS]})


def _many(machine: Machine) -> Iterator[Row]:
    most = max(tasks for tasks in machine.counts.in_flight if tasks <= 100)
    for how, ability in (("tasks", "awaiting"), ("threads", "blocking")):
        for tasks in machine.counts.in_flight:
            told = _at_once(machine, [f"{OURS}, journal", *machine.those_with(ability)], how, tasks)
            kept = told.pop(f"{OURS}, journal")
            dashes = {"muapi-cli": [BLOCKS]} if how == "tasks" else {"aiohttp": [AWAITS]}
            notes, numbers = {client: _remarks(each) for client, each in told.items()} | dashes, _of("seconds", told)
            yield Row(f"{how}, {tasks:,} in flight", "jobs/s", numbers, notes)
            kept_row = f"{how}, {tasks:,} in flight, with a journal"
            yield Row(kept_row, "jobs/s", _of("seconds", {OURS: kept}), base=numbers[OURS])
            if tasks == most:
                yield Row(f"{how}, {tasks:,} in flight: processor time a job", "s", _of("cpu", told), notes)
                with_journal = _of("cpu", {OURS: kept})
                yield Row(
                    f"{how}, {tasks:,} in flight: the same with a journal",
                    "s",
                    with_journal,
                    base=_of("cpu", told)[OURS],
                )


def _looks(machine: Machine) -> Iterator[Row]:
    for tasks in machine.counts.looks_in_flight:
        told = _at_once(machine, machine.those_with("awaiting"), "tasks", tasks, looks=True)
        notes = {client: _remarks(each) for client, each in told.items()}
        yield Row(f"looks alone, tasks, {tasks} in flight", "looks/s", _of("seconds", told), notes)


def _at_once(
    machine: Machine, clients: Sequence[str], how: str, tasks: int, *, looks: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """What workers told of each client, in rounds; "ours, journal" is ours with one."""
    counts = machine.counts

    def measure(client: str, number: int) -> dict[str, Any]:
        name, _, with_journal = client.partition(", ")
        journal = machine.folder / f"{how}-{tasks}-{number}.db" if with_journal else None
        return machine.ask(
            name, "many", journal, how=how, looks=looks, at_once=tasks, jobs=counts.jobs, limit=counts.limit
        )

    return in_rounds(counts.rounds, clients, measure)


def _of(fact: str, told: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[float]]:
    """One fact of each round; of a client that in one of them ended no job, nothing."""
    return {
        client: [each[fact] for each in rounds]
        for client, rounds in told.items()
        if all(each["jobs"] for each in rounds)
    }


def _remarks(told: Sequence[Mapping[str, Any]]) -> list[str]:
    errors = sorted({error for each in told for error in each["failed"]})
    return [
        *([STALLED] if any(each["stalled"] for each in told) else []),
        *([FAILED.format(errors=", ".join(errors))] if errors else []),
    ]


def _waits(machine: Machine) -> Iterator[Row]:
    draw = polling.log_normal(0.25)
    durations = draw(random.Random(7), machine.counts.waits)
    told = {client: machine.ask(client, "polls", durations=durations) for client in machine.those_with("wait")}
    mine = polling.on_emulator(draw)
    looks = {OURS: [mine.looks], **{client: [each["looks"]] for client, each in told.items()}}
    late = {OURS: [mine.late], **{client: [each["late"]] for client, each in told.items()}}
    notes = {"": [VIRTUAL.format(mean=LONG)], OURS: [LEARNED]}
    yield Row("looks at a job of 300 s", "looks", looks, notes)
    yield Row("how late its end is seen", "s late", late, notes)


def _files(machine: Machine) -> Iterator[Row]:
    clients = machine.those_with("download")
    numbers = in_rounds(
        machine.counts.rounds,
        clients,
        lambda client, _: machine.ask(client, "download", mib=server.FILE_MIB)["seconds"],
    )
    notes = {client: [IN_PLACE] for client in clients if client != OURS}
    yield Row("download a file of 64 MiB", "64 MiB", numbers, {"": [BEST], **notes})


def _memory(machine: Machine) -> Iterator[Row]:
    counts, clients = machine.counts, machine.those_with("awaiting")
    for jobs, names in (
        (counts.held, clients),
        (counts.many_held, [each for each in clients if each in (OURS, "aiohttp")]),
    ):
        numbers = in_rounds(1, names, lambda client, _, jobs=jobs: machine.ask(client, "memory", jobs=jobs)["memory"])
        yield Row(f"memory, {jobs:,} jobs in flight", "MiB", numbers)


def _checks(machine: Machine) -> Iterator[Row]:
    folder = machine.folder / "scripts"
    shutil.copytree(HERE / "scripts", folder)
    (folder / "pyrightconfig.json").write_text("{}")  # no settings of a folder above
    mypy = [str(BIN / "mypy"), "--strict", "--cache-dir", os.devnull, "--config-file", os.devnull]
    pyright = [str(BIN / "pyright"), "--pythonpath", sys.executable]
    for what, command, passing in (("mypy --strict, cold", mypy, (0, 1)), ("pyright", pyright, (0,))):
        timing.once([*command, "--version"], machine.environment)  # compiled, and pyright unpacked
        numbers = in_rounds(
            machine.counts.checks,
            list(machine.can)[: machine.counts.checked],
            lambda client, _, command=command, passing=passing: timing.once(
                [*command, f"with_{MODULES[client]}.py"], machine.environment, folder=folder, passing=passing
            ),
        )
        yield Row(f"type-check a script of 20 lines: {what}", "s", numbers, {"muapi-cli": [UNTYPED]})


def versions() -> str:
    """Python's, and those of what was measured and of what measured."""
    names = [client.package for client in CLIENTS] + ["httpcore", "anyio", "uvloop", "mypy", "pyright", "ruff"]
    told = [f"Python {sys.version.split()[0]}"]
    for name in names:
        try:
            told.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            told.append(f"{name} not installed")
    return ", ".join(told)


def is_quick_server() -> bool:
    """Whether the server has its compiled event loop."""
    return find_spec("uvloop") is not None
