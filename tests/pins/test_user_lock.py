"""A user's lock: what it holds, and what it says of another document."""

from __future__ import annotations

import copy
import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from by_kind import CHAT, IMAGE, OTHER_IMAGE, VIDEO, fields_of
from fingerprints_of import rendering_of
from hypothesis import given, settings
from hypothesis import strategies as st

from muapi_client.pinning import LockComparison, PinError, Rendering, UserLock, make_lock, pinned
from muapi_client.pinning import compare_lock as compared
from muapi_client.pinning._document.canonical import restrict_to_scope
from muapi_client.pinning._document.reader import list_functions, resolve_names
from muapi_client.pinning._locks.lock_file import read_facts

if TYPE_CHECKING:
    from collections.abc import Collection

PACKAGE = "muapi-client==0.1.0.20261122"
HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
TEXTS = st.text(min_size=1).filter(str.strip)
PRICES = st.decimals(0, 1000, places=4).map(str)
NOW = "f" * 64
CORRECTIONS = "c" * 64


MODELS = (IMAGE, OTHER_IMAGE, CHAT, VIDEO)


@pytest.fixture(scope="module")
def original() -> dict[str, Any]:
    """Four models of the pinned document, of which two share a schema."""
    paths = {model.operation.path: pinned().document["paths"][model.operation.path] for model in MODELS}
    sharing = {**paths[OTHER_IMAGE.operation.path]["post"]}
    sharing["requestBody"] = paths[IMAGE.operation.path]["post"]["requestBody"]
    return restrict_to_scope(
        {**pinned().document, "paths": {**paths, OTHER_IMAGE.operation.path: {"post": sharing}}},
    )


@pytest.fixture
def document(original: dict[str, Any]) -> dict[str, Any]:
    """The same, to change."""
    return copy.deepcopy(original)


def image(document: dict[str, Any]) -> dict[str, Any]:
    """The fields that two of the models share."""
    return fields_of(document, IMAGE)


def lock_of(document: dict[str, Any], *only: str, prices: dict[str, str] | None = None) -> UserLock:
    names = resolve_names(only, list_functions(document)) if only else None
    return make_lock(rendering_of(document, "a" * 64, CORRECTIONS), names, package=PACKAGE, prices=prices)


def compare_lock(
    lock: UserLock,
    document: dict[str, Any],
    document_sha256: str,
    used: Collection[str] = (),
    *,
    prices: dict[str, str] | None = None,
    corrections_sha256: str = CORRECTIONS,
) -> LockComparison:
    names = resolve_names(used, list_functions(document))
    return compared(lock, rendering_of(document, document_sha256, corrections_sha256), names, prices=prices)


@settings(max_examples=40)
@given(
    st.builds(
        UserLock,
        document_sha256=HASHES,
        corrections_sha256=HASHES,
        package=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1),
        functions=st.dictionaries(NAMES, HASHES, min_size=1),
        prices=st.dictionaries(NAMES, PRICES),
        groups=st.lists(NAMES).map(tuple),
        uses=st.dictionaries(TEXTS, st.lists(TEXTS, min_size=1).map(tuple)),
        form=st.sampled_from([1, 2]),
    )
)
def test_a_lock_survives_its_toml(lock: UserLock) -> None:
    assert UserLock.from_toml(lock.to_toml()) == UserLock.from_toml(f"\ufeff{lock.to_toml()}") == lock


def test_a_lock_is_read_alike_with_and_without_toml(document: dict[str, Any]) -> None:
    """Who starts on a lock that stands as it was written loads no TOML; one that a person touched is read as TOML."""
    lock = lock_of(document, prices={IMAGE.function: "0.0150"})
    text = lock.to_toml()
    assert read_facts(text, "") == tomllib.loads(text)
    assert UserLock.from_toml(text.replace(" = ", "=")) == UserLock.from_toml(f"{text}\n[uses]\n") == lock
    twice = text.replace("[functions]\n", f"[functions]\n{CHAT.function} = '{NOW}'\n")
    with pytest.raises(PinError, match="is not TOML"):
        UserLock.from_toml(twice)


def test_its_toml_is_sorted_and_says_what_it_is(document: dict[str, Any]) -> None:
    text = lock_of(document, prices={IMAGE.function: "0.0150"}).to_toml()
    assert text.startswith("# Which MuAPI document this program was written against")
    found = tomllib.loads(text)
    assert list(found["functions"]) == sorted([IMAGE.function, OTHER_IMAGE.function, CHAT.function, VIDEO.function])
    assert found["prices"] == {IMAGE.function: "0.0150"}


