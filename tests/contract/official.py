"""The official command line of MuAPI, muapi-cli, run unchanged as a program of its own.

Lives here: the environment it runs in, and what it left behind. Does not live here: which commands (``commands``).

It knows three settings, all environment variables: ``MUAPI_BASE_URL`` (with ``/api/v1``; the document is looked for
beside it), ``MUAPI_API_KEY``, and ``HOME``, under which ``.muapi`` is kept. A keyring that refuses makes it keep its
key there, not in the keyring of whoever runs this.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import define, frozen

if TYPE_CHECKING:
    from muapi_client.emulator import Emulator

PATIENCE: Final = 60.0  # seconds a command may take
PROGRAM: Final = str(Path(sys.executable).with_name("muapi"))


@define(slots=False)  # for the cached property
class Ran:
    """A command that has ended, and the emulator it talked to."""

    code: int
    stdout: str
    stderr: str
    home: Path
    emulator: Emulator

    @cached_property
    def json(self) -> Any:
        """Standard output, which must be JSON."""
        return json.loads(self.stdout)

    def told(self, text: str) -> bool:
        """Whether ``text`` was said on either stream; blanks do not count, for lines are broken anywhere."""
        return "".join(text.split()) in "".join(f"{self.stdout} {self.stderr}".split())


@frozen
class Shell:
    """Where commands are typed: a home of their own and an emulator."""

    emulator: Emulator
    url: str
    home: Path
    key: str | None

    def run(self, line: str) -> Ran:
        """Run ``muapi LINE`` to its end."""
        done = subprocess.run(
            [PROGRAM, *shlex.split(line)],
            env=self.environment(),
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        return Ran(done.returncode, done.stdout, done.stderr, self.home, self.emulator)

    def environment(self) -> dict[str, str]:
        """The variables it runs with."""
        chosen = {
            "MUAPI_BASE_URL": f"{self.url}/api/v1",
            "HOME": str(self.home),
            "USERPROFILE": str(self.home),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "BROWSER": shutil.which("true") or "",  # no page is opened
            "COLUMNS": "200",
            "NO_COLOR": "1",
            "NO_PROXY": "*",
        }
        if self.key is not None:
            chosen["MUAPI_API_KEY"] = self.key
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG") if name in os.environ}
        return {**kept, **chosen}
