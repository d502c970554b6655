"""Steering a served emulator over HTTP, for programs in any language: the routes under ``/emulator/``.

MuAPI has no such path. What a test in Python does with the ``Emulator`` it holds, another program does here: choose
what becomes of the next jobs, let faults strike, move the clock, look at the books.

Only programs on this machine may, or whoever shows the token, where there is one; a page in a browser only if it may
read answers besides (``access``). ``health`` alone is anybody's: it tells nothing.

Lives here: the routes. Does not live here: the form of bodies and answers (``control_schemas``).
"""

from __future__ import annotations

import json
import re
from decimal import Decimal  # noqa: TC003 - attrs resolves the annotation
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from attrs import field, frozen

from muapi_client._runtime.clock import VirtualClock
from muapi_client._runtime.loopback import is_loopback
from muapi_client._version import __version__
from muapi_client.emulator._http.control_schemas import BODIES, build_schema
from muapi_client.emulator._http.faults import MOST_WAITING, Fault, Faults
from muapi_client.emulator._messages.cost import dollars
from muapi_client.emulator._messages.messages import Refusal, hide_keys, hide_secrets, make_json_response, read_json
from muapi_client.emulator._state.outcomes import Outcome, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsonschema_rs import ValidationError

    from muapi_client._runtime.clock import Clock
    from muapi_client.emulator._http.request_log import Exchange
    from muapi_client.emulator._messages.messages import Request, Response

PREFIX: Final = "/emulator/"
TOKEN: Final = "x-emulator-token"  # noqa: S105 - the name of a header
LISTED: Final = 100  # jobs and requests, unless `limit` says otherwise
SLOW: Final = 1800.0  # seconds; the longest that real jobs were seen to take (observed)


class Steered(Protocol):
    """What of an ``Emulator`` is steered from here."""

    clock: Clock

    @property
    def accepted(self) -> int: ...
    @property
    def charged_usd(self) -> Decimal: ...
    @property
    def balance(self) -> Decimal: ...
    @property
    def requests(self) -> tuple[Exchange, ...]: ...
    @property
    def requests_seen(self) -> int: ...
    def jobs(self, limit: int | None = None) -> tuple[dict[str, Any], ...]: ...
    def next(self, *outcomes: Outcome, model: str | None = None) -> None: ...
    def sometimes(self, outcome: Outcome, share: float, *, model: str | None = None) -> None: ...
    def next_fault(self, *faults: Fault | None) -> None: ...
    def set_faults(self, faults: Faults) -> None: ...
    def deposit(self, amount: Decimal | float | str) -> None: ...
    def reset(self) -> None: ...


def check_token(token: str) -> None:
    """Refuse a token that nobody could show.

    Raises:
        ValueError: It is empty, or no header can have it.
    """
    if not re.fullmatch("[!-~]+", token):
        raise ValueError(
            "the control token is empty, or has characters that no header can show: use letters and digits"
        )


def _is_token(_control: object, _attribute: object, token: str | None) -> None:
    if token is not None:
        check_token(token)


