"""The number: jobs lost, accepted twice and wrongly summed under faults and kills. ``python tests/faults/run.py``.

Lives here: running the programs and killing them. Does not live here: the server (``server``), the program that is
killed (``driver``), the counting (``books``). Prints the seed and a table in Markdown; exits with 1 where a count is
not zero.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager, nullcontext, suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parent))

from books import ENDED, PERHAPS, Count, Known, count

HERE: Final = Path(__file__).parent
PEERS: Final = {"fal-client": "peer_fal.py", "muapi-cli": "peer_muapi_cli.py"}
HELD: Final = 0.5  # seconds another program holds the journal's lock
PATIENCE: Final = 300.0  # seconds a program may take; one that hangs is a failure, not a wait


def say(text: str) -> None:
    """Speak on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Server:
    """The fault server, in its own process."""

    def __init__(self, seed: int, rate: float) -> None:
        command = [sys.executable, str(HERE / "server.py"), "--seed", str(seed), "--rate", str(rate)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url: str = self._read()["url"]

    def ask(self, **command: Any) -> dict[str, Any]:
        """Give a command; answers what the server tells of itself."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


def ours(kind: str, options: argparse.Namespace, folder: Path, *, maps: bool = False) -> Count:
    """Run one kind of our client through its half of the jobs and kills; then count.

    Args:
        maps: Whether all of it is one run of ``map``, begun again after each kill.
    """
    jobs, kills = options.jobs // 2, options.kills // 2
    folder.mkdir()
    (folder / "wanted").write_text("\n".join(f"{kind}-{number}" for number in range(jobs)))
    server = Server(options.seed, options.rate)
    try:
        dice = random.Random(f"{options.seed} kills {kind}")
        command = [sys.executable, str(HERE / "driver.py"), kind, server.url, str(folder)]
        command += ["--map"] if maps else []
        odd = [*command, "--edges", str(options.seed)] if options.edges and not maps else command
        signals = [signal.SIGKILL, signal.SIGTERM] if options.edges else [signal.SIGKILL]
        with _locked_at_times(folder / "journal.db", dice) if options.edges else nullcontext():
            for posts in sorted(dice.randrange(jobs) for _ in range(kills)):
                _killed(odd, server, posts, dice.uniform(0.0, 0.05), dice.choice(signals))
            _finish(odd)
        server.ask(rate=0.0)  # the storm is over: what was accepted ends, what was never sent is wanted again
        left = _never_sent(folder)
        with (folder / "begun").open("w") as begun:
            begun.writelines(f"{marker}\n" for marker in (folder / "wanted").read_text().split() if marker not in left)
        _finish(command)
        report = server.ask(report=True)
        result = _count(kind, report, _journal(folder), folder, options)
        if maps:
            _compare_outcomes(kind, folder, result)
        return result
    finally:
        server.stop()


def remembering(kind: str, options: argparse.Namespace, folder: Path, max_spend: Decimal | None = None) -> Count:
    """Run a client without a journal, interrupted but never killed, through a tenth of the jobs; then count.

    Args:
        max_spend: USD; with it all are jobs that nobody can price, and most have to be refused.
    """
    jobs = options.jobs // 20
    folder.mkdir()
    (folder / "wanted").write_text("\n".join(f"{kind}-{number}" for number in range(jobs)))
    server = Server(options.seed, options.rate)
    try:
        command = [sys.executable, str(HERE / "driver.py"), kind, server.url, str(folder), "--bare"]
        command += ["--edges", str(options.seed)] if max_spend is None else ["--max-spend", str(max_spend)]
        _finish(command)
        report = server.ask(report=True)
    finally:
        server.stop()
    told = [Known(line["marker"], line["state"], line["id"], line["micro_usd"]) for line in _told(folder)]
    result = count(report["jobs"], sorted(told, key=lambda known: known.state not in ENDED), jobs=jobs)
    result.faults = sum(report["struck"].values())
    charged = sum(job["net"] for job in report["jobs"])
    if max_spend is not None and charged > max_spend * 10**6:
        result.wrong_sums += 1
        result.troubles.append(f"{kind}: {charged} micro-dollars were charged under max_spend={max_spend}")
    return result


def _finish(command: list[str]) -> None:
    """Run the program to its end.

    Raises:
        RuntimeError: It failed, or hung; then it has told where on standard error.
    """
    with subprocess.Popen(command) as program:
        try:
            program.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGABRT)
    if program.returncode:
        raise RuntimeError(f"{command} ended with {program.returncode}")


@contextmanager
def _locked_at_times(journal: Path, dice: random.Random) -> Iterator[None]:
    """Let another program hold the journal's lock now and then, for longer than a write waits."""
    over = threading.Event()

    def hold() -> None:
        while not over.wait(dice.uniform(0.5, 1.5)):
            if not journal.exists():
                continue
            database = sqlite3.connect(journal, timeout=5.0, isolation_level=None)
            with closing(database), suppress(sqlite3.OperationalError):
                database.execute("BEGIN IMMEDIATE")
                over.wait(HELD)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        yield
    finally:
        over.set()
        holder.join()


def _killed(command: list[str], server: Server, posts: int, delay: float, how: signal.Signals) -> None:
    """Start the program and end it some moment after the server has read so many submits."""
    with subprocess.Popen(command) as program:
        ends = time.monotonic() + PATIENCE
        while server.ask()["posts"] < posts and program.poll() is None and time.monotonic() < ends:
            time.sleep(0.01)
        time.sleep(delay)
        if program.poll():
            raise RuntimeError(f"{command} ended by itself with {program.returncode}")
        program.send_signal(how)
        try:
            program.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGABRT)
            raise


