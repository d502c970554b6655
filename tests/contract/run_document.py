"""Every operation of the document, called by schemathesis over HTTP: ``nox -s contract [-- --long]``.

Lives here: the emulator that is called, and the call. Does not live here: what answers must look like (``described``).
Exits with 1 where an answer is a 5xx, has an undeclared status or shape, or a request without a working key is let in.

The ordinary run takes the document's examples and a few drawn bodies for each operation, fitting and broken ones;
``--long`` adds every boundary of every field and more bodies: 80,000 requests, which take half an hour and more.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "generator_templates"))

from attrs import define, field
from described import described

from muapi_client.emulator import Emulator, LogEntry, Request
from muapi_client.emulator._messages.messages import Refusal
from muapi_client.emulator._spec.operations import read_operations
from muapi_client.pinning import pinned
from rules.corrections import apply_fitting_actions, check_misses, read_actions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from muapi_client.emulator import Delivery

CORRECTIONS: Final = Path(__file__).parents[2] / "spec" / "corrections.yaml"
KEY: Final = "sk-live"
OTHER_KEYS: Final = 300  # made before: nobody who tries small numbers deletes the key of this run
PROGRAM: Final = str(Path(sys.executable).with_name("st"))
DOCUMENT: Final = "openapi.json"
# A body that fits may still be refused for what the account holds or has done, and for nothing else.
SETTINGS: Final = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", "400", "401", "402", "403", "404"]
"""
CHECKS: Final = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "positive_data_acceptance", "negative_data_rejection", "ignored_auth",
    "unsupported_method", "allow_header_conformance",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """All of it."""
    parser = argparse.ArgumentParser(description="Call every operation of the document and judge the answers.")
    parser.add_argument("--long", action="store_true", help="every boundary of every field, and more bodies")
    parser.add_argument("--seed", type=int, default=1, help="what bodies are drawn from (default 1)")
    parser.add_argument("--only", metavar="REGEX", help="the operations whose path this matches")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    others = [f"sk-other-{number}" for number in range(OTHER_KEYS)]
    # By the document's types alone: what FastAPI reads besides is no fault, and schemathesis knows only the document.
    emulator = Emulator(live_keys=[*others, KEY], balance=10**12, job_seconds=0, strict_types=True)
    document = _document(emulator)
    wanted = set(_operations(document, options.only))
    seen = Tally()
    with emulator.serve(log=seen.note) as url, tempfile.TemporaryDirectory() as folder:
        Path(folder, DOCUMENT).write_text(json.dumps(document))
        Path(folder, "schemathesis.toml").write_text(SETTINGS)
        command = _command(str(url), options)
        code = subprocess.run(command, env={**os.environ, "NO_PROXY": "*"}, cwd=folder, check=False).returncode
    missed = sorted(wanted - seen.operations)
    sys.stdout.write(f"\n{seen}; {emulator.accepted} jobs accepted; {time.monotonic() - began:.0f} s\n")
    sys.stdout.writelines(f"NEVER CALLED: {method} {path}\n" for method, path in missed)
    return 1 if code or missed or not wanted else 0


@define
class Tally:
    """What was called, and what came of it."""

    operations: set[tuple[str, str]] = field(factory=set, init=False)
    _statuses: Counter[int | None] = field(factory=Counter, init=False)

    def note(self, entry: LogEntry | Delivery) -> None:
        """Count a request."""
        if not isinstance(entry, LogEntry):
            return
        self._statuses[entry.status] += 1
        with contextlib.suppress(Refusal):  # no operation: another method was tried on purpose
            operation, _ = read_operations().find(entry.method, entry.path)
            self.operations.add((operation.method, operation.path))

    def __str__(self) -> str:
        answers = ", ".join(f"{count} x {status}" for status, count in sorted(self._statuses.items(), key=str))
        return f"{len(self.operations)} operations called: {answers}"


def _operations(document: dict[str, Any], only: str | None) -> Iterator[tuple[str, str]]:
    for path, item in document["paths"].items():
        if only is None or re.search(only, path):
            for method in item:
                yield method.upper(), path


def _document(emulator: Emulator) -> dict[str, Any]:
    published = pinned().document
    corrections = read_actions(CORRECTIONS.read_text(encoding="utf-8"))
    job = _ask(emulator, "flux-dev-image", {"prompt": "a fox"})["request_id"]
    other = _ask(emulator, "flux-dev-image", {"prompt": "a fox"})["request_id"]
    key = _ask(emulator, "keys", {"name": "to delete"})["id"]
    examples = {
        "/api/v1/predictions/{id}/result": {"id": job},
        "/api/v1/predictions/{id}/media": {"id": other},
        "/api/v1/keys/{key_id}": {"key_id": key},
        "/api/v1/models/{name}": {"name": "flux-dev"},
        "/api/v1/models/{name}/estimate-cost": {"name": "flux-dev"},
    }
    corrected, misses = apply_fitting_actions(published, corrections)
    check_misses(misses)
    return described(published, corrected, examples)


def _ask(emulator: Emulator, slug: str, body: Any) -> Any:
    headers = {"x-api-key": KEY}
    answer = emulator.handle(Request("POST", f"/api/v1/{slug}", headers=headers, body=json.dumps(body).encode()))
    return json.loads(answer.body)


def _command(url: str, options: argparse.Namespace) -> list[str]:
    phases, examples = ("examples,coverage,fuzzing", 20) if options.long else ("examples,fuzzing", 4)
    # One worker: two race in CPython 3.11 ("AST constructor recursion depth mismatch"), or leave an operation out in
    # silence.
    command = [
        PROGRAM, "run", DOCUMENT, "--url", url, "--header", f"x-api-key: {KEY}", "--workers", "1",
        "--phases", phases, "--max-examples", str(examples), "--seed", str(options.seed), "--no-shrink",
        "--checks", ",".join(CHECKS), "--generation-database", "none", "--suppress-health-check", "all",
        "--warnings", "off", "--continue-on-failure",
    ]  # fmt: skip
    return [*command, "--include-path-regex", options.only] if options.only else command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
