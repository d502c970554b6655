"""Evidence in, verdict out; without evidence that settles it, None."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from attrs import evolve
from by_kind import CHAT, make_chat, make_image
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import Cost, Output, Prediction, SandboxVerdict, catalog, raw_call
from muapi_client._protocol.job_answer import DISPUTE
from muapi_client._sandbox import evidence
from muapi_client._sandbox.detection import count_keys, find_in_key_facts, have_same_outputs, looks_like_sandbox
from muapi_client._sandbox.evidence import INDICATORS, Evidence, Indicator, weigh
from muapi_client._sandbox.guard import add_verdict
from muapi_client._state.key_state import KeyFacts, KeyState, Listing
from muapi_client._state.memory import Memory, Record
from muapi_generated.models import ApiKey

SAMPLE = "https://d3adwkbyhxyrtq.cloudfront.net/webassets/fox.png"
LIVE = "https://cdn.muapi.ai/outputs/1.png"
ELSEWHERE = "https://files.example/1.png"
LIKE = "https://files.example/muapi/demo/1.png"
FOX = make_image(prompt="a fox")
ASKED = make_chat(prompt="why are foxes red?")
ZERO, PAID = Cost(Decimal(0)), Cost(Decimal("0.03"))

KINDS = st.sets(st.sampled_from(INDICATORS))
FOR_LIVE = [indicator for indicator in INDICATORS if indicator.weight < 0]
FOR_SANDBOX = [indicator for indicator in INDICATORS if indicator.weight > 0]
RANKS = {False: 0, None: 1, True: 2}


def rank(indicators: set[Indicator]) -> int:
    return RANKS[weigh(map(Evidence, indicators)).verdict]


def said(*urls: str, cost: Cost | None = ZERO, call: Any = FOX, looks: int = 0, **more: Any) -> Prediction:
    return add_verdict(
        Prediction("abc", "completed", tuple(map(Output, urls)), cost=cost, call=call, looks=looks, **more)
    )


@given(KINDS, st.sampled_from(FOR_LIVE))
def test_evidence_for_live_never_moves_the_verdict_towards_sandbox(found: set[Indicator], more: Indicator) -> None:
    assert rank(found | {more}) <= rank(found)


@given(KINDS, st.sampled_from(FOR_SANDBOX))
def test_evidence_for_sandbox_never_moves_the_verdict_towards_live(found: set[Indicator], more: Indicator) -> None:
    assert rank(found | {more}) >= rank(found)


@given(KINDS, st.sampled_from([evidence.CHARGED, evidence.REFUNDED, evidence.CHARGED_BEFORE]))
def test_money_ends_the_matter(found: set[Indicator], money: Indicator) -> None:
    assert weigh(map(Evidence, found | {money})).verdict is False


@given(st.sets(st.sampled_from([indicator for indicator in INDICATORS if not indicator.weight])))
def test_what_weighs_nothing_settles_nothing(found: set[Indicator]) -> None:
    verdict = weigh(map(Evidence, found))
    assert verdict.verdict is None
    assert len(verdict.evidence) == len(found)


@given(st.lists(st.sampled_from(INDICATORS)))
def test_a_kind_of_evidence_counts_once_and_in_any_order(found: list[Indicator]) -> None:
    assert weigh(map(Evidence, found)) == weigh(map(Evidence, {*found})) == weigh(map(Evidence, reversed(found)))


def test_no_evidence_is_no_verdict() -> None:
    assert weigh([]) == SandboxVerdict(None, ())


def test_no_single_sign_in_an_answer_settles_for_sandbox() -> None:
    """Only what is known of the key itself does."""
    alone = {indicator for indicator in INDICATORS if rank({indicator}) == RANKS[True]}
    assert alone == {evidence.LISTED_TEST, evidence.SAMPLED_BEFORE}


def test_every_kind_of_evidence_has_a_sentence_and_a_source() -> None:
    assert (
        len(set(INDICATORS))
        == len(INDICATORS)
        == sum(isinstance(value, Indicator) for value in vars(evidence).values())
    )
    for indicator in INDICATORS:
        assert indicator.source
        assert "{" not in str(Evidence(indicator, "detail"))


def test_the_weightiest_evidence_comes_first() -> None:
    assert said(LIVE, cost=PAID).sandbox == SandboxVerdict(
        False,
        (
            "request abc was charged 0.03 USD, and a test key never is",
            f"an output lies where live ones do: {LIVE}",
            "the submit was answered with the finished job",
        ),
    )


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        # What a test key's answers look like.
        (said(SAMPLE), True),
        (said(SAMPLE, looks=1), True),
        (said(SAMPLE, cost=None), True),
        (said(LIKE), True),
        # The same on an emulator that is served on this machine.
        (said("http://127.0.0.1:8801/d3adwkbyhxyrtq.cloudfront.net/webassets/fox.png"), True),
        (said("http://localhost:8801/cdn.muapi.ai/outputs/1.png"), False),
        (said("http://127.0.0.1:8801/"), None),
        # Live, or perhaps live: free, discounted, cached, without a word of cost.
        (said(LIVE), False),
        (said(LIVE, cost=None, looks=3), False),
        (said(ELSEWHERE), None),
        (said(ELSEWHERE, cost=None), None),
        (said(SAMPLE, cost=None, looks=2), None),
        (said(LIKE, looks=2), None),
        (said(), None),
        # One output says this, the other that.
        (said(SAMPLE, LIVE), None),
        (said(SAMPLE, LIVE, cost=PAID), False),
        # Money, also where the dollars are zero or were given back.
        (said(SAMPLE, cost=PAID), False),
        (said(SAMPLE, cost=Cost(Decimal("0.03"), refunded=True)), False),
        (said(SAMPLE, cost=Cost(Decimal(0), refunded=True)), False),
        (said(SAMPLE, cost=Cost(Decimal(0), bonus_credits_used=3)), False),
        (said(SAMPLE, cost=Cost(Decimal(0), amount_credits=1)), False),
        # A contradiction about the cost is no cost of zero; the other signs remain.
        (said(SAMPLE, looks=1, warnings=(f"{DISPUTE} 0.03 USD, the body says 0 USD",)), None),
        # A model that quotes: a URL in its output is not where a sample lies.
        (said(SAMPLE, call=ASKED), None),
        (said(LIVE, call=ASKED), None),
        # So may a model that the catalogue does not know.
        (said(SAMPLE, call=raw_call("any/model", {"prompt": "a sample, please"})), None),
        (said(LIKE, call=raw_call("any/model", {"prompt": "a sample, please"})), None),
        (said(LIVE, call=raw_call("any/model", {"prompt": "a fox"})), False),
        # What was given is given back.
        (said(SAMPLE, call=raw_call("new/edit", {"images_list": [{"url": SAMPLE}]})), None),
        (said(SAMPLE, call=raw_call("new/chat", {"prompt": f"say {SAMPLE}"})), None),
        # Also with another query, fragment, scheme, case or quoting.
        (said(f"{SAMPLE}?v=1", call=make_image(prompt=SAMPLE)), None),
        (said(SAMPLE, call=make_image(prompt=f"{SAMPLE}?w=64#top")), None),
        (said(f"{SAMPLE}?v=1", call=make_image(prompt=f"{SAMPLE}?v=2")), None),
        (said(SAMPLE, call=make_image(prompt=SAMPLE.replace("https", "http").upper())), None),
        (said(SAMPLE, call=make_image(prompt=f"https://proxy.example/?u={quote(SAMPLE, safe='')}")), None),
        (
            said(f"http://127.0.0.1:8801/{SAMPLE.removeprefix('https://')}?v=1", call=make_image(prompt=SAMPLE)),
            None,
        ),
        (said(SAMPLE, call=make_image(prompt="https://d3adwkbyhxyrtq.cloudfront.net/webassets/cat.png")), True),
        # The id alone is known: the input may have held the URL.
        (said(SAMPLE, call=None), None),
        (said(SAMPLE, call=None, looks=1), None),
        # Near misses of hosts, and no URLs at all.
        (said("https://cdn.muapi.ai.evil.example/outputs/1.png"), None),
        (said("https://cdn.muapi.ai/drafts/1.png"), None),
        (said("https://d3adwkbyhxyrtq.cloudfront.net.evil.example/1.png"), None),
        (said("https://[::1"), None),
    ],
)
def test_the_table(prediction: Prediction, expected: bool | None) -> None:
    verdict = prediction.sandbox
    assert verdict.verdict is expected
    assert all(isinstance(line, str) and line for line in verdict.evidence)
    assert looks_like_sandbox(prediction) or verdict.verdict is not True


def test_text_is_told_by_its_key_alone() -> None:
    told = add_verdict(Prediction("abc", "completed", (Output(text="This is a sample."),), cost=ZERO, call=ASKED))
    assert told.sandbox.verdict is None
    for known, expected in (
        (KeyFacts(sampled="request 1"), True),
        (KeyFacts(charged="request 1"), False),
        (KeyFacts(listing=Listing(test=2)), True),
        (KeyFacts(listing=Listing(live=2)), False),
        (KeyFacts(listing=Listing(test=1, live=1)), None),
        (KeyFacts(listing=Listing(test=1, silent=1)), None),
        (KeyFacts(listing=Listing(silent=1)), None),
        (KeyFacts(listing=Listing()), None),
        (KeyFacts(sampled="request 1", charged="request 2"), False),
    ):
        assert add_verdict(told, known).sandbox.verdict is expected, known


def test_a_free_model_makes_a_cost_of_zero_no_evidence() -> None:
    free = next(one.slug for one in catalog.all() if one.price and not one.price.cost_usd and one.kind == "image_edit")
    watermark = raw_call(free, {"image_url": ELSEWHERE})
    assert said(SAMPLE, call=watermark).sandbox.verdict is True
    answer = said(SAMPLE, call=watermark, looks=1)
    assert answer.sandbox.verdict is None
    assert f"which the catalogue's price for {free} is, too" in " ".join(answer.sandbox.evidence)
    assert looks_like_sandbox(answer)


def test_a_stream_does_not_end_at_once() -> None:
    streamed = said(cost=None, call=raw_call(f"{CHAT.slug}/stream", {"prompt": "x"}))
    assert streamed.sandbox == SandboxVerdict(None, ("the server reported no cost, which is not 0",))


def test_what_has_not_ended_did_not_end_at_once() -> None:
    running = add_verdict(Prediction("abc", "processing", cost=ZERO, call=FOX))
    assert running.sandbox == SandboxVerdict(None, ("the server reported a cost of 0 USD",))


URLS = st.lists(st.sampled_from([SAMPLE, LIVE, ELSEWHERE, LIKE, "https://[::1"]) | st.text(), max_size=3)
COSTS = st.none() | st.builds(
    Cost, st.decimals(0, 5, places=2), st.integers(0, 2), st.integers(0, 2), refunded=st.booleans()
)
CALLS = st.sampled_from([None, FOX, ASKED, raw_call("new/one", {"prompt": "x"}), raw_call("new/two", {"url": SAMPLE})])
KNOWN = st.builds(KeyFacts, st.sampled_from(["", "request 1"]), st.sampled_from(["", "request 2"]))
ANSWERS = st.builds(lambda urls, **more: said(*urls, **more), URLS, cost=COSTS, call=CALLS, looks=st.integers(0, 2))


@given(ANSWERS, KNOWN)
def test_the_quick_look_misses_no_sandbox_and_pickling_changes_nothing(answer: Prediction, known: KeyFacts) -> None:
    answer = add_verdict(answer, known)
    verdict = answer.sandbox
    assert looks_like_sandbox(answer, known) or verdict.verdict is not True
    assert pickle.loads(pickle.dumps(answer)).sandbox == verdict


@given(ANSWERS, KNOWN, st.decimals("0.000001", 10**6), st.booleans())
def test_a_charge_is_never_called_sandbox(answer: Prediction, known: KeyFacts, amount: Decimal, refunded: bool) -> None:
    assert evolve(add_verdict(answer, known), cost=Cost(amount, refunded=refunded)).sandbox.verdict is False


def test_the_key_list_counts_active_keys() -> None:
    keys = [
        ApiKey(is_test=True),
        ApiKey(is_test=True, is_active=True),
        ApiKey(is_test=False, is_active=False),
        {"is_test": False},  # what is no key as documented tells nothing
    ]
    assert count_keys(keys) == Listing(test=2, live=0, silent=1)
    assert count_keys(keys[:3]) == Listing(test=2)
    assert count_keys([ApiKey.from_dict({"is_test": "yes"})]) == Listing(silent=1)
    assert count_keys([]) == Listing()


def test_a_mixed_list_says_that_it_settles_nothing() -> None:
    verdict = weigh(find_in_key_facts(KeyFacts(listing=Listing(2, 1, 0))))
    assert verdict == SandboxVerdict(
        None, ("the key list marks 2 of 3 active keys as test keys, and does not tell which key this is",)
    )


def test_the_same_outputs_are_the_same_when_there_are_any() -> None:
    assert have_same_outputs([said(SAMPLE), said(SAMPLE)])
    assert not have_same_outputs([said(SAMPLE), said(LIVE)])
    assert not have_same_outputs([said(), said()])
    assert not have_same_outputs([said(SAMPLE)])


def test_the_same_outputs_are_files_that_were_not_given() -> None:
    words = Prediction("abc", "completed", (Output(text="no"),), cost=ZERO, call=raw_call("new/one", {"prompt": "x"}))
    assert not have_same_outputs([words, words])
    mixed = evolve(words, outputs=(Output(url=SAMPLE), Output(text="no")))
    assert not have_same_outputs([mixed, mixed])
    given_back = [said(f"{SAMPLE}?v=1", call=raw_call("new/edit", {"url": SAMPLE, "seed": seed})) for seed in (1, 2)]
    assert not have_same_outputs(given_back)
    assert not have_same_outputs([said(SAMPLE, call=ASKED)] * 2)


def test_a_standing_remembers_what_came_first_and_warns_once() -> None:
    key_state = KeyState()
    key_state.charge("request 1")
    key_state.charge("request 2")
    key_state.sample("request 3")
    key_state.sample("request 4")
    key_state.note_listing(Listing(test=1))
    key_state.note_listing(None)
    assert key_state.known == KeyFacts("request 1", "request 3", Listing(test=1))
    assert [key_state.first_warning(own=True) for _ in range(3)] == [True, False, False]


def test_a_standing_warns_once_of_its_own_key_and_once_of_others() -> None:
    key_state = KeyState()
    assert [key_state.first_warning(own=own) for own in (False, False, True, True)] == [True, False, True, False]


def test_a_client_knows_the_jobs_it_submitted_itself() -> None:
    memory = Memory()
    submitted, claimed = (Record(FOX, datetime(2026, 11, 1, tzinfo=UTC)) for _ in range(2))
    assert not memory.owns("a")
    submitted.accept("a", None)
    claimed.claim("b", None)
    for record in (submitted, claimed):
        memory.accept(record)
    assert [memory.owns(request_id) for request_id in ("a", "b", "c")] == [True, False, False]
    assert memory.owns("")  # answered at once without an id: by nobody else's submit


MARKED = st.sampled_from(["", "?v=1", "#top", "?v=1#top", "?"])


@given(st.sampled_from([SAMPLE, LIKE]), MARKED, MARKED, st.sampled_from([FOX, raw_call("new/edit")]))
def test_what_was_given_is_no_evidence_whatever_its_query(url: str, there: str, back: str, call: Any) -> None:
    answer = said(url + back, call=evolve(call, body={"image_url": url + there}))
    assert answer.sandbox.verdict is None
