"""What each worker makes its client of: options as values, and secrets by the names of environment variables. Pure.

Lives here: which options travel, what is refused, making the client where it is needed. Does not live here: the options
themselves (``_settings``, ``_client``).

What travels ends up in task graphs, in the scheduler's memory and in logs. So the API key, a webhook's address and a
database's password never do: each worker reads them from its own environment.
"""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from muapi_client._client.client import MuAPI
from muapi_client._runtime.forks import forks
from muapi_client._settings.api_key import VARIABLE
from muapi_client._settings.options import read_origin
from muapi_client._types.words import show, with_article
from muapi_client.errors import AuthenticationError, MuAPIError

OPTIONS: Final = frozenset(
    {
        *("allow_http", "allow_private_downloads", "base_url", "budget", "expect", "journal"),
        *("looks_per_second", "max_connections", "models", "polling", "retry", "reuse"),
        *("spec_pin", "strict", "tag", "team_id", "timeout", "unpriced", "wait_timeout"),
    }
)
REFUSED: Final = {
    "api_key": "it is secret: from_environment={'api_key': 'MUAPI_API_KEY'} names the variable that each worker reads",
    "clock": "each worker has its own",
    "max_spend": "it is one client's limit, and each worker has a client: use budget= with a journal that all share",
    "transport": "it is one process's",
    "webhook": "its address is secret: from_environment={'webhook': 'MUAPI_WEBHOOK'} names the variable with it",
}
SECRET_WORD: Final = re.compile(r"(password|secret)\s*=", re.IGNORECASE)  # such as sslpassword=, of libpq's words
FROM_ENVIRONMENT: Final = frozenset({"api_key", "base_url", "journal", "webhook"})


@frozen
class ClientOptions:
    """What a worker makes its client of. Holds no secret.

    Attributes:
        options: Keyword arguments of ``MuAPI``.
        variables: Those that are read from the environment of the process that makes the client, and from where.
    """

    options: Mapping[str, Any]
    variables: Mapping[str, str]

    @property
    def has_journal(self) -> bool:
        """Whether the clients have a journal."""
        return "journal" in self.options or "journal" in self.variables

    def make_client(self) -> MuAPI:
        """Make a client in this process.

        Raises:
            AuthenticationError: The key's variable is not set here.
            MuAPIError: Another one is not, or an option cannot be right.
        """
        missing = [f"{variable} ({name})" for name, variable in self.variables.items() if not os.environ.get(variable)]
        if missing:
            error = AuthenticationError if not os.environ.get(self.variables["api_key"]) else MuAPIError
            raise error(f"the environment of this worker lacks {', '.join(missing)}: set it where the workers start")
        read: dict[str, Any] = {name: os.environ[variable] for name, variable in self.variables.items()}
        try:
            return MuAPI(**self.options, **read)
        finally:
            del read  # a traceback that shows locals shows no secret


def read_client_options(options: Mapping[str, Any] | None, from_environment: Mapping[str, str] | None) -> ClientOptions:
    """Read what the workers' clients are made of.

    Raises:
        MuAPIError: An option is unknown, secret, one process's alone, or cannot be pickled; or the base URL is none.
    """
    given, variables = read_values(options), read_variables(from_environment)
    for name in given.keys() & variables.keys():
        raise MuAPIError(f"{name} stands in options and in from_environment: keep one")
    try:
        pickle.dumps(given)
    except Exception as error:
        raise MuAPIError(f"options must be values, which travel to the workers, and one is not: {error}") from error
    return ClientOptions(given, variables)


def read_values(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Read the options that travel as they are.

    Raises:
        MuAPIError: One is unknown, secret, or one process's alone.
    """
    given = dict(require_mapping("options", options))
    for name in given:
        if name in REFUSED:
            raise MuAPIError(f"options must not hold {name}: {REFUSED[name]}")
        if name not in OPTIONS:
            raise MuAPIError(f"options has no {name!r}: it takes {', '.join(sorted(OPTIONS))}")
    if given.get("base_url") is not None:
        read_origin(given["base_url"], allow_http=given.get("allow_http", False))  # one with a password travels nowhere
    if given.get("journal") is None:
        given.pop("journal", None)
    else:
        given["journal"] = read_journal(given["journal"])
    return given


def read_variables(from_environment: Mapping[str, str] | None) -> dict[str, str]:
    """Read which variables hold the others.

    Raises:
        MuAPIError: They are none of an option that may come from there.
    """
    variables = {"api_key": VARIABLE, **require_mapping("from_environment", from_environment)}
    for name, variable in variables.items():
        if name not in FROM_ENVIRONMENT:
            raise MuAPIError(f"from_environment has no {name!r}: it takes {', '.join(sorted(FROM_ENVIRONMENT))}")
        if not isinstance(variable, str) or not variable:
            raise MuAPIError(f"from_environment must name a variable for {name}, not {show(variable)}")
    return variables


def require_mapping(name: str, given: Any) -> Mapping[str, Any]:
    """Refuse what is no dict; nothing given is an empty one.

    Raises:
        MuAPIError: It is something else.
    """
    if given is not None and not isinstance(given, Mapping):
        raise MuAPIError(f"{name} must be a dict, not {with_article(type(given).__name__)}")
    return given or {}


def read_journal(given: Any) -> str:
    """A journal's path, as it is for every process of this machine, or a database's URL.

    Raises:
        MuAPIError: It is an open journal, or holds a password.
    """
    if not isinstance(given, str | os.PathLike):
        raise MuAPIError(f"options must hold the journal's path or URL, and each worker opens it, not {show(given)}")
    text = os.fsdecode(given)
    if holds_password(text):
        raise MuAPIError(
            "the journal's URL holds a password, which must not travel with tasks: set it in the workers' environment,"
            " and name the variable: from_environment={'journal': 'MUAPI_JOURNAL'}"
        )
    return text if "://" in text else os.path.abspath(text)  # noqa: PTH100 - resolves no links


def holds_password(journal: str) -> bool:
    """Whether a journal's path or URL may hold a password: by what libpq reads in a URL, and it knows no fragments."""
    with forks.kept_waiting:
        from urllib.parse import unquote  # noqa: PLC0415 - 3 ms, which other maps need not take

    if SECRET_WORD.search(unquote(journal)):
        return True
    rest = journal.partition("://")[2]
    user, at, _ = rest.partition("@")
    before_query, _, _ = rest.partition("?")
    return (at != "" and ":" in user and "/" not in user) or ":" in before_query.rpartition("@")[0]
