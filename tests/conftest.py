"""What every test starts from: an environment that names no key and no server, and one pace for Hypothesis."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MUAPI_API_KEY", "MUAPI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
