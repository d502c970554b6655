"""A later document, made from an earlier one by seeded changes, each of which says what has to be told of it.

What belongs here: changes as a server's authors make them, and what each does to users, said without looking at the
code under test. Every change has a schema and operations of its own, so that none hides another.
"""

from __future__ import annotations

import copy
import re
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from muapi_client.pinning._document.canonical import restrict_to_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

NULL = {"type": "null"}
SCHEMAS = "#/components/schemas/"


class Told(NamedTuple):
    """What has to be told: where, what, and how bad."""

    path: str
    place: str
    field: str
    kind: str
    impact: str


class Field(NamedTuple):
    """A field of a request schema that no other change touches."""

    schema: dict[str, Any]
    name: str
    about: dict[str, Any]
    users: list[str]

    def told(self, kind: str, impact: str, field: str = "") -> list[Told]:
        """The change, in each operation that uses the schema."""
        return [Told(path, "body", field or self.name, kind, impact) for path in self.users]


def base(document: dict[str, Any], every: int = 1) -> dict[str, Any]:
    """The pinned document with answers told for some operations: the real one tells hardly any.

    Args:
        every: Keep one of so many of the operations that take a body, and all others.
    """
    bodies = [path for path, item in document["paths"].items() if "requestBody" in item.get("post", {})]
    left_out = {path for number, path in enumerate(bodies) if number % every}
    paths = {path: item for path, item in document["paths"].items() if path not in left_out}
    made = restrict_to_scope(copy.deepcopy({**document, "paths": paths}))
    jobs = [path for path, item in made["paths"].items() if "requestBody" in item.get("post", {})]
    for number, path in enumerate(jobs[::7][:60]):
        name = f"SeededAnswer{number}"
        made["components"]["schemas"][name] = {
            "type": "object",
            "title": name,
            "required": ["state"],
            "properties": {
                "state": {"type": "string", "enum": ["on", "off", "gone"]},
                "made_at": {"type": "string", "format": "date-time"},
                "count": {"type": "integer", "maximum": 10},
                "note": {"anyOf": [{"type": "string"}, NULL], "description": "A note."},
            },
        }
        content = made["paths"][path]["post"]["responses"]["200"]["content"]
        content["application/json"]["schema"] = {"$ref": f"{SCHEMAS}{name}"}
    for number, path in enumerate(jobs[3::7][:40]):
        if name := _sends(made["paths"][path]):
            _seed(made["components"]["schemas"], name, number)
    return made


def _seed(schemas: dict[str, Any], name: str, number: int) -> None:
    """Give a schema fields as the real document has none: references in rules, parts that overlap, branches."""
    part = {"type": "object", "title": "Part", "properties": {"x": {"type": "integer", "description": "Across."}}}
    schemas[f"SeededPart{number}"] = part
    schemas[f"SeededClass{number}"] = copy.deepcopy(part)
    schemas[f"SeededBase{number}"] = {"type": "object", "properties": {"size": {"type": "string", "maxLength": 9}}}
    own = {"type": "object", "properties": {"size": {"type": "string", "description": "How large."}}}
    schemas[name]["properties"] |= {
        "seeded_rule": {"type": "array", "prefixItems": [{"$ref": f"{SCHEMAS}SeededPart{number}"}]},
        "seeded_whole": {"allOf": [{"$ref": f"{SCHEMAS}SeededBase{number}"}, own]},
        "seeded_branch": {"anyOf": [{"type": "integer", "default": 1}, {"type": "string"}]},
        "seeded_map": {"type": "object", "additionalProperties": True},
        "seeded_class": {"$ref": f"{SCHEMAS}SeededClass{number}"},
    }


