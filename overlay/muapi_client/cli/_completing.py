"""The words that may come next, for a shell that completes a line (``muapi-client completion``).

The shell calls this program at every press of Tab and waits, so what is needed is read and no more: of the catalogue
the rendered file itself, since ``muapi_client.catalog`` makes values of all models, which takes longer than the rest.

Lives here: models, their fields, and what a field may be. Does not live here: commands and options, which argcomplete
reads from the parser (``_arguments``), what the shell is told to do (``_completion``).
"""

from __future__ import annotations

import json
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from argcomplete.completers import ChoicesCompleter
from argcomplete.finders import CompletionFinder

import muapi_generated
from muapi_client._catalog.inputs import MEANINGS
from muapi_client.cli._arguments import LOOSE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping

CATALOG: Final = "catalog.json"  # of the generated package; `catalog` says what stands in it


def complete(parser: argparse.ArgumentParser, **how: Any) -> None:
    """Answer the shell that called this program, and end the process.

    Args:
        parser: What knows all commands and options.
        how: What argcomplete is told besides, such as where the answer goes.
    """
    for action in _list_arguments(parser):
        completer = COMPLETERS.get(action.dest)
        if completer is not None and action.choices is None:
            action.completer = partial(_offer, completer)  # type: ignore[attr-defined]  # argcomplete looks for it there
    # Of files the shell knows more than argcomplete, which would start another shell to ask.
    Finder()(parser, always_complete_options=False, default_completer=ChoicesCompleter({}), **how)


class Finder(CompletionFinder):
    """What completes a line, also where fields stand behind an option, which argparse takes for a rest."""

    def collect_completions(
        self, active_parsers: list[Any], parsed_args: argparse.Namespace, cword_prefix: str
    ) -> list[str]:
        """The words that may stand where the cursor is."""
        found: list[str] = super().collect_completions(active_parsers, parsed_args, cword_prefix)
        takes_value = any(action.option_strings for action in active_parsers[-1].active_actions)
        place = LOOSE.get(getattr(parsed_args, "command", None) or "")
        if found or takes_value or place is None or cword_prefix.startswith("-"):
            return found
        loose = _offer(COMPLETERS[place], prefix=cword_prefix, parsed_args=parsed_args)
        fitting = {word: meaning for word, meaning in loose.items() if word.startswith(cword_prefix)}
        self._display_completions.update(fitting)
        return list(fitting)


def _list_arguments(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every argument of a parser and of the commands in it."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other list of them
        yield action
        commands: Any = action.choices
        if hasattr(commands, "values"):  # a list of choices has none
            for command in commands.values():
                yield from _list_arguments(command)


def _offer(completer: Callable[..., dict[str, str]], **asked: Any) -> dict[str, str]:
    """What a completer has; no word of a document steers the terminal it is shown on."""
    found = completer(**asked)
    return {word: "".join(filter(str.isprintable, found[word])) for word in found if word.isprintable()}


def _complete_model(**_: Any) -> dict[str, str]:
    """Every model, with what it makes and costs."""
    return {model["slug"]: f"{model['kind']}{_price(model)}" for model in _read_catalog()["models"]}


def _price(model: Mapping[str, Any]) -> str:
    price = model["price"]
    if not price or not float(price["cost_usd"]):  # 0 is what it says where it knows none (`catalog.Price.known_usd`)
        return ""
    return f", {'~' if price['dynamic'] else ''}{price['cost_usd']} USD"


def _complete_word(parsed_args: argparse.Namespace, **_: Any) -> dict[str, str]:
    """What may follow ``models``: the word ``show``, and behind it models."""
    return _complete_model() if parsed_args.words[:1] == ["show"] else {"show": "all there is to know of some"}


def _complete_group(**_: Any) -> dict[str, str]:
    return dict.fromkeys(sorted({model["group"] for model in _read_catalog()["models"]}), "")


def _complete_kind(**_: Any) -> dict[str, str]:
    return dict.fromkeys(sorted({model["kind"] for model in _read_catalog()["models"]}), "")


def _complete_tier(**_: Any) -> dict[str, str]:
    return dict.fromkeys(sorted({model["tier"] for model in _read_catalog()["models"] if model["tier"]}), "")


def _complete_input(prefix: str, **_: Any) -> dict[str, str]:
    """What an input may mean; the names of fields, of which there are hundreds, once one is begun."""
    fields = (name for request in _read_catalog()["requests"].values() for name in request) if prefix else ()
    return {**MEANINGS, **dict.fromkeys(sorted(set(fields) - MEANINGS.keys()), "a field")}


def _complete_field(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> dict[str, str]:
    """The fields of the model that stands before, with a ``=``; behind one, the values it may have."""
    catalog = _read_catalog()
    name = (parsed_args.slug or "").strip("/")
    model = next((each for each in catalog["models"] if name in (each["slug"], each["function"], each["name"])), None)
    if model is None:
        return {}
    fields: Mapping[str, Any] = catalog["requests"].get(model["request"], {})
    field, equals, _value = prefix.partition("=")
    if equals:
        return {f"{field}={value}": "" for value in _list_values(fields.get(field, {}))}
    words: list[str] = parsed_args.fields or []
    given = {word.partition("=")[0] for word in words}
    needed = sorted(fields, key=lambda each: not fields[each].get("required"))
    return {
        f"{each}=": fields[each].get("description", "")
        for each in needed
        if each not in given or fields[each].get("type") == "array"
    }


def _list_values(schema: Mapping[str, Any]) -> Iterator[str]:
    """The values a field may have, as a user types them."""
    for shape in schema.get("anyOf", (schema,)):
        single = shape.get("items", {}) if shape.get("type") == "array" else shape  # items are given one by one
        if single.get("type") == "boolean":
            yield from ("true", "false")
        for value in single.get("enum", ()):
            yield value if isinstance(value, str) else json.dumps(value)


@cache
def _read_catalog() -> Any:
    return json.loads(Path(str(muapi_generated.__file__)).with_name(CATALOG).read_bytes())


# By the name of the argument, in whichever command it stands; each tells what a word means, for shells that show it.
COMPLETERS: Final[Mapping[str, Callable[..., dict[str, str]]]] = {
    "fields": _complete_field,
    "group": _complete_group,
    "kind": _complete_kind,
    "slug": _complete_model,
    "takes": _complete_input,
    "tier": _complete_tier,
    "words": _complete_word,
}
