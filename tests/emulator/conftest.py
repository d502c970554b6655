"""Tests run with both kinds of client from one body: a request is sent to an emulator in process, sync or async."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from muapi_client.emulator import Emulator

sys.path.insert(0, str(Path(__file__).parent))  # for `differential`
BASE = "https://api.muapi.ai/api/v1/"

Send = Callable[..., httpx.Response]


def _sync_sender(emulator: Emulator, key: str | None) -> Send:
    client = httpx.Client(transport=emulator.transport(), base_url=BASE, headers=_key(key))
    return client.request


def _async_sender(emulator: Emulator, key: str | None) -> Send:
    def send(method: str, path: str, **how: Any) -> httpx.Response:
        async def exchange() -> httpx.Response:
            async with httpx.AsyncClient(transport=emulator.transport(), base_url=BASE, headers=_key(key)) as client:
                return await client.request(method, path, **how)

        return asyncio.run(exchange())

    return send


def _key(key: str | None) -> dict[str, str]:
    return {"x-api-key": key} if key else {}


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Callable[..., Send]:
    """``connect(emulator, key="sk-live")``: a function that sends one request, on either kind of client."""

    def open_sender(emulator: Emulator, key: str | None = "sk-live") -> Send:
        return (_sync_sender if request.param == "sync" else _async_sender)(emulator, key)

    return open_sender


def listening_ports() -> set[int]:
    """The ports that this process listens on. Whether one is free tells nothing: others take what one gives back."""
    ports = set()
    for number in range(1024):
        try:
            copy = os.dup(number)
        except OSError:
            continue
        try:
            line = socket.socket(fileno=copy)
        except OSError:  # a file
            os.close(copy)
            continue
        with line:
            if line.family == socket.AF_INET and line.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                ports.add(line.getsockname()[1])
    return ports


@pytest.fixture(name="listening_ports")
def _listening_ports() -> Callable[[], set[int]]:
    return listening_ports
