"""Whether a call fits the pinned document, before anything is sent.

The rules are the validators of the generated request models; here they are run, and what they find is said in the
form of the server's own 422, with a guess at what was meant. MuAPI ignores unknown fields in silence (observed), so
this check is the only guard against a misspelt name.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import attrs

from muapi_client.errors import ValidationError
from muapi_generated.checks import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muapi_generated.types import Call


def check(call: Call[Any]) -> None:
    """Hold a call against its request model; a call without one, such as a raw call, passes.

    Raises:
        ValidationError: It does not fit; nothing was sent.
    """
    if not call.operation.request or call.body is None:
        return
    found = list(_problems(call.operation.request, call.body))
    if found:
        raise _refused(call, found)


def declares(call: Call[Any], field: str) -> bool:
    """Whether the pinned document knows a field of the call's body."""
    return bool(call.operation.request) and field in _rules(call.operation.request)


def refusal(call: Call[Any], where: tuple[str | int, ...], message: str, *, kind: str) -> ValidationError:
    """The local refusal of a call for one problem the models know nothing of."""
    return _refused(call, [{"loc": ["body", *where], "msg": message, "type": kind}])


def _refused(call: Call[Any], problems: list[dict[str, Any]]) -> ValidationError:
    name = call.operation.name or call.operation.path
    said = "; ".join(f"{'.'.join(str(part) for part in p['loc'][1:])}: {p['msg']}".lstrip(": ") for p in problems)
    return ValidationError(f"{name}: {said} (refused here; nothing was sent)", errors=problems)


@lru_cache(maxsize=256)
def _rules(model_name: str) -> dict[str, attrs.Attribute[Any]]:
    """The model's attributes by wire name."""
    from muapi_generated import models  # noqa: PLC0415 - one request model loads on first use

    return {a.metadata.get("wire", a.name): a for a in attrs.fields(getattr(models, model_name))}


def _problems(model_name: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    rules = _rules(model_name)
    for name, rule in rules.items():
        if name not in body:
            if rule.default is attrs.NOTHING:
                yield {"loc": ["body", name], "msg": "Field required", "type": "missing"}
            continue
        if rule.validator is None:
            continue
        try:
            rule.validator(None, rule, body[name])
        except Rejected as no:
            problem = {"loc": ["body", name, *no.loc], "msg": no.msg, "type": no.type}
            yield {**problem, "ctx": dict(no.ctx)} if no.ctx else problem
    for name in [name for name in body if name not in rules]:
        from difflib import get_close_matches  # noqa: PLC0415 - a misspelt name is rare

        guess = get_close_matches(str(name), rules, n=1, cutoff=0.6)
        hint = f"did you mean {guess[0]!r}?" if guess else f"the fields are {', '.join(rules)}"
        yield {"loc": ["body", name], "msg": f"Unknown field; {hint}", "type": "extra_forbidden"}
