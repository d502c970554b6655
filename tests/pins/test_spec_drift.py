"""``spec drift`` and ``pinning.drift``: the live document against the pin, by exit code. The server is on loopback."""

from __future__ import annotations

import copy
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from altered import fields, rarely_used
from by_kind import CHAT, EDIT, IMAGE, UPSCALE, VIDEO
from fingerprints_of import fingerprints_of

from muapi_client.pinning import PinError, diff, drift, fetch, pinned, verify
from muapi_client.pinning._document.canonical import iter_operations
from muapi_client.pinning._document.reader import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Spec = Any  # the fixture `spec`; see conftest


def saved(folder: Path, document: dict[str, Any]) -> str:
    file = folder / "live.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return str(file)


def narrower(document: dict[str, Any]) -> None:
    fields(document)["width"]["maximum"] = 512


def dearer(document: dict[str, Any]) -> None:
    fields(document)["num_images"]["default"] = 4


def reworded(document: dict[str, Any]) -> None:
    fields(document)["width"]["description"] = "How wide."


def wider(document: dict[str, Any]) -> None:
    fields(document)["mood"] = {"type": "string"}


def elsewhere(document: dict[str, Any]) -> None:
    rarely_used(document).pop("requestBody")


def gone(document: dict[str, Any]) -> None:
    del document["paths"][f"/api/v1/{CHAT.slug}"]


CHANGES = [  # a change; the exit code where everything counts, and where what is used does
    (narrower, (4, 4)),
    (dearer, (4, 4)),
    (gone, (4, 4)),
    (elsewhere, (4, 3)),
    (reworded, (3, 3)),
    (wider, (3, 3)),
]


@pytest.mark.parametrize(("change", "codes"), CHANGES, ids=[change[0].__name__ for change in CHANGES])
def test_the_code_says_whether_what_is_used_breaks(
    spec: Spec,
    folder: Path,
    document: dict[str, Any],
    change: Callable[[dict[str, Any]], None],
    codes: tuple[int, int],
) -> None:
    change(document)
    live = saved(folder, document)
    assert spec("drift", "--source", live).code == codes[0]
    assert spec("drift", "--source", live, "--used-in", "src").code == codes[1]
    assert spec("drift", "--source", live, "--only", f"{IMAGE.function},{CHAT.slug}").code == codes[1]


def test_the_same_document_in_another_order_is_the_same(spec: Spec, folder: Path, document: dict[str, Any]) -> None:
    document["paths"] = dict(reversed(document["paths"].items()))
    document["paths"]["/mcp/session"] = {"get": {"responses": {}}}  # out of scope, as the live document has
    said = spec("drift", "--source", saved(folder, document))
    assert said.code == 0
    assert said.out.startswith("same: ")


def test_it_tells_in_three_forms(spec: Spec, folder: Path, document: dict[str, Any]) -> None:
    before = fields(document)["width"].get("maximum", "none")
    narrower(document)
    live = saved(folder, document)
    words = ("drift", "--source", live, "--only", IMAGE.function)
    text = spec(*words).out
    assert text.startswith(
        "breaking: something that you use changed (of the functions you use 1 changed and 0 are gone;"
    )
    assert f"{IMAGE.function}: body width: Its greatest value was {before} and is 512." in text
    assert "### breaking" in spec(*words, "--output=markdown").out
    told = spec(*words, "--output=json").json
    assert (told["verdict"], told["pinned_sha256"]) == ("breaking", pinned().lock.document_sha256)
    assert told["live_sha256"] == drift(live).live_sha256
    assert [change["field"] for change in told["diff"]["changes"]] == ["width"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no file"),
        (b"", "is empty"),
        (b"<html>Bad gateway</html>", "a web page"),
        (b'{"openapi": "3.1.0", "paths": {', "half of it is missing"),
        (b'{"detail": "Internal Server Error"}', "something else"),
        (b'{"openapi": "3.1.0", "paths": {}}', "no operation"),
        (
            b'{"openapi": "3.1.0", "paths": {"/api/v1/a": {"post": {"requestBody": {"$ref": "#/components/x"}}}}}',
            "half or broken",
        ),
    ],
)
def test_what_cannot_be_compared_is_5_and_one_line(spec: Spec, folder: Path, content: bytes | None, told: str) -> None:
    live = folder / "live.json"
    if content is not None:
        live.write_bytes(content)
    said = spec("drift", "--source", str(live))
    assert (said.code, said.out, said.err.count("\n")) == (5, "", 1)
    assert told in said.err
    event = json.loads(spec("drift", "--source", str(live), "--output=json").err)
    assert (event["verdict"], event["type"]) == ("unreachable", "PinError")


