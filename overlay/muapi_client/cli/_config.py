"""A person's settings: what an option need not say each time.

They stand in a TOML file, config.toml in the user's folder of settings (``MUAPI_CONFIG`` names another file), each with
a variable of the environment that comes before it; an option of the command line comes before both.

Lives here: reading them, and where a user's files are. Does not live here: writing them, the API key (``_client``),
what a budget or a journal is (``MuAPI``).
"""

from __future__ import annotations

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from muapi_client._types.budget import PERIODS
from muapi_client._types.money import LARGEST, usd
from muapi_client._types.words import with_article
from muapi_client.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

APP: Final = "muapi-client"
FILE: Final = "MUAPI_CONFIG"
FORMS: Final = ("plain", "json")
NO_FOLDER: Final = "your own folder is found by platformdirs, which is not installed: pip install 'muapi-client[cli]'"


class Settings(NamedTuple):
    """What stands in the environment, or else in the file; None where neither says anything.

    Attributes:
        base_url: Where the API is.
        budget_usd: What jobs may cost together, as :func:`read_budget` has it.
        journal: A file, or the address of a database, hidden; False for no journal by default.
        output_dir: Where ``--out`` saves by default.
        output: ``plain`` or ``json``.
    """

    base_url: str | None = None
    budget_usd: str | None = None
    journal: Any = None
    output_dir: str | None = None
    output: str | None = None


VARIABLES: Final = {
    "base_url": "MUAPI_BASE_URL",
    "budget_usd": "MUAPI_BUDGET_USD",
    "journal": "MUAPI_JOURNAL",
    "output_dir": "MUAPI_OUTPUT_DIR",
    "output": "MUAPI_OUTPUT",
}


def read_settings() -> Settings:
    """Read the settings.

    Raises:
        ValidationError: The file, or a value in it or in the environment, cannot be right; nothing was sent.
    """
    values = _read_file()
    for name, variable in VARIABLES.items():
        if given := os.environ.get(variable):
            values[name] = read_value(name, from_words(name, given), variable, Path.cwd())
    return Settings(**values)


def config_file() -> Path | None:
    """Where the settings are, or would be; None where nobody knows the user's folder."""
    if named := os.environ.get(FILE):
        return read_path(named)
    folders = _folders()
    return folders and Path(folders.user_config_path(APP, appauthor=False), "config.toml")


def read_path(text: str) -> Path:
    """A path as a person types it; a ``~`` that names nobody who has a home here is a letter like any other."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - the other expanduser() raises where this one lets it be


def default_journal() -> Path | None:
    """The user's own journal; None where nobody knows the user's folder."""
    folders = _folders()
    return folders and Path(folders.user_data_path(APP, appauthor=False), "jobs.db")


def read_budget(text: str) -> tuple[Decimal, str | None]:
    """An amount in USD and, where it is told, what it is for: ``5``, ``5/day``.

    Raises:
        ValueError: It is no amount, or for something else.
    """
    amount, slash, period = text.partition("/")
    most = usd(amount)
    if most is None or most < 0:
        raise ValueError(
            f"{text!r} is no budget: an amount in USD, such as 5 or 5/day, from 0 to less than {LARGEST:,}"
        )
    if slash and period not in PERIODS:
        raise ValueError(f"{text!r} is a budget for {period!r}, and there are those for {', '.join(PERIODS)}: 5/day")
    return most, period or None


def _folders() -> Any:
    try:
        import platformdirs  # noqa: PLC0415 - of the extra [cli]
    except ImportError:
        return None
    return platformdirs


def _read_file() -> dict[str, Any]:
    path = config_file()
    if path is None:
        return {}
    try:
        content = path.read_text(encoding="utf-8-sig")  # an editor may put a mark before it
    except FileNotFoundError:
        if FILE in os.environ:
            raise ValidationError(f"{FILE} names {path}, and there is no such file (nothing was sent)") from None
        return {}
    except (OSError, ValueError) as error:
        raise ValidationError(f"{path} cannot be read: {error} (nothing was sent)") from None
    try:
        given = tomllib.loads(content)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValidationError(f"{path} is no TOML: {error} (nothing was sent)") from None
    for name in given:
        if name not in VARIABLES:
            near = get_close_matches(name, VARIABLES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(VARIABLES)}"
            raise ValidationError(f"{path}: there is no setting {name!r}: {hint} (nothing was sent)")
    return {name: read_value(name, value, f"{path}: {name}", path.parent) for name, value in given.items()}


def from_words(name: str, given: str) -> Any:
    """A value as the file has it, of one in the environment or on the command line, where all is text."""
    return False if (name, given) == ("journal", "false") else given


def read_value(name: str, value: Any, place: str, folder: Path) -> Any:
    """One value as :class:`Settings` has it.

    Args:
        place: Where it stands, for the message.
        folder: What a journal's relative path is meant from.

    Raises:
        ValidationError: It cannot be right.
    """
    try:
        return READERS[name](value, folder)
    except ValueError as problem:
        raise ValidationError(f"{place}: {problem} (nothing was sent)") from None


def _read_text(value: Any, _folder: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"takes text, not {value!r}")
    return value


def _read_base_url(value: Any, folder: Path) -> str:
    url = _read_text(value, folder)
    if "@" in url:  # which is not shown
        raise ValueError("an address of the API holds no user name or password")
    return url


def _read_budget(value: Any, _folder: Path) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is no budget: an amount in USD, such as 5 or '5/day'")  # noqa: TRY004 - as others
    read_budget(str(value))
    return str(value)


def _read_journal(value: Any, folder: Path) -> Any:
    if value is False:
        return False
    if not isinstance(value, str) or not value.strip():
        raise ValueError(
            f"takes a file, the address of a database, or false for none, not {with_article(type(value).__name__)}"
        )
    from muapi_client._client.base import hide_address  # noqa: PLC0415 - few settings name a journal

    journal = hide_address(value)
    return str(folder / read_path(value)) if journal is value else journal


def _read_folder(value: Any, folder: Path) -> str:
    return str(read_path(_read_text(value, folder)))


def _read_output(value: Any, _folder: Path) -> str:
    if value not in FORMS:
        raise ValueError(f"must be one of {', '.join(FORMS)}, not {value!r}")
    return str(value)


READERS: Final[dict[str, Callable[[Any, Path], Any]]] = {
    "base_url": _read_base_url,
    "budget_usd": _read_budget,
    "journal": _read_journal,
    "output_dir": _read_folder,
    "output": _read_output,
}
