"""Who may reach a served emulator from a browser: the names it answers under, and the pages that may read its answers.

A browser sends any page's requests anywhere. Two rules keep a stranger's page away from an emulator on this machine.
The host: a page whose name was bound to 127.0.0.1 after it was loaded (DNS rebinding) still says its own name, so one
that is not this emulator's is answered with 421. The origin: what a page of another origin may read is the server's to
say (CORS, the Fetch standard); by default pages served from this machine may, as a front end under development is.

Lives here: both rules, as functions of a request. Does not live here: API keys, which every request needs besides, and
real hosts as first segments of a path (``_messages/addresses``).
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from attrs import evolve, field, frozen

from muapi_client.emulator._http.control import PREFIX
from muapi_client.emulator._http.faults import FaultedResponse
from muapi_client.emulator._http.webhook_sender import is_own
from muapi_client.emulator._messages.addresses import is_real_host
from muapi_client.emulator._messages.messages import Response, make_json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from muapi_client.emulator._http.control import Control
    from muapi_client.emulator._messages.messages import Request

ANY: Final = "*"  # as an origin: every page's
_HOST: Final = re.compile(r"(?:\[(?P<v6>[\da-f:.]+)\]|(?P<name>[\w.-]+))(?::\d{1,5})?", re.ASCII | re.IGNORECASE)
_ORIGIN: Final = re.compile(rf"https?://{_HOST.pattern}", re.ASCII | re.IGNORECASE)
_LET_IN: Final = "--cors ORIGIN, or serve(cors=[ORIGIN]), lets it"
_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE"
_REMEMBERED: Final = "600"  # seconds for which a browser need not ask again
# What a page may read of an answer besides its body; a browser hides the rest (of these none is a secret).
_READABLE: Final = (
    "X-MuAPI-Cost-USD, X-MuAPI-Cost-Credits, X-MuAPI-Cost-Bonus-Credits, X-MuAPI-Cost-Refunded, X-Account-Balance,"
    " Retry-After, Date, ETag"
)


def read_names(names: Iterable[str]) -> frozenset[str]:
    """Hosts as a Host header names them, in small letters.

    Raises:
        ValueError: One is none.
    """
    given = frozenset(name.lower() for name in ([names] if isinstance(names, str) else names))
    wrong = next((name for name in sorted(given) if not re.fullmatch(r"[\w.-]+|[\da-f:.]+", name, re.ASCII)), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is no host as a Host header names it: no scheme, no port, such as 'emulator'")
    return given


def read_origins(origins: Iterable[str]) -> frozenset[str]:
    """Origins as browsers say them.

    Raises:
        ValueError: One is none.
    """
    return frozenset(_read_origin(origin) for origin in ([origins] if isinstance(origins, str) else origins))


def _read_origin(given: str) -> str:
    """``given`` as browsers say it: in small letters, without a port that goes without saying."""
    origin = given.lower().rstrip("/")
    if origin == ANY:
        return origin
    if not given.isascii() or _ORIGIN.fullmatch(origin) is None:
        raise ValueError(f"{given!r} is no origin such as 'https://app.example.com', nor '{ANY}'")
    return re.sub(r"^(http:.*):80$|^(https:.*):443$", r"\1\2", origin)


@frozen
class Access:
    """What is let in.

    Args:
        hosts: Names that it answers under besides this machine's, any address and MuAPI's own.
        origins: Origins whose pages may read answers besides those on this machine; ``"*"`` is all.
        own_origins: Whether pages on this machine may.
        control: What answers below ``/emulator/``; None for an emulator that is not steered over HTTP.

    Raises:
        ValueError: One of them is none.
    """

    hosts: frozenset[str] = field(default=frozenset(), converter=read_names)
    origins: frozenset[str] = field(default=frozenset(), converter=read_origins)
    own_origins: bool = True
    control: Control | None = None

    def guard(
        self, meet: Callable[[Request], FaultedResponse], date: Callable[[], str]
    ) -> Callable[[Request], FaultedResponse]:
        """``meet`` for those who are let in; ``date`` tells the time of day, as its own answers do."""

        def meet_if_let_in(request: Request) -> FaultedResponse:
            own = self._refuse(request)
            if own is None and self.control is not None and request.path.startswith(PREFIX):
                own = self._expose(request, self._steer(self.control, request))
            if own is not None:
                return FaultedResponse(evolve(own, headers={**own.headers, "date": date()}), status=own.status)
            faulted = meet(request)
            if faulted.response is None or "origin" not in request.headers:
                return faulted
            return evolve(faulted, response=self._expose(request, faulted.response))

        return meet_if_let_in

    def _refuse(self, request: Request) -> Response | None:
        """The answer to a request that is not let in, or that only asks whether one would be; None lets it in."""
        if not self._answers_under(request.host):
            return _refusal(
                421,
                f"This emulator does not answer under the name {request.host!r}: another site's page may be asking."
                " If it is yours, name it: --allowed-host NAME, or serve(allowed_hosts=[NAME])",
            )
        origin = request.headers.get("origin")
        if request.method == "OPTIONS" and origin is not None and "access-control-request-method" in request.headers:
            return self._answer_preflight(request, origin)
        return None

    def _expose(self, request: Request, response: Response) -> Response:
        """``response`` as the page that asked may read it."""
        origin = request.headers.get("origin")
        if origin is None:
            return response
        allowed = {"access-control-expose-headers": _READABLE} if self._lets_read(origin) else {}
        return evolve(response, headers={**response.headers, **self._name_origin(origin), **allowed})

    def _steer(self, control: Control, request: Request) -> Response:
        """The control routes' answer; a page needs no preflight to send a plain POST, so its origin is asked here."""
        origin = request.headers.get("origin")
        if origin is not None and not self._lets_read(origin):
            return _refusal(403, f"No page of {origin} may steer this emulator: {_LET_IN}")
        return control.answer(request)

    def _answer_preflight(self, request: Request, origin: str) -> Response:
        if not self._lets_read(origin):
            return _refusal(403, f"No page of {origin} may ask: {_LET_IN}", {"vary": "Origin"})
        headers = {
            **self._name_origin(origin),
            "access-control-allow-methods": _METHODS,
            "access-control-max-age": _REMEMBERED,
        }
        if asked := request.headers.get("access-control-request-headers"):
            headers["access-control-allow-headers"] = asked
        if request.headers.get("access-control-request-private-network") == "true":
            headers["access-control-allow-private-network"] = "true"
        return Response(204, headers, b"")

    def _name_origin(self, origin: str) -> dict[str, str]:
        named = {"access-control-allow-origin": origin} if self._lets_read(origin) else {}
        return {**named, "vary": "Origin"}

    def _lets_read(self, origin: str) -> bool:
        if not self.origins.isdisjoint({origin.lower(), ANY}):
            return True
        host = _split_origin(origin)
        return self.own_origins and host is not None and is_own(host)

    def _answers_under(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return not host  # HTTP/1.0, which no browser speaks
        name = (match["v6"] or match["name"]).lower()
        return name in self.hosts or is_own(name) or is_real_host(name) or _is_address(name)


def _split_origin(origin: str) -> str | None:
    """The host of an origin; None where it is none, such as ``null``, which pages in files and sandboxes send."""
    match = _ORIGIN.fullmatch(origin)
    return (match["v6"] or match["name"]).lower() if match else None


def _is_address(name: str) -> bool:
    """Return whether it is a number, which nobody can bind to another machine."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _refusal(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    return make_json_response(status, {"detail": detail}, headers)
