"""What must come of a command of muapi-cli, and what is there before one.

Lives here: the emulators commands talk to, what is done to them before, and the looks at what a command said and did.
Does not live here: which command gets which (``commands``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from muapi_client._files.media import sniff
from muapi_client.emulator import Emulator, Fault, Outcome, Request
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from official import Ran

Check: TypeAlias = "Callable[[Ran], None]"
Prepare: TypeAlias = Callable[[Emulator], dict[str, str]]


def quick() -> Emulator:
    """Its jobs are done when they are first looked at: muapi-cli looks every 3 s, and that cannot be changed."""
    return Emulator(job_seconds=0)


def slow() -> Emulator:
    """Its jobs take a minute, which passes in a second when served."""
    return Emulator(job_seconds=60)


def endless() -> Emulator:
    """Its jobs are never done."""
    return Emulator(job_seconds=math.inf)


def poor() -> Emulator:
    """Its account is empty."""
    return Emulator(balance=0, job_seconds=0)


def nothing(_emulator: Emulator) -> dict[str, str]:
    """Nothing is there before the command."""
    return {}


def fate(*outcomes: Outcome) -> Prepare:
    """The next jobs come to these."""

    def prepare(emulator: Emulator) -> dict[str, str]:
        emulator.next(*outcomes)
        return {}

    return prepare


def fault(*faults: Fault) -> Prepare:
    """The next requests meet these."""

    def prepare(emulator: Emulator) -> dict[str, str]:
        emulator.next_fault(*faults)
        return {}

    return prepare


def job(*outcomes: Outcome) -> Prepare:
    """A job is there already; its id is ``{id}``."""

    def prepare(emulator: Emulator) -> dict[str, str]:
        emulator.next(*outcomes)
        return {"id": ask(emulator, "POST", "flux-dev-image", "sk-live", {"prompt": "a fox"})[1]["request_id"]}

    return prepare


def ask(emulator: Emulator, method: str, path: str, key: str, body: Any = None) -> tuple[int, Any]:
    """Ask the emulator without muapi-cli."""
    content = b"" if body is None else json.dumps(body).encode()
    request = Request(method, f"/api/v1/{path}", headers={"x-api-key": key}, body=content, now=emulator.clock.now())
    response = emulator.handle(request)
    return response.status, json.loads(response.body)


def says(*texts: str) -> Check:
    """Each text is said on standard output or standard error."""

    def check(ran: Ran) -> None:
        for text in texts:
            assert ran.told(text), f"{text!r} was not said"

    return check


def answers(**fields: Any) -> Check:
    """Standard output is a JSON object with these fields."""

    def check(ran: Ran) -> None:
        assert {name: ran.json.get(name) for name in fields} == fields

    return check


def refused(*fields: str) -> Check:
    """The 422 names exactly these fields, and nothing was charged."""

    def check(ran: Ran) -> None:
        for field in fields:
            assert ran.told(f'"loc": ["body", "{field}"]'), f"{field} was not named"
        assert "".join(ran.stderr.split()).count('"loc"') == len(fields)
        assert (ran.emulator.accepted, ran.emulator.charged_usd) == (0, 0)

    return check


def made(suffix: str, count: int = 1) -> Check:
    """One job was accepted; its result has status, URLs and the cost that was charged."""

    def check(ran: Ran) -> None:
        result = ran.json
        assert result["status"] == "completed"
        assert len(result["outputs"]) == len(set(result["outputs"])) == count
        assert all(url.startswith("http") and url.endswith(f".{suffix}") for url in result["outputs"])
        assert "error" not in result
        assert result["cost"]["amount_usd"] == float(ran.emulator.charged_usd) > 0
        assert result["cost"]["refunded"] is False
        assert ran.emulator.accepted == 1

    return check


def saved(media_type: str, count: int = 1) -> Check:
    """Outputs lie in the folder and are what their names say."""

    def check(ran: Ran) -> None:
        files = sorted((ran.home / "out").iterdir())
        assert len(files) == count
        assert [sniff(file.read_bytes()) for file in files] == [media_type] * count

    return check


def unpaid(ran: Ran) -> None:
    """Nothing was accepted, nothing charged."""
    assert (ran.emulator.accepted, ran.emulator.charged_usd) == (0, 0)


def paid_once(ran: Ran) -> None:
    """One job was accepted and charged."""
    assert ran.emulator.accepted == 1
    assert ran.emulator.charged_usd > 0


def posted(url: str) -> Check:
    """The result was posted to ``url``, or at least tried."""

    def check(ran: Ran) -> None:
        made("png")(ran)
        first = ran.emulator.webhooks[0]
        assert (first.url, first.id) == (url, ran.json["id"])
        assert first.payload["outputs"]

    return check


def queued(ran: Ran) -> None:
    """The answer to the submit alone."""
    assert set(ran.json) == {"request_id", "status", "cost"}
    assert len(ran.emulator.requests) == 1


def balance(ran: Ran) -> None:
    assert ran.json == {"balance": 100.0, "currency": "USD", "email": "emulator@example.com"}


def checkout(ran: Ran) -> None:
    assert set(ran.json) == {"checkout_url"}
    assert ran.json["checkout_url"].startswith("http")
    assert ran.emulator.balance == 100


def keys(ran: Ran) -> None:
    assert [key["name"] for key in ran.json] == ["live 1", "test 1"]
    for key in ran.json:
        assert {"id", "name", "is_active", "created_at"} <= set(key)
        assert "api_key" not in key


def new_key(ran: Ran) -> None:
    assert set(ran.json) == {"id", "name", "api_key"}
    assert ran.json["name"] == "mine"
    assert ask(ran.emulator, "GET", "account/balance", ran.json["api_key"])[0] == 200


def no_test_key(ran: Ran) -> None:
    assert ask(ran.emulator, "GET", "account/balance", "sk-test")[0] == 403
    assert ask(ran.emulator, "GET", "account/balance", "sk-live")[0] == 200


def stored(ran: Ran) -> None:
    kept = json.loads((ran.home / ".muapi" / "config.json").read_text())
    assert kept["api_key"] == "sk-live"


def sample(ran: Ran) -> None:
    assert ran.json["status"] == "completed"
    assert ran.json["outputs"]
    assert ran.json["cost"]["amount_usd"] == 0
    unpaid(ran)


def uploaded(ran: Ran) -> None:
    assert set(ran.json) == {"url"}
    assert ran.json["url"].endswith("/picture.png")


def document(ran: Ran) -> None:
    assert json.loads((ran.home / "openapi.json").read_text()) == pinned().document


def most_endpoints_known(ran: Ran) -> None:
    paths = pinned().document["paths"]
    slugs = {slug for row in ran.json for slug in row["endpoint"].split(" / ")}
    unknown = sorted(slug for slug in slugs if f"/api/v1/{slug}" not in paths)
    assert len(unknown) <= len(slugs) // 10, unknown


def looked(times: int) -> Check:
    """The job's result was looked at so often."""

    def check(ran: Ran) -> None:
        made("png")(ran)
        assert sum(exchange.slug.startswith("predictions/") for exchange in ran.emulator.requests) == times

    return check
