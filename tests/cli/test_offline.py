"""``models`` and ``spec``: what the pinned document says, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from by_kind import CHAT, IMAGE, needs

import muapi_generated
from muapi_client import catalog
from muapi_client import models as model_functions
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from pathlib import Path

Call = Any  # the fixture `call`; see conftest


def test_every_model_is_listed(call: Call) -> None:
    said = call("models")
    head, *lines = said.out.splitlines()
    assert head.split() == ["slug", "kind", "tier", "price", "(USD)"]
    assert [line.split()[0] for line in lines] == [model.slug for model in catalog.all()]
    assert f"{len(lines)} models" in said.err


def test_words_group_and_kind_narrow_the_list(call: Call) -> None:
    said = call("models", "--kind", "image", "flux", "--output", "json", "dev")
    assert said.json
    assert "flux" in said.json[0]["slug"]
    assert {model["kind"] for model in said.json} == {"image", "image_edit"}
    assert {model["group"] for model in call("models", "--group=audio", "--output=json").json} == {"audio"}
    assert said.events == [{"event": "listed", "models": len(said.json), "not_listed": 0}]


def test_a_listed_model_tells_its_price(call: Call) -> None:
    (model,) = [m for m in call("models", IMAGE.slug, "--output=json").json if m["slug"] == IMAGE.slug]
    (listed,) = [one for one in pinned().models["models"] if one["name"] == IMAGE.name]
    assert model["price"] == {"cost_usd": listed["cost"], "dynamic": True, "as_of": pinned().models["as_of"]}
    assert f"~{listed['cost']}" in call("models", IMAGE.slug).out


def test_nothing_found_is_an_answer(call: Call) -> None:
    said = call("models", "xyzzyx")
    assert (said.code, said.out) == (0, "")
    assert "no model" in said.err
    assert call("models", "xyzzyx", "--output=json").json == []


@pytest.mark.parametrize(("option", "there_is"), [("--group", "audio"), ("--kind", "audio"), ("--tier", "fast")])
def test_what_narrows_by_nothing_there_is_names_what_there_is(call: Call, option: str, there_is: str) -> None:
    said = call("models", option, "pictures")
    assert said.code == 8
    assert there_is in said.err


def test_where_only_what_narrows_leaves_nothing_it_is_said_how_many_there_are_without(call: Call) -> None:
    said = call("models", IMAGE.slug, "--kind", "video", "--max-price", "0.000001")
    assert said.err.startswith("no model answers that; ")
    assert said.err.endswith(f"; {len(catalog.find(IMAGE.slug))} do without --kind and --max-price\n")
    assert "fewer or other words" in call("models", "xyzzyx", "--kind", "video").err


def test_the_help_of_the_list_names_all_there_is_to_narrow_it_by(
    call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        call("models", "--help")
    told = " ".join(capsys.readouterr().out.partition("what the pinned document has:")[2].split())
    for option, names in (
        ("group", {model.group for model in catalog.all()}),
        ("kind", {model.kind for model in catalog.all()}),
        ("tier", {model.tier for model in catalog.all() if model.tier}),
    ):
        assert f"--{option}: {', '.join(sorted(names))}" in told


def test_an_input_no_model_takes_gets_a_guess(call: Call) -> None:
    said = call("models", "--takes", "lastframe")
    assert said.code == 8
    assert "did you mean last_frame" in said.err


@pytest.mark.parametrize("words", ["a fox under 0.30 USD", "a fox for $0.30", "a fox, 0.30 dollars at most"])
def test_a_price_in_words_is_told_to_limit_nothing(call: Call, words: str) -> None:
    assert "--max-price 0.30 does" in call("models", *words.split()).err
    assert "--max-price 0.30 does" not in call("models", *words.split(), "--max-price", "0.30").err
    assert "--max-price 30 does" not in call("models", "a", "30", "s", "video").err


def test_the_best_twenty_answers_come_first_and_the_rest_is_counted(call: Call) -> None:
    found = catalog.find("image to video")
    said = call("models", "image", "to", "video", "--output=json")
    assert [model["slug"] for model in said.json] == [model.slug for model in found[:20]]
    assert said.events == [{"event": "listed", "models": 20, "not_listed": len(found) - 20}]
    assert f"20 models of {len(found)}; --limit 0 lists all" in call("models", "image", "to", "video").err
    assert len(call("models", "image to video", "--limit=0", "--output=json").json) == len(found)
    assert [model["slug"] for model in call("models", "--limit=2", "--output=json").json] == [
        model.slug for model in catalog.all()[:2]
    ]


def test_the_cheapest_of_what_was_asked_for_are_listed_and_the_unpriced_counted(call: Call) -> None:
    asked = ("image to video", "--takes=last_frame", "--sort=price")
    said = call("models", *asked, "--max-price", "0.30", "--output=json")
    found = catalog.find("image to video", takes="last_frame", max_price="0.30", sort="price")
    assert [model["slug"] for model in said.json] == [model.slug for model in found][:20]
    (event,) = said.events
    unpriced = [m for m in catalog.find("image to video", takes="last_frame") if not (m.price and m.price.known_usd)]
    assert 0 < event["unpriced"] <= len(unpriced)
    assert f"{event['unpriced']} more tell no price" in call("models", *asked, "--max-price=0.30").err
    assert "unpriced" not in call("models", *asked, "--output=json").events[0]


def test_a_price_nobody_knows_is_told_as_unknown(call: Call) -> None:
    unknown = next(model for model in catalog.all() if model.price and not model.price.cost_usd)
    missing = next(model for model in catalog.all() if model.price is None)
    for model in (unknown, missing):
        first = call("models", model.slug, "--limit=1")
        assert first.out.splitlines()[1].split()[0] == model.slug
        assert first.out.splitlines()[1].split()[-1] == "unknown"
    (listed,) = call("models", unknown.slug, "--limit=1", "--output=json").json
    assert listed["price"]["cost_usd"] is None
    assert "price: unknown" in call("models", "show", unknown.slug).out


@pytest.mark.parametrize("option", ["--limit=-1", "--limit=many", "--sort=best", "--max-price=cheap"])
def test_an_option_that_is_none_is_a_usage_error(call: Call, option: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        call("models", "flux", option)


@needs(
    "suno-create-music",
    style={"type": "string", "required": True},
    duration={"nullable": True, "minimum": 10, "maximum": 360},
    vocal_gender={"enum": ["male", "female"]},
    model={"default": "V6"},
    audio_urls={"nullable": True, "maxItems": 10},
)
def test_show_tells_fields_bounds_choices_and_the_import(call: Call) -> None:
    said = call("models", "show", "suno-create-music")
    assert "from muapi_client.models import suno_create_music" in said.out
    assert "style: string, required" in said.out
    assert "duration: integer, may be null, at least 10, at most 360" in said.out
    assert '"male" | "female"' in said.out
    assert 'default "V6"' in said.out
    assert "audio_urls: array of URL, may be null, at most 10 items" in said.out


def test_show_takes_several_by_any_of_their_names(call: Call) -> None:
    said = call("models", "show", IMAGE.name, CHAT.function, "--output=json")
    assert [model["slug"] for model in said.json] == [IMAGE.slug, CHAT.slug]
    assert said.json[0]["fields"][0]["name"] == "prompt"


def test_every_model_can_be_shown_and_its_import_line_works(call: Call) -> None:
    models = [model for model in catalog.all() if model.kind != "text"]
    said = call("models", "show", *(model.slug for model in models))
    assert said.code == 0
    for model in models:
        assert f"import {model.function}" in said.out
        assert callable(getattr(model_functions, model.function))


def test_the_spec_is_told(call: Call) -> None:
    lock = pinned().lock
    said = call("spec", "show", "--output", "json")
    assert said.json["document_sha256"] == lock.document_sha256
    assert said.json["operations"] == lock.operations
    assert said.json["fetched_at"] == lock.fetched_at
    assert said.json["rendered"] is True
    plain = call("spec", "show").out
    assert lock.document_sha256 in plain
    assert lock.note in plain


def test_a_package_rendered_from_another_document_is_pointed_out(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(muapi_generated, "SPEC", muapi_generated.SPEC._replace(sha256="0" * 64))
    assert call("spec", "show", "--output=json").json["rendered"] is False
    assert "nox -s generate" in call("spec", "show").out


def test_a_missing_pin_is_one_clear_line(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("muapi_client.pinning._document.pin.checkout", lambda: tmp_path)
    said = call("spec", "show")
    assert said.code == 1
    assert "nox -s fetch" in said.err
