"""What the emulator's answers must look like: the corrected document, and what the API reference adds to it.

Lives here: the document that answers are held against. Pure. Does not live here: sending anything (``run_document``).

The pinned document declares ``{}`` for nearly every answer, so that anything would pass. Corrected, it names their
fields; here these become the only ones, refusals are declared where the API reference has them, and the key becomes
what it is, a means of authentication, so that requests without it and with a wrong one are tried too.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._spec.live_rules import LIVE_RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muapi_client.emulator._spec.live_rules import LiveRule

# Answers whose fields are all known; the others (history items, automatic top-up) are documented nowhere.
CLOSED: Final = (
    "AccountBalance", "ApiKey", "ApiKeyCreated", "CostBody", "CostEstimate", "ModelCard", "ModelList",
    "PredictionResult", "Submission", "TopUpCheckout", "UploadTarget", "UploadedFile",
)  # fmt: skip
REFUSALS: Final = {  # API reference and public clients; 422 is in the document
    400: "a failed job; a cursor of another list",
    401: "no key",
    402: "no credit",
    403: "a key that does not work",
    404: "no such thing",
    413: "a file over the limit",
}
REFUSAL: Final = {
    "type": "object",
    "required": ["detail"],
    "properties": {"detail": {"type": ["string", "array", "object"]}},
    "additionalProperties": False,
}
MONEY: Final = {  # API reference, "Per-Request Cost": on every /api/v1/* answer to those who showed a key
    "X-MuAPI-Cost-USD": r"^\d+\.\d{6}$",
    "X-MuAPI-Cost-Credits": r"^\d+$",
    "X-Account-Balance": r"^-?\d+\.\d{4}$",
}


def described(
    pinned: Mapping[str, Any], corrected: Mapping[str, Any], examples: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The document to hold answers against.

    Args:
        pinned: The document as published, which says who takes a key.
        corrected: The same, corrected.
        examples: Path parameters by path and name, of things that are there.
    """
    document = copy.deepcopy(dict(corrected))
    components = document["components"]
    components["schemas"]["Refusal"] = REFUSAL
    for name in CLOSED:
        components["schemas"][name]["additionalProperties"] = False
    components["securitySchemes"] = {"key": {"type": "apiKey", "in": "header", "name": "x-api-key"}}
    for path, method, operation in _operations(document):
        needs_key = any(p["name"] == "x-api-key" for p in pinned["paths"][path][method].get("parameters", ()))
        operation["security"] = [{"key": []}] if needs_key else []
        _declare(operation, needs_key=needs_key)
        if path.endswith("/stream"):
            operation["responses"]["200"]["content"]["text/event-stream"] = {"schema": {}}
        _exemplify(operation, examples.get(path, {}))
    for slug, rule in LIVE_RULES.items():
        _ask_for_items(document, f"/api/v1/{slug}", rule)
    return document


def _ask_for_items(document: dict[str, Any], path: str, rule: LiveRule) -> None:
    """Declare what the live API is known to ask for, and the document does not tell."""
    content = document["paths"].get(path, {}).get("post", {}).get("requestBody", {}).get("content", {})
    name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    schema = document["components"]["schemas"].get(name, {"properties": {}})
    if rule.field in schema["properties"]:
        limits = {"minItems": rule.least, **({} if rule.most is None else {"maxItems": rule.most})}
        schema["properties"][rule.field] |= limits
        schema["required"] = [*schema.get("required", ()), rule.field]


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _declare(operation: dict[str, Any], *, needs_key: bool) -> None:
    """Declare refusals, and the money headers of a success."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    for status, why in REFUSALS.items():
        operation["responses"].setdefault(str(status), {"description": why, "content": content})
    if needs_key:
        # A 200 that is no job costs nothing and says so.
        operation["responses"]["200"]["headers"] = {
            name: {"required": True, "schema": {"type": "string", "pattern": pattern}}
            for name, pattern in MONEY.items()
        }


def _exemplify(operation: dict[str, Any], examples: Mapping[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and parameter["name"] in examples:
            parameter["example"] = examples[parameter["name"]]
