"""The program as a test calls it: through ``main()``, on an emulator, with everything it said."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from muapi_client.cli import main
from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "sk-live"


class Said(NamedTuple):
    """What one call of the program came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, as the one JSON value it is."""
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Standard error, as the JSON lines it is."""
        return [json.loads(line) for line in self.err.splitlines()]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A key, and a user who has no settings and no journal yet; nobody's real folder is touched."""
    home = str(tmp_path_factory.mktemp("home"))
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "WIN_PD_OVERRIDE_LOCAL_APPDATA"):
        monkeypatch.setenv(name, home)
    monkeypatch.setitem(sys.modules, "keyring", None)  # this machine's, where it has one
    for name in ("CONFIG", "JOURNAL", "BUDGET_USD", "OUTPUT", "OUTPUT_DIR"):
        monkeypatch.delenv(f"MUAPI_{name}", raising=False)
    monkeypatch.setenv("MUAPI_API_KEY", KEY)
    monkeypatch.delenv("MUAPI_BASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(live_keys=(KEY,), balance=Decimal(10))


@pytest.fixture
def call(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Call the program with these words, on the emulator or on ``transport``; its key is never told."""

    def call(*words: str, transport: Any = None) -> Said:
        capsys.readouterr()
        code = main(words, transport=transport or emulator.transport())
        out, err = capsys.readouterr()
        assert KEY not in out + err
        assert "Traceback" not in err
        return Said(code, out, err)

    return call
