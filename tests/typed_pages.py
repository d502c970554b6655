"""The programs of the README and its pages pass ``mypy --strict``: ``python tests/typed_pages.py``.

Lives here: which blocks are whole programs, and handing them to mypy. Does not live here: running them
(``test_readme``, ``test_recipes_page``, ``cluster/test_recipes``), user code that is no page's (``typing``).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = ("README.md", "docs/fleet.md", "docs/many-machines.md", "docs/recipes.md")
# Of engines that are not installed here nothing is known: not what they make of a function, nor of a call to them.
UNKNOWN: Final = ("--ignore-missing-imports", "--allow-untyped-decorators", "--allow-untyped-calls")


def find_programs(page: str) -> list[str]:
    """The Python blocks of a page that stand alone: they import what they use."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)
    return [block for block in blocks if re.search(r"^(from|import) ", block, flags=re.MULTILINE)]


def main() -> int:
    """Check them all; answers mypy's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for page in PAGES:
            for number, program in enumerate(find_programs(page), 1):
                files.append(Path(folder, f"{Path(page).stem.replace('-', '_').lower()}_{number}.py"))
                files[-1].write_text(program, "utf-8")
        command = [sys.executable, "-m", "mypy", *UNKNOWN, *map(str, files)]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
