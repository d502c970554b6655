"""The price of a payload: one formula, for the estimate and for the charge."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import needs, row
from fitting import make_fitting
from hypothesis import given, settings
from hypothesis import strategies as st

from muapi_client.emulator import Emulator, Request
from muapi_client.emulator._spec.operations import read_operations
from muapi_client.emulator._spec.price_list import read_price_list

if TYPE_CHECKING:
    from collections.abc import Callable

HEADERS = {"x-api-key": "sk-live", "content-type": "application/json"}
PRICED = {name: job for name, job in read_operations().by_name.items() if name in read_price_list()}
FILM = "ltx-2-19b-text-to-video"
PRICING = ("num_images", "num_videos", "batch_size", "duration", "duration_seconds", "seconds", "resolution", "quality")


def post(emulator: Emulator, path: str, body: Any) -> Any:
    request = Request("POST", f"/api/v1/{path}", headers=HEADERS, body=json.dumps(body).encode())
    response = emulator.handle(request)
    assert response.status == 200, response.body
    return json.loads(response.body)


def choices(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Any value a pricing field takes."""
    branches = []
    for branch in schema.get("anyOf", [schema]):
        if "const" in branch or "enum" in branch:
            branches.append(st.sampled_from([branch["const"]] if "const" in branch else branch["enum"]))
        elif branch.get("type") == "integer":
            low, step = int(branch.get("minimum", 1)), int(branch.get("multipleOf", 1))
            high = int(branch.get("maximum", low + 10**12))
            branches.append(st.integers(-(-low // step), high // step).map(lambda each, step=step: each * step))
        elif branch.get("type") == "number":
            branches.append(st.floats(branch.get("minimum", 0), branch.get("maximum", 1e9), allow_nan=False))
    return st.one_of(branches) if branches else st.none()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_is_estimated_is_charged(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(name for name, job in PRICED.items() if set(PRICING) & set(job.fields))))
    job = PRICED[name]
    body = make_fitting(job.body, job.body["components"]["schemas"])
    for field in data.draw(st.lists(st.sampled_from([field for field in PRICING if field in job.fields]))):
        body[field] = data.draw(choices(dict(job.properties[field])))
    emulator = Emulator(balance=10**12)
    estimate = post(emulator, f"models/{name}/estimate-cost", body)["cost"]
    cost = post(emulator, job.slug, body)["cost"]
    assert Decimal(str(estimate)) == Decimal(str(cost["amount_usd"])) == emulator.charged_usd
    assert emulator.charged_usd == emulator.charged_usd.quantize(Decimal("0.000001"))
    if not read_price_list()[name]["dynamic_pricing"]:
        assert estimate == read_price_list()[name]["cost"]


@pytest.mark.parametrize(
    ("change", "times"),
    [
        ({}, "1"),
        ({"duration": 5}, "1"),
        ({"duration": 10}, "2"),
        ({"resolution": "720p"}, "1"),
        ({"resolution": "1080p"}, "2"),
        ({"resolution": "480p"}, "0.5"),
        ({"duration": 10, "resolution": "1080p"}, "4"),
    ],
)
@needs(FILM, resolution={"default": "720p"}, duration={"default": 5})
def test_longer_and_sharper_films_cost_more(change: dict[str, Any], times: str) -> None:
    job = read_operations().by_name[FILM]
    assert (job.default("duration"), job.default("resolution")) == (5, "720p")
    usual = Decimal(str(read_price_list()[FILM]["cost"]))
    estimate = post(Emulator(), f"models/{FILM}/estimate-cost", {"prompt": "a fox", **change})["cost"]
    assert Decimal(str(estimate)) == usual * Decimal(times)


@pytest.mark.parametrize(
    ("name", "body", "times"),
    [
        row("flux-2-flex", {"resolution": "4k"}, 4, resolution={"default": "1k"}),
        row("flux-2-flex", {"resolution": "auto"}, 1, resolution={"default": "1k"}),
        row("flux-2-flex", {"resolution": None, "duration": "long"}, 1, resolution={"default": "1k"}),
        row("flux-3-text-to-video", {"duration": 20, "resolution": "4k"}, 1),
        ("flux-3-dev", {"num_images": 4}, 1),
    ],
)
def test_what_says_nothing_and_what_is_fixed_costs_as_usual(
    name: str, body: dict[str, Any], times: int, connect: Callable[..., Any]
) -> None:
    estimate = connect(Emulator(), None)("POST", f"models/{name}/estimate-cost", json=body).json()
    assert estimate["cost"] == pytest.approx(times * read_price_list()[name]["cost"])
