"""The address of a database, whose password is told to nobody.

Lives here: what is such an address, and hiding its password. Does not live here: connecting
(``_state/journal/server``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMES: Final = ("postgresql://", "postgres://")
MEANT: Final = (
    re.compile(  # other ways to name a server: a file of that name would hold the password, and be nobody else's
        r"(?!file:)[a-z][a-z0-9+.-]*://|postgres(?:ql)?:|(?:.*\s)?(?:host|hostaddr|dbname|service|password)\s*=",
        re.IGNORECASE | re.DOTALL,
    )
)
SECRETS: Final = ("password", "sslpassword", "oauth_client_secret")  # parameters of an address
NO_LOGIN: Final = re.compile(r"[^:/?#]*[/?#]")  # begins so: a host's name is over before any password begins
NO_PORT: Final = re.compile(r"(\[[^]]*\])|:(?!\d*(?:[,/]|$))[^,/]*")  # in its place, perhaps a password; [::1] is none
FEWEST: Final = 4  # characters; what is shorter is part of ordinary words
SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)
HIDDEN: Final = "[hidden]"


def is_address(given: object) -> bool:
    """Whether this names a server's database, and no file."""
    return isinstance(given, str) and given.lstrip().lower().startswith(SCHEMES)


def means_server(given: object) -> bool:
    """Whether this names a server in some way, be it none that is taken here, and no file."""
    return isinstance(given, str) and MEANT.match(given.strip()) is not None


def _hide_port(found: re.Match[str]) -> str:
    return found[1] or ":…"


class DatabaseAddress:
    """An address as libpq takes it; neither its repr nor a pickle nor a traceback's locals show a password.

    Attributes:
        reveal: Answers the address itself. A method of the text's own, whose repr does not show the text.
        name: The same for messages: user, host, port and database.
    """

    __slots__ = ("_hidden", "name", "reveal")

    def __init__(self, url: str) -> None:
        text = url.strip()
        self.reveal: Callable[[], str] = text.__str__
        scheme, _, rest = text.partition("://")
        login, _, place = rest.rpartition("@")
        if NO_LOGIN.match(login):  # the @ stands in a parameter
            login, place = "", rest
        user, _, password = login.partition(":")
        where, _, query = place.partition("?")
        every = rest.partition("?")[2]  # where a password has an @ or a ? in it, either may be the query
        scheme = "postgresql" if is_address(text) else scheme
        name = f"{scheme}://{user}{'@' if user else ''}{NO_PORT.sub(_hide_port, where)}"
        self.name = name if SCHEME.fullmatch(scheme) and rest else "a server"
        told = [pair.partition("=") for pair in f"{query}&{every}".split("&")]  # as libpq: a + is no blank
        given = [password, *(value for name, _, value in told if unquote(name) in SECRETS)]
        spellings = {spelt for each in given for spelt in (each, unquote(each)) if len(spelt) >= FEWEST}
        self._hidden: Callable[[], object] = tuple(sorted(spellings, key=len, reverse=True)).__iter__
        del url, text, rest, login, password, place, query, scheme, name  # a traceback that shows locals
        del every, told, given, spellings

    def __repr__(self) -> str:
        return f"DatabaseAddress({self.name!r})"

    def __reduce__(self) -> str:
        raise TypeError("a database's address is not pickled; open the journal anew in the other process")

    def hide(self, text: str) -> str:
        """A message without the password, should it repeat it."""
        for secret in self._hidden():  # type: ignore[attr-defined]  # an iterator
            text = text.replace(secret, HIDDEN)
        return text
