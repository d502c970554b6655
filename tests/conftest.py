"""What every test starts from: an environment that names no key and no server, and one pace for Hypothesis."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
PRICES = {"flux-dev": 0.015, "flux-schnell": 0.003}  # USD


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MUAPI_API_KEY", "MUAPI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True, scope="session")
def _prices_as_tests_count_them() -> None:
    """Let the emulator charge what the tests' sums are made of: MuAPI's prices change, the arithmetic does not."""
    from muapi_client.emulator._spec.price_list import read_price_list

    for entry in read_price_list().values():
        entry["cost"] = PRICES.get(entry["name"], entry["cost"])
