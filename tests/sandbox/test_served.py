"""An emulator that is served on this machine is judged as the real hosts are, whose names its URLs hold."""

from __future__ import annotations

import pytest
from by_kind import make_image

from muapi_client import MuAPI, SandboxWarning
from muapi_client.emulator import Emulator

FOX = make_image(prompt="a red fox")


def test_a_test_key_over_http() -> None:
    with Emulator().serve(speed=10_000) as url, MuAPI("sk-test", url) as mu:
        with pytest.warns(SandboxWarning):
            done = mu.run(FOX)
        assert (done.outputs[0].url or "").startswith(url)
        assert done.sandbox.verdict is True


def test_a_live_key_over_http() -> None:
    with Emulator().serve(speed=10_000) as url, MuAPI("sk-live", url, expect="live") as mu:
        done = mu.run(FOX)
        assert done.sandbox.verdict is False
        assert any(f"an output lies where live ones do: {url}" in line for line in done.sandbox.evidence)
        assert mu.sandbox().verdict is False
