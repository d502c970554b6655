"""A FastAPI app that is built of the pinned document: the server as its own framework would have it.

Lives here: types and functions made of schemas and operations. Does not live here: what it is asked (``odd_requests``).
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union

from attrs import field, frozen
from fastapi import Body, FastAPI, Path, Query
from pydantic import BaseModel, Field, HttpUrl, create_model, field_validator

from muapi_client.emulator._spec.operations import read_operations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from muapi_client.emulator._spec.live_rules import LiveRule
    from muapi_client.emulator._spec.operations import Operation

BOUNDS: Final = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "minItems": "min_length",
    "maxItems": "max_length",
}
PLAIN: Final = {"string": str, "integer": int, "number": float, "boolean": bool, "null": type(None)}


@frozen
class Document:
    """Builds a FastAPI app of the pinned document; ``read`` has what its functions were last given."""

    schemas: Mapping[str, Any]
    read: list[Any] = field(factory=list)
    _models: dict[str, Any] = field(factory=dict)

    def build_app(self) -> FastAPI:
        """An app with every operation of the document whose body, if it has one, is declared there."""
        app = FastAPI()
        for operation in read_operations().all():
            app.add_api_route(operation.path, self._build_function(operation), methods=[operation.method])
        return app

    def _build_function(self, operation: Operation) -> Callable[..., Any]:
        async def answer(**given: Any) -> dict[str, Any]:
            self.read[:] = [given.get("body")]
            return {}

        parameters = [
            _declare(name, Path(), int if kind == "integer" else str) for name, kind in operation.path_types.items()
        ]
        for name, schema in operation.query.items():
            default = ... if name in operation.needed else schema.get("default")
            bounds = {BOUNDS[keyword]: limit for keyword, limit in schema.items() if keyword in BOUNDS}
            plain = {keyword: part for keyword, part in schema.items() if keyword not in BOUNDS}
            query = Query(default, alias=name, **bounds)
            parameters.append(_declare(f"of_{name}", query, self._type(plain, name)))
        if operation.body is not None:
            body = Body(... if operation.needs_body else None)
            parameters.append(_declare("body", body, self._type(operation.body, operation.path, operation.rule)))
        answer.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return answer

    def _type(self, schema: Mapping[str, Any], name: str, rule: LiveRule | None = None) -> Any:  # noqa: PLR0911 - a table
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._model(self.schemas[name], name, rule)
        if "const" in schema:
            return Literal[schema["const"]]
        if "enum" in schema:
            return Literal[tuple(schema["enum"])]  # type: ignore[valid-type]
        if "anyOf" in schema:
            return Union[tuple(self._type(member, name) for member in schema["anyOf"])]  # noqa: UP007 - of a tuple
        kind = schema.get("type")
        if isinstance(kind, list):
            each = [{"type": one} if one == "null" else {**schema, "type": one} for one in kind]  # null has no bounds
            return Union[tuple(self._type(member, name) for member in each)]  # noqa: UP007 - as above
        if kind == "string" and schema.get("format") == "uri":
            return HttpUrl
        if kind == "object" and "properties" in schema:
            return self._model(schema, name, rule)
        if kind == "array":
            plain: Any = list[self._type(schema.get("items", {}), name)]  # type: ignore[misc]
        elif kind == "object":
            plain = dict[str, Any]
        else:
            plain = PLAIN.get(kind, Any)  # type: ignore[arg-type]
        bounds = {BOUNDS[keyword]: limit for keyword, limit in schema.items() if keyword in BOUNDS}
        return Annotated[plain, Field(**bounds)] if bounds else plain

    def _model(self, schema: Mapping[str, Any], name: str, rule: LiveRule | None) -> type[BaseModel]:
        def is_ruled(part: str) -> bool:
            return rule is not None and part == rule.field

        if name not in self._models:
            fields = {
                (part if is_ruled(part) else f"of_{part}"): (
                    self._type(inner, name + part),
                    Field(
                        ... if part in schema.get("required", ()) else inner.get("default"),
                        alias=part,
                        validate_default=is_ruled(part),
                    ),
                )
                for part, inner in schema["properties"].items()
            }
            self._models[name] = create_model(name, __validators__=_build_validators(rule), **fields)
        return self._models[name]


def _declare(name: str, default: Any, kind: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _build_validators(rule: LiveRule | None) -> dict[str, Any]:
    """The validators that a model of the live API is known to have, which look at a default, too."""
    if rule is None:
        return {}

    def check(value: Any) -> Any:
        if len(value) < rule.least or (rule.most is not None and len(value) > rule.most):
            raise ValueError(rule.message)
        return value

    return {"rule": field_validator(rule.field)(check)}