def test_only_what_is_used_is_locked_by_function_or_slug(document: dict[str, Any]) -> None:
    by_function = lock_of(document, IMAGE.function, CHAT.function)
    assert by_function == lock_of(document, IMAGE.slug, f"/api/v1/{CHAT.slug}")
    assert list(by_function.functions) == sorted([IMAGE.function, CHAT.function])


def test_a_slug_means_all_its_functions_whatever_their_methods(document: dict[str, Any]) -> None:
    several = pinned().document["paths"]
    (path,) = (path for path, item in several.items() if path.startswith("/api/v1/") and {"get", "delete"} <= set(item))
    document["paths"] |= {path: several[path], "/api/v1/account/balance": several["/api/v1/account/balance"]}
    assert list(lock_of(document, "account/balance").functions) == ["get_account_balance"]
    assert len(lock_of(document, path).functions) == len(several[path])
    assert compare_lock(lock_of(document, path), document, "a" * 64, [path, "account/balance"]).unlocked == (
        "get_account_balance",
    )


def test_a_lock_of_nothing_is_not_made(document: dict[str, Any]) -> None:
    with pytest.raises(PinError, match="there is no function to lock"):
        make_lock(rendering_of(document, "a" * 64), [], package=PACKAGE)


def test_other_corrections_do_not_hold_for_a_lock_of_the_first_form(document: dict[str, Any]) -> None:
    """Its hashes are of the document, which does not tell what corrections touch."""
    for now in ("a" * 64, NOW):
        found = compare_lock(evolve(lock_of(document), form=1), document, now, corrections_sha256="d" * 64)
        assert (found.holds, found.recorrected, found.unclear, found.changed) == (False, True, True, ())


def test_other_corrections_hold_where_they_touch_nothing_that_is_locked(document: dict[str, Any]) -> None:
    lock = lock_of(document, CHAT.slug)
    found = compare_lock(lock, document, "a" * 64, corrections_sha256="d" * 64)
    assert (found.holds, found.recorrected, found.unclear) == (True, True, False)
    image(document)["width"]["maximum"] = 512
    assert compare_lock(lock, document, "a" * 64, corrections_sha256="d" * 64).holds


def test_other_corrections_count_for_the_functions_they_touch(document: dict[str, Any]) -> None:
    lock = lock_of(document)
    image(document)["width"]["maximum"] = 512  # by a correction: the pinned document is the same
    found = compare_lock(lock, document, "a" * 64, corrections_sha256="d" * 64)
    touched = tuple(sorted([IMAGE.function, OTHER_IMAGE.function]))
    assert (found.holds, found.moved, found.changed) == (False, False, touched)


def test_each_form_is_held_against_its_own_hashes(document: dict[str, Any]) -> None:
    now = Rendering(
        document_sha256=NOW, corrections_sha256=CORRECTIONS, functions={"flux": "1"}, uncorrected={"flux": "2"}
    )
    for form, good in ((1, "2"), (2, "1")):
        lock = UserLock(
            document_sha256="a" * 64,
            corrections_sha256=CORRECTIONS,
            package=PACKAGE,
            functions={"flux": good},
            form=form,
        )
        assert compared(lock, now).holds
        assert compared(evolve(lock, functions={"flux": "3"}), now).changed == ("flux",)


@pytest.mark.parametrize("place", ["document", "path", "operation"])
def test_another_server_changes_what_is_called_there(document: dict[str, Any], place: str) -> None:
    lock = lock_of(document)
    item = document["paths"][f"/api/v1/{CHAT.slug}"]
    part = {"document": document, "path": item, "operation": item["post"]}[place]
    part["servers"] = [{"url": "https://elsewhere.example.com"}]
    assert CHAT.function in compare_lock(lock, document, NOW).changed
    assert len(compare_lock(lock, document, NOW).changed) == (len(MODELS) if place == "document" else 1)


def test_a_model_the_document_lacks_is_named_with_what_was_meant(document: dict[str, Any]) -> None:
    with pytest.raises(PinError, match=rf"no function '{IMAGE.function[:-1]}': did you mean {IMAGE.function}"):
        lock_of(document, IMAGE.function[:-1])


def test_the_same_document_holds(document: dict[str, Any]) -> None:
    found = compare_lock(lock_of(document), document, "a" * 64)
    assert (found.holds, found.moved, found.same) == (True, False, 4)


def test_a_change_elsewhere_is_told_and_holds(document: dict[str, Any]) -> None:
    lock = lock_of(document, CHAT.slug)
    image(document)["width"]["maximum"] = 512
    del document["paths"][f"/api/v1/{VIDEO.slug}"]
    found = compare_lock(lock, document, NOW)
    assert (found.holds, found.moved, found.same) == (True, True, 1)


