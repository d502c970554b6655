"""The price catalogue in its pinned form."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest
from by_kind import IMAGE
from hypothesis import given
from hypothesis import strategies as st

from muapi_client.pinning import PinError
from muapi_client.pinning._document.price_list import FACTS, canonicalize_models

if TYPE_CHECKING:
    from random import Random

TODAY = date(2026, 11, 22)
LIVE = {
    "models": [
        {
            "name": "veo",
            "description": "words",
            "cost": 1,
            "cost_currency": "USD",
            "dynamic_pricing": True,
            "endpoint": "/x",
        },
        {
            "name": IMAGE.name,
            "category": "Text to Image",
            "family": "flux",
            "group_of": "image",
            "cost": 0.025,
        },
    ],
    "total": 2,
    "currency": "USD",
}
NAMES = st.lists(st.text(), min_size=1, max_size=6, unique=True)


def served(content: object) -> bytes:
    return json.dumps(content).encode()


def test_prices_are_pinned_by_name_one_model_a_line_from_today() -> None:
    assert canonicalize_models(served(LIVE), today=TODAY).decode() == (
        "{\n"
        ' "as_of": "2026-11-22",\n'
        ' "currency": "USD",\n'
        ' "models": [\n'
        f'  {{"name": "{IMAGE.name}", "category": "Text to Image", "family": "flux", "group_of": "image", '
        '"cost": 0.025},\n'
        '  {"name": "veo", "cost": 1, "dynamic_pricing": true}\n'
        " ]\n"
        "}\n"
    )


@given(NAMES, st.randoms())
def test_the_form_is_idempotent_and_order_does_not_matter(names: list[str], random: Random) -> None:
    models = [{"name": name, "cost": at, "category": name} for at, name in enumerate(names)]
    form = canonicalize_models(served({"models": models, "currency": "USD"}), today=TODAY)
    random.shuffle(models)
    assert canonicalize_models(served({"models": models, "currency": "USD"}), today=TODAY) == form
    assert canonicalize_models(form, today=date(2030, 1, 1)) == form
    assert sorted(json.loads(form)["models"], key=json.dumps) == sorted(models, key=json.dumps)
    assert form.decode().count("\n") == len(names) + 6


def test_the_same_prices_keep_the_date_since_which_they_are_known() -> None:
    before = canonicalize_models(served(LIVE), today=date(2026, 8, 20))
    assert canonicalize_models(served(LIVE), today=TODAY, before=before) == before


@pytest.mark.parametrize(
    "before", [b"{", canonicalize_models(served(LIVE | {"currency": "EUR"}), today=date(2026, 8, 20))]
)
def test_other_prices_count_from_today(before: bytes) -> None:
    form = canonicalize_models(served(LIVE), today=TODAY, before=before)
    assert json.loads(form)["as_of"] == "2026-11-22"


def test_a_catalogue_that_tells_its_own_date_keeps_it() -> None:
    before = canonicalize_models(served(LIVE), today=date(2026, 8, 20))
    form = canonicalize_models(served(LIVE | {"as_of": "2026-09-01"}), today=TODAY, before=before)
    assert json.loads(form)["as_of"] == "2026-09-01"


def test_only_facts_are_pinned() -> None:
    kept = json.loads(canonicalize_models(served(LIVE), today=TODAY))["models"]
    assert {key for model in kept for key in model} <= set(FACTS)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"models": []}, "no list of models"),
        ({"models": {IMAGE.name: {}}}, "no list of models"),
        ({"total": 609}, "brought 2 of the 609 models"),
        ({"currency": None}, "no currency"),
        ({"models": [{"cost": 1}, {"name": "veo"}]}, "a model without a name: {'cost': 1}"),
        ({"models": ["veo", IMAGE.name]}, "a model without a name: 'veo'"),
        (
            {"models": [{"name": "veo", "cost": "cheap"}, {"name": "a"}]},
            "the price of 'veo' is no number: 'cheap'",
        ),
        ({"models": [{"name": "veo", "cost": True}, {"name": "a"}]}, "the price of 'veo' is no number: True"),
        ({"models": [{"name": "veo"}, {"name": "veo"}]}, "holds 'veo' twice"),
    ],
)
def test_half_a_catalogue_or_none_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(PinError) as caught:
        canonicalize_models(served(LIVE | change), today=TODAY)
    assert told in str(caught.value)