@frozen
class Control:
    """The control routes of one emulator.

    Args:
        emulator: Whose.
        token: What ``X-Emulator-Token`` has to say; without one, only programs on this machine may ask.

    Raises:
        ValueError: ``token`` is none.
    """

    emulator: Steered
    token: str | None = field(default=None, repr=False, validator=_is_token)

    def answer(self, request: Request) -> Response:
        """Answer a request for a path below ``/emulator/``."""
        try:
            handler = self._find(request)
            return make_json_response(200, handler(request))
        except Refusal as refusal:
            return make_json_response(refusal.status, {"detail": refusal.detail}, refusal.headers)

    def _find(self, request: Request) -> Callable[[Request], Any]:
        name = request.path.removeprefix(PREFIX)
        routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "health"): _tell_health,
            ("GET", "schema"): _tell_schema,
            ("GET", "state"): self._tell_state,
            ("GET", "requests"): self._tell_requests,
            ("POST", "next"): self._choose_next,
            ("POST", "faults"): self._choose_faults,
            ("POST", "clock"): self._advance_clock,
            ("POST", "deposit"): self._deposit,
            ("POST", "reset"): self._reset,
        }
        methods = [method for method, known in routes if known == name]
        if not methods:
            known = ", ".join(f"{method} {PREFIX}{route}" for method, route in routes)
            raise Refusal(404, f"The emulator has no {PREFIX}{name}; there are {known}")
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            allowed = ", ".join(methods)
            raise Refusal(405, f"{PREFIX}{name} takes {allowed}, not {request.method}", {"allow": allowed})
        if name not in {"health", "schema"}:
            self._check_right(request)
        return routes[method, name]

    def _check_right(self, request: Request) -> None:
        if self.token is not None:
            if not compare_digest(request.headers.get(TOKEN, "").encode(), self.token.encode()):
                raise Refusal(401, "X-Emulator-Token does not have this emulator's control token")
        elif not is_loopback(request.peer):
            raise Refusal(
                403,
                "Only programs on the emulator's own machine may steer it: a token in MUAPI_EMULATOR_TOKEN lets others",
            )

    # ---- Looking --------------------------------------------------------------------------------------------------

    def _tell_state(self, request: Request) -> dict[str, Any]:
        emulator = self.emulator
        return {
            "accepted": emulator.accepted,
            "charged_usd": str(emulator.charged_usd),
            "balance_usd": str(emulator.balance),
            "now": request.now,
            "requests": emulator.requests_seen,
            "jobs": list(emulator.jobs(_read_limit(request))),
        }

    def _tell_requests(self, request: Request) -> dict[str, Any]:
        limit = _read_limit(request)
        return {"requests": [_build_exchange(each) for each in self.emulator.requests[-limit:]] if limit else []}

    # ---- Choosing -------------------------------------------------------------------------------------------------

    def _choose_next(self, request: Request) -> dict[str, Any]:
        body = _read_body("next", request)
        outcome, model = _make_outcome(body), body.get("model")
        if "chance" in body and "times" in body:
            raise Refusal(422, "Either `times` or `chance`: so many jobs, or such a share of those from now on")
        try:
            if "chance" in body:
                self.emulator.sometimes(outcome, body["chance"], model=model)
            else:
                self.emulator.next(*[outcome] * body.get("times", 1), model=model)
        except ValueError as error:
            raise Refusal(422, str(error)) from None
        return self._tell_state(request)

    def _choose_faults(self, request: Request) -> dict[str, Any]:
        body = _read_body("faults", request)
        if "chaos" in body and "rates" in body:
            raise Refusal(422, "Either `rates` or `chaos`")
        options = {name: body[name] for name in ("seconds", "retry_after", "cdn", "seed") if name in body}
        try:
            chaos = body.get("chaos")
            faults = Faults(**body.get("rates", {}), **options) if chaos is None else Faults.chaos(chaos, **options)
        except ValueError as error:
            raise Refusal(422, str(error)) from None
        coming = body.get("next", ())
        if len(coming) > MOST_WAITING:
            raise Refusal(
                422, f"next: {len(coming):,} faults, and at most {MOST_WAITING:,} may be waiting for requests"
            )
        self.emulator.set_faults(faults)
        self.emulator.next_fault(*(None if name is None else Fault(name) for name in coming))
        return self._tell_state(request)

    def _advance_clock(self, request: Request) -> dict[str, Any]:
        body = _read_body("clock", request)
        clock = self.emulator.clock
        if not isinstance(clock, VirtualClock):
            raise Refusal(409, "This emulator was given a clock that goes by itself")
        clock.sleep(body["advance"])
        return self._tell_state(request) | {"now": clock.now()}

    def _deposit(self, request: Request) -> dict[str, Any]:
        self.emulator.deposit(_read_usd("usd", _read_body("deposit", request)["usd"]))
        return self._tell_state(request)

    def _reset(self, request: Request) -> dict[str, Any]:
        if request.body:
            _read_body("reset", request)
        self.emulator.reset()
        return self._tell_state(request)


