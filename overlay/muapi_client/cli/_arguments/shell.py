"""The words of what helps at a shell: ``completion`` and ``docs``.

Lives here: their options. Does not live here: what they do.
"""

from __future__ import annotations

from typing import Any, Final

from muapi_client.cli._arguments.options import add_command

SHELLS: Final = ("bash", "zsh", "fish")

COMPLETION: Final = """\
Completes commands, options, models, the fields of a model and what they may be.
Needs the extra: pip install 'muapi-client[cli]'. To have it in every shell:

  bash  echo 'eval "$(muapi-client completion bash)"' >> ~/.bashrc
  zsh   echo 'eval "$(muapi-client completion zsh)"' >> ~/.zshrc
        (after the line with compinit)
  fish  muapi-client completion fish > ~/.config/fish/completions/muapi-client.fish
"""

OPENAPI: Final = """\
Without --live: the document that this program was rendered from and checks your
input by, without a network. With --live: the one that MuAPI serves now, byte for
byte; muapi-client spec drift says what changed in between. Free, and no key.
"""


def add_completion(commands: Any) -> None:
    """Add ``completion``."""
    completion = add_command(commands, "completion", "print what makes a shell complete this program", COMPLETION)
    completion.add_argument("shell", choices=SHELLS, help="the shell")


def add_docs(commands: Any) -> None:
    """Add ``docs`` and its actions."""
    docs = add_command(commands, "docs", "the API's document, and its reference page")
    actions = docs.add_subparsers(dest="action", required=True)
    openapi = add_command(actions, "openapi", "print the OpenAPI document", OPENAPI)
    openapi.add_argument("--live", action="store_true", help="fetch the one that MuAPI serves now")
    openapi.add_argument("--out", metavar="FILE", help="write it there; - is standard output (default)", default="-")
    add_command(actions, "open", "open the reference page in a browser, and print its address")
