"""Programs that run a model, to start from: one in Python with this client, one for a shell with curl.

Lives here: the programs, and the values they begin with. Does not live here: what a model takes (``catalog``), running
anything. A program that is run submits a job that costs money; a name in capitals is to be replaced.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, Final

import attrs

from muapi_client._catalog.inputs import find_meanings
from muapi_client._settings.options import read_origin
from muapi_client._spec.media_fields import find_kind
from muapi_client._spec.packages import member

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muapi_client.catalog import Model

LINE: Final = 100  # characters of a call that stands in one line
PROMPT: Final = "a red fox in snow"
FILES: Final = {"image": "image.png", "video": "video.mp4", "audio": "audio.mp3"}
# Texts of a form of their own, by a word of the field's name; and such as a pattern may ask for.
TEXTS: Final = {"email": "someone@example.com", "domain": "example.com", "prompt": PROMPT, "text": PROMPT}
PATTERNED: Final = ("2026-01-31", "dQw4w9WgXcQ", "1", "a")
# Groups whose models work on media; the document does not require them where a field may stand for another.
WORKS_ON: Final = {"image_edit": "image", "image_enhance": "image", "image_to_video": "image", "video_edit": "video"}


def write_python(model: Model, origin: str) -> str:
    """A program that submits one job of a model, waits for it and prints what it made.

    Args:
        model: The model.
        origin: Where the API is; the program names it where ``MuAPI()`` would go elsewhere.
    """
    place = "" if origin == read_origin(None) else f"base_url={origin!r}"
    sample = make_sample(model)
    arguments = [f"{name}={value!r}" for name, value in _name_arguments(model, sample).items()]
    call = f"{model.function}({', '.join(arguments)})"
    if len(call) > LINE:
        call = f"{model.function}(\n{''.join(f'        {argument},{chr(10)}' for argument in arguments)}    )"
    run = (
        '    for event in mu.stream(call):\n        print(event.text, end="", flush=True)'
        if model.streams
        else "    done = mu.run(call)\n"
        "    for output in done.outputs:\n"
        "        print(output.url or output.text)\n"
        "    print(done.cost)"
    )
    return (
        f"{_comment(model, sample)}\n"
        "from muapi_client import MuAPI\n"
        f"from muapi_client.models import {model.function}\n\n"
        f"with MuAPI({place}) as mu:  # the key comes from MUAPI_API_KEY\n"
        f"    call = {call}\n{run}"
    )


def write_curl(model: Model, origin: str) -> str:
    """Lines for a POSIX shell that submit one job of a model; a comment tells how to get what it made.

    Args:
        model: The model.
        origin: Where the API is.
    """
    sample = make_sample(model)
    result = shlex.quote(f"{origin}/api/v1/predictions/REQUEST_ID/result")
    after = f'\n# it answers a request_id: curl -sS -H "x-api-key: $MUAPI_API_KEY" {result}'
    return (
        f"{_comment(model, sample)}\n"
        f"curl -sS{'N' if model.streams else ''} {shlex.quote(origin + model.operation.path)} \\\n"
        '  -H "x-api-key: $MUAPI_API_KEY" \\\n'
        "  -H 'content-type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(sample, ensure_ascii=False))}{'' if model.streams else after}"
    )


def _comment(model: Model, sample: Mapping[str, Any]) -> str:
    """What it costs, and what is yours to fill in; in one line, whatever a document says."""
    blanks = [name for name, value in sample.items() if value == name.upper()]
    fill_in = f"; fill in {', '.join(blanks)}" if blanks else ""
    text = f"# One job of {model.slug}{fill_in}; price: {model.price or 'not in the price catalogue'}"
    return " ".join(text.split())


def make_sample(model: Model) -> dict[str, Any]:
    """A body to start from: what has to be there, a prompt, and the media that models of the group work on."""
    schema = model.json_schema()
    properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
    wanted = [*schema.get("required", ())]
    wanted += ["prompt"] if "prompt" in properties and "prompt" not in wanted else []
    medium = WORKS_ON.get(model.group)
    by_meaning = {field.name: find_meanings("", {field.name: field.schema}) for field in model.fields}
    media = [name for name, meanings in by_meaning.items() if medium in meanings]
    if media and not {"image", "video"} & {each for name in wanted for each in by_meaning[name]}:
        wanted.append(media[0])
    definitions = schema.get("$defs", {})
    return {name: _make_value(name, properties[name], definitions) for name in wanted}


def _name_arguments(model: Model, sample: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a sample by the names of the function's parameters."""
    request = member(model.package, "models", model.request) if model.request else None
    names = {part.metadata.get("wire", part.name): part.name for part in attrs.fields(request)} if request else {}
    return {names[wire]: value for wire, value in sample.items()}


def _make_value(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        schema = {**definitions[schema["$ref"].rpartition("/")[2]], **schema}
    shape = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
    if choices := [value for value in (schema.get("default"), *shape.get("enum", ())) if value not in (None, "", [])]:
        return choices[0]
    kinds = shape.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        properties = shape.get("properties", {})
        return {each: _make_value(each, properties[each], definitions) for each in shape.get("required", ())}
    if kind == "array":
        return [_make_value(name, shape.get("items", {}), definitions)] * max(shape.get("minItems", 0), 1)
    if kind == "boolean":
        return False
    return _make_number(shape) if kind in ("integer", "number") else _make_text(name, shape)


def _make_number(shape: Mapping[str, Any]) -> float:
    """The least number that fits, and no less than 1 where that fits."""
    step = shape.get("multipleOf", 1)
    least = shape.get("minimum", shape.get("exclusiveMinimum", 0) + step if "exclusiveMinimum" in shape else 1)
    number = max(least, min(1, shape.get("maximum", 1)))
    steps = -(-number // step)
    return int(steps * step) if float(steps * step).is_integer() else steps * step


def _make_text(name: str, shape: Mapping[str, Any]) -> str:
    if shape.get("format") == "uri" or name.endswith(("url", "urls")):
        return f"https://example.com/{FILES.get(find_kind([name]) or '', 'file')}"
    if "pattern" in shape:
        return next((text for text in PATTERNED if re.search(shape["pattern"], text)), name.upper())
    known = next((text for word, text in TEXTS.items() if word in name.lower().split("_")), name.upper())
    return known[: shape.get("maxLength", len(known))].ljust(shape.get("minLength", 0), ".")
