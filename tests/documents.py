"""Documents of other APIs, rendered as they come: ``python tests/documents.py DIR [--demand 14] [--keep FOLDER]``.

Each OpenAPI document of the folder goes through ``spec build --leave-out --scope /``. Prints a line a document: how
much of it was rendered, what was left out and why, how long it took, whether every module imports and ``mypy --strict``
takes the package, and whether the exit codes were right. Exits with 1 if fewer pass than are demanded, with 2 if there
are no documents.

Lives here: what a document has to pass, and where to get the ones we count. Does not live here: documents (none of
another project's text is in this repository), what can be rendered (``golden``).
"""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

HOW_TO_GET_THEM: Final = """\
Give a folder of OpenAPI documents (.json, .yaml, .yml): nox -s documents -- DIR. Those that we count are, by project:
  apache/airflow-client-python   spec/v2.yaml
  PrefectHQ/prefect              docs/v3/api-ref/rest-api/server/schema.json
  langfuse/langfuse              web/public/generated/api/openapi.yml
  qdrant/qdrant                  docs/redoc/master/openapi.json
  box/box-openapi                openapi.json
  box/box-openapi                openapi/openapi-v2025.0.json
  Asana/openapi                  defs/asana_oas.yaml
  usememos/memos                 proto/gen/openapi.yaml
  Comfy-Org/docs                 openapi-cloud.yaml
  Comfy-Org/docs                 openapi-v2.yaml
  Stability AI                   the document offered at https://platform.stability.ai/docs/api-reference
  twilio/twilio-oai              spec/json/twilio_api_v2010.json
  twilio/twilio-oai              spec/json/twilio_messaging_v1.json
  openai/openai-openapi          openapi.yaml
  octo-cli/octo-cli              api.github.com.json (a part of GitHub's)
  openapi-generators/openapi-python-client   end_to_end_tests/baseline_openapi_3.0.json
  openapi-generators/openapi-python-client   end_to_end_tests/baseline_openapi_3.1.yaml
A clone with --depth 1 has it, as has https://raw.githubusercontent.com/PROJECT/HEAD/FILE; name the copies apart."""
SUFFIXES: Final = {".json", ".yaml", ".yml"}
DEMANDED, COUNTED = 14, 17
LEFT_OUT_AT_MOST: Final = 0.02  # of a document's operations
METHODS: Final = {"delete", "get", "head", "options", "patch", "post", "put", "trace"}
LIMIT: Final = 1800  # seconds for one command: the largest document takes a tenth of that
PROBE: Final = """\
import importlib, json, pkgutil, sys
package = importlib.import_module(sys.argv[1])
modules, broken = 1, []
for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=lambda name: None):
    modules += 1
    try:
        importlib.import_module(module.name)
    except Exception as fault:
        broken.append(f"{module.name}: {fault!r}")
spec = package.SPEC
print(json.dumps({"modules": modules, "broken": broken, "operations": spec.operations, "left_out": spec.left_out}))
"""


@dataclass(frozen=True)
class Verdict:
    """What became of a document: a line, and why it does not pass, if it does not."""

    line: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.line}: {'; '.join(self.faults) if self.faults else 'ok'}"


def say(text: str) -> None:
    """Speak on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(*words: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python; one that does not end in time has no exit code of a program's."""
    command = [sys.executable, *map(str, words)]
    try:
        return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, -1, "", f"no end in {LIMIT} s")


def try_document(document: Path, package: Path) -> Verdict:
    """Render a document, and look at what came out."""
    started = time.monotonic()
    built = build(document, package, "--leave-out")
    seconds = f"{time.monotonic() - started:.1f} s"
    if built.returncode or not package.is_dir():
        *_, told = [*built.stderr.strip().splitlines(), *built.stdout.strip().splitlines()] or ["nothing told"]
        return Verdict(
            f"{document.name}: not rendered, {seconds}", (told[:300], *find_wrong_refusals(built, package, []))
        )
    found = import_all(package)
    if isinstance(found, str):
        return Verdict(f"{document.name}: rendered, {seconds}", (f"does not import: {found}",))
    left_out = dict(found["left_out"])
    rendered, every = found["operations"], found["operations"] + len(left_out)
    share = len(left_out) / every
    faults = find_untold(built.stdout, rendered, every, list(left_out))
    has = count_operations(document)
    faults += [f"the document has {has} operations"] if has != every else []
    if left_out:
        bare = package.with_name(f"{package.name}_whole")
        faults += find_wrong_refusals(build(document, bare), bare, list(left_out))
    faults += [f"more than {LEFT_OUT_AT_MOST:.0%} left out"] if share > LEFT_OUT_AT_MOST else []
    faults += [f"{len(found['broken'])} modules do not import: {found['broken'][0]}"] if found["broken"] else []
    complaints = check_types(package)
    faults += [f"mypy --strict has {len(complaints)} errors: {complaints[0]}"] if complaints else []
    words = [
        f"{rendered} of {every} operations",
        f"{share:.1%} left out{count_reasons(left_out)}",
        seconds,
        f"{found['modules'] - len(found['broken'])} of {found['modules']} modules import",
        f"mypy --strict {'complains' if complaints else 'clean'}",
    ]
    return Verdict(f"{document.name}: {', '.join(words)}", tuple(faults))


