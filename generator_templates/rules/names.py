"""Names: of functions, models, modules and fields, made from the document by rules that never depend on luck.

Lives here: the rules and the check that no two things need one name. Does not live here: which group a function
belongs to (``groups``), what the named thing is.

The rules
  function  the path below the prefix, every run of other characters than letters and digits one ``_``; another method
            than POST goes in front unless the path begins with it: GET account/balance is ``get_account_balance``.
            A sign before the number a segment begins with is spelt out: reactions/+1 is ``reactions_plus_1``.
            A leading digit, and a name of our own, get ``model_`` in front; a keyword or builtin gets ``_`` behind,
            as upstream has it. One longer than ``LONGEST`` ends with a hash of method and path: a file bears it.
  model     the schema's name without what no identifier has; leading underscores go, a leading sign is spelt out.
            One longer than ``LONGEST`` ends with a hash, too.
  field     the wire name; a leading sign is spelt out (``-1`` is ``minus_1``), so are ``<`` and ``>`` (``Day<`` is
            ``Day_lt``), what else is neither letter nor digit
            becomes ``_``, leading underscores go, a leading digit gets ``field_`` in front, and a name that means
            something inside generated code gets ``_`` behind. The wire never sees it.
"""

from __future__ import annotations

import builtins
import hashlib
import keyword
import re
import unicodedata
from typing import TYPE_CHECKING

from .errors import GenerationError, show_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MODELS = "models"  # what an endpoint module calls the package of the classes
LONGEST = 100  # bytes of a name that a file bears; file systems take 143 to 255, suffixes and underscores included
PREFIX = "/api/v1/"  # of MuAPI's paths; render.py takes another for another API's document

# Upstream renames these in file names on top of keywords and builtins, and lets ``id`` be.
_UPSTREAM_RESERVED = {"self", "true", "false", "datetime"}
# What generated modules use themselves: a field of that name would hide it from the next line.
_RESERVED = {
    "attrs", "checks", "self", "cls", "get_args", "given", "join_items",
    "Any", "Call", "Decimal", "Fields", "Literal", "Mapping", "OPERATION", "Operation", "Sequence", "UNSET", "Upload",
    "bool", "bytes", "datetime", "dict", "float", "int", "list", "object", "str", "tuple", "type_",
}  # fmt: skip
# Devices of Windows, where no file bears such a name, whatever its suffix and its case.
DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)
_RESERVED_IN_ANSWERS = {"additional", "answers", "classmethod", "from_dict"}


_SIGN = re.compile(r"(?:^|(?<=/))[+-](?=\d)")  # of the number that a name, or a segment of a path, begins with


_COMPARISONS = {"<": "_lt", ">": "_gt", "<=": "_le", ">=": "_ge"}  # what filters end with, as names of Python's have it
_COMPARES = re.compile("[<>]=?")


def _spell_sign(text: str) -> str:
    return _SIGN.sub(lambda sign: "plus_" if sign[0] == "+" else "minus_", text)


def make_slug(path: str, prefix: str = PREFIX) -> str:
    """Return what MuAPI calls the endpoint at this path."""
    return path.removeprefix(prefix)


def keep_letters(text: str) -> str:
    """Keep what a name can be made of: Latin letters without accents, those of other alphabets, digits, ``_``.

    Everything else is a ``_``. Python reads names in NFKC, so that is the form they are written in.
    """
    letters = (_keep_letter(letter) for letter in unicodedata.normalize("NFKC", text))
    return unicodedata.normalize("NFKC", "".join(letter if f"a{letter}".isidentifier() else "_" for letter in letters))


def _keep_letter(letter: str) -> str:
    base = unicodedata.normalize("NFKD", letter)[:1]
    return base if base.isascii() else letter


def _shorten(name: str, thing: str) -> str:
    """Cut a name that is too long for a file, and end it with a hash of what it names, so that no two are alike."""
    if len(name.encode()) <= LONGEST:
        return name
    digits = hashlib.sha256(thing.encode()).hexdigest()[:8]
    return f"{name.encode()[: LONGEST - 9].decode(errors='ignore').rstrip('_')}_{digits}"


