"""The drift workflow, step by step, on a copy of this checkout: a document that changed becomes a pull request."""

from __future__ import annotations

import copy
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from by_kind import IMAGE
from by_kind import fields_of as models_fields
from markdown_it import MarkdownIt
from played import Ran, Runner

from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.workflow

WORKFLOW = Path(__file__).parents[2] / ".github/workflows/spec-drift.yml"

# The step runs the whole suite. Here it runs what a new document could break at once (whatever reads the pin and counts
# in it), and leaves the rest out, which the suite runs on the pinned document anyway: it takes minutes for each run.
QUICK = (
    "-p no:cacheprovider tests/pins/test_version.py tests/pins/test_spec_drift.py tests/pins/test_user_lock.py "
    "tests/cli/test_offline.py tests/emulator/test_every_operation.py tests/emulator/test_operations.py "
    "tests/diff/test_naming.py tests/unit/test_catalog.py"
)
IDLE = {"Withdraw what MuAPI took back", "Fail where it was not rendered", "Fail where the tests failed"}
HOSTILE = "`touch pwned` $(touch pwned) ${{ github.token }} '; touch pwned; echo ' @team <img src=x> \u202e"


class Source(ThreadingHTTPServer):
    """Serves one document, which a test may change."""

    document: dict[str, Any]
    prices: dict[str, Any]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/openapi.json"

    @property
    def prices_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/v1/models"


class Handler(BaseHTTPRequestHandler):
    """Answers with the prices where they are asked for, and with the document anywhere else."""

    server: Source

    def do_GET(self) -> None:
        body = json.dumps(self.server.prices if self.path == "/api/v1/models" else self.server.document).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def source() -> Iterator[Source]:
    with Source(("127.0.0.1", 0), Handler) as server:
        server.prices = served(pinned().models)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner(tmp_path_factory.mktemp("runner"))


def run(machine: Runner, source: Source, tests: str = QUICK) -> Ran:
    addresses = {"MUAPI_OPENAPI_URL": source.url, "MUAPI_MODELS_URL": source.prices_url}
    return machine.run("spec-drift.yml", **addresses, PYTEST_ADDOPTS=tests)


def served(prices: dict[str, Any]) -> dict[str, Any]:
    """A price list as the API answers it: no date, one more fact about each model."""
    models = [{**model, "description": "What it makes."} for model in prices["models"]]
    return {"models": models, "total": len(models), "currency": prices["currency"]}


def changed(width: int) -> dict[str, Any]:
    """The pinned document with a bound, a new model, and words that would like to be a program."""
    document = copy.deepcopy(pinned().document)
    fields = models_fields(document, IMAGE)
    fields["width"]["maximum"] = width
    fields["height"]["description"] = HOSTILE
    fields["height"]["enum"] = [512, 768, 1024]
    ratio = next(field for field in fields_of(document) if "16:9" in field.get("enum", ()))
    ratio["enum"].append(HOSTILE)
    fields["mood"] = {"type": "string", "enum": [HOSTILE, "calm"], "title": HOSTILE}
    fox = document["paths"]["/api/v1/brand-new-fox"] = copy.deepcopy(document["paths"][f"/api/v1/{IMAGE.slug}"])
    fox["post"] |= {"summary": "brand-new-fox (fast)", "operationId": "brand_new_fox"}
    return document