def _told(folder: Path) -> list[dict[str, Any]]:
    """The program's notes; the last line of a killed one may be cut."""
    lines = (folder / "told").read_text().splitlines() if (folder / "told").exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def _journal(folder: Path) -> list[Known]:
    """What the journal says, read by a second reader that trusts the client with nothing."""
    database = sqlite3.connect(folder / "journal.db")
    rows = database.execute("SELECT state, request_id, call, cost FROM job").fetchall()
    database.close()
    return [
        Known(json.loads(call)["body"]["prompt"], state, request_id, _micro(cost))
        for state, request_id, call, cost in rows
    ]


def _micro(cost: str | None) -> int | None:
    if cost is None:
        return None
    told = json.loads(cost)
    whole, _, part = str(told["amount_usd"]).partition(".")
    return 0 if told["refunded"] else int(whole) * 10**6 + int(part.ljust(6, "0"))


def _never_sent(folder: Path) -> set[str]:
    """What the journal does not hold: refused, not sent, or not yet intended when the program was killed."""
    known = {one.marker for one in _journal(folder)}
    return {marker for marker in (folder / "wanted").read_text().split() if marker not in known}


def _count(kind: str, report: dict[str, Any], known: list[Known], folder: Path, options: argparse.Namespace) -> Count:
    result = count(report["jobs"], known, jobs=options.jobs // 2)
    result.faults = sum(report["struck"].values())
    say(f"{kind}: {len(report['struck'])} kinds of fault struck, {result.accepted} jobs accepted")
    _compare_told(known, folder, result, edges=options.edges)
    _compare_spend(kind, folder, result, edges=options.edges)
    if result.unfinished:
        result.troubles.append(f"{kind}: {result.unfinished} jobs were accepted and their end never learnt")
    if report["elsewhere"]:
        result.troubles.append(f"{report['elsewhere']} requests followed a redirect to another origin")
    if left := _never_sent(folder):
        result.troubles.append(f"{kind}: {len(left)} jobs were never tried to the end")
    return result


def _compare_told(known: list[Known], folder: Path, result: Count, *, edges: bool) -> None:
    """Hold the program's notes against the journal, which may lag behind only where it was locked."""
    journal = {one.id: one for one in known}
    behind = PERHAPS | {"accepted"} if edges else frozenset()
    for line in _told(folder):
        if line["state"] not in ENDED or not line["id"]:
            continue
        one = journal.get(line["id"])
        if one is None and edges and any(other.marker == line["marker"] and other.state in behind for other in known):
            continue
        if one is None or (
            one.state not in behind and (one.state, one.micro_usd) != (line["state"], line["micro_usd"])
        ):
            result.wrong_sums += 1
            result.troubles.append(f"the program was told {line}, the journal says {one}")


def _compare_outcomes(kind: str, folder: Path, result: Count) -> None:
    """Make sure that the last run of a map told of every call that it ended, or may have been charged."""
    wanted = (folder / "wanted").read_text().split()
    states = {line["marker"]: line["state"] for line in _told(folder)[-len(wanted) :]}
    if left := [marker for marker in wanted if states.get(marker) not in ENDED | PERHAPS]:
        result.wrong_ends += len(left)
        result.troubles.append(f"{kind}: of {left[0]} and {len(left) - 1} more the map told {states.get(left[0])}")


def _compare_spend(kind: str, folder: Path, result: Count, *, edges: bool) -> None:
    """Hold what a client says it spent against what the program was told, which is less where it was interrupted."""
    for line in (folder / "closed").read_text().splitlines():
        told = json.loads(line)
        spent = _micro(json.dumps({"amount_usd": told["spent"], "refunded": False}))
        assert spent is not None
        if spent < told["micro_usd"] or (spent != told["micro_usd"] and not edges):
            result.wrong_sums += 1
            sums = f"mu.spend says {told['spent']} USD, its jobs {told['micro_usd']} micro-dollars"
            result.troubles.append(f"{kind}: {sums}")


def version(name: str, options: argparse.Namespace) -> str:
    """The version of a peer, or nothing where it is not installed."""
    program = f"import importlib.metadata as m; print(m.version({name!r}))"
    return subprocess.run([options.peers, "-c", program], check=False, capture_output=True, text=True).stdout.strip()


def peer(name: str, options: argparse.Namespace, folder: Path) -> Count:
    """Count a peer under the same faults, unkilled."""
    folder.mkdir()
    jobs = options.peer_jobs
    (folder / "wanted").write_text("\n".join(f"peer-{number}" for number in range(jobs)))
    server = Server(options.seed, options.rate)
    try:
        environment = {**os.environ, "MUAPI_BASE_URL": f"{server.url}/api/v1", "MUAPI_API_KEY": "k", "FAL_KEY": "k:s"}
        command = [options.peers, str(HERE / PEERS[name]), *([server.url] if name == "fal-client" else []), str(folder)]
        subprocess.run(command, check=True, env=environment, timeout=PATIENCE, stderr=subprocess.DEVNULL)
        report = server.ask(report=True)
    finally:
        server.stop()
    known = [Known(line["marker"], line["state"], line["id"]) for line in _told(folder)]
    result = count(report["jobs"], known, jobs=jobs, priced=False)
    result.faults = sum(report["struck"].values())
    return result


def table(rows: dict[str, Count | None]) -> str:
    """The counts, in Markdown."""
    heads = [
        ("jobs", "jobs"),
        ("faults met", "faults"),
        ("accepted", "accepted"),
        ("accepted twice", "twice"),
        ("lost", "lost"),
        ("told as perhaps charged", "perhaps"),
        ("of these charged", "perhaps_charged"),
        ("end never learnt", "unfinished"),
        ("wrong end", "wrong_ends"),
        ("wrong sum", "wrong_sums"),
    ]
    lines = ["| client | " + " | ".join(head for head, _ in heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for name, row in rows.items():
        cells = [f"{getattr(row, field):,}" if row else "not installed" for _, field in heads]
        if row and not row.true_micro_usd:
            cells[-1] = "tells none"
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    """Run everything; 0 where every count of ours is zero."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000, help="of our client, half in threads, half in asyncio")
    parser.add_argument("--kills", type=int, default=50, help="of its program, half of each kind")
    parser.add_argument("--rate", type=float, default=0.2, help="of requests that meet a fault")
    parser.add_argument("--edges", action="store_true", help="interrupts, SIGTERM, locks, odd clocks, limits besides")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--peer-jobs", type=int, help="of each peer, by default a twentieth of ours; 0: none")
    parser.add_argument("--peers", default=sys.executable, help="a Python that has the peers installed")
    options = parser.parse_args()
    options.peer_jobs = options.jobs // 20 if options.peer_jobs is None else options.peer_jobs
    say(f"seed {options.seed}, {options.rate:.0%} faults, {options.kills} kills")
    rows: dict[str, Count | None] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, name in (("sync", "muapi-client, threads"), ("async", "muapi-client, asyncio")):
            began = time.monotonic()
            rows[name] = ours(kind, options, Path(folder) / kind)
            say(f"{name}: {time.monotonic() - began:.0f} s")
            began = time.monotonic()
            rows[f"map, {name.partition(', ')[2]}"] = ours(kind, options, Path(folder) / f"{kind}-map", maps=True)
            say(f"map, {name}: {time.monotonic() - began:.0f} s")
        if options.edges:
            for kind, name in (("sync", "threads"), ("async", "asyncio")):
                rows[f"without a journal, {name}"] = remembering(kind, options, Path(folder) / f"{kind}-bare")
                most = Decimal(max(10, options.jobs // 200))
                limited = remembering(kind, options, Path(folder) / f"{kind}-limited", most)
                rows[f"max_spend={most}, {name}"] = limited
        mine = [row for row in rows.values() if row]
        for name in PEERS if options.peer_jobs else ():
            began = time.monotonic()
            which = version(name, options)
            rows[f"{name} {which}".strip()] = peer(name, options, Path(folder) / name) if which else None
            say(f"{name}: {time.monotonic() - began:.0f} s")
    say(f"\n{table(rows)}\n")
    charged = sum(row.true_micro_usd for row in mine)
    say(f"sum of what our client knows the cost of: {sum(r.sum_micro_usd for r in mine)} micro-dollars of {charged}")
    for trouble in [sentence for row in mine for sentence in row.troubles][:20]:
        say(trouble)
    return 0 if not any(row.troubles for row in mine) else 1


if __name__ == "__main__":
    sys.exit(main())