def name_function(method: str, path: str, prefix: str = PREFIX) -> str:
    """Name the function of an operation."""
    below = _spell_sign(make_slug(path, prefix)).replace("{", "").replace("}", "")
    name = re.sub(r"_+", "_", keep_letters(below.lower())).strip("_")
    verb = method.lower()
    if verb != "post" and not name.startswith(f"{verb}_"):
        name = f"{verb}_{name}".rstrip("_")
    if not name:
        raise GenerationError(f"{method} {show_name(path)}: no function name can be made of this path.")
    if not name[0].isidentifier() or name in {*_RESERVED, *DEVICES, MODELS}:
        name = f"model_{name}"
    return _shorten(f"{name}_" if _is_reserved(name) and name != "id" else name, f"{method.upper()} {path}")


def name_class(schema: str) -> str:
    """Name the model of a component schema."""
    words = [keep_letters(word) for word in re.split(r"[^\w]+", _spell_sign(schema))]
    name = words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])
    name = name.lstrip("_")
    name = name[:1].upper() + name[1:]
    if not name[:1].isidentifier():
        name = f"Schema{name}"
    is_taken = keyword.iskeyword(name) or name in _RESERVED or name.lower() in DEVICES
    return _shorten(f"{name}Model" if is_taken else name, schema)


def name_module(model: str) -> str:
    """Name the file of a model as upstream does: it chooses, and the checks of the package compare."""
    parts = re.split("([A-Z]?[a-z]+)", model.replace("_", " "))
    words = [word for part in parts for word in part.split()]
    again = "".join(word if word.isupper() else word.capitalize() for word in words)
    name = "_".join(word for part in re.split("([A-Z]?[a-z]+)", again) for word in part.split()).lower()
    return f"{name}_" if _is_reserved(name) and name != "id" else name


def _is_reserved(name: str) -> bool:
    return keyword.iskeyword(name) or hasattr(builtins, name) or name in _UPSTREAM_RESERVED


def name_field(wire: str, *, answer: bool = False) -> str:
    """Name the parameter or attribute of a field."""
    name = keep_letters(_spell_sign(_COMPARES.sub(lambda sign: _COMPARISONS[sign[0]], wire))).lstrip("_")
    if not name[:1].isidentifier():
        name = f"field_{name}".rstrip("_")
    is_taken = keyword.iskeyword(name) or name in _RESERVED or (answer and name in _RESERVED_IN_ANSWERS)
    return f"{name}_" if is_taken else name


def to_pascal_case(name: str) -> str:
    """Write ``voice_id`` as ``VoiceId``, as type names are."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"_+", keep_letters(_spell_sign(name))) if word)


def file_key(name: str) -> str:
    """Return what a file's name keeps of a class name: two classes alike in this need one file."""
    return name.replace("_", "").lower()


# What goes into a request under its name.
SENT = frozenset({"Fields", "Parameters", "Operations", "Names"})
RENAMED = ", for renamed it would be sent under a name that the server does not know"


def check_unique(pairs: Iterable[tuple[str, str]], kind: str) -> None:
    """Refuse two things of one name, naming both.

    Args:
        pairs: Of a name and the thing that bears it, as the document writes it.
        kind: The sort of thing, for the message.
    """
    for _, reason in find_repeated(pairs, kind):
        raise GenerationError(reason)


def find_repeated(pairs: Iterable[tuple[str, str]], kind: str) -> Iterator[tuple[str, str]]:
    """Find the things that need a name which one before them has, each with the sentence that names both.

    Args:
        pairs: As :func:`check_unique` has them.
        kind: The sort of thing, for the message.
    """
    seen: dict[str, str] = {}
    for name, thing in pairs:
        if name in seen:
            both = f"{kind} {seen[name]!r} and {thing!r} both need the name {name!r}"
            yield thing, f"{both}: a correction has to take one away{RENAMED if kind in SENT else ' or to rename it'}."
        else:
            seen[name] = thing
