"""A small document that holds every trap the real one does, and the few corrections it needs.

What belongs here: one schema or operation for each trap, named after it. What a rendering of it must look like is in
the tests.
"""

from __future__ import annotations

from typing import Any

URL = {"type": "string", "format": "uri", "minLength": 1, "maxLength": 2083}
NULL = {"type": "null"}
CITIES = [f"City {number}" for number in range(1, 31)]
MOTIONS = [f"motion-{number}" for number in range(1, 26)]


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def body(schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    return {"required": True, "content": {kind: {"schema": schema}}}


def answer(schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}


def job(summary: str, tag: str, schema: str, **more: Any) -> dict[str, Any]:
    """A model operation as FastAPI writes them here, junk parameters and all."""
    return {
        "post": {
            "tags": [tag],
            "summary": summary,
            "operationId": "generate_api_v1_post",  # repeated on purpose: names come from the path
            "parameters": [
                {"name": "webhook", "in": "query", "schema": {"type": "string"}},
                {"name": "x-api-key", "in": "header", "schema": {"type": "string"}},
            ],
            "requestBody": body(ref(schema)),
            "responses": answer({}),
            **more,
        }
    }


FIELDS: dict[str, Any] = {
    "prompt": {"type": "string", "description": "What to make"},
    "size": {"type": "integer", "minimum": 128.0, "maximum": 4294967295.0, "multipleOf": 64.0, "default": 1024},
    "nullable_required": {"anyOf": [{"type": "string"}, NULL], "title": "Nullable Required"},
    "nullable_default": {"anyOf": [{"type": "integer", "minimum": 1}, NULL], "default": 4},
    "duration": {"type": "string", "enum": ["10", "5", "15"], "default": "5", "description": "Length, in seconds."},
    "count": {"type": "integer", "enum": [3, 1, 2], "default": 1},
    "ratio": {"const": "9:16", "default": "9:16"},
    "odd_words": {"type": "string", "enum": ["a b", 'say "hi"', "it's", "back\\slash", "“curly”", "x, y", ""]},
    "mixed": {"enum": ["auto", 1, None]},
    "shares": {"enum": [0.5, 1.5]},
    "nothing_listed": {"type": "string", "enum": []},
    "wrong_default": {"type": "string", "enum": ["a"], "default": "z"},
    "wrong_type": {"type": "integer", "default": 1.5},
    "quoted": {"type": "string", "default": 'a "b" \\ c'},
    "either": {"anyOf": [{"type": "string"}, {"type": "integer"}], "default": 7},
    "strict_or_free": {"anyOf": [URL, {"type": "string"}]},
    "images_list": {"type": "array", "items": URL, "maxItems": 3, "minItems": 1},
    "loras": {"anyOf": [{"type": "array", "items": ref("_LoraItem")}, NULL], "default": []},
    "untyped_list": {"type": "array"},
    "options": {"type": "object", "additionalProperties": True, "default": {"a": 1}},
    "style": {"allOf": [ref("StyleEnum")], "default": "bold"},
    "mode": {"$ref": "#/components/schemas/StyleEnum", "default": "thin", "description": "How thick."},
    "pattern": {"type": "string", "pattern": r"^\d{4}-\d\d$"},
    "old_null": {"type": "string", "nullable": True},
    "two_types": {"type": ["integer", "null"], "minimum": 0},
    "city": {"type": "string", "enum": CITIES, "default": "City 1"},
    "webhook_url": {"anyOf": [URL, NULL]},
    "last": {"type": "boolean", "default": False},
    "contradicted": {"const": "9:16", "default": "16:9"},
    "flags": {"enum": [True, False]},
    "text_of_number": {"type": "string", "default": 5},
    "pairs": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
    "ratio_of_floats": {"type": "number", "minimum": 0.0, "maximum": 4294967295.0},
    "resolution": {"enum": [720, 1080], "default": 720.0},
}

NAMES = ["class", "self", "cls", "d", "to_dict", "field_dict", "additional_properties", "format", "text", "checks"]
NAMES += ["attrs", "str", "H264_output", "camelCase", "2x", "weird-name", "__class__", "given", "UNSET", "name"]
NAMES += ["model", "title", "url", "style", "seed"]

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Specimen", "version": "1.0.0"},
    "paths": {
        "/api/v1/every-field": job("every-field (balanced)", "Image: Text-to-Image", "FieldsRequest"),
        "/api/v1/every-name": job("Every Name", "Audio", "namesRequest"),
        "/api/v1/sound-v2/text-to-audio": job("sound-v2-text-to-audio", "Audio", "SharedRequest"),
        "/api/v1/vidu-v2.0": job("vidu-v2.0 (fast)", "Video: Text-to-Video", "SharedRequest"),
        "/api/v1/3d_maker": job("3d_maker", "3D Generation", "SharedRequest"),
        "/api/v1/import": job("Import", "Utilities", "SharedRequest", description="Brings things in. Slowly"),
        "/api/v1/seo-audit": job("seo-audit (best)", "LLM / Multimodal", "SharedRequest"),
        "/api/v1/talker": job("talker", "LLM / Multimodal", "SharedRequest"),
        "/api/v1/talker/stream": {
            "post": {"tags": ["LLM / Multimodal"], "requestBody": body(ref("SharedRequest")), "responses": answer({})}
        },
        "/api/v1/picture": {
            "get": {"tags": ["Files"], "responses": {"200": {"description": "ok", "content": {"image/png": {}}}}},
            "post": {"tags": ["Audio"], "requestBody": body(ref("AudioReqeust")), "responses": answer({})},
        },
        "/api/v1/things": {
            "get": {
                "tags": ["API"],
                "summary": "List All Things",
                "responses": answer({"type": "array", "items": ref("Thing")}),
            },
            "post": {
                "tags": ["API"],
                "summary": "Create A Thing",
                "requestBody": body(
                    {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
                ),
                "responses": answer(ref("Thing")),
            },
        },
        "/api/v1/things/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "patch": {
                "tags": ["API"],
                "summary": "Change A Thing",
                "parameters": [{"name": "body", "in": "query", "schema": {"type": "string"}}],
                "requestBody": body(ref("ThingChange")),
                "responses": {"204": {"description": "done"}},
            },
            "put": {"requestBody": body({"type": "object", "additionalProperties": True}), "responses": answer({})},
        },
        "/api/v1/things/{forgotten}/upload": {
            "post": {
                "tags": ["Files"],
                "summary": "Upload",
                "requestBody": body(
                    {
                        "type": "object",
                        "properties": {
                            "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                            "note": {"type": "string"},
                        },
                        "required": ["file"],
                    },
                    "multipart/form-data",
                ),
                "responses": {"201": {"description": "ok", "content": {"text/plain": {}}}},
            }
        },
    },
    "components": {
        "schemas": {
            "FieldsRequest": {"type": "object", "properties": FIELDS, "required": ["prompt", "nullable_required"]},
            "namesRequest": {
                "type": "object",
                "title": "Same",
                "properties": {name: {"type": "string"} for name in NAMES},
            },
            "SharedRequest": {
                "type": "object",
                "title": "Same",
                "properties": {
                    "prompt": {"type": "string"},
                    "city": {"enum": CITIES},
                    "motion": {"enum": MOTIONS},
                    "x-python": {"type": "string"},
                },
                "x-python": {"name": "Evil"},
            },
            "_LoraItem": {
                "type": "object",
                "properties": {
                    "path": {"type": "string"},
                    "scale": {"type": "number", "exclusiveMinimum": 0, "maximum": 4},
                    "inner": ref("_LoraItem"),
                },
                "required": ["path"],
            },
            "StyleEnum": {"type": "string", "enum": ["bold", "thin"]},
            "AudioReqeust": {"type": "object", "properties": {"city": {"enum": CITIES}}, "required": ["city"]},
            "Thing": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer"},
                    "state": {"enum": ["on", "off"]},
                    "made_at": {"type": "string", "format": "date-time"},
                    "parts": {"type": "array", "items": ref("Thing")},
                    "next": ref("Thing"),
                    "from_dict": {"type": "string"},
                },
                "required": ["id"],
            },
            "ThingChange": {"type": "object", "properties": {"id": {"type": "integer"}, "title": {"type": "string"}}},
            "Submission": {"type": "object", "properties": {"request_id": {"type": "string"}}},
            "ValidationError": {
                "type": "object",
                "properties": {"loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}},
            },
            "HTTPValidationError": {
                "type": "object",
                "properties": {"detail": {"type": "array", "items": ref("ValidationError")}},
            },
        },
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
    },
    "security": [{"key": []}],
}

CORRECTIONS = """\
overlay: 1.1.0
info: { title: Corrections of the specimen, version: 1.0.0 }
actions:
  - target: $.paths.*[?@.parameters[?@.name == 'webhook']].responses['200'].content['application/json'].schema
    description: A job's answer.
    update: { $ref: "#/components/schemas/Submission" }
  - target: $.paths.*.*.parameters[?@.name == 'webhook' || @.in == 'header']
    description: The client's business.
    remove: true
"""

PRICES = {
    "as_of": "2026-08-20",
    "models": [
        {"name": "every-field", "cost": 0.025, "cost_strategy": "by-size", "dynamic_pricing": True},
        {"name": "vidu-v2.0", "cost": 0.3, "cost_strategy": None, "dynamic_pricing": False},
        {"name": "seo-audit", "cost": 0.0, "cost_strategy": None, "dynamic_pricing": True},
        {"name": "3d_maker", "cost": 1, "cost_strategy": None, "dynamic_pricing": True},
        {"name": "import", "cost": 1, "cost_strategy": None, "dynamic_pricing": True},
    ],
}
