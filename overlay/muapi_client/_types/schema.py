"""How pydantic reads and writes a value a user holds: for FastAPI's ``response_model``, ``validate_call``, models.

Lives here: the one schema that all such classes have. Does not live here: what is sent and answered
(``muapi_generated.schemas``). Nothing here brings pydantic: it is there when it asks.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from attrs import NOTHING, fields


def describe_value(kind: Any, _source: Any, handler: Any) -> Any:
    """Make the schema of an attrs class, as a method of it: an instance, or its fields by their names.

    A field whose metadata has a ``schema`` is read and written as that type, and not at all where it is None.

    Args:
        kind: The class.
        handler: What pydantic gives to make the schema of a field's type.

    Returns:
        A core schema of pydantic's: what it reads is an instance, what it writes is an object of the fields.
    """
    core: Any = import_module("pydantic_core.core_schema")
    parts = [(part, part.metadata.get("schema", part.type)) for part in fields(kind)]
    names = {
        part.alias: core.typed_dict_field(handler.generate_schema(hint), required=part.default is NOTHING)
        for part, hint in parts
        if hint is not None
    }
    whole = core.typed_dict_schema(names, cls=kind, extra_behavior="forbid")

    def read(value: Any, read_fields: Callable[[Any], Any]) -> Any:
        return value if isinstance(value, kind) else kind(**read_fields(value))

    def write(value: Any, write_fields: Callable[[Any], Any]) -> Any:
        return write_fields({name: getattr(value, name) for name in names})

    return core.no_info_wrap_validator_function(
        read, whole, serialization=core.wrap_serializer_function_ser_schema(write, schema=whole)
    )
