"""Names: what an operation is called in Python, and in which group its function is. Pure.

Lives here: the rules of the rendering (``generator_templates/rules/names.py``, ``generator_templates/rules/groups.py``)
said once more, because a document has to be compared before it is rendered and without the generator; a test holds the
two together over every pinned operation. Does not live here: any other name.
"""

from __future__ import annotations

import builtins
import hashlib
import keyword
import re
import unicodedata
from typing import Final, Literal

PREFIX: Final = "/api/v1/"
LONGEST: Final = 100  # bytes of a name that a file bears
WEBHOOK: Final = "webhook"  # whatever takes this query parameter submits a job (spec/corrections.yaml)
WEBHOOK_NAMES: Final = frozenset({"webhook", "webhook_url"})  # of parameters and of fields (_settings/webhook)
# What the client sends by itself or not at all: no request function has a parameter for it (spec/corrections.yaml).
CLIENTS: Final = frozenset({("query", WEBHOOK), ("query", "team_id")})
# Headers that are the client's own (generator_templates/rules/headers.py), or of MuAPI's pages (spec/corrections.yaml).
OWN_HEADERS: Final = frozenset({
    "accept", "accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type",
    "cookie", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "user-agent", "x-agent-embed-code", "x-api-key", "x-embed-code",
    "x-whitelabel-studio",
})  # fmt: skip
TIERS: Final = ("best", "balanced", "fast", "budget")

_UPSTREAM_RESERVED = frozenset({"self", "true", "false", "datetime"})
_MODELS = "models"  # what an endpoint module calls the package of the classes
_OURS = frozenset({
    "attrs", "checks", "self", "cls", "get_args", "given", "join_items",
    "Any", "Call", "Decimal", "Fields", "Literal", "Mapping", "OPERATION", "Operation", "Sequence", "UNSET", "Upload",
    "bool", "bytes", "datetime", "dict", "float", "int", "list", "object", "str", "tuple", "type_",
})  # fmt: skip
_NAMED = re.compile(rf"(?P<name>.+) \((?P<tier>{'|'.join(TIERS)})\)", re.DOTALL)

_SIGN = re.compile(r"(?:^|(?<=/))[+-](?=\d)")  # of the number that a segment of a path begins with

Job = Literal["job", "stream", "plain"]

_TAGS = {
    "Image: Text-to-Image": "text_to_image",
    "Image: Edit & Reference": "image_edit",
    "Image: Enhance": "image_enhance",
    "Video: Text-to-Video": "text_to_video",
    "Video: Image-to-Video": "image_to_video",
    "Video: Edit & Effects": "video_edit",
    "Video: Lipsync": "lipsync",
    "Video: Avatars": "avatars",
    "Video: Storyboard": "storyboard",
    "Audio": "audio",
    "3D Generation": "three_d",
    "LLM / Multimodal": "language",
    "SEO & Web Intelligence": "data",
    "Utilities": "utilities",
    "Account": "account",
    "API Keys": "keys",
    "Files": "files",
    "Predictions": "predictions",
    "API": "platform",
    "Other": "other",
}
_SOCIAL = r"(?:facebook|instagram|linkedin|pinterest|threads|tiktok|twitter|x|youtube)"
_SLUGS = (
    (r"(?:seo|company|people|creators|ecommerce|market|crypto|news|research)-", "data"),
    (r"linkedin-(?:company|employees|people)|social-(?:read|search)-|ad-library-|email-verify$", "data"),
    (rf"{_SOCIAL}-(?:publish|fetch|carousel|download|set|update)\b|social/", "social"),
    (r".*(?:-trainer|-train)$", "training"),
    (r"elevenlabs-", "audio"),
)
_WORDS = (
    (r"text-to-image", "text_to_image"),
    (r"image-to-image|\bedit-lora|-character$", "image_edit"),
    (r"text-to-video", "text_to_video"),
    (r"image-to-video|reference-to-video", "image_to_video"),
    (r"video-edit", "video_edit"),
    (r"(?:claude|deepseek|gemini|gpt|grok|kimi|glm|llama|qwen)-[a-z0-9]|script$", "language"),
)
GROUPS: Final = frozenset({*_TAGS.values(), "social", "training"})
_SAYS_NOTHING = ("platform", "other")


def slug_of(path: str) -> str:
    """MuAPI's name for the endpoint at this path."""
    return path.removeprefix(PREFIX)


def sent_path(path: str) -> str:
    """A path as it is sent: without a query that always goes with it, and what says which of several uses is meant."""
    return path.partition("#")[0].partition("?")[0]


def keep_identifier_letters(text: str) -> str:
    """Keep the letters that a name can be made of; everything else is a ``_``. NFKC, the form Python reads names in."""
    letters = (_drop_accent(letter) for letter in unicodedata.normalize("NFKC", text))
    return unicodedata.normalize("NFKC", "".join(letter if f"a{letter}".isidentifier() else "_" for letter in letters))


def _drop_accent(letter: str) -> str:
    first = unicodedata.normalize("NFKD", letter)[:1]
    return first if first.isascii() else letter


def function_name(method: str, path: str) -> str:
    """Name the function of an operation; empty where no name can be made of its path."""
    spelt = _SIGN.sub(lambda sign: "plus_" if sign[0] == "+" else "minus_", slug_of(path))
    letters = keep_identifier_letters(spelt.replace("{", "").replace("}", "").lower())
    name = re.sub(r"_+", "_", letters).strip("_")
    verb = method.lower()
    if verb != "post" and not name.startswith(f"{verb}_"):
        name = f"{verb}_{name}".rstrip("_")
    if name and (not name[0].isidentifier() or name in _OURS or name == _MODELS):
        name = f"model_{name}"
    reserved = keyword.iskeyword(name) or hasattr(builtins, name) or name in _UPSTREAM_RESERVED
    name = f"{name}_" if reserved and name != "id" else name
    if len(name.encode()) <= LONGEST:
        return name
    digits = hashlib.sha256(f"{method.upper()} {path}".encode()).hexdigest()[:8]
    return f"{name.encode()[: LONGEST - 9].decode(errors='ignore').rstrip('_')}_{digits}"


def group_of_tag(tag: str) -> str:
    """The group that a tag alone means; empty where it is new."""
    return _TAGS.get(tag, "")


def group_of(path: str, tag: str, job: Job) -> str:
    """The group an operation's function is in.

    Args:
        tag: The document's first tag, empty where it has none.
    """
    name, by_tag = slug_of(sent_path(path)), _TAGS.get(tag, "other")
    by_slug = next((group for pattern, group in _SLUGS if re.match(pattern, name)), None)
    if by_slug or job == "plain" or by_tag not in _SAYS_NOTHING:
        return by_slug or by_tag
    return next((group for pattern, group in _WORDS if re.search(pattern, name)), "other")


def split_summary(summary: str) -> tuple[str, str]:
    """The catalogue name and the tier that a model's summary tells; a summary without a tier is all name."""
    named = _NAMED.fullmatch(summary)
    return (named["name"], named["tier"]) if named else (summary, "")
