"""The words of the account: ``balance``, ``topup``, ``keys``, ``sandbox``, ``history``, ``auth``.

Lives here: their options. Does not live here: what they do.
"""

from __future__ import annotations

from typing import Any, Final

from muapi_client.cli._arguments.options import add_command, add_journal
from muapi_client.cli._arguments.values import read_count

TOPUP: Final = """\
Begins a payment and prints the page where it is paid; nothing is paid before
that. Asks before it begins, and --yes agrees beforehand.
"""

KEYS_CREATE: Final = """\
Free. The new key's secret is printed to standard output, this once; MuAPI tells
it to nobody again:

  muapi-client keys create ci --test > key.txt
"""

SANDBOX: Final = """\
Free: reads the key list and the journal, and sends no job. Prints sandbox (jobs
answer with samples and cost nothing), live, or undecided where nothing settles it.
"""

AUTH_LOGIN: Final = """\
The key is read without echo, or from standard input where that is no terminal;
MuAPI is asked for the balance with it (free), and only a key that it takes is
kept. One key is kept for each address of the API. The system's keyring needs a
package that this program does not bring: pip install keyring. MUAPI_API_KEY
comes before a stored key.

  muapi-client auth login
  pass show muapi | muapi-client auth login
"""


def add_account(commands: Any) -> None:
    """Add ``balance``, ``topup``, ``keys``, ``sandbox`` and ``history``."""
    add_command(commands, "balance", "tell what is left in the account (free)")
    topup = add_command(commands, "topup", "begin a payment into the account, after asking", TOPUP)
    topup.add_argument("amount", metavar="USD", type=read_count, help="whole USD, 1 or more")
    _add_yes(topup)
    _add_keys(commands)
    add_journal(add_command(commands, "sandbox", "tell whether the API key is a sandbox (test) key", SANDBOX))
    history = add_command(commands, "history", "list past requests as the server tells them, newest first (free)")
    history.add_argument(
        "--limit", metavar="N", type=read_count, default=20, help="how many, 100 a request (default: 20)"
    )


def _add_keys(commands: Any) -> None:
    keys = add_command(commands, "keys", "list, make and delete API keys (free)")
    actions = keys.add_subparsers(dest="action", required=True)
    add_command(actions, "ls", "list the account's API keys, without their secrets")
    create = add_command(actions, "create", "make an API key, and print its secret this once", KEYS_CREATE)
    create.add_argument("name", metavar="NAME", help="what to call it")
    create.add_argument("--test", action="store_true", help="a sandbox key: never charged, answers with samples")
    delete = add_command(actions, "delete", "delete an API key, after asking; what uses it is refused from then on")
    delete.add_argument("id", metavar="ID", type=read_count, help="its number, as `keys ls` tells it")
    _add_yes(delete)


def add_auth(commands: Any) -> None:
    """Add ``auth`` and its actions."""
    auth = add_command(commands, "auth", "keep an API key in the system's keyring, and tell which one is used")
    actions = auth.add_subparsers(dest="action", required=True)
    add_command(actions, "login", "check an API key and keep it in the system's keyring", AUTH_LOGIN)
    add_command(actions, "logout", "take the API key out of the keyring; it stays valid (see `keys delete`)")
    add_command(actions, "status", "tell where the API key comes from, and whether MuAPI takes it (free)")


def _add_yes(parser: Any) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")