def fields_of(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every field of every schema."""
    for schema in document["components"]["schemas"].values():
        yield from schema.get("properties", {}).values()


def calls(machine: Runner) -> list[dict[str, Any]]:
    return [call for call in machine.told_gh() if call["words"][:2] not in (["auth", "setup-git"], ["pr", "list"])]


def page(text: str) -> str:
    """A pull request's text as HTML, as GitHub would make it; what the text has of HTML itself stays."""
    return MarkdownIt("commonmark").enable("table").render(text)


def option(call: dict[str, Any], name: str) -> str:
    return call["words"][call["words"].index(name) + 1]


def test_the_pinned_document_proposes_nothing(machine: Runner, source: Source) -> None:
    source.document = pinned().document
    ran = run(machine, source)
    assert not ran.failed, ran.output
    assert "MuAPI serves the pinned document at the pinned prices." in ran.output
    assert set(ran.outcomes.values()) == {"success", "skipped"}
    assert [name for name, outcome in ran.outcomes.items() if outcome == "success"] == [
        "Install nox",
        "Fetch the live document and the prices",
        "Withdraw what MuAPI took back",
    ]
    assert calls(machine) == []
    assert machine.git("status", "--porcelain") == ""


def test_no_document_proposes_nothing_and_fails(machine: Runner, source: Source) -> None:
    source.document = {"error": "Internal Server Error"}
    ran = run(machine, source)
    assert ran.failed
    assert ran.outcomes["Fetch the live document and the prices"] == "failure"
    assert machine.told_gh() == []
    assert machine.git("status", "--porcelain") == ""


def test_a_changed_document_is_rendered_tested_and_proposed(machine: Runner, source: Source) -> None:
    source.document = changed(768)
    before = machine.git("rev-parse", "main")
    ran = run(machine, source)
    assert not ran.failed, ran.output
    assert {name for name, outcome in ran.outcomes.items() if outcome == "skipped"} == IDLE
    assert set(ran.outcomes.values()) == {"success", "skipped"}, ran.output
    (call,) = calls(machine)
    assert call["words"][:2] == ["pr", "create"]
    assert option(call, "--head") == "spec-drift"
    title, text = option(call, "--title"), call["text"]
    lock = machine.git("show", "origin/spec-drift:spec/lock.toml")
    sha256 = re.search(r'document_sha256 = "(.+)"', lock)
    assert sha256
    assert title.startswith(f"Pin MuAPI's document {sha256[1][:12]}: ")
    assert "breaking" in title
    assert "The tests on it: **success**." in text
    assert "and is 768." in text
    assert {"brand_new_fox", IMAGE.function} <= set(re.findall(r"<code>(.+?)</code>", page(text)))
    assert "touch pwned" in text
    assert not re.search(r"<img|<a |href", page(text))
    assert machine.git("log", "-1", "--format=%s", "origin/spec-drift") == f"{title}\n"
    assert machine.git("rev-parse", "main", "origin/main").split() == before.split() * 2


def test_what_is_proposed_is_the_pin_its_rendering_and_its_changelog(machine: Runner) -> None:
    names = machine.git("diff", "--name-only", "main", "origin/spec-drift").splitlines()
    assert {name.split("/")[0] for name in names} == {"CHANGELOG.md", "generated", "spec"}
    assert any(name.endswith("/brand_new_fox.py") for name in names)
    changelog = machine.git("show", "origin/spec-drift:CHANGELOG.md")
    assert "- From document `" in changelog
    assert "and is 768." in changelog
    assert "touch pwned" in changelog
    assert not re.search(r"<img|<a |@team", page(changelog.partition("### API")[2]))
    assert not list(machine.home.rglob("pwned"))


def test_the_same_document_on_the_next_day_is_proposed_once(machine: Runner, source: Source) -> None:
    before = machine.git("rev-parse", "origin/spec-drift")
    ran = run(machine, source)
    assert not ran.failed, ran.output
    assert "proposes this already" in ran.output
    assert calls(machine) == []
    assert machine.git("ls-remote", "origin", "refs/heads/spec-drift").split()[0] == before.strip()


def test_a_newer_one_that_fails_its_tests_renews_the_proposal_and_fails(machine: Runner, source: Source) -> None:
    source.document = changed(640)
    failing = machine.home / "test_failing.py"
    failing.write_text("def test_it():\n    assert 0\n")
    ran = run(machine, source, f"-p no:cacheprovider {failing}")
    assert ran.failed
    assert ran.outcomes["Test it"] == ran.outcomes["Fail where the tests failed"] == "failure"
    assert ran.outcomes["Propose it"] == "success", ran.output
    (call,) = calls(machine)
    assert call["words"][:3] == ["pr", "edit", "7"]
    assert "The tests on it: **failure**." in call["text"]
    assert "and is 640." in call["text"]
    assert "is 768" not in call["text"] + machine.git("show", "origin/spec-drift:CHANGELOG.md")


def test_a_document_that_cannot_be_rendered_is_proposed_with_the_refusal_and_fails(
    machine: Runner, source: Source
) -> None:
    source.document = changed(512)
    body = {"content": {"multipart/mixed": {"schema": {}}}}  # which no function can say
    parts = {"tags": ["API"], "summary": "parts", "operationId": "parts", "requestBody": body, "responses": {}}
    source.document["paths"]["/api/v1/parts"] = {"post": parts}
    ran = run(machine, source)
    assert ran.failed
    assert ran.outcomes["Render it"] == ran.outcomes["Fail where it was not rendered"] == "failure"
    assert ran.outcomes["Test it"] == "skipped"
    (call,) = calls(machine)
    assert call["words"][:3] == ["pr", "edit", "7"]
    assert "**It cannot be rendered**" in call["text"]
    assert "api/v1/parts" in call["text"].partition("### ")[0]
    assert "and is 512." in call["text"]
    names = machine.git("diff", "--name-only", "main", "origin/spec-drift").splitlines()
    assert {name.split("/")[0] for name in names} == {"CHANGELOG.md", "spec"}


def test_what_is_tested_cannot_change_what_is_proposed(machine: Runner, source: Source) -> None:
    source.document = changed(896)
    meddling = machine.home / "test_meddling.py"
    meddling.write_text(
        "import os, pathlib\n\ndef test_it():\n"
        "    proposal = pathlib.Path(os.environ['RUNNER_TEMP'], 'proposal')\n"
        "    assert (proposal / 'change.patch').stat().st_size\n"
        "    for file in proposal.iterdir():\n        file.write_text('meddled')\n"
    )
    ran = run(machine, source, f"-p no:cacheprovider {meddling}")
    assert not ran.failed, ran.output
    (call,) = calls(machine)
    assert "and is 896." in call["text"]
    assert "meddled" not in call["text"] + machine.git("log", "-1", "--format=%B", "origin/spec-drift")


def test_a_price_that_changed_is_proposed(machine: Runner, source: Source) -> None:
    source.document, pinned_prices = pinned().document, source.prices
    source.prices = copy.deepcopy(pinned_prices)
    next(model for model in source.prices["models"] if model["name"] == IMAGE.name)["cost"] = 7.25
    ran = run(machine, source)
    source.prices = pinned_prices
    assert not ran.failed, ran.output
    (call,) = calls(machine)
    assert option(call, "--title").startswith("Pin MuAPI's prices of ")
    assert "It costs USD 7.25" in call["text"]
    names = machine.git("diff", "--name-only", "main", "origin/spec-drift").splitlines()
    assert {"CHANGELOG.md", "spec/lock.toml", "spec/models.json"} <= set(names)
    assert "spec/openapi.json" not in names


def test_a_proposal_is_withdrawn_when_the_api_is_as_pinned_again(machine: Runner, source: Source) -> None:
    ran = run(machine, source)
    assert not ran.failed, ran.output
    (call,) = calls(machine)
    assert call["words"][:3] == ["pr", "close", "7"]
    assert "the pinned document at the pinned prices again" in option(call, "--comment")
    assert not run(machine, source).failed
    assert calls(machine) == []


def test_only_the_job_that_runs_nothing_of_the_document_can_write() -> None:
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    assert jobs["render"]["permissions"] == {"contents": "read"}
    lines = "".join(step.get("run", "") for step in jobs["propose"]["steps"])
    assert not re.search(r"\b(nox|python|pip|pytest)\b", lines)
    assert [step["name"] for step in jobs["render"]["steps"]][-2:] == ["Hand it over", "Test it"]


def test_the_token_is_nowhere_but_in_the_steps_that_need_it(machine: Runner) -> None:
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    having = [step["name"] for job in jobs.values() for step in job["steps"] if "github.token" in str(step)]
    assert having == ["Propose it", "Withdraw what MuAPI took back"]
    assert WORKFLOW.read_text(encoding="utf-8").count("github.token") == len(having)
    assert "the-token" not in machine.git("config", "--list")
