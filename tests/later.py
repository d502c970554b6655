"""The suite on documents as MuAPI may serve them next: ``python tests/later.py [--documents 10] [--seed 1] [tests]``.

Each document is pinned in a copy of this checkout with a price list of its time, as a team would pin it, and rendered,
and the whole suite, or what follows the options, runs there. Prints a line a document, and the tests that are red;
exits with 1 if there were any.

Lives here: the copy, and the round. Does not live here: what a later document is (``diff/mutator``), how tests choose
models of one they do not know (``by_kind``).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shutil import copy2, rmtree

sys.path.append(str(Path(__file__).with_name("diff")))  # scripts side by side, no packages

import mutator

ROOT = Path(__file__).resolve().parents[1]
PINNED = json.loads((ROOT / "spec/openapi.json").read_text(encoding="utf-8"))
PRICES = json.loads((ROOT / "spec/models.json").read_text(encoding="utf-8"))
SUFFIXES = {".md", ".py", ".yaml", ".yml"}
SHOWN = 2000  # characters of what a command printed that failed


def say(text: str) -> None:
    """Speak on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def list_files() -> list[str]:
    """The files of the checkout, those not yet committed among them."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def find_known_paths(names: list[str]) -> set[str]:
    """The models whose slugs stand in hand-written files: nothing may depend on their staying."""
    written = [name for name in names if Path(name).suffix in SUFFIXES and not name.startswith("generated/")]
    texts = [(ROOT / name).read_text("utf-8", errors="replace") for name in written]
    words = {word for text in texts for word in re.findall(r"[\w./-]+", text)}
    return {path for path in PINNED["paths"] if path.removeprefix("/api/v1/") in words}


def make_copy(folder: Path, names: list[str]) -> None:
    """Copy the checkout anew."""
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy2(ROOT / name, target)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy, with the copy's packages."""
    packages = os.pathsep.join(str(folder / name) for name in ("overlay", "generated"))
    return subprocess.run(
        (sys.executable, *words),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": packages},
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def try_document(folder: Path, document: Path, prices: Path, words: list[str]) -> tuple[bool, str]:
    """Pin a document in the copy, render it, and run the suite; answer whether all was well, and what to say of it."""
    steps = (
        ("-m", "muapi_client.pinning", "fetch", "--source", str(document), "--models", str(prices)),
        ("generator_templates/render.py", "generate"),
        ("-m", "pytest", "-q", "-p", "no:cacheprovider", *words),
    )
    said = []
    for step in steps:
        started = time.monotonic()
        done = run(folder, *step)
        lines = done.stdout.strip().splitlines() or [""]
        said.append(f"{lines[-1].strip('= ')} ({time.monotonic() - started:.0f} s)")
        if done.returncode:
            red = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
            return False, "\n".join([*said, *(red or [done.stdout[-SHOWN:]])])
    return True, "; ".join(said)


def main() -> int:
    """Run the suite on every document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=10, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first; the next ones follow (%(default)s)")
    options, words = parser.parse_known_args()
    names = list_files()
    known = find_known_paths(names)
    red = 0
    with tempfile.TemporaryDirectory(prefix="muapi-later-") as temporary:
        folder, document, prices = (Path(temporary, name) for name in ("checkout", "later.json", "prices.json"))
        for seed in range(options.seed, options.seed + options.documents):
            rmtree(folder, ignore_errors=True)
            make_copy(folder, names)
            document.write_text(json.dumps(mutator.plausible(PINNED, seed, known)), encoding="utf-8")
            prices.write_text(json.dumps(mutator.reprice(PRICES, seed)), encoding="utf-8")
            is_well, text = try_document(folder, document, prices, words or ["-n", "auto"])
            red += not is_well
            say(f"seed {seed}: {'green' if is_well else 'RED'}: {text}")
    say(f"{options.documents - red} of {options.documents} documents are green.")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
