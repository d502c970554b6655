"""A webhook's URL: read once, and shown to nobody, for its path is a secret (MuAPI signs nothing).

Lives here: what is an address, and what of it is secret. Does not live here: hiding it in answers (``api_key``) and in
what is written down (``_state/secrets``), reading what MuAPI posts to it (``webhooks``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from muapi_client._types.words import with_article
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Callable


WEBHOOK_NAMES: Final = frozenset({"webhook", "webhook_url"})  # of a parameter (API reference), of fields (document)
FEWEST: Final = 16  # characters of a token: a shorter run of letters may be part of anything
WORDS: Final = re.compile(r"(?:[a-z]+|[0-9]+)(?:[._~-]+(?:[a-z]+|[0-9]+))*")  # flux-dev-image-2

ADDRESS: Final = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE)
NO_ADDRESS: Final = (
    "must be a whole address, such as https://example.com/hooks/SECRET (what was given may be a secret: not shown)"
)


class Webhook:
    """A URL that is notified of every job's end. It is no text, which a traceback's locals would show.

    Attributes:
        reveal: Answers the URL, for the request that carries it. A method of the text's own, whose repr does not show
            the text.
    """

    __slots__ = ("reveal",)

    def __init__(self, url: str) -> None:
        self.reveal: Callable[[], str] = url.__str__

    def __repr__(self) -> str:
        return "Webhook('…')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Webhook) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        return hash(self.reveal())


def secret_parts(url: str) -> list[str]:
    """What of a webhook's URL is its secret: a password, and each token behind its host or in the password; else all.

    Tokens stand unchanged in every spelling of a URL, as a server may have put it right (``https://x.example/?token``
    for ``https://x.example?token``). Words are no token: an output's URL may have the same ones, and what was paid for
    could not be fetched.
    """
    user, host, path = split_address(url)
    runs = re.findall(rf"[\w.~-]{{{FEWEST},}}", f"{user}{path}", re.ASCII)
    tokens = [run for run in runs if not WORDS.fullmatch(run)]
    found = [*tokens, *([f"{user}{host}"] if user else [])] if tokens else [f"{user}{host}{path}" or url]
    return [part for part in found if len(part) >= FEWEST]


def split_address(url: str) -> tuple[str, str, str]:
    """Split a URL into its user name and password, up to the sign that ends them, its host, and what follows that."""
    _, _, rest = url.partition("://")
    head = re.split("[/?#]", rest, maxsplit=1)[0]
    user, sign, host = head.rpartition("@")
    return f"{user}{sign}", host, rest[len(head) :]


def read_webhook(value: str | None) -> Webhook | None:
    """The URL of a webhook.

    Raises:
        MuAPIError: It is no text, or no whole address.
    """
    try:
        if value is not None and not isinstance(value, str):
            raise MuAPIError(f"webhook must be a URL as text, not {with_article(type(value).__name__)}")
        if value and not is_web_address(value):
            raise MuAPIError(f"webhook {NO_ADDRESS}")
        return Webhook(value) if value else None
    finally:
        del value  # as of a key


def is_web_address(url: str) -> bool:
    """Return whether a text is a whole address of the web, scheme and host included: MuAPI drops others in silence."""
    return ADDRESS.fullmatch(url) is not None
