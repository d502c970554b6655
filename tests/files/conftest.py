"""One body for both kinds of client, against a server of files, whose room is ``fileserver`` beside this file."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fileserver import Face, FileServer

from muapi_client import AsyncMuAPI, MuAPI, Output, Prediction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def new_server() -> Iterator[Callable[[], FileServer]]:
    """Makes servers that stop with the test."""
    running: list[tuple[FileServer, threading.Thread]] = []

    def new() -> FileServer:
        server = FileServer()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return server

    yield new
    for server, thread in running:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server(new_server: Callable[[], FileServer]) -> FileServer:
    """The API and, unless a test has another, its storage."""
    return new_server()


@pytest.fixture(params=[MuAPI, AsyncMuAPI], ids=["sync", "async"])
def twin(request: pytest.FixtureRequest, server: FileServer) -> Iterator[Callable[..., Face]]:
    """``twin(**options)``: a client of the server, of the kind the test runs on; closed with the test."""
    faces: list[Face] = []

    def new(**options: Any) -> Face:
        faces.append(Face(request.param, server.url, options))
        return faces[-1]

    yield new
    for face in faces:
        face.close()
        face.runner.close()


@pytest.fixture
def mu(twin: Callable[..., Face]) -> Face:
    """A client with small patience."""
    return twin()


@pytest.fixture
def made() -> Callable[..., Prediction]:
    """``made(*urls)``: a finished job with these outputs."""

    def new(*outputs: str | Output, request_id: str | None = "req-1") -> Prediction:
        listed = tuple(each if isinstance(each, Output) else Output(url=each) for each in outputs)
        return Prediction(request_id, "completed", listed)

    return new
