"""The pinned document's models, looked up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from by_kind import IMAGE, fields_of, make_image
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import catalog
from muapi_client.errors import MuAPIError, NotFoundError
from muapi_client.pinning import pinned


@pytest.mark.parametrize("name", [IMAGE.slug, IMAGE.function, IMAGE.name, f"/{IMAGE.slug}/", f"api/v1/{IMAGE.slug}"])
def test_a_model_is_found_by_any_of_its_names(name: str) -> None:
    model = catalog.get(name)
    assert (model.slug, model.function, model.name) == (IMAGE.slug, IMAGE.function, IMAGE.name)
    assert (model.group, model.kind, model.streams) == ("text_to_image", "image", False)


def test_every_slug_finds_itself() -> None:
    models = catalog.all()
    slugs = [model.slug for model in models]
    assert slugs == sorted(set(slugs))
    assert all(catalog.get(slug).slug == slug for slug in slugs)


def test_an_unknown_name_gets_a_guess() -> None:
    with pytest.raises(NotFoundError, match=f"did you mean {IMAGE.slug}"):
        catalog.get(IMAGE.slug[:-1])


@given(st.text())
def test_any_name_is_a_model_or_not_found(name: str) -> None:
    try:
        assert catalog.get(name) in catalog.all()
    except NotFoundError as error:
        assert "raw_call" in str(error)  # noqa: PT017 - one of two outcomes


def test_its_fields_say_what_the_document_says() -> None:
    fields = {field.name: field for field in catalog.get(IMAGE.slug).fields}
    assert fields["num_images"].choices == tuple(fields_of(pinned().document, IMAGE)["num_images"]["enum"])
    assert fields["width"].type == "integer"
    assert fields["webhook_url"].nullable
    assert not fields["prompt"].nullable


def test_required_fields_come_first() -> None:
    for model in catalog.all():
        flags = [field.required for field in model.fields]
        assert flags == sorted(flags, reverse=True)


def test_it_builds_the_call_its_function_builds() -> None:
    assert catalog.get(IMAGE.name).call(prompt="a fox", width=512) == make_image(prompt="a fox", width=512)


def test_words_narrow_a_search() -> None:
    everything = catalog.all()
    assert catalog.find() == everything
    first, *others = IMAGE.slug.replace("_", "-").split("-")
    found = catalog.find(first.upper(), *others, kind="image")
    assert IMAGE.slug in [model.slug for model in found]
    assert len(found) < len(catalog.find(first)) < len(everything)
    assert {model.group for model in catalog.find(group="text_to_image")} == {"text_to_image"}
    assert catalog.find("no such model at all") == ()


def test_words_in_one_text_are_words() -> None:
    assert catalog.find("Flux dev", " kontext ") == catalog.find("flux", "dev", "kontext") != ()
    assert catalog.find(" ") == catalog.all()


@pytest.mark.parametrize(
    ("narrowed", "message"),
    [
        ({"kind": "picture"}, "no kind 'picture'; there are 3d, audio, .*image, .*video"),
        ({"group": "text-to-image"}, "no group 'text-to-image'; there are .*text_to_image"),
        ({"kind": ["image"]}, r"no kind \['image'\]; there are"),
    ],
)
def test_a_group_or_kind_that_is_none_is_refused_with_those_there_are(narrowed: dict[str, Any], message: str) -> None:
    with pytest.raises(MuAPIError, match=message):
        catalog.find("flux", **narrowed)


def test_a_price_is_exact_and_dated() -> None:
    price = catalog.get(IMAGE.slug).price
    assert price is not None
    (listed,) = [one for one in pinned().models["models"] if one["name"] == IMAGE.name]
    assert isinstance(price.cost_usd, Decimal)
    told = (str(price.cost_usd), price.dynamic, price.as_of)
    assert told == (str(listed["cost"]), listed["dynamic_pricing"], pinned().models["as_of"])


def test_of_models_that_share_a_name_the_one_like_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    flux = catalog.get(IMAGE.slug)
    sharing = {slug: evolve(flux, slug=slug, function=slug) for slug in ("brand-new", f"{IMAGE.slug}-two", flux.slug)}
    monkeypatch.setattr(catalog, "_models", lambda _package: sharing)
    assert catalog.get(IMAGE.name).slug == IMAGE.slug


@pytest.mark.parametrize("odd", [None, 42, ["flux"], b"flux"])
def test_what_is_no_text_is_refused_with_what_to_type(odd: Any) -> None:
    with pytest.raises(MuAPIError, match=r"catalog\.find\('flux'\).*catalog\.all\(\)"):
        catalog.find("flux", odd)
    with pytest.raises(MuAPIError, match=r"catalog\.get takes a name as text, such as 'flux-dev-image', not "):
        catalog.get(odd)
