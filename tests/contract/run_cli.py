"""muapi-cli against the emulator, command by command: ``nox -s cli_contract [-- WORD ...]``.

Lives here: carrying out the table and printing it. Does not live here: the table (``commands``), the program
(``official``). Exits with 1 where anything came out otherwise. Words narrow the table to the commands that begin so.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).parent))

from commands import CASES
from official import Shell

from muapi_client.emulator._media.files import media_of

if TYPE_CHECKING:
    from commands import Case

WORKERS: Final = 4  # half of a command's time is waiting
LAST_WORDS: Final = 500  # characters of what a command said that are shown where it came out otherwise
UPLOAD: Final = "picture.png"


def carry_out(case: Case) -> str:
    """Run one command in a home and with an emulator of its own; what is wrong with the outcome, empty if nothing."""
    emulator = case.emulator()
    with tempfile.TemporaryDirectory() as home, emulator.serve() as url:
        (Path(home) / UPLOAD).write_bytes(media_of(UPLOAD, seed="").content)
        filled = case.prepare(emulator)
        shell = Shell(emulator, str(url), Path(home), case.key)
        for line in case.first:
            if shell.run(line).code:
                return f"`{line}` before it failed"
        ran = shell.run(case.line.format_map(filled))
        said = " ".join(f"{ran.stdout} {ran.stderr}".split())[-LAST_WORDS:]
        if ran.code != case.code:
            return f"exit {ran.code}: {said}"
        try:
            case.check(ran)
        except (AssertionError, KeyError, TypeError, ValueError, OSError) as difference:
            return f"{type(difference).__name__} {difference}: {said}"
    return ""


def main(words: list[str]) -> int:
    """All of the table, or the commands that begin with ``words``."""
    cases = [case for case in CASES if case.line.startswith(" ".join(words))]
    began = time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        found = list(pool.map(carry_out, cases))
    lines = ["| `muapi …` | exit | looked at | known difference |", "|---|---|---|---|"]
    lines += [f"| `{case.line}` | {case.code} | {case.checked} | {case.note} |" for case in cases]
    wrong = [(case, what) for case, what in zip(cases, found, strict=True) if what]
    lines.append(f"\n{len(cases)} commands, {len(wrong)} otherwise, {time.monotonic() - began:.0f} s")
    lines += [f"OTHERWISE: muapi {case.line}\n    {what}" for case, what in wrong]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
