"""Reading a file of text into plain JSON values, strictly: nothing two readers could understand differently passes.

Lives here: JSON and YAML in, and what no document may be: repeated keys, numbers no float holds, half characters,
endless nesting. Does not live here: what an OpenAPI document has to hold (``document_checks``).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import tomllib
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError

from .errors import GenerationError, quote

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_SURROGATE = re.compile("[\ud800-\udfff]")
_YAML_SUFFIXES = (".yaml", ".yml")
MAX_DEPTH = 200  # objects and arrays within each other; FastAPI's documents reach some 20, and later readers recurse
MAX_VALUES = 10_000_000  # that YAML's aliases may unfold to; the pinned document has 200,000


class _DatesAsTexts(SafeConstructor):
    """YAML as JSON means it: a date is a text."""


_DatesAsTexts.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def read_text(path: Path) -> str:
    """Read a file's text.

    Raises:
        GenerationError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise GenerationError(f"{path} cannot be read: {problem.strerror or problem}") from None
    except UnicodeDecodeError as problem:
        raise GenerationError(f"{path} cannot be read: {problem}") from None


def read_fetch_time(document: Path) -> str:
    """Read from the lock beside a document when it was fetched; "" without a lock, or if that is about another one.

    Raises:
        GenerationError: The document or the lock cannot be read.
    """
    lock = document.with_name("lock.toml")
    if not lock.is_file():
        return ""
    try:
        lock_facts = tomllib.loads(read_text(lock))
    except tomllib.TOMLDecodeError as problem:
        raise GenerationError(f"{lock} is not TOML: {problem}") from None
    is_about_it = lock_facts.get("document_sha256") == hashlib.sha256(read_text(document).encode()).hexdigest()
    return str(lock_facts.get("fetched_at", "")) if is_about_it else ""


def parse(text: str, path: Path) -> dict[str, Any]:
    """Parse the JSON object a file holds; a file named ``.yaml`` or ``.yml`` holds it as YAML.

    Raises:
        GenerationError: It does not, or holds what no file can be written with.
    """
    try:
        value = _parse_yaml(text) if path.suffix.lower() in _YAML_SUFFIXES else _parse_json(text)
        if "\\ud" in text.lower() and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
            raise GenerationError(
                f"{path} holds half a character (a lone surrogate), which no file can be written with."
            )
    except (ValueError, TypeError, YAMLError) as problem:
        kind = "YAML" if path.suffix.lower() in _YAML_SUFFIXES else "JSON"
        is_yaml = kind == "JSON" and re.match(r"\s*(?:openapi|swagger)\s*:", text)
        hint = "; a file of YAML is named .yaml" if is_yaml else ""
        raise GenerationError(f"{path} is not {kind}: {' '.join(str(problem).split())}{hint}") from None
    except RecursionError:
        raise GenerationError(f"{path} is nested too deeply.") from None
    if not isinstance(value, dict):
        raise GenerationError(f"{path} is no JSON object.")
    _check_depth(value, path)
    return value


def _parse_json(text: str) -> Any:
    return json.loads(
        text.removeprefix("\ufeff"),
        object_pairs_hook=_refuse_repeated_keys,
        parse_constant=_refuse_constant,
        parse_float=_parse_float,
    )


def _parse_yaml(text: str) -> Any:
    return unfold_yaml(load_yaml(text))


def load_yaml(text: str) -> Any:
    """Load YAML as it stands, dates as texts; :func:`unfold_yaml` makes it JSON.

    Raises:
        YAMLError: It is none.
        ValueError: It holds a number nobody can read.
        RecursionError: It is nested too deeply.
    """
    yaml = YAML(typ="safe")
    yaml.Constructor = _DatesAsTexts
    return yaml.load(text)


def unfold_yaml(value: Any) -> Any:
    """Return the JSON values that a value of YAML stands for; aliases unfold, and response codes become texts.

    Raises:
        ValueError: It holds itself, or what JSON has no form for.
        TypeError: A key of it, or a value, is nothing JSON knows.
        RecursionError: It is nested too deeply.
    """
    if _count_values(value, {}) > MAX_VALUES:
        raise ValueError(f"its aliases unfold to more than {MAX_VALUES:_} values")
    return _parse_json(json.dumps(value, ensure_ascii=False))  # where a NaN, or what JSON has no form for, is refused


def _count_values(value: Any, counts: dict[int, int]) -> int:
    """Count the values there are once every alias is written out."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in counts:
        counts[id(value)] = MAX_VALUES + 1  # should it hold itself
        inner = value.values() if isinstance(value, dict) else value
        counts[id(value)] = 1 + sum(_count_values(item, counts) for item in inner)
    return counts[id(value)]


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {quote(repeated)} stands twice in one object, and only one can be meant")
    return result


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _parse_float(literal: str) -> float:
    number = float(literal)
    if math.isinf(number):
        raise ValueError(f"the number {quote(literal)} is beyond what a float holds")
    return number


def _check_depth(value: dict[str, Any], path: Path) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [item for node in level for item in _children(node) if isinstance(item, dict | list)]
    if level:
        raise GenerationError(f"{path} is nested more than {MAX_DEPTH} deep.")


def _children(node: Any) -> Iterable[Any]:
    return node.values() if isinstance(node, dict) else node
