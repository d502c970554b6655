"""Bodies that fit the pinned document in all but a few places, and values that no parameter should have.

Lives here: what is odd, and where it is put. Does not live here: whom it is sent to (``differential``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from muapi_client.emulator._spec.operations import Operation

JSON: Final = "application/json"
LINK: Final = "https://example.com/a.jpg"
LINKS: Final = ("https://e.com/a", "http://1.2.3.4:80", "https://u:p@e.co.uk?q#f", "http://[::1]:8/", LINK)
LIMITS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")

# fmt: off
VALUES: Final = (  # of a parameter, as a URL has them
    "7", "x", "%20", "0", "-1", "+9", "1.0", "1.5", "true", "off", "9" * 5000, "a%2Fb", "%C3%A9", "%FF", "a;b",
)
ODD: Final[tuple[Any, ...]] = (
    "1024", "5", "abc", "", " 5 ", "5.0", "1_000", "-0", "1e3", "x" * 50_001, "9" * 4301, "true", "no", "ON", "٣", "½",
    1, 0, -1, 2, 7, 1.0, 0.0, 1.5, 1e30, 99_999_999, 10**30, -(2**63), True, False, None,
    [], {}, [1], ["x"], [[]], [{}], [None], [LINK], [LINK] * 12, {"a": 1}, {"url": LINK},
    "https://e.com/" + "a" * 2100, "data:image/png;base64,AA", "http://", "//x", "ftp://a/b", "http://a b",
    "HTTP://EXAMPLE.com", "https://localhost", "https://例え.jp/a", "http://a:99999", "http://[::1]/x", "http://[::g]",
    "http://1.2.3.4.5", "http://256.1.1.1", "http:/a", "https:\\\\a\\b", " https://a.b/c d ", "file:///tmp/x", "./x",
    "C:\\x.png", "https://u:p@h/x", "https://xn--a", "https://a_b.c/", "http://a.b:x", "https://a.b/ü?ß#c", "https://?x",
)
RAW: Final = (  # bodies
    b"", b"null", b"[]", b"0", b"false", b'""', b'"x"', b"{}", b'{"prompt": ', b'{"prompt"}', b"{,}", b"prompt=fox",
    b'"\xff"', b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b"[" * 100_000, b"1" * 5000, b'{"a": NaN}', b'{"\\ud800": 1}',
    b'{"prompt": "\\ud800"}', b'{"width": NaN}', b'{"seed": Infinity}', b'{"seed": 1e999}', b'{"a": 1, "a": 2}',
)
TYPES: Final = (
    JSON, JSON, JSON, "", "application/vnd.api+json", "text/plain", "application/JSON; charset=utf-8", "json",
)
# fmt: on
SIGNS: Final = "/:@?#[]%.-_ \\\"<>^`{|}~!$&'()*+,;=\t\n\x00\x7fa0x9éßⅷ例。\u00ad"


@frozen
class Bodies:
    """Bodies that fit, and such that do in all but a few places."""

    schemas: Mapping[str, Any]
    rng: random.Random
    raw: bool = True

    def make(self, operation: Operation) -> tuple[bytes, str]:
        """A body and its content type."""
        chance = self.rng.random()
        if chance < 0.03 and self.raw:
            return self.rng.choice(RAW), self.rng.choice(TYPES)
        schema = self._resolve(operation.body or {})
        fields = schema.get("properties", {})
        needed = schema.get("required", ())
        given = fields if chance < 0.2 else [name for name in fields if name in needed]
        body = {name: self._fit(fields[name]) for name in given}
        for _ in range(self.rng.choice((1, 1, 1, 2, 3))):
            self._spoil(schema, body)
        if isinstance(body.get("idempotency_key"), str):  # which no two requests may share
            body["idempotency_key"] += f" {self.rng.getrandbits(64):x}"
        return json.dumps(body).encode(), JSON

    def _spoil(self, schema: Mapping[str, Any], body: dict[str, Any]) -> None:
        fields = schema.get("properties", {})
        chance = self.rng.random()
        if chance < 0.05 and body:
            del body[self.rng.choice(list(body))]
        elif chance < 0.1 or not fields:
            body["unheard_of"] = self.rng.choice(ODD)
        else:
            name = self.rng.choice(list(fields))
            body[name] = self._spoil_value(fields[name])

    def _spoil_value(self, schema: Mapping[str, Any]) -> Any:
        schema = self._resolve(schema)
        if "anyOf" in schema:
            schema = self._resolve(self.rng.choice(schema["anyOf"]))
        if self.rng.random() < 0.5:
            if schema.get("type") == "array":
                items = [self._fit(schema.get("items", {})) for _ in range(self.rng.randrange(4))]
                return [*items, self._spoil_value(schema.get("items", {}))]
            if "properties" in schema:
                part = {name: self._fit(inner) for name, inner in schema["properties"].items()}
                self._spoil(schema, part)
                return part
            if "enum" in schema and self.rng.random() < 0.5:
                return str(self.rng.choice(schema["enum"]))
        if schema.get("format") == "uri" and self.rng.random() < 0.5:
            return self._make_link()
        limits = [schema[word] for word in LIMITS if word in schema]
        if limits and self.rng.random() < 0.4:
            limit = self.rng.choice(limits)
            return self.rng.choice((limit, str(limit), limit + 1, limit - 1, int(limit), str(int(limit)), limit + 0.5))
        return self.rng.choice(ODD)

    def _make_link(self) -> str:
        """A link with a few characters more or less."""
        link = self.rng.choice(LINKS)
        for _ in range(self.rng.randrange(1, 4)):
            place = self.rng.randrange(len(link) + 1)
            link = link[:place] + self.rng.choice(SIGNS) + link[place + self.rng.randrange(2) :]
        return link

    def _fit(self, schema: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - one return a type
        schema = self._resolve(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.rng.choice(schema["enum"])
        if "anyOf" in schema:
            return self._fit(self.rng.choice(schema["anyOf"]))
        match schema.get("type"):
            case "string":
                return (
                    LINK
                    if schema.get("format") == "uri"
                    else f"{self.rng.getrandbits(64):x}"[: schema.get("maxLength")]
                )
            case "integer":
                return int(schema.get("minimum", 1))
            case "number":
                return self.rng.choice((float, int))(schema.get("minimum", 1))
            case "boolean":
                return self.rng.choice((True, False))
            case "array":
                return [self._fit(schema.get("items", {})) for _ in range(max(1, schema.get("minItems", 1)))]
            case "object":
                return {name: self._fit(inner) for name, inner in schema.get("properties", {}).items()}
        return None

    def _resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
