"""Where dask is not installed, the client works, and what needs dask says so when it is used."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from muapi_client import MuAPI, MuAPIError
from muapi_client.distributed._client_options import FROM_ENVIRONMENT, OPTIONS, REFUSED


def test_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    from muapi_client import distributed

    with pytest.raises(MuAPIError, match=r"muapi-client\[dask\]"):
        distributed.map([], client=object())  # type: ignore[arg-type]


def test_neither_package_loads_dask_by_itself() -> None:
    program = "import muapi_client.distributed, sys; print('dask' in sys.modules or 'distributed' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_every_option_of_a_client_travels_to_workers_or_is_refused_with_a_reason() -> None:
    options = set(inspect.signature(MuAPI).parameters)
    assert OPTIONS | REFUSED.keys() == options
    assert not OPTIONS & REFUSED.keys()
    assert options >= FROM_ENVIRONMENT
