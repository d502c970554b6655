"""Equality of values of which an awaiting client has a kind of its own: what they tell counts, not who handed them out.

Lives here: the methods that both kinds share. Does not live here: the values (``prediction``).
"""

from typing import Any

from attrs import fields


def equal_values(value: Any, other: object) -> Any:
    """As a method of an attrs class: whether both are of it, or of a subclass, and have equal fields."""
    if not isinstance(other, type(value)) and not isinstance(value, type(other)):
        return NotImplemented
    return all(getattr(value, part.name) == getattr(other, part.name) for part in fields(type(value)) if part.eq)


def hash_values(value: Any) -> int:
    """The hash that goes with :func:`equal_values`, of the fields that have one."""
    parts = (part.name for part in fields(type(value)) if (part.eq if part.hash is None else part.hash))
    return hash(tuple(getattr(value, name) for name in parts))
