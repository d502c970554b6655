"""Whether a call fits the pinned document, before anything is sent.

The rules are the validators of the generated request models; here they are run, and what they find is stated in the
form of the server's own 422, with a guess at what was meant. MuAPI ignores unknown fields in silence (observed), so
this check is the only guard against a misspelt name.

Lives here: running the rules, and the error. Does not live here: the rules (``muapi_generated.checks``), files
(``_files/attachments``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from muapi_client._runtime.forks import forks
from muapi_client._spec.packages import member, part
from muapi_client.errors import ValidationError

if TYPE_CHECKING:
    from muapi_generated.types import Call

URL_TO_COME: Final = "https://url-to-come.invalid/file"  # stands for a local file's URL while the rest is checked
SHOWN: Final = 60  # characters of a path that a message repeats
_LAX: Final = {  # texts that FastAPI, which the server is, reads as another type unless it is told not to
    "int_type": re.compile(r"\s*[+-]?\d+(\.0+)?\s*", re.ASCII),
    "float_type": re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE),
    "bool_type": re.compile(r"[01tfyn]|true|false|yes|no|on|off", re.IGNORECASE),
}


def check(call: Call[Any]) -> None:
    """Hold a call against its request model and its operation's checks; without any, as a raw call is, it passes.

    Raises:
        ValidationError: It does not fit; nothing was sent.
    """
    operation = call.operation
    found: list[dict[str, Any]] = []
    if operation.request and (call.body is not None or call.files):
        plain = call.body.__class__ is dict and not call.files  # most are
        found += _problems(  # no local holds the fields, one of which may be a webhook
            operation.package,
            operation.request,
            cast("Mapping[str, Any]", call.body) if plain else _read_fields(call),
        )
    if operation.checks:
        found += _find_problems_beside_fields(call)
    if found:
        raise _local_error(call, found)


def refusal_error(
    call: Call[Any], where: tuple[str | int, ...], message: str, *, kind: str, place: str = "body"
) -> ValidationError:
    """The local refusal of a call for one problem the models know nothing of."""
    return _local_error(call, [{"loc": [place, *where], "msg": message, "type": kind}])


def _read_fields(call: Call[Any]) -> Mapping[str, Any]:
    """The fields of a call's body, a form's files among them."""
    fields = {} if call.body is None else call.body
    if not isinstance(fields, Mapping):
        raise refusal_error(call, (), "Input should be a valid dictionary", kind="dict_type")
    return {**fields, **call.files} if call.files else fields


def _find_problems_beside_fields(call: Call[Any]) -> Iterator[dict[str, Any]]:
    """What is wrong with the parameters of a call, and with a body that no class describes."""
    places = {
        "path": call.path,
        "query": call.query,
        "header": call.headers,
        "cookie": call.cookies,
        "body": {**({} if call.body is None else {"": call.body}), **call.files},
    }
    checks = _checks(call.operation.package)
    for place, name, check in _list_checks(call.operation.package, call.operation.checks):
        if name not in places[place]:
            continue  # that one is asked for by the function
        try:
            check(None, None, places[place][name])
        except checks.Rejected as problem:
            where = [*([name] if name else []), *problem.loc]
            value = _value_at(places[place][name], problem.loc)
            msg = problem.msg + (_advise(problem.type, tuple(where), value) if place == "body" else "")
            found = {"loc": [place, *where], "msg": msg, "type": problem.type}
            yield {**found, "ctx": dict(problem.ctx)} if problem.ctx else found


@lru_cache(maxsize=256)
def _list_checks(package: str, module: str) -> tuple[tuple[str, str, Any], ...]:
    """The checks of an operation's parameters: where each stands, its name, what it is held against."""
    try:
        return tuple(part(package, module).CHECKS)
    except (ImportError, AttributeError):  # from a token of another version
        message = f"{package} has no checks {module!r}: make the call anew (nothing was sent)"
        raise ValidationError(message) from None


def _local_error(call: Call[Any], found: list[dict[str, Any]]) -> ValidationError:
    name = call.operation.name or call.operation.path
    problems = "; ".join(f"{'.'.join(str(part) for part in p['loc'][1:])}: {p['msg']}".lstrip(": ") for p in found)
    return ValidationError(f"{name}: {problems} (refused here; nothing was sent)", errors=found)


