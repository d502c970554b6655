"""All operations of the pinned document are answered, and the index that finds them reads what JSON reads."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from muapi_client.emulator import Emulator, Request
from muapi_client.emulator._handlers import routes
from muapi_client.emulator._handlers.routes import find_handler
from muapi_client.emulator._spec.operations import read_operations
from muapi_client.pinning import pinned

DOCUMENT = pinned().document
SCHEMAS = DOCUMENT["components"]["schemas"]
PATTERNS = {r"^\d{4}-\d{2}-\d{2}$": "2026-01-01", "^[A-Za-z0-9_-]{11}$": "dQw4w9WgXcQ"}
OPERATIONS = list(read_operations().all())
UNKNOWN = routes._load_handler("POST", "no-such-operation")  # says that it is none of the emulator's


def minimal(schema: dict[str, Any]) -> Any:  # noqa: C901, PLR0911 - one return a JSON type
    """The smallest value that fits."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return minimal(schema["anyOf"][0])
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            return {name: minimal(schema["properties"][name]) for name in schema.get("required", ())}
        case "array":
            return [minimal(schema["items"]) for _ in range(schema.get("minItems", 0))]
        case "string" if schema.get("format") == "uri":
            return "https://example.com/a"
        case "string":
            return PATTERNS.get(schema.get("pattern", ""), "x" * schema.get("minLength", 1))
        case "integer":
            step = schema.get("multipleOf", 1)
            return math.ceil(schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1) / step) * step
        case "number":
            return schema.get("minimum", schema.get("exclusiveMinimum", -0.01) + 0.01)
        case "boolean":
            return False
    return None


@pytest.mark.parametrize("key", ["sk-live", "sk-test"])
def test_every_operation_answers(key: str) -> None:
    emulator = Emulator(balance=10_000, job_seconds=0)
    headers = {"x-api-key": key, "content-type": "application/json"}
    answered = 0
    for operation in OPERATIONS:
        path = operation.path
        for name, kind in operation.path_types.items():
            path = path.replace(f"{{{name}}}", "1" if kind == "integer" else "anything")
        query = dict.fromkeys(operation.needed, "1")
        body = b"" if operation.body is None else json.dumps(minimal(dict(operation.body))).encode()
        response = emulator.handle(Request(operation.method, path, query=query, headers=headers, body=body))
        is_known = find_handler(operation) is not UNKNOWN
        assert (response.status < 500) is is_known, (operation.method, path, response.body)
        answered += 1
    assert answered == pinned().lock.operations


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
        if operation.is_job and "$ref" in content.get("application/json", {}).get("schema", {}):
            raw = content["application/json"]["schema"]
            assert operation.fields == tuple(SCHEMAS[raw["$ref"].rpartition("/")[2]]["properties"])
