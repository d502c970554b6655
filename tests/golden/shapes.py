"""Small documents of one shape each, and clients of the packages that are rendered from them.

Lives here: what the tests of requests share. Each document is rendered beside the installed package, as ``muapi-client
spec build`` does; the server is a mock.
"""

from __future__ import annotations

import importlib
import json
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import httpx
import pipeline

from muapi_client import MuAPI, errors

if TYPE_CHECKING:
    from pathlib import Path

TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer"}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def anything_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def taking(*parameters: dict[str, Any]) -> dict[str, Any]:
    return {"parameters": list(parameters), "responses": {}}


def sending(schema: Any, kind: str = "application/json") -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}, "responses": {}}


def document_of(paths: dict[str, Any], schemas: dict[str, Any] | None = None, **change: Any) -> dict[str, Any]:
    found = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}
    return {**found, "components": {"schemas": schemas or {}}, **change}


class Rendered:
    """A package, and a client of it whose requests go nowhere."""

    def __init__(self, folder: Path, output: str) -> None:
        self.folder, self.output = folder, output
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response | Exception] = []  # what comes next; then always an empty object
        package = importlib.import_module(folder.name)
        self.client = MuAPI("k", transport=httpx.MockTransport(self._answer), models=package)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else httpx.Response(200, json={})
        if isinstance(answer, Exception):
            raise answer
        return answer

    def function(self, name: str) -> Any:
        """The request function of this name, in whatever group it is."""
        (file,) = self.folder.glob(f"api/*/{name}.py")
        return getattr(importlib.import_module(f"{self.folder.name}.api.{file.parent.name}.{name}"), name)

    def module(self, name: str) -> Any:
        """A module of the package."""
        return importlib.import_module(f"{self.folder.name}.{name}")

    def send(self, name: str, /, **arguments: Any) -> httpx.Request:
        """What the client sends for a call of this function."""
        self.client.send(self.function(name)(**arguments))
        return self.requests[-1]

    def is_refused(self, name: str, /, **arguments: Any) -> bool:
        """Whether the client refuses a call before anything is sent."""
        try:
            self.send(name, **arguments)
        except errors.ValidationError:
            return True
        return False


def run(document: dict[str, Any], package: Path) -> pipeline.Result:
    """Render a document into ``package``, beside which its inputs stay."""
    source, prices = package.with_name(f"{package.name}.json"), package.with_name("models.json")
    source.write_text(json.dumps(document), encoding="utf-8")
    prices.write_text(json.dumps(pipeline.NO_PRICES), encoding="utf-8")
    files = ["--document", str(source), "--corrections", "none", "--models", str(prices)]
    return pipeline.in_process(["build", *files, "--output", str(package)], package)


def body_of(request: httpx.Request) -> Any:
    return json.loads(request.content)


def parts_of(request: httpx.Request) -> list[tuple[str, str | None, str, bytes]]:
    """The parts of a multipart form: name, file name, media type where one is told, content."""
    label = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(label + request.content)
    assert message.is_multipart(), request.content
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            str(part.get("content-type", "")),
            bytes(part.get_payload(decode=True)),  # type: ignore[arg-type]
        )
        for part in message.get_payload()  # type: ignore[union-attr]
    ]
