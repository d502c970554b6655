"""Answers of any shape a document may give them: what a client makes of what the server says.

Each document is rendered beside the installed package, as ``muapi-client spec build`` does; the server is a mock. Of
every package the types are looked at, too: mypy, strict, takes all of it.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pickle
import tempfile
import typing
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pydantic
import pytest
from inline_snapshot import snapshot
from mypy import api as mypy
from shapes import NUMBER, TEXT, Rendered, anything_of, document_of, ref, run, sending

from muapi_client import Call, errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NULL: dict[str, Any] = {"type": "null"}
MANY: dict[str, Any] = {"type": "array"}


def answering(schema: Any, code: str = "200", **more: Any) -> dict[str, Any]:
    return {"responses": {code: {"description": "", "content": {"application/json": {"schema": schema}}}}, **more}


def any_of(*schemas: Any, **more: Any) -> dict[str, Any]:
    return {"anyOf": list(schemas), **more}


def list_of(schema: Any) -> dict[str, Any]:
    return {**MANY, "items": schema}


def map_of(schema: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": schema}


def only(value: Any) -> dict[str, Any]:
    return {"const": value, "type": "string"} if isinstance(value, str) else {"const": value}


class Reading(Rendered):
    """A package, and a client of it that is answered with what a test says."""

    def model(self, name: str) -> Any:
        return getattr(importlib.import_module(f"{self.folder.name}.models"), name)

    def answer(self, name: str, said: Any, /, **arguments: Any) -> Any:
        """What the client makes of what the server says."""
        call = self.function(name)(**arguments)
        assert Call.from_json(call.to_json()) == call == pickle.loads(pickle.dumps(call))
        return self.read(call, said)

    def read(self, call: Call[Any], said: Any) -> Any:
        self.answers.append(httpx.Response(200, content=json.dumps(said)))
        return self.client.send(call)

    def types(self, model: str) -> dict[str, str]:
        """The fields of a class, as an editor shows them."""
        return {
            name: annotation.replace("_models.", "") for name, annotation in self.model(model).__annotations__.items()
        }

    def returns(self, name: str) -> str:
        """The type that ``MuAPI.send`` answers with."""
        annotation: str = inspect.signature(self.function(name)).return_annotation
        assert typing.get_type_hints(self.function(name))["return"] is not None
        return annotation.removeprefix("Call[").removesuffix("]").replace("models.", "")


@pytest.fixture(scope="module")
def build(build: Callable[[dict[str, Any]], Rendered]) -> Iterator[Callable[[dict[str, Any]], Reading]]:
    """Render a document and import the package; in the end all of them are strictly typed."""
    packages: list[Path] = []

    def rendered(document: dict[str, Any]) -> Reading:
        built = build(document)
        packages.append(built.folder)
        return Reading(built.folder, built.output)

    yield rendered
    with tempfile.TemporaryDirectory() as cache:
        output, trouble, code = mypy.run(["--strict", "--config-file=", f"--cache-dir={cache}", *map(str, packages)])
    assert (code, trouble) == (0, ""), output


FAULT = anything_of(message=TEXT)
CAT, DOG = anything_of(kind=only("cat"), lives=NUMBER), anything_of(kind=only("dog"), tail={"type": "boolean"})
PLAIN_CAT, PLAIN_DOG = anything_of(kind=TEXT, lives=NUMBER), anything_of(kind=TEXT, tail={"type": "boolean"})


def test_a_field_of_a_class_or_something_else_is_read_as_what_it_is(build: Callable[..., Reading]) -> None:
    fields = {
        "or_text": any_of(ref("Fault"), TEXT, NULL),
        "or_number": any_of({"type": "number", "format": "decimal"}, ref("Fault")),
        "or_time": {"oneOf": [ref("Fault"), {**TEXT, "format": "date-time"}]},
        "or_list": any_of(ref("Fault"), list_of(ref("Fault"))),
        "lists": any_of(list_of(ref("Fault")), list_of(TEXT)),
        "mixed": list_of(any_of(ref("Fault"), TEXT)),
        "either": any_of(ref("Fault"), {"type": "object"}, TEXT),
    }
    built = build(document_of({"/run": {"get": answering(ref("Run"))}}, {"Run": anything_of(**fields), "Fault": FAULT}))
    assert built.types("Run") == {
        "or_text": "Fault | str | None",
        "or_number": "Decimal | Fault | None",
        "or_time": "Fault | datetime | str | None",
        "or_list": "Fault | list[Fault] | None",
        "lists": "list[Fault | str] | None",
        "mixed": "list[Fault | str] | None",
        "either": "dict[str, Any] | str | None",
        "additional": "dict[str, Any]",
    }
    came, fault = {"message": "m"}, built.model("Fault")(message="m")
    made: tuple[tuple[str, Any, Any], ...] = (
        ("or_text", came, fault),
        ("or_text", "late", "late"),
        ("or_text", None, None),
        ("or_text", 7, 7),
        ("or_number", 0.5, Decimal("0.5")),
        ("or_number", came, fault),
        ("or_time", came, fault),
        ("or_time", "2026-08-20T10:30:00Z", datetime(2026, 8, 20, 10, 30, tzinfo=UTC)),
        ("or_list", came, fault),
        ("or_list", [came, "odd"], [fault, "odd"]),
        ("lists", [came], [fault]),
        ("lists", ["a"], ["a"]),
        ("mixed", [came, "a"], [fault, "a"]),
        ("either", came, came),
        ("either", "a", "a"),
    )
    for name, said, read in made:
        assert getattr(built.answer("get_run", {name: said}), name) == read, (name, said)


def test_a_map_is_read_value_by_value(build: Callable[..., Reading]) -> None:
    fields = {
        "lines": map_of(ref("Line")),
        "counts": map_of(NUMBER),
        "times": map_of(list_of({**TEXT, "format": "date-time"})),
        "either": any_of(map_of(ref("Line")), map_of(TEXT), NULL),
        "free": map_of(True),
        "empty": map_of({}),
        "closed": map_of(False),
        "within": map_of(map_of(ref("Line"))),
    }
    built = build(document_of({"/log": {"get": answering(ref("Log"))}}, {"Log": anything_of(**fields), "Line": FAULT}))
    free = "dict[str, Any] | None"
    assert built.types("Log") == {
        "lines": "dict[str, Line] | None",
        "counts": "dict[str, int] | None",
        "times": "dict[str, list[datetime | str]] | None",
        "either": "dict[str, Line | str] | None",
        **dict.fromkeys(("free", "empty", "closed"), free),
        "within": "dict[str, dict[str, Line]] | None",
        "additional": "dict[str, Any]",
    }
    came, line = {"message": "m"}, built.model("Line")(message="m")
    said = {"lines": {"a": came, "b": 3}, "either": {"a": "x", "b": came}, "within": {"a": {"b": came}}, "free": came}
    read = built.answer("get_log", said)
    assert (read.lines, read.either, read.within, read.free) == (
        {"a": line, "b": 3},
        {"a": "x", "b": line},
        {"a": {"b": line}},
        came,
    )
    assert pydantic.TypeAdapter(built.model("Log")).dump_python(read) == said


@pytest.mark.parametrize(
    ("cat", "dog", "discriminator", "said"),
    [
        (CAT, DOG, {}, "cat"),
        (CAT, DOG, {"discriminator": {"propertyName": "kind"}}, "cat"),
        (anything_of(kind={"enum": ["cat", "kitten"]}, lives=NUMBER), DOG, {}, "kitten"),
        ({"allOf": [ref("Base"), anything_of(kind=only("cat"), lives=NUMBER)]}, DOG, {}, "cat"),
        (
            PLAIN_CAT,
            PLAIN_DOG,
            {"discriminator": {"propertyName": "kind", "mapping": {"c": "#/components/schemas/Cat", "d": "Dog"}}},
            "c",
        ),
        (PLAIN_CAT, PLAIN_DOG, {"discriminator": {"propertyName": "kind"}}, "Cat"),
        (PLAIN_CAT, PLAIN_DOG, {"discriminator": {"propertyName": "kind", "mapping": {"d": "Dog"}}}, "Cat"),
    ],
)
def test_of_several_classes_the_one_is_read_that_a_field_tells(
    cat: dict[str, Any], dog: dict[str, Any], discriminator: dict[str, Any], said: str, build: Callable[..., Reading]
) -> None:
    pet = any_of(ref("Cat"), ref("Dog"), **discriminator)
    owner = anything_of(
        pet=ref("Pet"),
        pets=list_of(any_of(ref("Pet"), NULL)),
        by_name=map_of(ref("Pet")),
        either=any_of(ref("Pet"), TEXT),
    )
    schemas = {"Cat": cat, "Dog": dog, "Pet": pet, "Owner": owner, "Base": anything_of(kind=TEXT)}
    built = build(
        document_of({"/owner": {"get": answering(ref("Owner"))}, "/pet": {"get": answering(ref("Pet"))}}, schemas)
    )
    one = "Cat | Dog | dict[str, Any]"
    assert built.types("Owner") == {
        "pet": f"{one} | None",
        "pets": f"list[{one} | None] | None",
        "by_name": f"dict[str, {one}] | None",
        "either": f"{one} | str | None",
        "additional": "dict[str, Any]",
    }
    assert built.returns("get_pet") == one
    came = {"kind": said, "lives": 9}
    read = built.model("Cat")(**came)
    for other in ({"kind": "cow"}, {"lives": 9}, {"kind": ["cat"]}, {"kind": None}, {"kind": 1}):
        owned = built.answer(
            "get_owner", {"pet": came, "pets": [came, None, other], "by_name": {"x": came}, "either": came}
        )
        assert (owned.pet, owned.pets, owned.by_name, owned.either) == (read, [read, None, other], {"x": read}, read)
        assert built.answer("get_pet", other) == other
        assert built.answer("get_owner", {"pet": other}).pet == other
    assert built.answer("get_pet", came) == read
    assert built.answer("get_owner", {"either": "a"}).either == "a"


def test_classes_may_be_told_by_truth_and_numbers(build: Callable[..., Reading]) -> None:
    schemas = {
        "Good": anything_of(ok=only(True), data=TEXT),
        "Bad": anything_of(ok=only(False), error=TEXT),
        "Old": anything_of(version=only(1), a=TEXT),
        "New": anything_of(version=only(2), a=TEXT),
    }
    either, versions = any_of(ref("Good"), ref("Bad")), any_of(ref("Old"), ref("New"))
    built = build(document_of({"/a": {"get": answering(either)}, "/b": {"get": answering(versions)}}, schemas))
    assert built.answer("get_a", {"ok": False, "error": "e"}) == built.model("Bad")(ok=False, error="e")
    assert built.answer("get_a", {"ok": True, "data": "d"}) == built.model("Good")(ok=True, data="d")
    assert built.answer("get_b", {"version": 2}) == built.model("New")(version=2)


@pytest.mark.parametrize(
    "schemas",
    [
        {"A": PLAIN_CAT, "B": PLAIN_DOG},
        {"A": CAT, "B": PLAIN_DOG},
        {"A": CAT, "B": anything_of(kind={"enum": ["dog", "cat"]})},
        {"A": anything_of(kind=only(1)), "B": anything_of(kind=only(True))},
        {"A": anything_of(kind={"enum": [0.5]}), "B": anything_of(kind={"enum": [1.5]})},
    ],
)
def test_what_nothing_tells_apart_stays_an_object_and_its_type_says_so(
    schemas: dict[str, Any], build: Callable[..., Reading]
) -> None:
    either = any_of(ref("A"), ref("B"))
    holder = anything_of(one=either, many=list_of(either), lists=any_of(list_of(ref("A")), list_of(ref("B"))))
    paths = {"/one": {"get": answering(either)}, "/holder": {"get": answering(ref("Holder"))}}
    built = build(document_of(paths, {**schemas, "Holder": holder}))
    assert built.types("Holder") == {
        "one": "dict[str, Any] | None",
        "many": "list[dict[str, Any]] | None",
        "lists": "list[dict[str, Any]] | None",
        "additional": "dict[str, Any]",
    }
    assert built.returns("get_one") == "dict[str, Any]"
    came = {"kind": "cat"}
    read = built.answer("get_holder", {"one": came, "many": [came], "lists": [came]})
    assert (read.one, read.many, read.lists) == (came, [came], [came])
    assert built.answer("get_one", came) == came


def test_a_discriminator_of_another_form_tells_nothing(build: Callable[..., Reading]) -> None:
    odd: list[Any] = ["kind", {"mapping": {"c": "A"}}, {"propertyName": "kind", "mapping": ["A"]}, {"propertyName": 3}]
    fields = {f"f{at}": any_of(ref("A"), ref("B"), discriminator=form) for at, form in enumerate(odd)}
    schemas = {"A": PLAIN_CAT, "B": PLAIN_DOG, "Holder": anything_of(**fields)}
    built = build(document_of({"/a": {"get": answering(ref("Holder"))}}, schemas))
    types = built.types("Holder")
    assert {types["f0"], types["f1"], types["f3"]} == {"dict[str, Any] | None"}
    assert types["f2"] == "A | B | dict[str, Any] | None"


SAID = {"message": "m"}


def as_read(said: Any, fault: Any) -> Any:
    """What the server said, with every ``SAID`` as the class it is of."""
    if isinstance(said, list):
        return [as_read(item, fault) for item in said]
    if isinstance(said, dict):
        return fault(**said) if said == SAID else {name: as_read(item, fault) for name, item in said.items()}
    return said


@pytest.mark.parametrize(
    ("schema", "returns", "right", "wrong"),
    [
        (ref("Fault"), "Fault", [SAID], [[], None, "a", 1]),
        (list_of(ref("Fault")), "list[Fault]", [[], [SAID, "odd"]], [SAID, None, "a"]),
        (any_of(ref("Fault"), NULL), "Fault | None", [SAID, None], [[], "a", False]),
        (any_of(ref("Fault"), TEXT), "Fault | str", [SAID, "a"], [[], None, 1]),
        (any_of(ref("Fault"), list_of(ref("Fault"))), "Fault | list[Fault]", [SAID, [SAID]], ["a", None]),
        (any_of(ref("Fault"), {"type": "boolean"}), "Fault | bool", [SAID, True], [1, "a"]),
        (any_of(ref("Fault"), NUMBER), "Fault | int", [SAID, 1], [True, "a"]),
        (any_of(ref("Fault"), {"type": "number"}), "Fault | float", [SAID, 1, 0.5], [True, "a"]),
        (any_of(ref("Fault"), {"enum": ["a", "b"]}), "Fault | str", [SAID, "a", "new"], [1]),
        (list_of(any_of(ref("Fault"), NULL)), "list[Fault | None]", [[], [None, SAID]], [SAID, "a"]),
        (list_of(list_of(ref("Fault"))), "list[list[Fault]]", [[], [[SAID]]], [SAID, "a"]),
        (map_of(ref("Fault")), "dict[str, Fault]", [{}, {"a": SAID}], [[], "a"]),
        (map_of(list_of(ref("Fault"))), "dict[str, list[Fault]]", [{}, {"a": [SAID]}], [[], "a"]),
        (any_of(ref("Fault"), {"enum": ["a", 1]}), "Any", [], []),
        (TEXT, "Any", ["a", 1, None, [], {}], []),
    ],
)  # fmt: skip
def test_an_answer_may_be_of_any_shape_and_is_of_no_other(
    schema: Any, returns: str, right: list[Any], wrong: list[Any], build: Callable[..., Reading]
) -> None:
    built = build(document_of({"/a": {"get": answering(schema)}}, {"Fault": FAULT}))
    assert built.returns("get_a") == returns
    for said in right:
        assert built.answer("get_a", said) == as_read(said, built.model("Fault"))
    for said in wrong:
        with pytest.raises(errors.ResponseError, match=r"^expected .*, got"):
            built.answer("get_a", said)


def test_an_answer_without_a_name_is_a_class_named_after_the_function(build: Callable[..., Reading]) -> None:
    inline = {**anything_of(data=ref("Choice"), total=NUMBER), "description": "A page."}
    paths = {
        "/page": {"get": answering(inline)},
        "/rows": {"get": answering(list_of(anything_of(choice=ref("Choice"))))},
        "/parts": {"get": answering({"allOf": [ref("Choice"), anything_of(more=TEXT)]})},
        "/free": {"get": answering({"type": "object"})},
        "/rest": {"delete": answering({**map_of(TEXT)})},
        "/put": {"post": sending(ref("Option"))},
    }
    schemas = {"Option": {**anything_of(name=TEXT), "required": ["name"]}, "Choice": anything_of(option=ref("Option"))}
    built = build(document_of(paths, schemas))
    returned = {name: built.returns(name) for name in ("get_page", "get_rows", "get_parts", "get_free", "delete_rest")}
    assert returned == {
        "get_page": "GetPageAnswer",
        "get_rows": "list[GetRowsAnswerItem]",
        "get_parts": "GetPartsAnswer",
        "get_free": "Any",
        "delete_rest": "Any",
    }
    said = {"option": {"name": "a"}}
    choice = built.model("Choice")(option=built.model("OptionAnswer")(name="a"))
    assert built.answer("get_page", {"data": said}) == built.model("GetPageAnswer")(data=choice)
    assert built.answer("get_rows", [{"choice": said}]) == [built.model("GetRowsAnswerItem")(choice=choice)]
    assert built.answer("get_parts", {**said, "more": "b"}).option == choice.option
    assert inspect.getdoc(built.model("GetPageAnswer")).startswith("A page.")  # type: ignore[union-attr]


def test_a_class_may_be_sent_and_come_back(build: Callable[..., Reading]) -> None:
    item = {
        **anything_of(
            name={**TEXT, "maxLength": 3},
            part=ref("Part"),
            parts=list_of(ref("Part")),
            by_name=map_of(ref("Part")),
            next=ref("Item"),
        ),
        "required": ["name"],
    }
    part = {**anything_of(size={**NUMBER, "minimum": 1}), "required": ["size"]}
    wrong = anything_of(item=ref("Item"), errors=list_of(ref("Fault")))
    paths = {
        "/items": {
            "post": {**sending(ref("Item")), **answering(ref("Item"), "201")},
            "get": answering(list_of(ref("Item"))),
        },
        "/items/{id}": {"put": {**sending(ref("Item")), **answering(any_of(ref("Item"), NULL))}},
    }
    built = build(document_of(paths, {"Item": item, "Part": part, "Fault": FAULT, "Wrong": wrong}))
    assert built.types("Item")["part"] == "Part | Fields"
    assert built.types("ItemAnswer") == {
        "name": "str | None",
        "part": "PartAnswer | None",
        "parts": "list[PartAnswer] | None",
        "by_name": "dict[str, PartAnswer] | None",
        "next": "ItemAnswer | None",
        "additional": "dict[str, Any]",
    }
    assert built.types("Wrong")["item"] == "ItemAnswer | None"
    assert (built.returns("items"), built.returns("get_items")) == ("ItemAnswer", "list[ItemAnswer]")
    assert built.returns("put_items_id") == "ItemAnswer | None"
    read = built.answer(
        "items", {"name": "as long as it likes", "part": {"size": 0}, "new": 1}, name="abc", part={"size": 1}
    )
    made = built.model("ItemAnswer")
    assert read == made(name="as long as it likes", part=built.model("PartAnswer")(size=0), additional={"new": 1})
    assert built.answer("get_items", [{"by_name": {"x": {"size": 2}}}])[0].by_name["x"].size == 2
    assert built.answer("put_items_id", None, id="7", name="a") is None
    with pytest.raises(ValueError, match="String should have at most 3 characters"):
        built.model("Item")(name="abcd")
    with pytest.raises(errors.ValidationError):
        built.answer("items", {}, name="a", part={"size": 0})
    for name in ("Item", "ItemAnswer"):
        adapter = pydantic.TypeAdapter(built.model(name))
        assert adapter.validate_json(adapter.dump_json(adapter.validate_python({"name": "a"}))).name == "a"


def test_a_class_both_ways_needs_a_name_that_is_free(tmp_path: Path) -> None:
    paths = {"/items": {"post": {**sending(ref("Item")), **answering(ref("Item"))}}}
    result = run(document_of(paths, {"Item": FAULT, "item_answer": FAULT}), tmp_path / "package")
    assert result.code == 1
    assert "'Item as an answer' and 'item_answer' both need the name" in result.output


def field_of(read: Any, wire: str) -> Any:
    """The field of an answer that has this name in JSON."""
    parts = (part for part in type(read).__attrs_attrs__ if part.name != "additional")
    return next(getattr(read, part.name) for part in parts if part.metadata.get("wire", part.name) == wire)


def test_fields_named_as_what_reads_them_are_read(build: Callable[..., Reading]) -> None:
    ours = ["kind", "answer", "read", "one", "many", "values", "told_by", "either", "cls", "self", "answers", "attrs"]
    ours += ["classmethod", "property", "dict", "datetime", "additional", "from_dict", "_models", "expect"]
    names = {name: list_of(any_of(ref("Fault"), {**TEXT, "format": "date-time"})) for name in ours}
    tagged = {f"{name}_": any_of(ref("One"), ref("Two"), discriminator={"propertyName": name}) for name in ours}
    schemas: dict[str, Any] = {
        "Odd": anything_of(**names),
        "Tagged": anything_of(**tagged),
        "One": anything_of(**{name: only("One") for name in ours}),
        "Two": anything_of(**{name: only("Two") for name in ours}),
        "Fault": FAULT,
        "read": anything_of(answer=ref("answer")),
        "answer": anything_of(read=ref("read")),
    }
    functions = ("one", "expect", "READERS", "Reader", "_models", "told_by", "Final")
    paths = {f"/{name}": {"post": answering(any_of(ref("Fault"), TEXT))} for name in functions}
    paths |= {
        "/odd": {"get": answering(ref("Odd"))},
        "/tagged": {"get": answering(ref("Tagged"))},
        "/answer": {"get": answering(ref("answer"))},
    }
    built = build(document_of(paths, schemas))
    read = built.answer("get_odd", {name: [SAID] for name in ours})
    for name in ours:
        assert field_of(read, name) == [built.model("Fault")(message="m")], name
    tagged_read = built.answer("get_tagged", {f"{name}_": {name: "Two"} for name in ours})
    for name in ours:
        assert isinstance(field_of(tagged_read, f"{name}_"), built.model("Two")), name
    assert built.answer("get_answer", {"read": {"answer": {}}}).read.answer == built.model("Answer")()


def test_readers_read_like_this(build: Callable[..., Reading]) -> None:
    pet = any_of(ref("Cat"), ref("Dog"))
    paths = {
        "/pet": {"get": answering(pet)},
        "/pets": {"get": answering(map_of(pet))},
        "/fault": {"get": answering(any_of(ref("Fault"), TEXT, NULL))},
        "/plain": {"get": answering(any_of(ref("Cat"), ref("Fault")))},
    }
    built = build(document_of(paths, {"Cat": CAT, "Dog": DOG, "Fault": FAULT}))
    _, _, text = (built.folder / "readers.py").read_text(encoding="utf-8").partition("\n")
    assert text == snapshot('''\
"""How the answers to some functions are read: those that may be one of several things.

