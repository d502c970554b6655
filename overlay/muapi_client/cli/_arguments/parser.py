"""argparse's parser, whose usage errors say what to type next.

Lives here: that. Does not live here: any command, option or check of one (the modules beside this one).
"""

from __future__ import annotations

import argparse
import re
from typing import Final, NoReturn

# argparse's own words, in which Pythons differ by the quotes around the choices.
CHOICES: Final = re.compile(r"invalid choice: '(?P<word>[^']*)' \(choose from (?P<choices>.*)\)$")
MANY: Final = 8  # choices from which on a line of them hides the one that was meant
# What the client's methods, MuAPI's own command line and others call a command of ours.
OTHER_WORDS: Final = {
    "account": "balance",
    "cost": "estimate",
    "costs": "spend",
    "find": "models",
    "forget": "journal prune",
    "generate": "run",
    "image": "run",
    "list": "jobs or models",
    "login": "auth login",
    "logout": "auth logout",
    "ls": "jobs or models",
    "map": "batch",
    "predict": "wait or look",
    "price": "estimate",
    "prune": "journal prune",
    "report": "spend",
    "result": "wait or look",
    "save": "download",
    "search": "models",
    "send": "run",
    "show": "look or models show",
    "status": "look",
    "submit": "run",
    "video": "run",
}


class Parser(argparse.ArgumentParser):
    """A parser, and by argparse's rule the class of those of its commands.

    Attributes:
        command: The command that was read already, whose words are being checked.
    """

    command = ""

    def error(self, message: str) -> NoReturn:
        """End with a usage error, exit code 2; what is nearly one of many choices, or means one, is told that alone."""
        if found := CHOICES.search(message):
            from difflib import get_close_matches  # noqa: PLC0415 - 5 ms, which --help need not take

            choices = [choice.strip("'") for choice in found["choices"].split(", ")]
            word = found["word"]
            near = OTHER_WORDS.get(word) or " or ".join(get_close_matches(word, choices, n=2))
            what = "MuAPI has no route to cancel a job" if word == "cancel" else f"did you mean {near}?" if near else ""
            if what and len(choices) >= MANY:
                message = f"{message[: found.start()]}there is no {word!r}: {what}"
        super().error(f"{message} (see {f'{self.prog} {self.command}'.rstrip()} --help)")
