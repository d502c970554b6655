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


class Parser(argparse.ArgumentParser):
    """A parser, and by argparse's rule the class of those of its commands.

    Attributes:
        command: The command that was read already, whose words are being checked.
    """

    command = ""

    def error(self, message: str) -> NoReturn:
        """End with a usage error, exit code 2; a word that is nearly one of many choices is told that one alone."""
        if found := CHOICES.search(message):
            from difflib import get_close_matches  # noqa: PLC0415 - 5 ms, which --help need not take

            choices = [choice.strip("'") for choice in found["choices"].split(", ")]
            near = get_close_matches(found["word"], choices, n=2)
            if near and len(choices) >= MANY:
                message = f"{message[: found.start()]}there is no {found['word']!r}: did you mean {' or '.join(near)}?"
        super().error(f"{message} (see {f'{self.prog} {self.command}'.rstrip()} --help)")