Lives here: which things, and what tells them apart. Does not live here: how each is read (``answers``, ``models``).
"""

from __future__ import annotations

from typing import Final

from . import models as _models
from .answers import Reader, expect, one, told_by, values

__all__ = ["READERS"]

READERS: Final[dict[str, Reader]] = {
    "get_fault": lambda body: expect(body, dict, str, None, read=one(_models.Fault.from_dict)),
    "get_pet": lambda body: expect(
        body, dict, read=told_by("kind", {"cat": _models.Cat.from_dict, "dog": _models.Dog.from_dict})
    ),
    "get_pets": lambda body: expect(
        body, dict, read=values(told_by("kind", {"cat": _models.Cat.from_dict, "dog": _models.Dog.from_dict}))
    ),
    "get_plain": lambda body: expect(body, dict),
}
"""By function. A reader raises a TypeError for what is of no kind that the document knows of this answer."""
''')
    (file,) = built.folder.glob("api/*/get_pet.py")
    assert file.read_text(encoding="utf-8").partition("\n")[2] == snapshot('''\
"""GET /pet."""

from __future__ import annotations

from typing import Any

from ... import models
from ...types import Call, Operation

OPERATION = Operation("get_pet", "GET", "/pet", answer="readers.get_pet")


def get_pet() -> Call[models.Cat | models.Dog | dict[str, Any]]:
    """GET /pet.

    Returns:
        The request, unsent: ``MuAPI.send`` answers with ``Cat | Dog | dict[str, Any]``.
    """
    return Call(OPERATION)
''')
    assert not (build(document_of({"/a": {"get": answering(ref("Cat"))}}, {"Cat": CAT})).folder / "readers.py").exists()


def test_a_submission_may_be_answered_under_another_code(build: Callable[..., Reading]) -> None:
    submit = {**sending(FAULT), **answering(anything_of(request_id=TEXT, status=TEXT), "202")}
    built = build(document_of({"/api/v1/new": {"post": submit}}))
    call = built.function("new")(message="m")
    assert (call.operation.is_job, call.operation.answer) == (True, "Submission")


def test_what_a_document_of_another_package_reads_is_left_as_it_came(build: Callable[..., Reading]) -> None:
    paths = {"/a": {"get": answering(any_of(ref("Fault"), TEXT))}, "/b": {"get": answering(ref("Fault"))}}
    built, plain = (build(document_of(some, {"Fault": FAULT})) for some in (paths, {"/b": paths["/b"]}))
    assert built.answer("get_a", SAID) == built.model("Fault")(message="m")
    call = built.function("get_a")().to_json().replace(built.folder.name, plain.folder.name)
    assert plain.read(Call.from_json(call), SAID) == SAID


def test_a_schema_both_sent_and_answered_has_what_the_server_alone_gives_in_its_answers(
    build: Callable[[dict[str, Any]], Reading],
) -> None:
    item = anything_of(name=TEXT, id={**NUMBER, "readOnly": True}, made={**ref("Made"), "readOnly": True})
    schemas = {"Item": item, "Made": anything_of(at={"type": "string", "format": "date-time"})}
    built = build(document_of({"/item": {"put": {**sending(ref("Item")), **answering(ref("Item"))}}}, schemas))
    assert list(inspect.signature(built.function("put_item")).parameters) == ["name"]
    assert set(built.types("Item")) == {"name"}
    answer = built.answer("put_item", {"name": "a", "id": 7, "made": {"at": "2026-01-02T03:04:05Z"}}, name="a")
    assert (type(answer).__name__, answer.id, answer.made.at.year) == ("ItemAnswer", 7, 2026)


def test_a_form_that_is_answered_as_json_sends_a_file_where_the_answer_has_a_text(
    build: Callable[[dict[str, Any]], Reading],
) -> None:
    schema = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
    form = sending(ref("Doc"), "multipart/form-data")
    built = build(document_of({"/doc": {"post": {**form, **answering(ref("Doc"))}}}, {"Doc": schema}))
    assert (built.types("Doc")["file"], built.types("DocAnswer")["file"]) == ("Upload", "str | None")
    assert built.read(built.function("doc")(file=b"x"), {"file": "text"}).file == "text"


def test_a_list_of_places_is_read_as_what_any_of_them_may_be(build: Callable[[dict[str, Any]], Reading]) -> None:
    pair = {**MANY, "prefixItems": [NUMBER, ref("Item")], "items": False}
    row = {**MANY, "prefixItems": [ref("Item")], "items": ref("Item")}
    paths = {"/pair": {"get": answering(pair)}, "/row": {"get": answering(row)}}
    built = build(document_of(paths, {"Item": anything_of(name=TEXT)}))
    assert (built.returns("get_pair"), built.returns("get_row")) == ("list[int | Item]", "list[Item]")
    number, item = built.answer("get_pair", [3, {"name": "a"}])
    assert (number, item.name) == (3, "a")
    assert [item.name for item in built.answer("get_row", [{"name": "a"}, {"name": "b"}])] == ["a", "b"]


def test_a_map_that_is_sent_and_answered_is_one_of_classes_both_ways(
    build: Callable[[dict[str, Any]], Reading],
) -> None:
    named = map_of(ref("Item"))
    built = build(
        document_of({"/m": {"post": {**sending(named), **answering(named)}}}, {"Item": anything_of(n=NUMBER)})
    )
    assert built.returns("m") == "dict[str, ItemAnswer]"
    assert built.answer("m", {"a": {"n": 1}}, body={"a": {"n": 1}})["a"].n == 1
    with pytest.raises(errors.ValidationError):
        built.read(built.function("m")(body={"a": {"n": "x"}}), {})


@pytest.mark.parametrize("first", ["application/problem+json", "application/json"])
def test_of_several_labels_plain_json_is_what_is_answered(build: Callable[..., Reading], first: str) -> None:
    schemas = {"Fox": anything_of(name=TEXT), "Problem": anything_of(title=TEXT)}
    content = {"application/problem+json": {"schema": ref("Problem")}, "application/json": {"schema": ref("Fox")}}
    success = {"description": "", "content": {first: content[first], **content}}
    built = build(document_of({"/a": {"get": {"responses": {"200": success}}}}, schemas))
    assert built.answer("get_a", {"name": "red"}).name == "red"
