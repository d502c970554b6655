"""The words of ``config``.

Lives here: its options. Does not live here: what it does, which settings there are.
"""

from __future__ import annotations

from typing import Any, Final

from muapi_client.cli._arguments.options import add_command

CONFIG: Final = """\
base_url    where the API is
budget_usd  what jobs may cost together: 5, 5/day, 20/month
journal     a file, postgresql://…, or false for none (default: the user's own)
output_dir  where outputs are saved
output      plain or json

An option of a command comes first, then the variable of the environment, then
the file. The API key is no setting: see muapi-client auth.
"""


def add_config(commands: Any) -> None:
    """Add ``config`` and its actions."""
    config = add_command(commands, "config", "read and change the settings", CONFIG)
    actions = config.add_subparsers(dest="action", required=True)
    add_command(actions, "show", "show every setting, and where it comes from")
    set_ = add_command(actions, "set", "write a setting into the file", CONFIG)
    set_.add_argument("name", metavar="NAME", help="the setting")
    set_.add_argument("value", metavar="VALUE", help="what it shall be")
    unset = add_command(actions, "unset", "take a setting out of the file", CONFIG)
    unset.add_argument("name", metavar="NAME", help="the setting")
    add_command(actions, "path", "print where the file is")
