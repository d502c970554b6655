"""Equality of values of which an awaiting client has a kind of its own: what they tell counts, not who handed them out.

Lives here: the methods that both kinds share. Does not live here: the values (``prediction``).
"""

from typing import Any

from attrs import fields


def equal_values(self: Any, other: object) -> Any:
    """As a method of an attrs class: whether both are of it, or of a subclass, and have equal fields."""
    if not isinstance(other, type(self)) and not isinstance(self, type(other)):
        return NotImplemented
    return all(getattr(self, part.name) == getattr(other, part.name) for part in fields(type(self)) if part.eq)


def hash_values(self: Any) -> int:
    """The hash that goes with :func:`equal_values`, of the fields that have one."""
    parts = (part.name for part in fields(type(self)) if (part.eq if part.hash is None else part.hash))
    return hash(tuple(getattr(self, name) for name in parts))