def test_a_shared_schema_changes_every_model_that_has_it(document: dict[str, Any]) -> None:
    lock = lock_of(document)
    image(document)["width"]["default"] = 512
    found = compare_lock(lock, document, NOW)
    assert found.changed == tuple(sorted([IMAGE.function, OTHER_IMAGE.function]))
    assert (found.holds, found.gone, found.same) == (False, (), 2)


def test_a_model_that_is_gone_is_told_even_where_the_hash_was_copied(document: dict[str, Any]) -> None:
    lock = lock_of(document)
    del document["paths"][f"/api/v1/{CHAT.slug}"]
    for now in (NOW, "a" * 64):
        found = compare_lock(lock, document, now)
        assert (found.holds, found.gone, found.same) == (False, (CHAT.function,), 3)


def test_words_and_neighbours_do_not_count(document: dict[str, Any]) -> None:
    lock = lock_of(document)
    image(document)["width"]["description"] = "How wide."
    document["paths"][f"/api/v1/{IMAGE.slug}"]["post"]["description"] = "Another sentence."
    document["paths"]["/api/v1/new"] = document["paths"][f"/api/v1/{CHAT.slug}"]
    assert compare_lock(lock, document, NOW).holds


def test_a_pinned_price_that_moved_does_not_hold(document: dict[str, Any]) -> None:
    lock = lock_of(document, prices={IMAGE.function: "0.015", CHAT.function: "0.001"})
    assert compare_lock(lock, document, NOW, prices={IMAGE.function: "0.015", CHAT.function: "0.001"}).holds
    found = compare_lock(lock, document, NOW, prices={IMAGE.function: "0.02"})
    assert not found.holds
    assert found.repriced == {IMAGE.function: ("0.015", "0.02"), CHAT.function: ("0.001", "")}


def test_a_model_that_is_used_and_not_locked_does_not_hold(document: dict[str, Any]) -> None:
    found = compare_lock(lock_of(document, CHAT.slug), document, "a" * 64, {CHAT.function, IMAGE.function})
    assert (found.holds, found.unlocked) == (False, (IMAGE.function,))


GOOD = {"form": 1, "document_sha256": "a" * 64, "corrections_sha256": CORRECTIONS, "package": PACKAGE}


def toml(**facts: object) -> str:
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in {**GOOD, **facts}.items())


FINE = f'{toml()}[functions]\nflux = "{NOW}"\n'


def test_the_smallest_lock_is_one_of_before() -> None:
    lock = UserLock.from_toml(FINE)
    assert (lock.functions, lock.form, lock.uses, lock.groups) == ({"flux": NOW}, 1, {}, ())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("form = ", "muapi.lock is not TOML"),
        ("", "look at document_sha256, corrections_sha256, package, functions"),
        (toml(), "look at functions"),
        (f"{toml()}[functions]\n", "look at functions"),
        (FINE.replace(CORRECTIONS, "0"), "look at corrections_sha256"),
        (FINE.replace(PACKAGE, r"a\u001b[31m"), "look at package"),
        (FINE.replace(PACKAGE, r"a\n::error::b"), "look at package"),
        (f'{FINE}"a\\n::error::\\u001b" = "{NOW}"\n', r"look at functions\.'a\\n::error::\\x1b'"),
        (toml(form=3), "a later muapi-client wrote: upgrade it"),
        (toml(form=True), "a later muapi-client wrote: upgrade it"),
        (toml(groups="text_to_image"), "look at functions, groups"),
        (f"{FINE}[uses]\n'src/app.py' = 'flux'\n", "look at uses.'src/app.py'"),
        (f"{FINE}[uses]\n'src/app.py' = []\n", "look at uses.'src/app.py'"),
        (toml(document_sha256="a" * 63), "look at document_sha256"),
        (toml(document_sha256="A" * 64), "look at document_sha256"),
        (toml(functions=1), "look at functions;"),
        (f'{toml()}[functions]\nflux = "?"\n', r"look at functions\.flux"),
        (f"{FINE}[prices]\nflux = 0.1\n", r"look at prices\.flux"),
        (toml(etag=""), "look at functions, 'etag'"),
        ("a.b" * 3000 + "=", "muapi.lock is not TOML"),
    ],
)
def test_what_is_no_lock_is_refused_in_one_line(text: str, told: str) -> None:
    with pytest.raises(PinError, match=told) as caught:
        UserLock.from_toml(text)
    assert "\n" not in str(caught.value)
