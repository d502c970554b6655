"""The number: what forks at random moments of a working client hang, lose or double. ``python tests/forks/sweep.py``.

Lives here: the server, its books, and the count over many lives. Does not live here: a life (``life``). Prints the seed
and a table in Markdown; exits with 1 where a count is not zero.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

sys.path.append(str(Path(__file__).parents[1]))  # scripts side by side, no packages

from by_kind import list_functions

from muapi_client.emulator import Emulator

ENVIRONMENT: Final = {**os.environ, "MODELS_BY_KIND": json.dumps(list_functions())}
LIFE: Final = Path(__file__).with_name("life.py")
FORKS: Final = 10  # of one life; the first of them fall into its first imports
PATIENCE: Final = 300.0  # seconds for a life
USED: Final = 2  # a child's exit code: its job came home, over a connection of its parent's
ROWS: Final = ("hangs", "lost jobs", "doubled jobs", "failed children", "sockets of the parent used")


@dataclass
class Life:
    """One life, as its program tells it and as its server saw it."""

    seed: int
    told: dict[str, Any] = field(default_factory=dict)
    stuck: str = ""
    accepted: Counter[str] = field(default_factory=Counter)  # how often each prompt was


def live(seed: int) -> Life:
    """Run one life against a server of its own."""
    memory, life = Path("/dev/shm"), Life(seed)
    emulator = Emulator(balance=1_000_000)
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        emulator.serve(speed=600) as url,
    ):
        command = [sys.executable, "-W", "ignore", str(LIFE), url, folder, str(seed), str(FORKS)]
        try:
            ended = subprocess.run(
                command, env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
            life.told = json.loads(ended.stdout)
            life.told["words"]["standard error"] = ended.stderr[-2000:]
        except subprocess.TimeoutExpired:
            life.stuck = f"it did not end in {PATIENCE:g} s"
        except ValueError:
            life.stuck = f"it ended with {ended.returncode}: {ended.stderr[-2000:]}"
    requests = [each.request for each in emulator.requests if each.status == HTTPStatus.OK and each.request.body]
    bodies = [json.loads(request.body) for request in requests if request.body.startswith(b"{")]
    life.accepted.update(body["prompt"] for body in bodies if "prompt" in body)
    return life


def judge(life: Life) -> Counter[str]:
    """What went wrong in a life."""
    if life.stuck:
        return Counter({"hangs": 1})
    told, codes = life.told, life.told["children"]
    home = {*told["home"], *(name for name, code in codes.items() if code in (0, USED))}
    names = {*told["begun"], *codes}
    wrong = Counter(
        {
            "hangs": told["hanging"] + sum(code is None for code in codes.values()),
            "failed children": sum(code not in (0, USED, None) for code in codes.values()),
            "sockets of the parent used": sum(code == USED for code in codes.values()),
            "lost jobs": len(names - home) + len(told["unknown"]) + len(told["unfinished"]),
            "doubled jobs": sum(life.accepted[name] > 1 for name in names),
        }
    )
    wrong["lost jobs"] += sum(not life.accepted[name] for name in home)
    return +wrong


def describe(life: Life) -> str:
    """The words that tell what went wrong."""
    told = life.told
    words = [told[name] for name in ("wrong", "unknown", "unfinished")] if told else []
    return "\n".join([life.stuck, *(word for each in words for word in each), *told.get("words", {}).values()])


def say(text: str) -> None:
    """Speak on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Count; 0 where every count is zero."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--forks", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--processes", type=int, default=2, help="lives at a time")
    options = parser.parse_args()
    say(f"seed {options.seed}, Python {sys.version.split()[0]}")
    began = time.monotonic()
    dice = random.Random(options.seed)
    seeds = [dice.randrange(2**40) for _ in range(-(-options.forks // FORKS))]
    total: Counter[str] = Counter()
    jobs = children = 0
    with ThreadPoolExecutor(options.processes) as pool:
        for number, life in enumerate(pool.map(live, seeds), 1):
            wrong = judge(life)
            total += wrong
            jobs += len(life.told.get("home", ()))
            children += len(life.told.get("children", ()))
            if wrong or number % 10 == 0:
                say(f"{time.monotonic() - began:5.0f} s  {number} lives, {children} forks, {jobs} jobs of parents")
            if wrong:
                say(f"life {life.seed}: {dict(wrong)}\n{describe(life)}")
    say(f"\n| {children} forks, beside {jobs} jobs of their parents | |\n|---|---|")
    for row in ROWS:
        say(f"| {row} | {total[row]} |")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