class Mutator:
    """The later document while it is made, and what is still free in it."""

    def __init__(self, document: dict[str, Any], seed: int) -> None:
        self.document = copy.deepcopy(document)
        self.random = Random(seed)
        self.schemas: dict[str, Any] = self.document["components"]["schemas"]
        self.users, nested = _users(self.document)
        self._free = [name for name in self.users if name not in nested and "properties" in self.schemas[name]]
        self.random.shuffle(self._free)
        self._paths = {path for paths in self.users.values() for path in paths}

    def field(self, fits: Callable[[dict[str, Any], bool], bool]) -> Field:
        """A field that fits, of a schema nobody has changed yet."""
        for name in self._free:
            schema = self.schemas[name]
            fields = [*schema["properties"].items()]
            self.random.shuffle(fields)
            for wire, about in fields:
                if fits(about, wire in schema.get("required", [])):
                    self._free.remove(name)
                    return Field(schema, wire, about, self.users[name])
        raise AssertionError("no field of this document fits")

    def seeded(self, name: str) -> Field:
        """A field that ``base`` has put into a schema nobody has changed yet."""
        free = next(one for one in self._free if name in self.schemas[one]["properties"])
        self._free.remove(free)
        schema = self.schemas[free]
        return Field(schema, name, schema["properties"][name], self.users[free])

    def operation(self, fits: Callable[[str, dict[str, Any]], bool] = lambda *_: True) -> tuple[str, dict[str, Any]]:
        """An operation that fits, of a schema nobody has changed yet and nobody else uses."""
        for name in self._free:
            (path, *others) = self.users[name]
            if not others and fits(path, self.document["paths"][path]["post"]):
                self._free.remove(name)
                return path, self.document["paths"][path]["post"]
        raise AssertionError("no operation of this document fits")

    def answer(self) -> tuple[str, dict[str, Any]]:
        """An operation with an answer that is told, and that answer's schema."""
        path, operation = self.operation(lambda _, one: _answers_with(one).startswith("SeededAnswer"))
        return path, self.schemas[_answers_with(operation)]


def _answers_with(operation: dict[str, Any]) -> str:
    content = operation["responses"].get("200", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).removeprefix(SCHEMAS)


def _sends(item: dict[str, Any]) -> str:
    """The schema that a path posts as JSON; empty where it posts none that has a name."""
    body = item.get("post", {}).get("requestBody", {})
    reference: str = body.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
    return reference.removeprefix(SCHEMAS)


def _users(document: dict[str, Any]) -> tuple[dict[str, list[str]], set[str]]:
    """Which paths post each schema, and which schemas are a part of something else."""
    found: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        if name := _sends(item):
            found.setdefault(name, []).append(path)
    nested = set(_references(document["components"]["schemas"]))
    return found, nested


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"].removeprefix(SCHEMAS)
        for one in part.values():
            yield from _references(one)
    elif isinstance(part, list):
        for one in part:
            yield from _references(one)


# What few schemas have a place for comes first, before the others have taken it.
RARE = frozenset({
    "const_changed", "const_written_as_an_enum", "class_of_an_argument_renamed", "rule_changed_behind_its_reference",
    "words_changed_behind_the_reference_of_a_rule", "length_lowered_in_one_of_two_parts",
    "default_of_a_branch_changed", "any_further_field_written_as_a_schema",
})  # fmt: skip
# What is not rendered until somebody has looked, and should not be: a correction was written against the answer that is
# another now, a method of the client's own sends what is no longer taken, or a header waits for a correction.
STOPPING = frozenset({
    "answer_gone", "answer_renumbered", "answer_that_is_no_job", "answer_without_the_jobs_id",
    "header_that_must_be_sent", "parameter_bound", "parameter_removed",
})  # fmt: skip
MADE = frozenset({  # what a change puts into a document
    "1.0.1", "And Another", "In other words.", "Session", "a new one", "another one", "another_id",
    "application/xml", "brand_new",
    "https://api.example", "https://elsewhere.example", "made_from_the_path", "x-new",
    "/api/v1/qqq-entirely-new", "qqq-entirely-new (fast)", "qqq_entirely_new",
})  # fmt: skip
MORE, FEWER, CHANGES = 41, 12, 21  # operations, and kinds of change, between one document and the next
UNLISTED, UNPRICED = 0.03, 0.03  # of the models of a price list, by the next one
FACTORS = (0.5, 0.8, 1, 1, 1, 1.25, 2)  # of prices
KINDS: dict[str, Callable[[Mutator], list[Told]]] = {}


def kind(work: Callable[[Mutator], list[Told]]) -> Callable[[Mutator], list[Told]]:
    KINDS[work.__name__] = work
    return work


def later(document: dict[str, Any], seed: int) -> tuple[dict[str, Any], dict[str, list[Told]]]:
    """A later document, and by kind of change what has to be told; every kind once, in an order of the seed."""
    mutator = Mutator(document, seed)
    names = [*KINDS]
    mutator.random.shuffle(names)
    names.sort(key=lambda name: name not in RARE)
    told = {name: KINDS[name](mutator) for name in names}
    return mutator.document, told


