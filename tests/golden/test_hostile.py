"""Texts that try to become code: every place a document has for text, and none that lets it out."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any

import jinja2
import pytest
import specimen
from hypothesis import given, settings
from hypothesis import strategies as st

from build import generator
from rules.plan import KEY, make_plan
from rules.price_list import PriceList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline import Result

PAYLOADS = [
    '"""\nimport os; os.system("boom")\n"""',
    "'''\nimport os; os.system('boom')\n'''",
    '"); __import__("os").system("boom"); ("',
    "'); __import__('os').system('boom'); ('",
    "{{ 7 * 7 }}{% for x in y %}{# #}",
    "{__import__('os')}",
    "\\",
    '\\"""',
    "\\N{BULLET} \\x \\u12 \\U1234",
    "\x00\x07\r\n\t\u2028\u2029\x85",
    "\ud800",
    "\u202e\u2066 bidi",
    "../../../boom",
    "__class__.__mro__",
    "#: type: ignore\n# noqa",
    "%s %(x)r {0}",
    "[0]]; boom()  #",
    "`boom`",
    "a" * 300,
]
# All that rendered endpoint and model modules ever call; a name beyond these came out of the document.
CALLS = {
    "Call",
    "Operation",
    "given",
    "request",
    "required",
    "optional",
    "read",
    "one",
    "many",
    "instant",
    "told_by",
    "values",
    "expect",
    "field",
    "frozen",
}
CALLS |= {
    "text",
    "integer",
    "number",
    "boolean",
    "one_of",
    "sequence",
    "mapping",
    "body",
    "either",
    "anything",
    "get_args",
}


def hostile(texts: list[str]) -> dict[str, Any]:
    """A document with these texts wherever text is free: words, values, names of fields and schemas."""
    one, *_ = texts
    fields: dict[str, Any] = {
        f"{number} {text}": {"type": "string", "title": text, "description": text, "default": text}
        for number, text in enumerate(texts)  # the number: two names alike but for signs are refused
    }
    fields["listed"] = {"enum": texts, "default": one, "description": one}
    fields["long"] = {"type": "string", "enum": [*texts, *specimen.CITIES]}
    fields["constant"] = {"const": one}
    fields["shaped"] = {"type": "string", "pattern": one, "format": one}
    fields["nested"] = specimen.ref("Item")
    mapping = dict.fromkeys(texts, "#/components/schemas/Cat") | {f"{one}.": "Dog"}
    told = {
        "oneOf": [specimen.ref("Cat"), specimen.ref("Dog")],
        "discriminator": {"propertyName": one, "mapping": mapping},
    }
    map_of_told = {"type": "object", "additionalProperties": told}
    document = {
        "openapi": "3.1.0",
        "info": {"title": one, "version": one, "description": one},
        "paths": {
            "/api/v1/victim": specimen.job(f"{one} (best)", one, "Victim", description=one, operationId=one),
            "/api/v1/plain": {
                "get": {"summary": one, "description": one, "tags": [one], "responses": specimen.answer({})}
            },
            "/api/v1/told": {"get": {"responses": specimen.answer(told)}},
        },
        "components": {
            "schemas": {
                "Victim": {
                    "type": "object",
                    "title": one,
                    "description": one,
                    "properties": fields,
                    KEY: {"name": one},
                },
                "Item": {"type": "object", "description": one, "properties": {"a": {"type": "string"}}},
                "Submission": {"type": "object", "description": one, "properties": {"id": {"description": one}}},
                "Cat": {"type": "object", "properties": {one: {"const": one}, "map": map_of_told}},
                "Dog": {"type": "object", "properties": {one: {"const": f"{one}."}}},
            }
        },
    }
    document["paths"]["/api/v1/victim"]["post"]["responses"] = specimen.answer(specimen.ref("Submission"))
    document["paths"]["/api/v1/victim"]["post"]["parameters"] = [
        {"name": one, "in": "query", "schema": {"enum": texts}}
    ]
    return document


def calls(source: str) -> Iterator[str]:
    """The name of everything a module calls."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)


def imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


HOMES = {"__future__", "typing", "collections.abc", "datetime", "attrs"}


def modules(document: dict[str, Any]) -> Iterator[str]:
    """The modules of a document, laid out by our templates alone: the generator only hands the same facts on."""
    made = make_plan(document, PriceList("2026-08-20", {}), {"sha256": ""})
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(generator.TEMPLATES), trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    for item in made.document["paths"].values():
        for operation in item.values():
            response = {"data": {"model_extra": {KEY: operation["responses"]["200"][KEY]}}}
            template = environment.get_template("endpoint_module.py.jinja")
            yield template.render(endpoint={"responses": {"patterns": [response]}})
    for schema in made.document["components"]["schemas"].values():
        template = environment.get_template("model.py.jinja")
        yield template.render(model={"data": {"model_extra": {KEY: schema[KEY]}}})
    template, context = made.own_files["readers.py"]
    yield environment.get_template(template).render(context)


def test_no_payload_gets_out_of_its_string(render: Callable[..., Result]) -> None:
    prices = {
        "as_of": "2026-08-20",
        "models": [{"name": PAYLOADS[0], "cost": 1, "cost_strategy": PAYLOADS[0], "dynamic_pricing": True}],
    }
    corrections = specimen.CORRECTIONS.split("  - target")[0]
    keep = "  - target: $.info\n    description: nothing to correct here\n    update: { x-kept: true }\n"
    document = hostile([text for text in PAYLOADS if text != "\ud800"])
    result = render(document=document, corrections=corrections + keep, prices=prices)
    assert result.code == 0, result.output
    for file in result.package.rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        if file.parent.name == "models" or "api" in file.parts or file.name == "readers.py":
            assert file.name == "__init__.py" or set(calls(source)) <= CALLS, file
            assert file.name == "__init__.py" or set(imports(source)) <= HOMES, file
        assert "boom()" not in list(calls(source))
    outside = [path.name for path in result.package.parent.parent.iterdir()]
    assert sorted(outside) == ["corrections.yaml", "models.json", "openapi.json", "out"]
    values = json.loads(result.text("catalog.json"))["requests"]["Victim"]
    assert values["listed"]["enum"] == [text for text in PAYLOADS if text != "\ud800"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_each_payload_alone_everywhere(payload: str) -> None:
    for source in modules(hostile([payload])):
        assert set(calls(source)) <= CALLS
        assert set(imports(source)) <= HOMES


@given(st.lists(st.text(max_size=30), min_size=1, max_size=4, unique=True))
@settings(max_examples=100)
def test_no_text_whatever_gets_out_of_its_string(texts: list[str]) -> None:
    for source in modules(hostile(texts)):
        assert set(calls(source)) <= CALLS
        assert set(imports(source)) <= HOMES


@pytest.mark.parametrize(
    "path", ["/api/v1/../../boom", "/api/v1/a\nb", '/api/v1/"+boom()+"', "/api/v1/{__import__('os')}"]
)
def test_a_hostile_path_stays_a_string_and_its_file_stays_inside(
    path: str, document: dict[str, Any], render: Callable[..., Result]
) -> None:
    document["paths"][path] = specimen.job("h", "Audio", "SharedRequest")
    result = render(document=document)
    if result.code:
        assert "Traceback" not in result.output
        assert not result.package.exists()
        return
    (module,) = (file for file in (result.package / "api/audio").iterdir() if file.name != "__init__.py")
    source = module.read_text(encoding="utf-8")
    assert set(calls(source)) <= CALLS
    assert any(isinstance(node, ast.Constant) and node.value == path for node in ast.walk(ast.parse(source)))