def _tell_health(_request: Request) -> dict[str, Any]:
    return {"status": "ok", "version": __version__}


def _tell_schema(_request: Request) -> dict[str, Any]:
    return build_schema()


def _make_outcome(body: Mapping[str, Any]) -> Outcome:
    """The outcome that a body of ``next`` describes."""
    name = body["outcome"]
    options = {
        option: body[option]
        for option in ("status", "refunded", "seconds", "inline", "bonus_credits", "outputs", "error")
        if option in body
    }
    if "price_usd" in body:
        options["price"] = _read_usd("price_usd", body["price_usd"])
    layout: dict[str, Any] = {"costs": "none"} if name == "without_cost" else {}
    layout |= {key: tuple(value) if key == "running" else value for key, value in body.get("shape", {}).items()}
    if layout:
        options["shape"] = Shape(**layout)
    if "outputs" in options:
        options["outputs"] = tuple(options["outputs"])
    if name in {"failed", "moderated", "cancelled"}:
        if name == "cancelled" and "error" in options:
            raise Refusal(422, "error: a job that is cancelled tells none")
        make: Callable[..., Outcome] = getattr(Outcome, name)
        return make(**options)
    usual: dict[str, Any] = {"refunded": {"refunded": True}, "slow": {"seconds": SLOW}, "inline": {"inline": True}}
    return Outcome(**{**usual.get(name, {}), **options})


def _build_exchange(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    try:
        body = read_json(request.body) if request.body else None
    except ValueError:
        body = request.body.decode("utf-8", "replace")
    return {
        "method": request.method,
        "path": hide_keys(request.path),
        "query": dict(request.query),
        "headers": hide_secrets(request.headers),
        "body": body,
        "status": exchange.status,
        "fault": exchange.fault and exchange.fault.value,
        "whole": exchange.whole,
    }


def _read_body(name: str, request: Request) -> dict[str, Any]:
    """The body of a route, as its schema has it.

    Raises:
        Refusal: 422: it is not.
    """
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - as bodies of the API

    try:
        body = read_json(request.body)  # whatever it is sent as: curl's `-d` calls everything a form
    except ValueError as error:
        raise Refusal(422, f"The body is no JSON: {error}") from None
    problems = [_tell_problem(problem) for problem in Draft202012Validator(BODIES[name]).iter_errors(body)]
    if problems:
        raise Refusal(422, f"{'; '.join(problems)} (GET {PREFIX}schema tells the forms)")
    forms = BODIES[name]["properties"]
    # JSON knows one kind of number: 2.0 is a whole one, too.
    return {
        key: int(value) if forms[key].get("type") == "integer" else value
        for key, value in cast("dict[str, Any]", body).items()
    }


def _tell_problem(problem: ValidationError) -> str:
    """What does not fit a schema, and where; of a word that is none of a list, the whole list."""
    from jsonschema_rs import ValidationErrorKind  # noqa: PLC0415 - as above

    where = ".".join(map(str, problem.instance_path)) or "the body"
    if not isinstance(problem.kind, ValidationErrorKind.Enum):
        return f"{where}: {problem.message}"
    given, known = json.dumps(problem.instance)[:40], ", ".join(map(json.dumps, problem.kind.options))
    return f"{where}: {given} is none of {known}"


def _read_usd(name: str, value: Any) -> Decimal:
    try:
        return dollars(value)
    except ValueError as error:
        raise Refusal(422, f"{name}: {error}") from None


def _read_limit(request: Request) -> int:
    text = request.query.get("limit", str(LISTED))
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Refusal(422, f"limit={text[:20]!r} is no number up to 999999999")
    return int(text)
