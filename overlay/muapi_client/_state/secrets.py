"""What of a call may hold a token and is told nobody: the addresses that webhooks are posted to.

Lives here: finding them, and taking them out of calls and texts. Does not live here: the API key
(``_settings/api_key``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

if TYPE_CHECKING:
    from muapi_generated.types import Call

SECRETS: Final = frozenset({"webhook", "webhook_url"})  # fields whose URL may hold a token


def without_secrets(call: Call[Any]) -> Call[Any]:
    """The call as it may be written down."""
    return evolve(call, body=drop_secrets(call.body), query=drop_secrets(call.query))


def drop_secrets(value: Any) -> Any:
    """A JSON value without its secret fields, however deep."""
    if isinstance(value, Mapping):
        return {name: drop_secrets(inner) for name, inner in value.items() if name not in SECRETS}
    return [drop_secrets(inner) for inner in value] if isinstance(value, list | tuple) else value


def secrets_of(call: Call[Any], webhook: str | None) -> tuple[str, ...]:
    """The values that must not stand in anything written down about a call, the client's own webhook included."""
    return tuple({*([webhook] if webhook else []), *_values(call.body), *_values(call.query)})


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in SECRETS and isinstance(inner, str) and inner:
                yield inner
            else:
                yield from _values(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _values(inner)
