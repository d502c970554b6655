"""A guard that lets nothing of this process reach the real MuAPI.

Lives here: which hosts are guarded, and the places where Python names a host before a connection is made. Does not live
here: pytest (``__init__``). Other processes are told by a variable (``_runtime/real_api``), which this package goes by;
what else they do, and libraries with a network stack of their own, are not seen.
"""

from __future__ import annotations

import os
import socket
import ssl
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from muapi_client._runtime.real_api import DOMAIN, VARIABLE, is_real, own_word

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_PROXY: Final = ("no_proxy", "NO_PROXY")  # a proxy would look the host up in our place
_OURS: Final = (DOMAIN, f".{DOMAIN}")  # the words of NO_PROXY that keep a proxy out of it
# Where the host stands among the arguments; 1 for methods, whose first is the object. Looking a host up goes through
# the first of these for nearly every library; ``connect`` looks one up by itself; TLS names its host once more, whoever
# looked it up.
_PLACES: Final[tuple[tuple[Any, str, int, str], ...]] = (
    (socket, "getaddrinfo", 0, "host"),
    (socket, "gethostbyname", 0, "hostname"),
    (socket, "gethostbyname_ex", 0, "hostname"),
    (socket, "gethostbyaddr", 0, "ip_address"),
    (socket, "create_connection", 0, "address"),
    (socket.socket, "connect", 1, "address"),
    (socket.socket, "connect_ex", 1, "address"),
    (ssl.SSLContext, "wrap_socket", 5, "server_hostname"),
    (ssl.SSLContext, "wrap_bio", 4, "server_hostname"),
)
_entered: Final[list[Guard]] = []  # the guards that refuse now; what is refused is the last one's


class RealAPIReached(BaseException):
    """Something would have reached the real MuAPI."""

    def again(self) -> Self:
        """Another one of the same words and place, which nothing refers to yet."""
        return type(self)(*self.args).with_traceback(self.__traceback__)


class Guard:
    """Refuses, while it is entered, whatever would reach a host of MuAPI's, by raising :class:`RealAPIReached`.

    Others may patch the same places meanwhile, keep what they found there, and undo it whenever they like: a wrapper
    that outlives the guard refuses nothing until a guard is entered again.
    """

    def __init__(self) -> None:
        self._refusals: list[RealAPIReached] = []
        self._depth = 0
        self._wrapped: list[tuple[Any, str, Any, Any]] = []  # whose attribute, its name, what was there, what is
        self._exempted: list[tuple[str, str | None, str]] = []  # a variable, what it said, what it says
        self._forbade: str | None = None  # what the variable said that other processes go by

    def __enter__(self) -> Self:
        """Begin to refuse, unless it does already."""
        _entered.append(self)
        self._depth += 1
        if self._depth == 1:
            self._wrapped.extend(_wrap(*place) for place in _PLACES)
            says = {name: os.environ.get(name) for name in _NO_PROXY}
            self._exempted.extend(_exempt_from_proxy(name, says) for name in _NO_PROXY)
            self._forbade = os.environ.get(VARIABLE)
            os.environ[VARIABLE] = own_word()
        return self

    def __exit__(self, *_: object) -> None:
        """Let everything be as it was, once it is left as often as it was entered, but for what others changed."""
        _entered.reverse()
        _entered.remove(self)  # the last of its entries
        _entered.reverse()
        self._depth -= 1
        if self._depth:
            return
        while self._wrapped:
            _unwrap(*self._wrapped.pop())
        if self._forbade is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = self._forbade
        while self._exempted:
            _undo_exemption(*self._exempted.pop())

    def take(self) -> list[RealAPIReached]:
        """Take what was refused since the last call."""
        refusals, self._refusals = self._refusals, []
        return refusals

    def refuse(self, host: object, name: str) -> NoReturn:
        """Note and raise that ``name`` was called with ``host``."""
        refusal = RealAPIReached(_message(host, name))
        self._refusals.append(refusal)
        raise refusal


def _wrap(home: Any, name: str, place: int, keyword: str) -> tuple[Any, str, Any, Any]:
    """Watch ``home.name``; what was there (None where it was inherited), and what is."""
    found = vars(home).get(name)
    watched = _watch(getattr(home, name), name, place, keyword)
    setattr(home, name, watched)
    return home, name, found, watched


def _unwrap(home: Any, name: str, found: Any, watched: Any) -> None:
    """Undo :func:`_wrap`, unless another put something of its own there."""
    if vars(home).get(name) is not watched:
        return
    if found is None:
        delattr(home, name)
    else:
        setattr(home, name, found)


def _watch(original: Callable[..., Any], name: str, place: int, keyword: str) -> Callable[..., Any]:
    @wraps(original)
    def watched(*args: Any, **named: Any) -> Any:
        if _entered:
            argument = named.get(keyword, args[place] if len(args) > place else None)
            host = argument[0] if isinstance(argument, tuple) and argument else argument
            if is_real(host):
                _entered[-1].refuse(host, name)
        return original(*args, **named)

    return watched


def _exempt_from_proxy(name: str, says: dict[str, str | None]) -> tuple[str, str | None, str]:
    """Keep proxies out of it by the variable ``name``, where the two say ``says``; what it said, and what it says.

    One that is not set begins with what the other says, which it would hide from most programs. A ``*`` that stands
    alone names every host already, and only alone.
    """
    found = says[name]
    base = found if found is not None else next((other for other in says.values() if other is not None), None)
    extended = os.environ[name] = "*" if base == "*" else ",".join(filter(None, (base, *_OURS)))
    return name, found, extended


def _undo_exemption(name: str, found: str | None, extended: str) -> None:
    """Undo :func:`_exempt_from_proxy`: if another has changed the variable since, take out what is ours."""
    says = os.environ.get(name)
    if says == extended:
        says = found
    elif says is not None:
        theirs = (found or "").split(",")
        says = ",".join(word for word in says.split(",") if word not in _OURS or word in theirs)
    if says is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = says


def _message(host: object, name: str) -> str:
    name_of_host = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    return (
        f"this test would have reached the real MuAPI at {name_of_host} (seen in {name}), where jobs cost money. "
        "Use the emulator: the fixture muapi, MuAPI(transport=muapi_emulator.transport()), or for a program that reads "
        "it, MUAPI_BASE_URL=muapi_emulator.serve(). A test that is meant to reach it must not use no_real_api, and "
        "where the option muapi_no_real_api guards every test, is run with -o muapi_no_real_api=false"
    )
