"""``muapi-client config``: the settings as they are, and changing the file they stand in.

Lives here: where each comes from, and changing one line of a person's file. Does not live here: reading settings
(``_config``), the API key (``_auth``).
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any, Final

from muapi_client._client.base import hide_address
from muapi_client._settings.options import DEFAULT_BASE_URL
from muapi_client.cli._client import name_journal
from muapi_client.cli._config import (
    NO_FOLDER,
    VARIABLES,
    config_file,
    default_journal,
    from_words,
    read_path,
    read_settings,
    read_value,
)
from muapi_client.cli._exit import DONE
from muapi_client.cli._formats import render_table
from muapi_client.errors import MuAPIError, ValidationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from muapi_client.cli._console import Console

HEADS: Final = ("name", "value", "from")


def config(options: argparse.Namespace, console: Console) -> int:
    """Carry out one action of ``config``.

    Raises:
        ValidationError: There is no such setting, or its value cannot be right; nothing was written.
        OSError: The file cannot be written.
    """
    actions: dict[str, Callable[[argparse.Namespace, Console], None]] = {
        "path": _path,
        "set": _set,
        "show": _show,
        "unset": _unset,
    }
    actions[options.action](options, console)
    return DONE


def _show(_options: argparse.Namespace, console: Console) -> None:
    settings = read_settings()._asdict()
    rows = [(name, *_describe(name, settings[name])) for name in VARIABLES]
    form = {name: {"value": value if source else None, "from": source or None} for name, value, source in rows}
    table = render_table(HEADS, [(name, value, source or "default") for name, value, source in rows])
    console.result({"file": _text_of(config_file()), "settings": form}, table)
    console.remark(f"file: {_text_of(config_file()) or NO_FOLDER}")


def _describe(name: str, value: Any) -> tuple[str, str]:
    """A setting's value, and where it comes from; empty where nobody says anything."""
    if value is None:
        return DEFAULTS.get(name, lambda: "-")(), ""
    source = VARIABLES[name] if os.environ.get(VARIABLES[name]) else "file"
    return ("false" if value is False else name_journal(value) if name == "journal" else str(value)), source


def _path(_options: argparse.Namespace, console: Console) -> None:
    place = _need_file()
    console.result({"file": str(place), "exists": place.exists()}, str(place))


def _set(options: argparse.Namespace, console: Console) -> None:
    name, given = _read_name(options.name), options.value
    place = _need_file()
    value = from_words(name, given)
    if (name == "journal" and value and hide_address(value) is value) or name == "output_dir":
        value = str(read_path(given).absolute())  # what is meant from here, where it is said
    read_value(name, value, name, place.parent)
    _change(place, name, value)
    shown = name_journal(hide_address(value)) if name == "journal" and value else value
    console.result({"file": str(place), "name": name, "value": shown}, "")
    console.remark(f"{name} is set in {place}")
    _remark_variable(name, console)


def _unset(options: argparse.Namespace, console: Console) -> None:
    name, place = _read_name(options.name), _need_file()
    _change(place, name, None)
    console.result({"file": str(place), "name": name, "value": None}, "")
    console.remark(f"{name} is not set in {place}")
    _remark_variable(name, console)


def _change(place: Path, name: str, value: str | bool | None) -> None:
    """Change one line of the file, or add it, and leave every other one and all comments as they are.

    Raises:
        ValidationError: The file is no TOML, or says it in a way that is not one line; then it is as it was.
    """
    old = place.read_text(encoding="utf-8-sig") if place.exists() else ""
    try:
        wanted = {key: each for key, each in tomllib.loads(old).items() if key != name}
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValidationError(f"{place} is no TOML: {error} (nothing was written)") from None
    lines = [line for line in old.splitlines() if not re.match(rf"\s*{re.escape(name)}\s*=", line)]
    if value is not None:
        wanted[name] = value
        lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")  # which TOML writes as JSON does
    new = "".join(f"{line}\n" for line in lines)
    if _read(new) != wanted:
        raise ValidationError(f"{place} says {name} in more than one line: change it there (nothing was written)")
    _write(place.resolve(), new)  # the file that a link leads to


def _write(place: Path, text: str) -> None:
    """Write a file whole or not at all, whoever else writes it at that moment; a journal's address may hold a password.

    Raises:
        OSError: It cannot be written; it is as it was.
    """
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = mkstemp(prefix=f".{place.name}.", dir=place.parent)  # for its owner's eyes
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(place)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _remark_variable(name: str, console: Console) -> None:
    if os.environ.get(VARIABLES[name]):
        console.remark(f"{VARIABLES[name]} is set, and comes before it")


def _read_name(name: str) -> str:
    if name not in VARIABLES:
        raise ValidationError(f"there is no setting {name!r}: there are {', '.join(VARIABLES)} (nothing was written)")
    return name


def _need_file() -> Path:
    place = config_file()
    if place is None:
        raise MuAPIError(f"nobody knows where the settings are: {NO_FOLDER}")
    return place


def _text_of(place: Path | None) -> str | None:
    return None if place is None else str(place)


# What is done where nobody says anything.
DEFAULTS: Final[dict[str, Callable[[], str]]] = {
    "journal": lambda: _text_of(default_journal()) or "-",
    "output": lambda: "plain",
    "base_url": lambda: DEFAULT_BASE_URL,
}
