"""YAML as an input: a document written in it becomes the JSON that it stands for. Pure.

Lives here: telling YAML, and reading it as YAML 1.2 has it, with the one library that is no dependency of this package
(ruamel's, of the extra ``generate``), imported when a document needs it. Does not live here: JSON, which is read
strictly afterwards (``strict_json``).
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from typing import Any, Final

from muapi_client.pinning._document.errors import PinError
from muapi_client.pinning._document.strict_json import as_list, as_object

MAX_VALUES: Final = 10_000_000  # that aliases may unfold to; MuAPI's document has 200,000
_NAMED: Final = re.compile(r"\.ya?ml(?:[?#].*)?$", re.IGNORECASE)  # of a source
_BEGINS: Final = re.compile(rb"^(?:openapi|swagger)[ \t]*:", re.MULTILINE)  # of a document, at the edge of a line


def to_json(content: bytes, source: str) -> bytes:
    """Turn a document in YAML into JSON; one in JSON comes back as it is.

    Args:
        content: The document.
        source: Where it is from: a file or an address whose name ends with ``.yaml`` or ``.yml`` has YAML.

    Raises:
        PinError: It is YAML and cannot be read as such, or what reads YAML is not installed.
    """
    is_json = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[", b"<"))
    if is_json or not (_NAMED.search(source) or _BEGINS.search(content)):
        return content
    value = _load(content)
    if _count(value, {}) > MAX_VALUES:
        raise PinError(f"its aliases unfold to more than {MAX_VALUES:,} values: no document of an API")
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise PinError(f"the document holds what JSON has no form for: {error}") from None


def _load(content: bytes) -> Any:
    try:
        ruamel: Any = import_module("ruamel.yaml")
        constructor: Any = import_module("ruamel.yaml.constructor")
    except ImportError:
        raise PinError(
            "the document is YAML, and what reads it is not installed: pip install 'muapi-client[generate]', or give "
            "the document as JSON"
        ) from None
    yaml = ruamel.YAML(typ="safe", pure=True)
    yaml.Constructor = _make_constructor(constructor.SafeConstructor)
    try:
        return yaml.load(content.decode("utf-8-sig"))
    except (ruamel.error.YAMLError, ValueError, RecursionError) as error:
        raise PinError(
            f"the document is not YAML: {' '.join(str(error).split()) or 'it is nested too deeply'}"
        ) from None


def _make_constructor(base: Any) -> Any:
    """A constructor that takes dates for texts, as JSON has them."""
    made: Any = type("_DatesAsTexts", (base,), {})
    made.add_constructor("tag:yaml.org,2002:timestamp", base.construct_yaml_str)
    return made


def _count(value: Any, counts: dict[int, int]) -> int:
    """Count the values there are once every alias is written out."""
    fields, items = as_object(value), as_list(value)
    if fields is None and items is None:
        return 1
    if id(value) not in counts:
        counts[id(value)] = MAX_VALUES + 1  # should it hold itself
        counts[id(value)] = 1 + sum(_count(item, counts) for item in (items or (fields or {}).values()))
    return counts[id(value)]