@lru_cache(maxsize=256)
def _model(package: str, name: str) -> type[Any]:
    model: type[Any] | None = member(package, "models", name)
    if model is None:  # from a token of another version
        raise ValidationError(f"{package} has no request model {name!r}: make the call anew (nothing was sent)")
    return model


@lru_cache(maxsize=16)
def _checks(package: str) -> Any:
    return part(package, "checks")


@lru_cache(maxsize=256)
def body_fields(package: str, model_name: str) -> tuple[str, ...]:
    """The wire names of a request model's fields; none where no model is declared."""
    if not model_name:
        return ()
    return tuple(part.metadata.get("wire", part.name) for part in attrs.fields(_model(package, model_name)))


def _problems(package: str, model_name: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for problem in _checks(package).problems(_model(package, model_name), body):
        if problem.type == "extra_forbidden" and len(problem.loc) == 1:
            message = _unknown(str(problem.loc[0]), body_fields(package, model_name))
        else:
            value = _value_at(body, problem.loc)
            message = problem.msg + (_tell_lax(problem.type, value) or _advise(problem.type, problem.loc, value))
        found = {"loc": ["body", *problem.loc], "msg": message, "type": problem.type}
        yield {**found, "ctx": dict(problem.ctx)} if problem.ctx else found


def _unknown(name: str, fields: tuple[str, ...]) -> str:
    with forks.kept_waiting:
        from difflib import get_close_matches  # noqa: PLC0415 - a misspelt name is rare

    guess = get_close_matches(name, fields, n=1, cutoff=0.6)
    hint = f"did you mean {guess[0]!r}?" if guess else f"the fields are {', '.join(fields)}"
    return f"Unknown field; {hint}"


def _value_at(body: Any, where: tuple[str | int, ...]) -> Any:
    """The value at a place in a body; None where there is none."""
    try:
        for step in where:
            body = body[step]
    except (KeyError, IndexError, TypeError):
        return None
    return body


def _tell_lax(kind: str, value: Any) -> str:
    """That the server may read a value as what belongs in its place; or ""."""
    text = str(int(value)) if isinstance(value, bool) else str(value) if isinstance(value, str | int) else ""
    if kind not in _LAX or not _LAX[kind].fullmatch(text):
        return ""
    return "; the server may take it: a client with strict=False sends it as it is"


def _advise(kind: str, where: tuple[str | int, ...], value: Any) -> str:
    """What to write in place of what is often given by mistake; or "".

    That is one file or an iterator where a list belongs, bytes, a path as text, and what an earlier job made.
    """
    name = where[-1] if where else "body"
    if kind == "list_type" and isinstance(value, str | bytes):
        return f": write {name}=[{'Path(…)' if value == URL_TO_COME else '…'}], with brackets around one, too"
    if kind == "list_type" and isinstance(value, Iterator | AbstractSet):
        return f": write {name}=list(…)"
    if isinstance(value, bytes | bytearray | memoryview):
        return (
            "; bytes stand here: of a file, pass the URL that mu.upload(bytes) answers; of a text, decode them; where "
            "base64 belongs, pass base64.b64encode(bytes).decode()"
        )
    if not isinstance(value, str):
        return _advise_of_made(value)
    path = value.removeprefix("file://")
    is_webhook = "webhook" in str(where[-1:])  # which is no file, and may be a secret
    if not is_webhook and (kind == "url_parsing" or (kind == "url_scheme" and path != value)):
        shown = repr(path) if len(path) <= SHOWN else "…"
        return f"; or give the file itself, Path({shown}), which is uploaded when the call is sent"
    return ""


def _advise_of_made(value: Any) -> str:
    """What to write in place of an earlier job's prediction, or of one of its outputs; or ""."""
    with forks.kept_waiting:
        from muapi_client._types.prediction import Output, Prediction  # noqa: PLC0415 - whoever holds one has loaded it

    if isinstance(value, Output):
        return f"; an output stands here: write its .{'text' if value.url is None else 'url'}"
    if isinstance(value, Prediction):
        return "; a prediction stands here: write the URL of one of its outputs, such as prediction.outputs[0].url"
    return ""