def test_the_first_line_speaks_of_what_is_used(spec: Spec, folder: Path, document: dict[str, Any]) -> None:
    """The removal of a model that nobody here uses is nothing added."""
    del document["paths"][UPSCALE.operation.path]
    wider(document)
    live = saved(folder, document)
    first = spec("drift", "--source", live, "--used-in", "src").out.splitlines()[0]
    assert first == (
        "compatible: the document changed, and nothing that you use breaks (of the functions you use 1 changed and 0 "
        "are gone; of all others 0 and 1)"
    )
    assert spec("drift", "--source", live).out.startswith("breaking: something that a program may use changed;")
    assert "additive:" not in first
    document["paths"][UPSCALE.operation.path] = pinned().document["paths"][UPSCALE.operation.path]
    said = spec("drift", "--source", saved(folder, document)).out
    assert said.startswith("compatible: the document changed, and no function breaks\n")


def test_its_help_tells_its_own_exit_codes(spec: Spec, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        spec("drift", "--help")
    told = " ".join(capsys.readouterr().out.split())
    assert "0 the same document; 3 it changed, and nothing you use breaks; 4 something you use changed" in told
    assert "5 it could not be compared" in told


@pytest.mark.parametrize(
    "words", [("--only", IMAGE.function[:-1]), ("--used-in", "nowhere")], ids=["a misspelt name", "no such folder"]
)
def test_a_wrong_question_is_1_even_while_nothing_drifts(spec: Spec, words: tuple[str, ...]) -> None:
    assert spec("drift", "--source", str(pinned().directory / "openapi.json"), *words).code == 1


class Live(ThreadingHTTPServer):
    """A server of one document, that knows its ETag."""

    content: bytes
    sent: list[int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/openapi.json"


class Handler(BaseHTTPRequestHandler):
    """Answers with the document, or that it has not changed."""

    server: Live

    def do_GET(self) -> None:
        etag = f'"{hashlib.sha256(self.server.content).hexdigest()[:8]}"'
        known = self.headers["if-none-match"] == etag
        body = b"" if known else self.server.content
        self.server.sent.append(len(body))  # first: whoever has the answer may count
        self.send_response(304 if known else 200)
        self.send_header("etag", etag)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def live(small: Path) -> Iterator[Live]:
    with Live(("127.0.0.1", 0), Handler) as server:
        server.sent, server.content = [], (small / "openapi.json").read_bytes()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def pin(folder: Path, live: Live) -> Path:
    """A pin that came from that server."""
    home = folder / "spec"
    fetch(live.url, home)
    live.sent.clear()
    return home


def test_an_unchanged_document_is_not_sent_again(live: Live, pin: Path) -> None:
    before = {file.name: file.read_bytes() for file in pin.iterdir()}
    assert drift(live.url, spec=pin).verdict == "same"
    assert live.sent == [0]
    assert {file.name: file.read_bytes() for file in pin.iterdir()} == before


def test_a_changed_one_is_and_nothing_is_written(live: Live, pin: Path, document: dict[str, Any]) -> None:
    before = {file.name: file.read_bytes() for file in pin.iterdir()}
    narrower(document)
    live.content = json.dumps(document).encode()
    found = drift(live.url, spec=pin)
    assert found.verdict == "breaking"
    assert found.pinned_sha256 != found.live_sha256
    assert drift(live.url, spec=pin, only=[CHAT.slug]).verdict == "compatible"
    assert {file.name: file.read_bytes() for file in pin.iterdir()} == before
    fetch(live.url, pin)
    assert drift(live.url, spec=pin).verdict == "same"


def test_another_server_is_asked_for_all_of_it(live: Live, pin: Path) -> None:
    lock = pin / "lock.toml"
    lock.write_text(lock.read_text().replace(live.url, "https://example.com/openapi.json"))
    assert drift(live.url, spec=pin).verdict == "same"
    assert live.sent == [len(live.content)]


def test_a_pin_that_is_not_what_its_lock_says_is_compared_with_nothing(live: Live, pin: Path) -> None:
    file = pin / "openapi.json"
    file.write_bytes(file.read_bytes() + b"\n")
    assert verify(pin)
    with pytest.raises(PinError, match="other than its lock says"):
        drift(live.url, spec=pin)
    assert live.sent == []


def test_the_variable_names_the_source_where_no_option_does(
    spec: Spec, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUAPI_OPENAPI_URL", live.url)
    assert spec("drift").code == 0
    assert len(live.sent) == 1


def test_a_server_that_is_down_is_5(spec: Spec, live: Live) -> None:
    url = live.url
    live.server_close()
    said = spec("drift", "--source", url)
    assert (said.code, said.err.count("\n")) == (5, 1)


@pytest.fixture
def priced(folder: Path, document: dict[str, Any]) -> Callable[..., str]:
    """Serve the pinned document from a folder, with a price list in which these models cost more."""

    def priced(*names: str) -> str:
        prices = copy.deepcopy(pinned().models)
        assert set(names) <= {model["name"] for model in prices["models"]}
        for model in prices["models"]:
            model["cost"] = 123 if model["name"] in names else model["cost"]
        (folder / "served").mkdir(exist_ok=True)
        (folder / "served/models.json").write_text(json.dumps(prices), encoding="utf-8")
        (folder / "served/openapi.json").write_text(json.dumps(document), encoding="utf-8")
        return str(folder / "served/openapi.json")

    return priced


def test_prices_are_compared_where_they_are_asked_for(spec: Spec, priced: Callable[..., str]) -> None:
    live = priced(IMAGE.name)
    assert spec("drift", "--source", live).code == 0
    said = spec("drift", "--source", live, "--prices", "--used-in", "src")
    assert said.code == 4
    assert f"{IMAGE.function}: It costs USD 123" in said.out
    assert spec("drift", "--source", live, "--prices", "--only", CHAT.function).code == 3
    assert spec("drift", "--source", live, "--prices", live.replace("openapi", "models"), "--used-in", "src").code == 4
    said = spec("drift", "--source", priced(), "--prices", "--output=json")
    assert (said.code, said.json["verdict"], said.json["prices"]) == (0, "same", live.replace("openapi", "models"))
    assert "and the prices" in spec("drift", "--source", live, "--prices").out


def test_the_price_of_a_model_that_is_in_no_document_concerns_nobody(spec: Spec, priced: Callable[..., str]) -> None:
    """The list has models of which no operation is pinned here."""
    live = priced(EDIT.name)
    assert spec("drift", "--source", live, "--prices", "--used-in", "src").code == 3
    assert spec("drift", "--source", live, "--prices").code == 4


def test_prices_that_cannot_be_had_are_5(spec: Spec, folder: Path, priced: Callable[..., str]) -> None:
    live = priced()
    (folder / "served/models.json").unlink()
    assert spec("drift", "--source", live).code == 0
    assert spec("drift", "--source", live, "--prices").code == 5


def test_a_servers_prices_are_where_the_api_has_them(pin: Path, live: Live) -> None:
    (pin / "models.json").write_text('{"models": []}', encoding="utf-8")
    with pytest.raises(PinError, match=r"/api/v1/models.* has no list of models"):
        drift(live.url, spec=pin, prices="")  # this server has the document everywhere


def test_hashes_and_changes_agree_on_what_is_touched() -> None:
    """A function whose hash moved is one that the diff tells of, and the other way about."""
    before = pinned().document
    after = copy.deepcopy(before)
    for change in (narrower, dearer, reworded, wider, elsewhere):
        change(after)
    after["paths"][f"/api/v1/{VIDEO.slug}"]["post"]["summary"] = "another (best)"
    after["paths"][f"/api/v1/{CHAT.slug}"]["post"]["tags"] = ["Audio"]
    told = {(one.method, one.path) for one in diff(before, after).changes if one.impact != "cosmetic"}
    ours, theirs = fingerprints_of(before), fingerprints_of(after)
    operations = Document(before).operations
    moved = {key for key, one in operations.items() if ours[one.function] != theirs[one.function]}
    assert told == moved
    named = {IMAGE.slug, UPSCALE.slug, VIDEO.slug, CHAT.slug}
    assert {("POST", f"/api/v1/{slug}") for slug in named} <= told
    assert len(told) < len(list(iter_operations(before)))
