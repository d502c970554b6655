"""The rules that make names, groups, sentences and prices, one fact at a time."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import names
from rules.docstrings import escape, to_sentence, wrap
from rules.groups import GROUPS, find_group
from rules.patterns import can_check
from rules.price_list import Price, PriceList

SLUGS = st.from_regex(r"[a-z0-9][a-z0-9._/-]{0,30}", fullmatch=True)


@given(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]), SLUGS)
def test_every_function_name_is_one_python_takes(method: str, slug: str) -> None:
    name = names.name_function(method, f"/api/v1/{slug}")
    assert name.isidentifier()
    assert not keyword.iskeyword(name)
    assert "__" not in name


@given(st.text(max_size=20))
def test_every_field_name_is_one_python_takes_and_generated_code_does_not_use(wire: str) -> None:
    name = names.name_field(wire, answer=True)
    assert name.isidentifier()
    assert not keyword.iskeyword(name)
    assert not name.startswith("_")
    assert name not in ("self", "cls", "checks", "attrs", "UNSET", "Call", "additional", "from_dict")


@given(st.text(max_size=20))
def test_every_class_name_is_one_python_takes(schema: str) -> None:
    name = names.name_class(schema)
    assert name.isidentifier()
    assert not keyword.iskeyword(name)


@pytest.mark.parametrize(("schema", "name"), [("Con", "ConModel"), ("lpt1", "Lpt1Model"), ("Console", "Console")])
def test_no_class_stands_in_a_file_that_windows_cannot_have(schema: str, name: str) -> None:
    assert names.name_class(schema) == name


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/api/v1/account/balance", "get_account_balance"),
        ("GET", "/api/v1/get_upload_url", "get_upload_url"),
        ("DELETE", "/api/v1/keys/{key_id}", "delete_keys_key_id"),
        ("POST", "/api/v1/account/topup", "account_topup"),
        ("POST", "/api/v1/mmaudio-v2/text-to-audio", "mmaudio_v2_text_to_audio"),
        ("POST", "/api/v1/3d-scan", "model_3d_scan"),
        ("POST", "/api/v1/votes/+1", "votes_plus_1"),
        ("DELETE", "/api/v1/-1/flux-1", "delete_minus_1_flux_1"),
        ("POST", "/api/v1/class", "class_"),
        ("POST", "/api/v1/filter", "filter_"),
        ("POST", "/api/v1/aux", "model_aux"),  # Windows has no file of that name
        ("POST", "/api/v1/given", "model_given"),
        ("POST", "/api/v1/models", "model_models"),  # else it would hide the package that annotations name
    ],
)
def test_functions_are_named_by_the_written_rule(method: str, path: str, name: str) -> None:
    assert names.name_function(method, path) == name


@pytest.mark.parametrize(
    ("slug", "tag", "job", "group"),
    [
        ("flux-dev-image", "Image: Text-to-Image", "job", "text_to_image"),
        ("seo-backlinks", "LLM / Multimodal", "job", "data"),
        ("linkedin-employees", "LLM / Multimodal", "job", "data"),
        ("linkedin-publish", "API", "job", "social"),
        ("social-search-posts", "LLM / Multimodal", "job", "data"),
        ("claude-opus-4-5", "API", "job", "language"),
        ("happy-horse-1-image-to-video", "Other", "job", "image_to_video"),
        ("z-image-lora-trainer", "Image: Enhance", "job", "training"),
        ("history", "API", "plain", "platform"),
        ("balloon", "Balloons", "job", "other"),
        ("balloon", None, "plain", "other"),
    ],
)
def test_groups_go_by_slug_where_tags_are_wrong(slug: str, tag: str | None, job: str, group: str) -> None:
    assert find_group(slug, tag, job)[0] == group  # type: ignore[arg-type]
    assert group in GROUPS


@pytest.mark.parametrize(
    ("slug", "summary", "expected"),
    [
        ("flux-dev-image", "flux-dev (balanced)", ("flux-dev", "balanced")),
        ("new", "new (best)", ("new", "best")),
        ("flux-dev-image", "flux-dev", ("flux-dev", None)),
        ("flux-dev", "Flux Dev", ("flux-dev", None)),
        ("other", "Other Thing", (None, None)),
        ("flux-dev", "flux-dev (cheap)", ("flux-dev", None)),
    ],
)
def test_catalogue_names_are_never_guessed(slug: str, summary: str, expected: tuple[str | None, str | None]) -> None:
    assert PriceList("2026-08-20", {"flux-dev": Price(1, True, None)}).find_name_and_tier(slug, summary) == expected


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (Price(0.025, True, None), "0.025 USD is representative (2026-08-20)"),
        (Price(0.025, False, None), "0.025 USD a run (2026-08-20)"),
        (Price(0.0, True, None), "depends on the input"),
        (None, "not in the price list of 2026-08-20"),
    ],
)
def test_a_price_is_told_with_its_day_and_what_it_depends_on(price: Price | None, expected: str) -> None:
    prices = PriceList("2026-08-20", {"one": price} if price else {})
    assert expected in prices.describe("one")


@given(st.text())
def test_no_text_leaves_a_docstring(text: str) -> None:
    assert compile(f'"""{escape(text)}."""', "docstring", "eval") is not None


@given(st.text(alphabet=st.characters(categories=["L", "P", "Zs"]), max_size=300))
def test_wrapping_keeps_every_word_within_the_columns(text: str) -> None:
    lines = wrap(text, 8, 4).split("\n")
    assert " ".join(" ".join(lines).split()) == escape(text)
    assert all(len(line) <= 110 or len(line.split()) == 1 for line in lines[1:])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("what to make", "What to make."),
        ("Really?", "Really?"),
        ("n8n webhook", "n8n webhook."),
        ("A.", "A."),
    ],
)
def test_sentences_begin_and_end(text: str, expected: str) -> None:
    assert to_sentence(text) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        "(a*)*",
        "(?:a+b?)*$",
        "^(?P<x>a|a)+$",
        "((a+))+",
        "(a+){2,}",
        "(a+){30}",
        "(a{1,30}){30}",
        "^(aa?)+$",
        r"([^\])]+)*",
        "(?i:a+)+",
        "(?=(a+)+)",
        "(x(a+)y)*",
        "(a+)+?",
        "(",
    ],
)
def test_a_pattern_that_may_take_for_ever_or_is_not_pythons_is_not_checked_here(pattern: str) -> None:
    assert not can_check(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Za-z0-9_-]{11}$",
        r"^\d{4}-\d{2}-\d{2}$",
        "^a+$",
        ".*",
        "^(a|b)$",
        "(ab)+",
        "(?:[(+*]{2})+",
        r"(\(a\+)+",
        "^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        r"^(\d{1,3}\.){3}\d{1,3}$",
        "^#?([a-f0-9]{6}|[a-f0-9]{3})$",
        "(a+)?",
        "[]+)]+",
        "[^]|]+",
    ],
)
def test_an_ordinary_pattern_is_checked_here(pattern: str) -> None:
    assert can_check(pattern)


@pytest.mark.parametrize(
    ("kind", "may"), [("Fields", False), ("Parameters", False), ("Operations", False), ("Types", True)]
)
def test_no_correction_is_asked_to_rename_what_is_sent_by_its_name(kind: str, may: bool) -> None:
    ((thing, reason),) = names.find_repeated([("a_b", "a-b"), ("a_b", "a_b")], kind)
    assert (thing, "or to rename it" in reason, "a name that the server does not know" in reason) == (
        "a_b",
        may,
        not may,
    )