def build(document: Path, package: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Render a document as a user does."""
    words = ("spec", "build", "--source", document, "--output", package, "--scope", "/", *options)
    return run("-m", "muapi_client.cli", *words)


def count_operations(document: Path) -> int:
    """Count the operations of a document with a reader of our own, which nothing that is tried has a part in."""
    whole = json.loads(document.read_text("utf-8")) if document.suffix == ".json" else YAML(typ="safe").load(document)
    items = [item for path, item in whole["paths"].items() if not path.startswith("x-")]
    found = [
        whole["components"]["pathItems"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in items
    ]
    return sum(len(METHODS & item.keys()) for item in found)


def find_untold(output: str, rendered: int, every: int, left_out: list[str]) -> list[str]:
    """Find what a build did not say of what it did."""
    told = [line for line in output.splitlines() if line.startswith("Left out: ")]
    faults = [f"{one} is left out without a word" for one in left_out if not any(one in line for line in told)]
    if f"{rendered} of {every} operations" not in output:
        faults.append(f"{rendered} of {every} operations are in the package, and the output says otherwise")
    return faults


def find_wrong_refusals(done: subprocess.CompletedProcess[str], package: Path, named: list[str]) -> list[str]:
    """Find what is wrong with a refusal: it has the exit code 1, wrote nothing and names each operation it is about."""
    output = done.stdout + done.stderr
    faults = [] if done.returncode == 1 else [f"a refusal has the exit code {done.returncode}"]
    faults += ["a refusal has written a package"] if package.exists() else []
    faults += ["a refusal is a traceback"] if "Traceback (most recent call last)" in output else []
    return faults + [f"a refusal does not name {one}" for one in named if one not in output]


def import_all(package: Path) -> dict[str, Any] | str:
    """Import every module of a package in a process of its own; what it found, or why even the package does not."""
    done = run("-c", PROBE, package.name, folder=package.parent)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no word"])[-1]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def check_types(package: Path) -> list[str]:
    """Run ``mypy --strict`` over a package, with no settings but its own; its errors."""
    cache = package.parent / ".mypy_cache"  # what all of them import is looked at once
    options = ("--strict", "--config-file=", "--no-error-summary", "--hide-error-context", f"--cache-dir={cache}")
    done = run("-m", "mypy", *options, package.name, folder=package.parent)
    complaints = (done.stdout + done.stderr).strip().splitlines()
    return [line for line in complaints if ": note: " not in line] or (["mypy failed"] if done.returncode else [])


def count_reasons(left_out: dict[str, str]) -> str:
    """Count the reasons by kind, which is the sentence without its names."""
    kinds = Counter(_kind(reason) for reason in left_out.values())
    return f" ({'; '.join(f'{number} x {kind}' for kind, number in kinds.most_common())})" if kinds else ""


def _kind(reason: str) -> str:
    bare = re.sub(r"^[A-Z]+ /\S*:? ", "", reason)
    return re.sub(r" *\([^()]*\)", "", re.sub(r"'[^']*'", "'…'", bare)).rstrip(".")


def list_documents(folder: Path) -> list[Path]:
    """The documents of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())


def demand(number: int, wanted: int | None) -> int:
    """How many of so many documents have to pass: of fewer than the counted the same share, rounded up."""
    return min(number, DEMANDED if number >= COUNTED else math.ceil(number * DEMANDED / COUNTED), wanted or number)


def main() -> int:
    """Try every document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR")
    parser.add_argument("--demand", type=int, metavar="N", help="how many have to pass (14 of 17, of fewer as many)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the packages are built, and stay")
    options = parser.parse_args()
    documents = list_documents(options.folder) if options.folder and options.folder.is_dir() else []
    if not documents:
        say(f"There are no documents in {options.folder}." if options.folder else "There is no folder of documents.")
        say(HOW_TO_GET_THEM)
        return 2
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    passed = 0
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory(prefix="muapi-documents-") as place:
        for number, document in enumerate(documents, 1):
            name = f"document_{number}_{re.sub(r'[^0-9A-Za-z]', '_', document.stem)}"  # no name of another package's
            verdict = try_document(document.resolve(), Path(place).resolve() / name)
            passed += not verdict.faults
            say(str(verdict))
    demanded = demand(len(documents), options.demand)
    say(f"{passed} of {len(documents)} documents pass; {demanded} are demanded ({DEMANDED} of the {COUNTED} we count).")
    return int(passed < demanded)


if __name__ == "__main__":
    sys.exit(main())