def plausible(document: dict[str, Any], seed: int, known: Iterable[str] = ()) -> dict[str, Any]:
    """A document as the server may have it next: models more and fewer, and some of the changes, none that stops us.

    Args:
        seed: Of everything that is chosen.
        known: Paths that somebody stands on; half of what goes is among them.
    """
    random = Random(seed)
    jobs = [path for path, item in document["paths"].items() if _is_job(item.get("post", {}))]
    stood_on = sorted({*known} & {*jobs})
    gone = {*random.sample(stood_on, min(FEWER // 2, len(stood_on)))}
    gone |= {*random.sample([path for path in jobs if path not in gone], FEWER - len(gone))}
    paths = {path: item for path, item in document["paths"].items() if path not in gone}
    for path in random.sample([path for path in jobs if path in paths], MORE):
        slug = path.removeprefix("/api/v1/").replace("/", "-")
        new = {**paths[path]["post"], "operationId": f"{slug}_next", "summary": f"{slug}-next (fast)"}
        paths[f"{path}-next"] = {"post": new}
    mutator = Mutator(restrict_to_scope(copy.deepcopy({**document, "paths": paths})), seed)
    names = [name for name in KINDS if name not in STOPPING]
    random.shuffle(names)
    made = 0
    for name in names:
        with suppress(AssertionError, StopIteration):  # this document has no place for it
            KINDS[name](mutator)
            made += 1
        if made == CHANGES:
            break
    return dict(_rename(mutator.document, f"of{seed}"))


def reprice(prices: dict[str, Any], seed: int) -> dict[str, Any]:
    """A price list as the server may have it next: models dearer, cheaper, without a price, and no longer listed."""
    random = Random(seed)
    models = []
    for model in prices["models"]:
        fate = random.random()
        if fate >= UNLISTED:
            factor = 0 if fate < UNLISTED + UNPRICED else random.choice(FACTORS)
            models.append({**model, "cost": round(model["cost"] * factor, 4)})
    random.shuffle(models)
    return {"models": models, "total": len(models), "currency": prices["currency"]}


def _rename(part: Any, suffix: str) -> Any:
    """Give what changes have put into a document names of its own, so that the same changes can be made once more."""
    if isinstance(part, dict):
        return {_rename(name, suffix): _rename(value, suffix) for name, value in part.items()}
    if isinstance(part, list):
        return [_rename(one, suffix) for one in part]
    return f"{part}_{suffix}" if isinstance(part, str) and part in MADE else part


# ---- Which fields fit ------------------------------------------------------------------------------------------------


def is_plain(kind_of: str) -> Callable[[dict[str, Any], bool], bool]:
    return lambda about, _: about.get("type") == kind_of and not (about.keys() - {"type", "title", "description"})


def has_enum(*, default: bool = True) -> Callable[[dict[str, Any], bool], bool]:
    return lambda about, required: (
        len(about.get("enum", ())) > 3 and not required and (about.get("default") in about["enum"]) is default
    )


def has(*words: str) -> Callable[[dict[str, Any], bool], bool]:
    return lambda about, _: all(word in about for word in words)


def _is_listed(about: dict[str, Any]) -> bool:
    return any("enum" in each or "const" in each for each in (about, *about.get("anyOf", ())))


def numeric(word: str) -> Callable[[dict[str, Any], bool], bool]:
    return lambda about, _: about.get("type") in ("integer", "number") and word in about


# ---- Fields of requests ----------------------------------------------------------------------------------------------


@kind
def field_added(m: Mutator) -> list[Told]:
    one = m.field(lambda *_: True)
    one.schema["properties"]["brand_new"] = {"type": "string", "title": "Brand New"}
    return one.told("field", "additive", "brand_new")


@kind
def field_added_that_must_be_sent(m: Mutator) -> list[Told]:
    one = m.field(lambda *_: True)
    one.schema["properties"]["brand_new"] = {"type": "string", "title": "Brand New"}
    one.schema.setdefault("required", []).append("brand_new")
    return one.told("field", "breaking", "brand_new")


@kind
def field_removed(m: Mutator) -> list[Told]:
    one = m.field(lambda _, required: not required)
    del one.schema["properties"][one.name]
    return one.told("field", "breaking")


@kind
def field_renamed(m: Mutator) -> list[Told]:
    one = m.field(lambda _, required: not required)
    one.schema["properties"] = {
        f"{name}_new" if name == one.name else name: about for name, about in one.schema["properties"].items()
    }
    return one.told("field", "breaking")


@kind
def field_made_required(m: Mutator) -> list[Told]:
    one = m.field(lambda _, required: not required)
    one.schema.setdefault("required", []).append(one.name)
    return one.told("required", "breaking")


@kind
def field_made_optional(m: Mutator) -> list[Told]:
    one = m.field(lambda _, required: required)
    one.schema["required"].remove(one.name)
    return one.told("required", "additive")


@kind
def type_changed(m: Mutator) -> list[Told]:
    one = m.field(is_plain("string"))
    one.about["type"] = "boolean"
    return one.told("type", "breaking")


@kind
def type_widened_to_fractions(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("type") == "integer" and "enum" not in about)
    one.about["type"] = "number"
    return one.told("type", "additive")


@kind
def type_narrowed_to_whole_numbers(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("type") == "number" and "enum" not in about)
    one.about["type"] = "integer"
    return one.told("type", "breaking")


@kind
def type_widened_by_an_alternative(m: Mutator) -> list[Told]:
    one = m.field(is_plain("string"))
    del one.about["type"]
    one.about["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return one.told("type", "additive")


@kind
def enum_narrowed(m: Mutator) -> list[Told]:
    one = m.field(has_enum())
    one.about["enum"].remove(m.random.choice([each for each in one.about["enum"] if each != one.about["default"]]))
    return one.told("enum", "breaking")


@kind
def enum_narrowed_under_its_default(m: Mutator) -> list[Told]:
    one = m.field(has_enum())
    one.about["enum"].remove(one.about["default"])
    return [*one.told("enum", "breaking"), *one.told("contradiction", "silent")]


@kind
def enum_widened(m: Mutator) -> list[Told]:
    one = m.field(has_enum())
    place = m.random.randrange(len(one.about["enum"]))
    one.about["enum"].insert(place, 99_999 if one.about.get("type") == "integer" else "a new one")
    return one.told("enum", "additive")


@kind
def enum_value_replaced(m: Mutator) -> list[Told]:
    one = m.field(has_enum())
    place = next(number for number, each in enumerate(one.about["enum"]) if each != one.about["default"])
    one.about["enum"][place] = 99_999 if one.about.get("type") == "integer" else "another one"
    return one.told("enum", "breaking")


@kind
def enum_reordered(m: Mutator) -> list[Told]:
    one = m.field(has_enum())
    one.about["enum"].append(one.about["enum"].pop(0))
    return one.told("enum_order", "silent")


@kind
def enum_imposed(m: Mutator) -> list[Told]:
    one = m.field(is_plain("string"))
    one.about["enum"] = ["only", "these"]
    return one.told("enum", "breaking")


@kind
def enum_lifted(m: Mutator) -> list[Told]:
    one = m.field(has_enum())
    del one.about["enum"]
    return one.told("enum", "additive")


@kind
def const_changed(m: Mutator) -> list[Told]:
    one = m.field(lambda about, required: "const" in about and about.get("default") == about["const"] and not required)
    one.about["const"] = one.about["const"] + 1 if isinstance(one.about["const"], int) else "something else"
    return [*one.told("const", "breaking"), *one.told("contradiction", "silent")]


@kind
def default_changed(m: Mutator) -> list[Told]:
    one = m.field(has_enum())
    one.about["default"] = next(each for each in one.about["enum"] if each != one.about["default"])
    return one.told("default", "silent")


@kind
def default_turned_from_false_to_zero(m: Mutator) -> list[Told]:
    one = m.field(lambda about, required: about.get("default") is False and not required)
    one.about["default"] = 0
    return one.told("default", "silent")


@kind
def default_added(m: Mutator) -> list[Told]:
    one = m.field(lambda about, required: not required and "default" not in about and not _is_listed(about))
    one.about["default"] = "something"
    return one.told("default", "silent")


@kind
def default_removed(m: Mutator) -> list[Told]:
    one = m.field(lambda about, required: isinstance(about.get("default"), int | str) and not required)
    del one.about["default"]
    return one.told("default", "silent")


@kind
def default_that_contradicts_its_enum(m: Mutator) -> list[Told]:
    one = m.field(has_enum())
    one.about["default"] = "none of them"
    return [*one.told("default", "silent"), *one.told("contradiction", "silent")]


@kind
def minimum_raised(m: Mutator) -> list[Told]:
    one = m.field(numeric("minimum"))
    one.about["minimum"] += 1
    return one.told("minimum", "breaking")


@kind
def minimum_lowered(m: Mutator) -> list[Told]:
    one = m.field(numeric("minimum"))
    one.about["minimum"] -= 1
    return one.told("minimum", "additive")


@kind
def minimum_removed(m: Mutator) -> list[Told]:
    one = m.field(numeric("minimum"))
    del one.about["minimum"]
    return one.told("minimum", "additive")


@kind
def minimum_added(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("type") == "integer" and not about.keys() & {"minimum", "enum"})
    one.about["minimum"] = -5
    return one.told("minimum", "breaking")


@kind
def maximum_lowered(m: Mutator) -> list[Told]:
    one = m.field(numeric("maximum"))
    one.about["maximum"] -= 1
    return one.told("maximum", "breaking")


@kind
def maximum_raised(m: Mutator) -> list[Told]:
    one = m.field(numeric("maximum"))
    one.about["maximum"] += 1
    return one.told("maximum", "additive")


@kind
def maximum_made_exclusive(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("type") == "number" and "maximum" in about)
    one.about["exclusiveMaximum"] = one.about.pop("maximum")
    return one.told("maximum", "breaking")


@kind
def step_added(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("type") == "integer" and not about.keys() & {"multipleOf", "enum"})
    one.about["multipleOf"] = 8
    return one.told("multiple_of", "breaking")


@kind
def length_lowered(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("type") == "string" and "maxLength" in about)
    one.about["maxLength"] -= 1
    return one.told("length", "breaking")


@kind
def length_raised(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("type") == "string" and "maxLength" in about)
    one.about["maxLength"] += 1
    return one.told("length", "additive")


@kind
def length_bound_where_null_is_taken(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("anyOf", [])[1:] == [NULL] and "maxLength" in about["anyOf"][0])
    one.about["anyOf"][0]["maxLength"] -= 1
    return one.told("length", "breaking")


@kind
def items_lowered(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("type") == "array" and about.get("maxItems", 0) > 1)
    one.about["maxItems"] -= 1
    return one.told("items", "breaking")


@kind
def items_raised(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("type") == "array" and "maxItems" in about)
    one.about["maxItems"] += 1
    return one.told("items", "additive")


@kind
def item_format_removed(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("type") == "array" and "format" in about.get("items", {}))
    del one.about["items"]["format"]
    return one.told(*_without_address(one.name), f"{one.name}[]")


@kind
def format_removed(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("type") == "string" and about.get("format") == "uri")
    del one.about["format"]
    return one.told(*_without_address(one.name))


def _without_address(name: str) -> tuple[str, str]:
    """Nothing but its format makes most fields take a local file: what was uploaded is refused without it."""
    other = name in ("image_url", "video_url", "audio_url") or re.search(r"webhook|callback|linkedin|lora", name)
    return ("format", "additive") if other or name in ("path", "link") else ("media", "breaking")


@kind
def format_added(m: Mutator) -> list[Told]:
    one = m.field(is_plain("string"))
    one.about["format"] = "uri"
    return one.told("format", "breaking")


@kind
def pattern_added(m: Mutator) -> list[Told]:
    one = m.field(is_plain("string"))
    one.about["pattern"] = "^a"
    return one.told("pattern", "breaking")


@kind
def null_taken(m: Mutator) -> list[Told]:
    one = m.field(is_plain("string"))
    one.about["anyOf"] = [{"type": one.about.pop("type")}, NULL]
    return one.told("nullable", "additive")


@kind
def null_refused(m: Mutator) -> list[Told]:
    one = m.field(
        lambda about, _: NULL in about.get("anyOf", ()) and len(about["anyOf"]) == 2 and "default" not in about
    )
    (rest,) = [each for each in one.about.pop("anyOf") if each != NULL]
    one.about.update(rest)
    return one.told("nullable", "breaking")


@kind
def words_changed(m: Mutator) -> list[Told]:
    one = m.field(has("description"))
    one.about["description"] += " Said in other words."
    return one.told("text", "cosmetic")


@kind
def part_of_a_list_narrowed(m: Mutator) -> list[Told]:
    one = m.field(
        lambda about, _: (
            about.get("type") == "array"
            and about.get("items", {}).get("type") == "string"
            and "maxLength" not in about["items"]
        )
    )
    one.about["items"]["maxLength"] = 500  # addresses fit, too
    return one.told("length", "breaking", f"{one.name}[]")


@kind
def schema_renamed(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].removeprefix(SCHEMAS)
    m.schemas[f"{name}Renamed"] = m.schemas.pop(name)
    schema["$ref"] += "Renamed"
    return [Told(path, "body", "", "class", "types")]


@kind
def class_of_an_argument_renamed(m: Mutator) -> list[Told]:
    one = m.seeded("seeded_class")
    name = one.about["$ref"].removeprefix(SCHEMAS)
    m.schemas[f"{name}Renamed"] = m.schemas.pop(name)
    one.about["$ref"] += "Renamed"
    return one.told("class", "breaking")


@kind
def rule_changed_behind_its_reference(m: Mutator) -> list[Told]:
    one = m.seeded("seeded_rule")
    m.schemas[one.about["prefixItems"][0]["$ref"].removeprefix(SCHEMAS)]["properties"]["x"]["type"] = "string"
    return one.told("rule", "breaking")


@kind
def words_changed_behind_the_reference_of_a_rule(m: Mutator) -> list[Told]:
    one = m.seeded("seeded_rule")
    part = m.schemas[one.about["prefixItems"][0]["$ref"].removeprefix(SCHEMAS)]
    part["properties"]["x"]["description"] = "From left to right."
    return one.told("remark", "cosmetic")


@kind
def length_lowered_in_one_of_two_parts(m: Mutator) -> list[Told]:
    one = m.seeded("seeded_whole")
    base_of_it = m.schemas[one.about["allOf"][0]["$ref"].removeprefix(SCHEMAS)]
    base_of_it["properties"]["size"]["maxLength"] = 8
    return one.told("length", "breaking", "seeded_whole.size")


@kind
def default_of_a_branch_changed(m: Mutator) -> list[Told]:
    one = m.seeded("seeded_branch")
    one.about["anyOf"][0]["default"] = 9
    return one.told("default", "silent")


# ---- The same, written another way: nothing is told ------------------------------------------------------------------


@kind
def const_written_as_an_enum(m: Mutator) -> list[Told]:
    one = m.field(has("const"))
    one.about["enum"] = [one.about.pop("const")]
    return []


@kind
def null_written_as_a_type(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: about.get("anyOf") == [{"type": "string"}, NULL])
    del one.about["anyOf"]
    one.about["type"] = ["string", "null"]
    return []


@kind
def null_written_as_nullable(m: Mutator) -> list[Told]:
    one = m.field(lambda about, _: NULL in about.get("anyOf", ()) and len(about["anyOf"]) == 2)
    (rest,) = [each for each in one.about.pop("anyOf") if each != NULL]
    one.about.update(rest, nullable=True)
    return []


@kind
def keys_reordered(m: Mutator) -> list[Told]:
    one = m.field(lambda *_: True)
    one.schema["properties"] = dict(reversed(one.schema["properties"].items()))
    one.schema["required"] = [*reversed(one.schema.get("required", []))]
    return []


@kind
def bound_written_as_a_fraction(m: Mutator) -> list[Told]:
    one = m.field(numeric("maximum"))
    one.about["maximum"] = float(one.about["maximum"])
    return []


@kind
def any_further_field_written_as_a_schema(m: Mutator) -> list[Told]:
    one = m.seeded("seeded_map")
    one.about["additionalProperties"] = {}
    return []


@kind
def component_that_nothing_uses(m: Mutator) -> list[Told]:
    m.schemas["ZzzUnused"] = {"type": "object"}
    return []


# ---- Operations ------------------------------------------------------------------------------------------------------


@kind
def operation_removed(m: Mutator) -> list[Told]:
    path, _ = m.operation()
    del m.document["paths"][path]
    return [Told(path, "operation", "", "operation", "breaking")]


@kind
def operation_added(m: Mutator) -> list[Told]:
    _, operation = m.operation()
    path = "/api/v1/qqq-entirely-new"
    schema = {"type": "object", "properties": {"wish": {"type": "string"}}, "required": ["wish"]}
    new = copy.deepcopy(operation)
    new["requestBody"]["content"]["application/json"]["schema"] = schema
    new |= {"summary": "qqq-entirely-new (fast)", "operationId": "qqq_entirely_new"}
    m.document["paths"][path] = {"post": new}
    return [Told(path, "operation", "", "operation", "additive")]


@kind
def operation_renamed(m: Mutator) -> list[Told]:
    path, operation = m.operation(lambda _, one: one["tags"][0].startswith("Video"))  # no slug of theirs makes a group
    del m.document["paths"][path]
    m.document["paths"][f"{path}-renamed"] = {"post": {**operation, "operationId": "made_from_the_path"}}
    return [Told(path, "operation", "", "operation", "breaking")]


@kind
def operation_id_changed(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    operation["operationId"] = "another_id"
    return [Told(path, "operation", "", "operation_id", "cosmetic")]


@kind
def tier_changed(m: Mutator) -> list[Told]:
    path, operation = m.operation(lambda _, one: one["summary"].endswith("(balanced)"))
    operation["summary"] = operation["summary"].replace("(balanced)", "(best)")
    return [Told(path, "operation", "", "tier", "silent")]


@kind
def catalogue_name_changed(m: Mutator) -> list[Told]:
    path, operation = m.operation(lambda _, one: one["summary"].endswith("(balanced)"))
    operation["summary"] = f"another-{operation['summary']}"
    return [Told(path, "operation", "", "catalogue_name", "silent")]


@kind
def group_changed(m: Mutator) -> list[Told]:
    path, operation = m.operation(lambda _, one: one["tags"] == ["Video: Text-to-Video"])
    operation["tags"] = ["Audio"]
    return [Told(path, "operation", "", "group", "breaking")]


@kind
def tag_added(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    operation["tags"].append("And Another")
    return [Told(path, "operation", "", "tags", "cosmetic")]


@kind
def operation_deprecated(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    operation["deprecated"] = True
    return [Told(path, "operation", "", "deprecated", "cosmetic")]


@kind
def operation_described_otherwise(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    operation["description"] = "In other words."
    return [Told(path, "operation", "", "text", "cosmetic")]


@kind
def job_no_longer(m: Mutator) -> list[Told]:
    path, operation = m.operation(
        lambda _, one: _is_job(one) and one["tags"] == ["API"]
    )  # which says nothing of models
    _drop_webhook(operation)
    return [Told(path, "operation", "", "job", "breaking")]


@kind
def job_without_webhook_among_models(m: Mutator) -> list[Told]:
    path, operation = m.operation(lambda _, one: _is_job(one) and one["tags"] == ["Image: Text-to-Image"])
    _drop_webhook(operation)
    return [Told(path, "query", "webhook", "parameter", "cosmetic")]


def _drop_webhook(operation: dict[str, Any]) -> None:
    operation["parameters"] = [each for each in operation["parameters"] if each["name"] != "webhook"]


@kind
def parameter_added(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    operation.setdefault("parameters", []).append({"name": "page", "in": "query", "schema": {"type": "integer"}})
    return [Told(path, "query", "page", "parameter", "additive")]


@kind
def parameter_added_that_must_be_sent(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    operation.setdefault("parameters", []).append(
        {"name": "page", "in": "query", "required": True, "schema": {"type": "integer"}}
    )
    return [Told(path, "query", "page", "parameter", "breaking")]


@kind
def parameter_bound(m: Mutator) -> list[Told]:
    path = "/api/v1/history"
    (limit,) = [each for each in m.document["paths"][path]["get"]["parameters"] if each["name"] == "limit"]
    limit["schema"]["maximum"] = 7
    return [Told(path, "query", "limit", "maximum", "breaking")]


@kind
def parameter_removed(m: Mutator) -> list[Told]:
    path = "/api/v1/get_upload_url"
    operation = m.document["paths"][path]["get"]
    operation["parameters"] = [each for each in operation["parameters"] if each["name"] != "filename"]
    return [Told(path, "query", "filename", "parameter", "breaking")]


@kind
def header_of_the_clients_removed(m: Mutator) -> list[Told]:
    path, operation = m.operation(
        lambda _, one: any(each["name"] == "x-embed-code" for each in one.get("parameters", ()))
    )
    operation["parameters"] = [each for each in operation["parameters"] if each["name"] != "x-embed-code"]
    return [Told(path, "header", "x-embed-code", "parameter", "cosmetic")]


@kind
def header_that_must_be_sent(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    operation.setdefault("parameters", []).append(
        {"name": "x-new", "in": "header", "required": True, "schema": {"type": "string"}}
    )
    return [Told(path, "header", "x-new", "parameter", "breaking")]


@kind
def body_made_optional(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    operation["requestBody"]["required"] = False
    return [Told(path, "body", "", "required", "additive")]


@kind
def body_removed(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    del operation["requestBody"]
    return [Told(path, "body", "", "body", "breaking")]


@kind
def content_type_added(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    content = operation["requestBody"]["content"]
    content["application/xml"] = copy.deepcopy(content["application/json"])
    return [Told(path, "body", "", "content_type", "additive")]


@kind
def content_type_replaced(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    content = operation["requestBody"]["content"]
    content["multipart/form-data"] = content.pop("application/json")
    return [Told(path, "body", "", "content_type", "breaking")]


@kind
def servers_of_its_own(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    operation["servers"] = [{"url": "https://elsewhere.example"}]
    return [Told(path, "operation", "", "own_servers", "silent")]


@kind
def key_no_longer_enough(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    m.document["components"]["securitySchemes"]["Session"] = {"type": "http", "scheme": "bearer"}
    operation["security"] = [{"Session": []}]
    return [Told(path, "operation", "", "security", "breaking")]


@kind
def key_no_longer_needed(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    operation["security"] = []
    return [Told(path, "operation", "", "security", "cosmetic")]


# ---- Answers ---------------------------------------------------------------------------------------------------------


@kind
def answer_field_removed(m: Mutator) -> list[Told]:
    path, schema = m.answer()
    del schema["properties"]["count"]
    return [Told(path, "answer 200", "count", "field", "breaking")]


@kind
def answer_field_added(m: Mutator) -> list[Told]:
    path, schema = m.answer()
    schema["properties"]["seconds"] = {"type": "number"}
    return [Told(path, "answer 200", "seconds", "field", "additive")]


@kind
def answer_field_no_longer_sure(m: Mutator) -> list[Told]:
    path, schema = m.answer()
    schema["required"] = []
    return [Told(path, "answer 200", "state", "required", "breaking")]


@kind
def answer_field_sure_now(m: Mutator) -> list[Told]:
    path, schema = m.answer()
    schema["required"].append("count")
    return [Told(path, "answer 200", "count", "required", "additive")]


@kind
def answer_may_be_null(m: Mutator) -> list[Told]:
    path, schema = m.answer()
    schema["properties"]["count"] = {"anyOf": [schema["properties"]["count"], NULL]}
    return [Told(path, "answer 200", "count", "nullable", "breaking")]


@kind
def answer_never_null(m: Mutator) -> list[Told]:
    path, schema = m.answer()
    schema["properties"]["note"] = {"type": "string", "description": "A note."}
    return [Told(path, "answer 200", "note", "nullable", "additive")]


@kind
def answer_with_a_new_word(m: Mutator) -> list[Told]:
    path, schema = m.answer()
    schema["properties"]["state"]["enum"].append("moderated")
    return [Told(path, "answer 200", "state", "enum", "types")]


@kind
def answer_without_a_word(m: Mutator) -> list[Told]:
    path, schema = m.answer()
    schema["properties"]["state"]["enum"].remove("gone")
    return [Told(path, "answer 200", "state", "enum", "additive")]


@kind
def answer_of_another_type(m: Mutator) -> list[Told]:
    path, schema = m.answer()
    schema["properties"]["count"] = {"type": "string"}
    return [Told(path, "answer 200", "count", "type", "breaking")]


@kind
def answer_with_fractions(m: Mutator) -> list[Told]:
    path, schema = m.answer()
    schema["properties"]["count"]["type"] = "number"
    return [Told(path, "answer 200", "count", "type", "types")]


@kind
def answer_no_longer_a_moment(m: Mutator) -> list[Told]:
    path, schema = m.answer()
    del schema["properties"]["made_at"]["format"]
    return [Told(path, "answer 200", "made_at", "moment", "breaking")]


@kind
def answer_bound_otherwise(m: Mutator) -> list[Told]:
    path, schema = m.answer()
    schema["properties"]["count"]["maximum"] = 99
    return [Told(path, "answer 200", "count", "maximum", "cosmetic")]


@kind
def answer_that_is_no_job(m: Mutator) -> list[Told]:
    path, operation = m.operation(lambda _, one: _is_job(one) and not _answers_with(one))
    operation["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "string"}
    return [Told(path, "answer 200", "", "job_answer", "breaking")]


@kind
def answer_without_the_jobs_id(m: Mutator) -> list[Told]:
    path, operation = m.operation(lambda _, one: _is_job(one) and not _answers_with(one))
    told = {"type": "object", "properties": {"status": {"type": "string"}}}
    operation["responses"]["200"]["content"]["application/json"]["schema"] = told
    return [Told(path, "answer 200", "", "job_answer", "breaking")]


def _is_job(operation: dict[str, Any]) -> bool:
    return any(each["name"] == "webhook" for each in operation.get("parameters", ()))


@kind
def answer_gone(m: Mutator) -> list[Told]:
    path, _ = m.answer()
    del m.document["paths"][path]["post"]["responses"]["200"]
    return [Told(path, "answer 200", "", "answer", "breaking")]


@kind
def answer_renumbered(m: Mutator) -> list[Told]:
    path, _ = m.answer()
    responses = m.document["paths"][path]["post"]["responses"]
    responses["202"] = responses.pop("200")
    return [Told(path, "answer 200", "", "answer", "cosmetic")]


@kind
def error_told_of(m: Mutator) -> list[Told]:
    path, operation = m.operation()
    operation["responses"]["402"] = {"description": "No credit"}
    return [Told(path, "answer 402", "", "answer", "additive")]


@kind
def error_no_longer_told_of(m: Mutator) -> list[Told]:
    path, operation = m.operation(lambda _, one: "422" in one["responses"])
    del operation["responses"]["422"]
    return [Told(path, "answer 422", "", "answer", "cosmetic")]


# ---- The document ----------------------------------------------------------------------------------------------------


@kind
def server_moved(m: Mutator) -> list[Told]:
    m.document["servers"] = [{"url": "https://api.example"}]
    return [Told("", "document", "", "server", "breaking")]


@kind
def information_changed(m: Mutator) -> list[Told]:
    m.document["info"]["version"] = "1.0.1"
    return [Told("", "document", "", "remark", "cosmetic")]
