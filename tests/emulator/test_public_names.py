"""Public classes belong to the public module: neither a pickle nor a traceback tells where they are kept."""

from __future__ import annotations

import pickle
import pickletools

import httpx
import pytest
from by_kind import IMAGE

from muapi_client import emulator
from muapi_client.emulator import Emulator, Fault, Faults, LogEntry, Outcome, Response, Shape


@pytest.mark.parametrize("name", emulator.__all__)
def test_a_public_class_says_the_module_it_is_imported_from(name: str) -> None:
    assert getattr(emulator, name).__module__ == "muapi_client.emulator"


def test_a_pickle_names_public_modules_alone() -> None:
    served = Emulator(job_seconds=0)
    served.next_fault(Fault.HTML)
    with httpx.Client(transport=served.transport(), headers={"x-api-key": "sk-live"}) as client:
        hook = {"webhook": "https://shop.example/"}
        client.post(f"https://api.muapi.ai/api/v1/{IMAGE.slug}", params=hook, json={"prompt": "x"})
    values = (
        served.requests,
        served.webhooks,
        Faults(html=0.5),
        Outcome.failed(shape=Shape(extras=True)),
        LogEntry("GET", "/", 200, 0.1),
        Response(200, {}, b""),
    )
    pickled = pickle.dumps(values)
    assert pickle.loads(pickled) == values
    told = {str(argument) for _, argument, _ in pickletools.genops(pickled)}
    assert not [text for text in told if "emulator._" in text]
    assert "muapi_client.emulator" in told
