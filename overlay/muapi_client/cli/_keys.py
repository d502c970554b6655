"""``muapi-client keys``: the account's API keys.

Lives here: what is shown of a key, which is its secret only where it is new. Does not live here: asking (``MuAPI``),
keeping a key on this machine (``_auth``).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from muapi_client.cli._client import open_client
from muapi_client.cli._exit import DONE, interrupted_while
from muapi_client.cli._formats import render_table
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from muapi_client import MuAPI
    from muapi_client.cli._console import Console
    from muapi_generated.models import ApiKey

HEADS: Final = ("id", "name", "kind", "active", "created", "last used")


def keys(options: argparse.Namespace, console: Console) -> int:
    """Carry out one action of ``keys``.

    Raises:
        NotFoundError: There is no key to delete.
        MuAPIError: Nobody agreed to a deletion, or the server refused.
        InterruptedJobError: The user pressed Ctrl-C; the message says what may be done all the same.
        OSError: Standard output did not take the new secret; standard error says what to do about it.
    """
    actions: dict[str, Callable[[MuAPI, argparse.Namespace, Console], None]] = {
        "ls": _list,
        "create": _create,
        "delete": _delete,
    }
    with open_client(options, console) as mu:
        actions[options.action](mu, options, console)
    return DONE


def _list(mu: MuAPI, _options: argparse.Namespace, console: Console) -> None:
    found = mu.keys.list()
    rows = [
        (
            str(key.id),
            str(key.name or "-"),
            _either(key.is_test, "test", "live"),
            _either(key.is_active, "yes", "no"),
            _day(key.created_at),
            _day(key.last_used_at),
        )
        for key in found
    ]
    console.result([_form(key) for key in found], render_table(HEADS, rows, right={"id"}) if rows else "")
    console.remark(f"{len(found)} key{'s' * (len(found) != 1)}; a secret is told once, when its key is made")


def _create(mu: MuAPI, options: argparse.Namespace, console: Console) -> None:
    with interrupted_while("a key was being made: it may be there, its secret untold; muapi-client keys ls shows it"):
        made = mu.keys.create(options.name, is_test=options.test)
        if not made.api_key:
            raise MuAPIError(
                f"key {made.id} was made, and the server told no secret: muapi-client keys delete {made.id}"
            )
        _tell_secret({"id": made.id, "name": made.name, "is_test": options.test, "api_key": made.api_key}, console)
    console.remark(f"{_either(options.test, 'test', 'live')} key {made.id} ({made.name}); its secret is not told again")


def _tell_secret(made: Mapping[str, Any], console: Console) -> None:
    try:
        console.result(made, made["api_key"])
    except OSError:  # a full disk, or a pipe whose reader has gone
        key = made["id"]
        message = f"key {key} was made, and its secret could not be written: muapi-client keys delete {key}"
        console.say(message, {"event": "unwritten", "id": key})
        raise


def _delete(mu: MuAPI, options: argparse.Namespace, console: Console) -> None:
    if not options.yes:
        name = next((key.name for key in mu.keys.list() if key.id == options.id), None)
        if not console.agrees(f"Delete API key {options.id}{f' ({name})' if name else ''} for good?"):
            raise MuAPIError("nobody agreed, so nothing was deleted; --yes agrees beforehand")
    with interrupted_while(f"key {options.id} was being deleted: muapi-client keys ls shows whether it is"):
        mu.keys.delete(options.id)
    console.result({"id": options.id, "deleted": True}, "")
    console.remark(f"key {options.id} is deleted")


def _form(key: ApiKey) -> dict[str, Any]:
    """A key as JSON: what is known to be no secret."""
    return {
        "id": key.id,
        "name": key.name,
        "is_active": key.is_active,
        "is_test": key.is_test,
        "created_at": _moment(key.created_at),
        "last_used_at": _moment(key.last_used_at),
    }


def _either(value: Any, true: str, false: str) -> str:
    """A word for what a server says is true or false; it need not say so, nor say either."""
    return {True: true, False: false}[value] if isinstance(value, bool) else "-"


def _moment(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _day(value: Any) -> str:
    return "-" if value is None else value.date().isoformat() if isinstance(value, datetime) else str(value)
