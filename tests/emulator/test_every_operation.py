"""All operations of the pinned document are answered, and the index that finds them reads what JSON reads."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE
from fitting import make_fitting

from muapi_client.emulator import Emulator, Request
from muapi_client.emulator._handlers import routes
from muapi_client.emulator._handlers.routes import find_handler
from muapi_client.emulator._spec.operations import read_operations
from muapi_client.pinning import fetch, pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DOCUMENT = pinned().document
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = list(read_operations().all())
UNKNOWN = routes._load_handler("POST", "no-such-operation")  # says that it is none of the emulator's


@pytest.mark.parametrize("key", ["sk-live", "sk-test"])
def test_every_operation_answers(key: str) -> None:
    emulator = Emulator(balance=10_000, job_seconds=0, live_keys=["sk-deleted", "sk-live"])  # the first has id 1
    headers = {"x-api-key": key, "content-type": "application/json"}
    answered = 0
    for operation in OPERATIONS:
        path = operation.path
        for name, kind in operation.path_types.items():
            path = path.replace(f"{{{name}}}", "1" if kind == "integer" else "anything")
        query = dict.fromkeys(operation.needed, "1")
        body = b"" if operation.body is None else json.dumps(make_fitting(operation.body, SCHEMAS)).encode()
        response = emulator.handle(Request(operation.method, path, query=query, headers=headers, body=body))
        is_known = (
            find_handler(read_operations(), operation) is not UNKNOWN and b"makes its answer" not in response.body
        )
        assert (response.status < 500) is is_known, (operation.method, path, response.body)
        answered += 1
    assert answered == pinned().lock.operations
    balance = emulator.handle(Request("GET", "/api/v1/account/balance", headers=headers))
    assert balance.status == 200, "the key no longer works, so that nothing but that was answered"


def test_the_index_finds_what_json_reads() -> None:
    assert {path: set(methods) for path, methods in DOCUMENT["paths"].items()} == {
        path: {method.lower() for method in read_operations().at(path)} for path in DOCUMENT["paths"]
    }
    for operation in OPERATIONS:
        for name, schema in (operation.body or {}).get("components", {}).get("schemas", {}).items():
            assert schema == SCHEMAS[name]


def test_every_job_has_its_fields_in_the_documents_order() -> None:
    for operation in OPERATIONS:
        content = DOCUMENT["paths"][operation.path][operation.method.lower()].get("requestBody", {}).get("content", {})
        if operation.takes_webhook and "$ref" in content.get("application/json", {}).get("schema", {}):
            raw = content["application/json"]["schema"]
            assert operation.fields == tuple(SCHEMAS[raw["$ref"].rpartition("/")[2]]["properties"])


@pytest.fixture
def pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Pin another document for emulators to read."""

    def pin(document: dict[str, Any]) -> None:
        (tmp_path / "later.json").write_text(json.dumps(document), encoding="utf-8")
        fetch(str(tmp_path / "later.json"), tmp_path / "spec", models=str(pinned().directory / "models.json"))
        monkeypatch.setattr("muapi_client.pinning._document.pin.checkout", lambda: tmp_path / "spec")
        read_operations.cache_clear()

    yield pin
    monkeypatch.undo()
    read_operations.cache_clear()


def test_a_field_that_is_no_longer_asked_for_is_told_where_the_answer_is_made_of_it(
    pin: Callable[[dict[str, Any]], None],
) -> None:
    document = copy.deepcopy(DOCUMENT)
    path = "/api/v1/storyboard-projects/generate"
    document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"] = {"type": "object"}
    pin(document)
    emulator = Emulator()
    headers = {"x-api-key": "sk-live", "content-type": "application/json"}
    refused = emulator.handle(Request("POST", path, headers=headers, body=b"{}"))
    assert (refused.status, emulator.accepted) == (501, 0)
    assert json.loads(refused.body)["detail"].endswith("of the field 'prompt': send that, too")
    assert emulator.handle(Request("POST", path, headers=headers, body=b'{"prompt": "a fox"}')).status == 200


@pytest.mark.parametrize(("tag", "status"), [(None, 200), ("API", 501)])
def test_a_model_without_a_webhook_is_one_where_all_beside_it_are(
    pin: Callable[[dict[str, Any]], None], tag: str | None, status: int
) -> None:
    """As the rendering and the comparison take it; where its tag says nothing of models, nothing is invented."""
    document = copy.deepcopy(DOCUMENT)
    post = document["paths"][IMAGE.operation.path]["post"]
    post["parameters"] = [one for one in post["parameters"] if one["name"] != "webhook"]
    post["tags"] = [tag] if tag else post["tags"]
    pin(document)
    emulator = Emulator()
    headers = {"x-api-key": "sk-live", "content-type": "application/json"}
    request = Request("POST", IMAGE.operation.path, headers=headers, body=b'{"prompt": "a fox"}')
    assert (emulator.handle(request).status, emulator.accepted) == (status, int(status == 200))
