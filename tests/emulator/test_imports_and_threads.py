"""Around the emulator: what an import loads, what is missing, threads and tasks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from decimal import Decimal

import httpx
import pytest
from by_kind import IMAGE, OTHER_IMAGE

from muapi_client.emulator import Emulator, Outcome

FOX = {"prompt": "a red fox in snow"}
BASE = "https://api.muapi.ai/api/v1/"
KEY = {"x-api-key": "sk-live"}


@pytest.mark.parametrize(
    ("statement", "unloaded"),
    [
        ("import muapi_client", ["muapi_client.emulator", "jsonschema_rs", "httpx"]),
        ("from muapi_client.emulator import Emulator; Emulator()", ["jsonschema_rs", "httpx"]),
        (
            "from muapi_client.emulator import Emulator; Emulator()",
            [
                "muapi_client.pinning._locks.fetch",
                "muapi_client.emulator._media.files",
                "muapi_client.emulator._handlers.storyboards",
            ],
        ),
    ],
)
def test_what_an_import_does_not_load(statement: str, unloaded: list[str]) -> None:
    script = f"import sys; {statement}; print([name for name in {unloaded} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_without_jsonschema_rs_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    with pytest.raises(ImportError, match=r'pip install "muapi-client\[emulator\]"'):
        Emulator()


def test_without_httptools_serving_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = Emulator()
    monkeypatch.setitem(sys.modules, "httptools", None)
    with pytest.raises(ImportError, match=r'httptools, .* pip install "muapi-client\[emulator\]"'):
        emulator.serve()


def test_the_transport_carries_the_emulators_clock() -> None:
    emulator = Emulator()
    assert emulator.transport().clock is emulator.clock


def test_threads_lose_no_cent() -> None:
    emulator = Emulator(outcomes=lambda _slug, body: Outcome.failed(seconds=0) if body["seed"] % 2 else None)

    def work() -> None:
        with httpx.Client(transport=emulator.transport(), base_url=BASE, headers=KEY) as client:
            for seed in range(50):
                assert client.post(OTHER_IMAGE.slug, json={**FOX, "seed": seed}).status_code == 200

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert emulator.accepted == len(emulator.requests) == 400
    unit = Decimal(100 - emulator.balance) / 200
    assert emulator.charged_usd == 200 * unit > 0


def test_tasks_are_answered_together() -> None:
    emulator = Emulator()

    async def crowd() -> set[str]:
        async with httpx.AsyncClient(transport=emulator.transport(), base_url=BASE, headers=KEY) as client:
            answers = await asyncio.gather(*(client.post(IMAGE.slug, json=FOX) for _ in range(50)))
        return {answer.json()["request_id"] for answer in answers}

    assert len(asyncio.run(crowd())) == emulator.accepted == 50
