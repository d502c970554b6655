"""The pinned document's models, looked up."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest
from attrs import evolve
from by_kind import IMAGE, fields_of, make_image
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import catalog
from muapi_client._catalog.inputs import find_meanings
from muapi_client._catalog.kinds import find_kinds
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


def test_without_words_all_that_pass_are_found_by_slug() -> None:
    assert catalog.find() == catalog.find(" ") == catalog.all()
    found = catalog.find(kind="image", group="text_to_image")
    assert [model.slug for model in found] == sorted(m.slug for m in catalog.all() if m.group == "text_to_image")
    assert {model.tier for model in catalog.find(tier="fast")} == {"fast"}


@pytest.mark.parametrize(
    ("slug", "kind", "takes", "also"),
    [
        ("a-upscaler", "image_edit", "video_url", {"video"}),
        ("a-upscaler", "image_edit", "image_url", {"image"}),
        ("a-edit", "image_edit", "prompt", {"image"}),
        ("a-captions", "utility", "video_url", {"video"}),
        ("a-trainer", "training", "dataset", set()),
        ("a-image-to-video", "video", "image_url", set()),
        ("a-reference-to-image", "video", "image_url", {"image"}),
        ("a/video-to-video", "audio", "video_url", {"video"}),
    ],
)
def test_a_model_is_found_under_its_own_kind_and_under_what_it_makes_or_works_on(
    slug: str, kind: str, takes: str, also: set[str]
) -> None:
    assert find_kinds(slug, kind, {takes: {"type": "string"}}) == {kind, *also}


def test_what_alters_videos_is_found_among_videos_and_keeps_its_kind() -> None:
    found = {kind: {*catalog.find(kind=kind)} for kind in {model.kind for model in catalog.all()}}
    for model in catalog.all():
        assert model in found[model.kind]
    altering = {*catalog.find(kind="image_edit", takes="video")} - {*catalog.find(takes="image")}
    assert altering <= found["video"] - found["image"]
    assert found["image_edit"] - altering <= found["image"] | found["video"]


@pytest.mark.parametrize(
    ("narrowed", "message"),
    [
        ({"kind": "picture"}, "no kind 'picture'; there are 3d, audio, .*image, .*video"),
        ({"group": "text-to-image"}, "no group 'text-to-image'; there are .*text_to_image"),
        ({"kind": ["image"]}, r"no kind \['image'\]; there are"),
        ({"tier": "cheap"}, "no tier 'cheap'; there are balanced, best, budget, fast"),
        ({"sort": "cheapest"}, "no order 'cheapest'; there are match, name, price"),
        ({"takes": "lastframe"}, "no model takes 'lastframe'; did you mean last_frame.*image, images, video"),
        ({"takes": ["image"]}, r"no model takes \['image'\]; it is the name of a field"),
        ({"max_price": "cheap"}, "max_price takes an amount in USD, such as 0.30, not 'cheap'"),
        ({"max_price": -1}, "not -1"),
        ({"max_price": float("nan")}, "not nan"),
        ({"limit": 0}, "limit takes a whole number of models, at least 1, not 0"),
        ({"limit": True}, "not True"),
    ],
)
def test_what_narrows_by_nothing_there_is_is_refused_with_what_there_is(narrowed: dict[str, Any], message: str) -> None:
    with pytest.raises(MuAPIError, match=message):
        catalog.find("flux", **narrowed)


def test_a_price_is_exact_and_dated() -> None:
    price = catalog.get(IMAGE.slug).price
    assert price is not None
    (listed,) = [one for one in pinned().models["models"] if one["name"] == IMAGE.name]
    assert isinstance(price.cost_usd, Decimal)
    told = (str(price.cost_usd), price.dynamic, price.as_of)
    assert told == (str(listed["cost"]), listed["dynamic_pricing"], pinned().models["as_of"])


def test_a_price_is_told_in_all_its_digits_whatever_the_decimal_context() -> None:
    price = catalog.Price(Decimal("12.345600"), dynamic=False, as_of="2026-08-20")
    with localcontext(prec=2):
        assert str(price) == "12.3456 USD (prices of 2026-08-20)"


def test_a_price_of_zero_is_told_as_unknown() -> None:
    free = next(model for model in catalog.all() if model.price and not model.price.cost_usd)
    assert free.price
    assert free.price.known_usd is None
    assert "unknown" in str(free.price)
    price = catalog.get(IMAGE.slug).price
    assert price
    assert price.known_usd == price.cost_usd
    assert f"about {price.cost_usd} USD, depending on the input (prices of {price.as_of})" in str(price)


def test_the_cheapest_come_first_and_what_nobody_can_price_comes_last() -> None:
    prices = [model.price.known_usd if model.price else None for model in catalog.find(sort="price")]
    known = [price for price in prices if price is not None]
    assert known == sorted(known)
    assert prices == [*known, *[None] * (len(prices) - len(known))]
    assert 0 < len(known) < len(prices)


@pytest.mark.parametrize("most", [Decimal("0.1"), 0.1, "0.10"])
def test_a_model_without_a_known_price_is_below_no_limit(most: Any) -> None:
    found = catalog.find(kind="video", max_price=most)
    assert found
    assert all(model.price and model.price.known_usd and model.price.known_usd <= Decimal("0.1") for model in found)
    assert len(found) < len(catalog.find(kind="video"))


def test_a_limit_cuts_off_the_end() -> None:
    assert catalog.find(sort="price", limit=3) == catalog.find(sort="price")[:3]
    assert catalog.find("flux", limit=2) == catalog.find("flux")[:2]


def test_an_input_is_asked_for_by_what_it_means_or_by_its_name() -> None:
    names = {"last_image", "last_image_url", "end_image_url", "last_frame_url"}
    by_meaning = catalog.find(takes="last_frame")
    called = {name for model in by_meaning for name in names & {field.name for field in model.fields}}
    assert called == names & {field.name for model in catalog.all() for field in model.fields}
    for name in called:
        by_name = catalog.find(takes=name)
        assert by_name
        assert {*by_name} <= {*by_meaning}
        assert all(name in {field.name for field in model.fields} for model in by_name)


@pytest.mark.parametrize(
    ("meaning", "fields"),
    [
        ("image", {"image_url": {"type": "string"}}),
        ("image", {"images_list": {"type": "array", "items": {"type": "string", "format": "uri"}}}),
        ("images", {"images_list": {"anyOf": [{"type": "array", "items": {"format": "uri"}}, {"type": "string"}]}}),
        ("mask", {"mask_url": {"type": "string", "format": "uri"}}),
        ("reference", {"reference_video_url": {"type": "string", "format": "uri"}}),
        ("first_frame", {"first_frame_url": {"type": "string", "format": "uri"}}),
        ("audios", {"audio_files": {"type": "array", "items": {"format": "uri"}}}),
        ("lora", {"loras": {"type": "array"}}),
        ("voice", {"voice_id": {"type": "string"}}),
        (None, {"generate_audio": {"type": "boolean"}}),
        (None, {"audio_ids": {"type": "array", "items": {"type": "string"}}}),
        (None, {"mask_indexs": {"type": "array", "items": {"type": "integer"}}}),
        (None, {"webhook_url": {"type": "string", "format": "uri"}}),
        (None, {"num_images": {"type": "integer"}}),
    ],
)
def test_a_field_means_what_its_name_and_type_say(meaning: str | None, fields: dict[str, Any]) -> None:
    found = find_meanings("a-model", fields)
    assert (meaning in found) if meaning else not found


def test_a_list_of_both_frames_is_told_by_the_slug() -> None:
    fields = {"images_list": {"type": "array", "items": {"type": "string", "format": "uri"}}}
    assert {"first_frame", "last_frame"} <= find_meanings("seedance-9-first-last-frame", fields)
    assert "last_frame" not in find_meanings("seedance-9-edit", fields)


@pytest.mark.parametrize("spelt", ["flux-dev-image", "flux_dev_image"])
def test_of_models_that_share_a_name_the_one_like_it_is_found(monkeypatch: pytest.MonkeyPatch, spelt: str) -> None:
    flux = evolve(catalog.get(IMAGE.slug), name="flux-dev")
    sharing = {slug: evolve(flux, slug=slug, function=slug) for slug in ("brand-new", f"{spelt}-two", spelt)}
    monkeypatch.setattr(catalog, "_models", lambda _package: sharing)
    assert catalog.get("flux-dev").slug == spelt


@pytest.mark.parametrize("odd", [None, 42, ["flux"], b"flux"])
def test_what_is_no_text_is_refused_with_what_to_type(odd: Any) -> None:
    with pytest.raises(MuAPIError, match=r"catalog\.find\('flux'\).*catalog\.all\(\)"):
        catalog.find("flux", odd)
    with pytest.raises(MuAPIError, match=r"catalog\.get takes a name as text, such as 'flux-dev-image', not "):
        catalog.get(odd)
