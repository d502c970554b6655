"""What a body is read as: as FastAPI reads it, or by the document's types alone; and what the job then sees."""

from __future__ import annotations

import json
from typing import Any

import pytest
from by_kind import IMAGE

from muapi_client.emulator import Emulator, Request
from muapi_client.emulator._spec.links import find_link_error
from muapi_client.emulator._spec.reading import Reader, UnreadableError
from muapi_client.emulator._spec.validation import _find_other_problems, _validator

HEADERS = {"x-api-key": "sk-live", "content-type": "application/json"}
WHOLE, NUMBER, TRUTH = {"type": "integer"}, {"type": "number"}, {"type": "boolean"}
MAYBE = {"anyOf": [WHOLE, {"type": "null"}]}
EITHER = {"anyOf": [{"type": "string"}, WHOLE]}
LINK = {"type": "string", "format": "uri", "minLength": 1, "maxLength": 20}
PAIR = {"type": "array", "items": WHOLE, "minItems": 2, "maxItems": 2}


def read(schema: dict[str, Any], value: Any, *, strict: bool = False) -> Any:
    """The value as it is read, or what it is refused with: place and type of each problem."""
    try:
        return Reader({}, strict).read(value, schema, ())
    except UnreadableError as error:
        return [(tuple(problem["loc"]), problem["type"]) for problem in error.problems]


def submit(emulator: Emulator, slug: str, body: Any) -> int:
    request = Request("POST", f"/api/v1/{slug}", headers=HEADERS, body=json.dumps(body).encode())
    return emulator.handle(request).status


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (WHOLE, "5", 5),
        (WHOLE, " 1_000 ", 1000),
        (WHOLE, "-5.0", -5),
        (WHOLE, 5.0, 5),
        (WHOLE, True, 1),
        (WHOLE, "5.5", [((), "int_parsing")]),
        (WHOLE, 5.5, [((), "int_from_float")]),
        (WHOLE, 1e30, [((), "int_parsing_size")]),
        (WHOLE, "9" * 4301, [((), "int_parsing_size")]),
        (WHOLE, float("inf"), [((), "finite_number")]),
        (WHOLE, None, [((), "int_type")]),
        (MAYBE, None, None),
        (MAYBE, "7", 7),
        (NUMBER, " 1e3", 1000.0),
        (NUMBER, True, 1.0),
        (NUMBER, "٣", [((), "float_parsing")]),
        (NUMBER, [], [((), "float_type")]),
        (TRUTH, "YES", True),
        (TRUTH, 0.0, False),
        (TRUTH, 2, [((), "bool_parsing")]),
        (TRUTH, 1.5, [((), "bool_type")]),
        ({"enum": [1, 2]}, 2.0, 2),
        ({"enum": [1, 2]}, True, 1),
        ({"enum": [1, 2]}, "1", [((), "literal_error")]),
        ({"enum": ["1", "2"]}, 1, [((), "literal_error")]),
        ({"const": 1}, 10**30, [((), "int_parsing_size")]),
        (EITHER, "5", "5"),
        (EITHER, True, 1),
        (EITHER, [], [(("str",), "string_type"), (("int",), "int_type")]),
        (LINK, "http:a b/c", [((), "url_parsing")]),
        (LINK, "https://a.b/" + "c" * 9, [((), "url_too_long")]),
        (LINK, 1, [((), "url_type")]),
        (PAIR, ["1", True], [1, 1]),
        (PAIR, ["x"], [((0,), "int_parsing")]),
        (PAIR, [1], [((), "too_short")]),
        (PAIR, ["x", "y", "z"], [((), "too_long")]),
        ({**WHOLE, "minimum": 3.0}, "2", [((), "greater_than_equal")]),
    ],
)
def test_a_value_is_read_as_pydantic_reads_it(schema: dict[str, Any], value: Any, expected: Any) -> None:
    found = read(schema, value)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("schema", "value", "kind"),
    [(WHOLE, "5", "int_type"), (WHOLE, True, "int_type"), (NUMBER, "5", "float_type"), (TRUTH, 1, "bool_type")],
)
def test_by_types_alone_nothing_stands_for_another(schema: dict[str, Any], value: Any, kind: str) -> None:
    assert read(schema, value, strict=True) == [((), kind)]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("HTTPS://EXAMPLE.com", ""),
        (" http:\\\\a/b c ", ""),
        ("https://例え.jp/ü", ""),
        ("https://u:p@[::1]:080/x", ""),
        ("", "input is empty"),
        ("//x", "relative URL without a base"),
        ("http://?x", "empty host"),
        ("http://a:65536", "invalid port number"),
        ("http://256.1.1.1", "invalid IPv4 address"),
        ("http://[::g]", "invalid IPv6 address"),
        ("http://a%20b", "invalid international domain name"),
        ("x://a b", "invalid domain character"),
        ("data:image/png;base64,AA", ""),  # its scheme is another matter
    ],
)
def test_what_is_wrong_with_a_link_is_said_as_the_servers_parser_says_it(text: str, error: str) -> None:
    assert find_link_error(text) == error


def test_job_and_price_see_what_was_read() -> None:
    seen: list[Any] = []
    emulator = Emulator(outcomes=lambda _slug, body: seen.append(body))
    plain, odd = {"num_images": 4, "sync": True, "width": 512}, {"num_images": 4.0, "sync": "yes", "width": "512"}
    assert submit(emulator, IMAGE.slug, plain) == 200
    price = emulator.charged_usd
    assert submit(emulator, IMAGE.slug, odd) == 200
    assert emulator.charged_usd == 2 * price
    assert seen == [plain, plain]
    assert [type(value) for value in seen[1].values()] == [int, bool, int]
    first, second = (json.loads(one.request.body) for one in emulator.requests)
    assert (first, second) == (plain, odd)  # as they were sent


def test_strict_types_take_what_fits_the_document_as_it_stands() -> None:
    emulator = Emulator(strict_types=True)
    assert submit(emulator, IMAGE.slug, {"width": "512"}) == 422
    assert submit(emulator, IMAGE.slug, {"width": 512.0}) == 200
    loaded = Emulator.load(emulator.save(), strict_types=True)
    assert submit(loaded, IMAGE.slug, {"sync": 1}) == 422
    assert submit(Emulator.load(emulator.save()), IMAGE.slug, {"sync": 1}) == 200


def test_a_keyword_that_no_reader_knows_is_left_to_json_schema() -> None:
    schema = {"type": "object", "properties": {"tags": {"type": "array", "uniqueItems": True}}}
    (problem,) = _find_other_problems(_validator(schema), {"tags": [1, 1]})
    assert (problem["type"], problem["loc"]) == ("value_error", ["body", "tags"])
