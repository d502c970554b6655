"""``muapi-client auth``: an API key in the system's keyring, and which key is used.

Lives here: reading a key without showing it, keeping it, taking it out, and telling where the one in use comes from.
Does not live here: finding it for a command (``_client``), asking the keyring (``_keyring``), the account's keys at
the server (``_keys``).
"""

from __future__ import annotations

import os
import sys
from getpass import getpass
from typing import TYPE_CHECKING

from muapi_client import MuAPI
from muapi_client._settings.api_key import VARIABLE
from muapi_client._settings.options import read_origin
from muapi_client.cli._client import open_client
from muapi_client.cli._exit import DONE
from muapi_client.cli._formats import format_usd, to_json_number
from muapi_client.cli._keyring import keep_key, need_keyring, read_key, take_key_out
from muapi_client.errors import AuthenticationError, MuAPIError, ValidationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from muapi_client.cli._console import Console


def auth(options: argparse.Namespace, console: Console) -> int:
    """Carry out one action of ``auth``.

    Raises:
        AuthenticationError: There is no key, or the server does not take it; then it is not kept.
        ImportError: The keyring's package is not installed; the message tells how to.
        MuAPIError: The keyring does not open, or the server could not be asked.
    """
    actions: dict[str, Callable[[argparse.Namespace, str, Console], None]] = {
        "login": _login,
        "logout": _logout,
        "status": _status,
    }
    actions[options.action](options, read_origin(options.settings.base_url), console)
    return DONE


def _login(_options: argparse.Namespace, origin: str, console: Console) -> None:
    need_keyring()
    key = _ask_key()
    try:
        with MuAPI(key, origin, transport=console.transport) as mu:
            account = mu.account.balance()
    except MuAPIError as error:
        error.add_note("(the key that was given is not kept)")
        raise
    else:
        keep_key(origin, key)
    finally:
        del key  # a traceback that shows locals shows no key
    form = {"base_url": origin, "stored": True, "email": account.email, "balance": to_json_number(account.balance)}
    console.result(form, "")
    who = f" of {account.email}" if account.email else ""
    console.remark(f"the API key{who} is kept for {origin}; balance {format_usd(account.balance)} USD")
    if os.environ.get(VARIABLE):
        console.remark(f"{VARIABLE} is set, and comes before it")


def _logout(_options: argparse.Namespace, origin: str, console: Console) -> None:
    need_keyring()
    is_stored = read_key(origin) is not None
    if is_stored:
        take_key_out(origin)
    console.result({"base_url": origin, "removed": is_stored}, "")
    told = "is taken out of the keyring; it stays valid, see `muapi-client keys`" if is_stored else "is not kept here"
    console.remark(f"the API key for {origin} {told}")


def _status(options: argparse.Namespace, origin: str, console: Console) -> None:
    source = VARIABLE if os.environ.get(VARIABLE) else "keyring" if read_key(origin) is not None else None
    if source is None:
        raise AuthenticationError(f"no API key for {origin}: set {VARIABLE}, or muapi-client auth login")
    console.remark(f"{origin}: the API key comes from {source}")
    with open_client(options, console) as mu:
        account = mu.account.balance()
    form = {
        "base_url": origin,
        "source": source,
        "accepted": True,
        "email": account.email,
        "balance": to_json_number(account.balance),
    }
    console.result(form, f"accepted{f', account {account.email}' if account.email else ''}")


def _ask_key() -> str:
    """The key that is typed, or the first line of standard input where nobody sits there.

    Raises:
        ValidationError: There is none.
    """
    if sys.stdin is None:  # it was closed before this program began
        typed = ""
    else:
        typed = getpass("API key (it is not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
    key = typed.strip()
    del typed  # a traceback that shows locals shows no key
    if not key:
        raise ValidationError("no API key was given; nothing was sent, and nothing is kept")
    return key
