"""The repr of what a user holds: one line of what it tells, by the names of its attributes. Pure.

What is as it is by default is left out, and long texts are cut: the attributes have them whole.

Lives here: how values are shown. Does not live here: a call's repr, and which names tell of a secret
(``muapi_generated.types``), how they look in a notebook (``_html``).
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from attrs import NOTHING, Factory, fields

from muapi_generated.types import show_value

TEXT: Final = 80  # characters of a text
ADDRESS: Final = 200  # of a URL, which is of no use when it is cut
ITEMS: Final = 4  # of a tuple


def represent_short(self: Any) -> str:
    """The repr of an attrs value, as a method of its class: the fields that have a repr and are not as by default."""
    kind = type(self)
    shown = (
        f"{part.alias}={_show(getattr(self, part.name))}"
        for part in fields(kind)
        if part.repr and not _is_default(part, getattr(self, part.name))
    )
    return f"{kind.__name__}({', '.join(shown)})"


def _is_default(part: Any, value: Any) -> bool:
    default = part.default
    if isinstance(default, Factory):  # type: ignore[arg-type]  # a class, whatever attrs' stubs say
        return value in ({}, [], ())
    return default is not NOTHING and type(value) is type(default) and bool(value == default)


def _show(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, tuple):
        listed = [*map(_show, value[:ITEMS])]
        more = [f"… {len(value) - ITEMS} more"] if len(value) > ITEMS else []
        return f"[{', '.join([*listed, *more])}]"
    if isinstance(value, BaseException):
        return f"{type(value).__name__}({_show(str(value))})"
    is_address = isinstance(value, str) and value.startswith(("https://", "http://"))
    return show_value(value, most=ADDRESS if is_address else TEXT)
