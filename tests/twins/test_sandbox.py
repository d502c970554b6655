"""Which kind of key it is: asked for, expected, and pointed out where nobody expected anything."""

from __future__ import annotations

import copy
import pickle
import warnings
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import CHAT, IMAGE, make_chat, make_image

from muapi_client import Cost, Job, MuAPIError, Prediction, SandboxVerdict, SandboxWarning, catalog, errors, raw_call
from muapi_client._sandbox import past

if TYPE_CHECKING:
    from pathlib import Path

    from twins.conftest import Face, Twin

FOX, CAT = make_image(prompt="a red fox"), make_image(prompt="a cat")
ASKED = make_chat(prompt="why are foxes red?")
ZERO = {"amount_usd": 0.0, "amount_credits": 0, "bonus_credits_used": 0, "refunded": False}
PAID = {**ZERO, "amount_usd": 0.03, "amount_credits": 3}
SAMPLE = "https://d3adwkbyhxyrtq.cloudfront.net/webassets/imagemodels/flux-dev.png"
SAMPLED = {"request_id": "abc", "status": "completed", "outputs": [SAMPLE], "cost": ZERO}
TEXT = {"request_id": "txt", "status": "completed", "outputs": ["This is a sample."], "cost": ZERO}
ACCEPTED = {"request_id": "abc", "status": "processing", "cost": PAID}
SILENT = {"request_id": "abc", "status": "processing"}
RUNNING = {"id": "abc", "status": "processing"}
DONE = {"id": "abc", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/1.png"], "cost": PAID}
FREE = {**DONE, "cost": ZERO}
REFUNDED = (400, {"detail": {"id": "abc", "status": "failed", "error": "oom", "cost": {**PAID, "refunded": True}}})


def keys(*are_test: bool | None) -> list[dict[str, Any]]:
    return [
        {"id": number, "name": "k", "is_active": True, **({} if said is None else {"is_test": said})}
        for number, said in enumerate(are_test)
    ]


def asked(face: Face) -> list[str]:
    return [f"{request.method} {request.url.path.removeprefix('/api/v1/')}" for request in face.server.requests]


# Expected, and known before anything is spent.


@pytest.mark.parametrize(
    ("expect", "listed", "kind"),
    [("live", keys(True, True), "a sandbox [(]test[)] key"), ("sandbox", keys(False), "a live key")],
)
def test_a_key_of_the_other_kind_is_refused_before_anything_is_submitted(
    twin: Twin, expect: str, listed: Any, kind: str
) -> None:
    face = twin(listed, expect=expect)
    for method in (face.submit, face.run, face.send, face.submit):
        with pytest.raises(
            errors.SandboxMismatchError, match=f"{kind}.*the key list marks.*Nothing was submitted"
        ) as no:
            method(FOX)
        assert (no.value.job, no.value.prediction, no.value.request_id, no.value.cost) == (None, None, None, None)
        assert no.value.verdict is not None
        assert no.value.verdict.verdict is (expect == "live")
    assert asked(face) == ["GET keys"]


def test_a_key_as_expected_is_looked_up_once(twin: Twin) -> None:
    another = ({**ACCEPTED, "request_id": "def"}, {**DONE, "id": "def"})
    face = twin(keys(False, False), ACCEPTED, DONE, *another, expect="live")
    assert [face.run(FOX).sandbox.verdict, face.run(CAT).sandbox.verdict] == [False, False]
    assert asked(face).count("GET keys") == 1


@pytest.mark.parametrize(
    "listed", [keys(True, False), keys(None), keys(), keys(True, None), {"odd": 1}, (200, ""), (403, {}), (404, {})]
)
def test_a_list_that_settles_nothing_stops_nothing(twin: Twin, listed: Any) -> None:
    face = twin(listed, SILENT, {**SILENT, "request_id": "def"}, expect="live")
    assert (face.submit(FOX).id, face.submit(CAT).id) == ("abc", "def")
    assert asked(face) == ["GET keys", f"POST {IMAGE.slug}", f"POST {IMAGE.slug}"]


@pytest.mark.parametrize(
    "fault", [httpx.ReadTimeout("slow"), httpx.ConnectError("no"), (503, {}), (429, {}), (408, {})]
)
def test_a_list_that_is_not_to_be_had_is_asked_for_once_a_minute(twin: Twin, fault: Any) -> None:
    face = twin(fault, SILENT, SILENT, keys(True), expect="live")
    assert face.submit(FOX).id == "abc"
    face.clock.sleep(59)
    assert face.submit(FOX).id == "abc"
    face.clock.sleep(2)
    with pytest.raises(errors.SandboxMismatchError):
        face.submit(FOX)
    assert asked(face) == ["GET keys", f"POST {IMAGE.slug}", f"POST {IMAGE.slug}", "GET keys"]


@pytest.mark.parametrize(("timeout", "patience"), [(60.0, 10.0), (3.0, 3.0)])
def test_a_list_that_hangs_holds_a_submit_up_for_seconds(twin: Twin, timeout: float, patience: float) -> None:
    def hang(request: httpx.Request) -> Any:
        face.clock.sleep(request.extensions["timeout"]["read"])
        return httpx.ReadTimeout("slow")

    face = twin(hang, SILENT, expect="live", timeout=timeout)
    before = face.clock.now()
    face.submit(FOX)
    face.submit(FOX)
    assert face.clock.now() - before == patience
    assert asked(face) == ["GET keys", f"POST {IMAGE.slug}", f"POST {IMAGE.slug}"]


def test_who_asks_for_the_list_is_answered_with_the_patience_of_every_read(twin: Twin) -> None:
    face = twin((503, {}), SILENT, httpx.ReadTimeout("slow"), keys(True), expect="live")
    face.submit(FOX)
    assert face.sandbox().verdict is True
    assert asked(face) == ["GET keys", f"POST {IMAGE.slug}", "GET keys", "GET keys"]


def test_an_input_that_is_refused_asks_for_no_list(twin: Twin) -> None:
    face = twin(keys(True), expect="live")
    with pytest.raises(errors.ValidationError):
        face.submit(catalog.get(IMAGE.slug).call(num_images=9))
    assert asked(face) == []


def test_the_key_comes_before_the_price(twin: Twin) -> None:
    face = twin(keys(False), expect="sandbox", max_spend=Decimal(5))
    with pytest.raises(errors.SandboxMismatchError):
        face.submit(FOX)
    assert asked(face) == ["GET keys"]


# Expected, and told by the answer.


def test_a_charge_where_a_sandbox_was_expected_loses_nothing(twin: Twin, tmp_path: Path) -> None:
    face = twin(keys(None), (200, ACCEPTED, {"x-account-balance": "4"}), DONE, expect="sandbox", journal=tmp_path / "j")
    with pytest.raises(errors.SandboxMismatchError, match="Job abc was accepted") as no:
        face.run(FOX)
    error = no.value
    assert (error.request_id, error.cost, error.balance) == ("abc", Cost(Decimal("0.03"), 3), Decimal(4))
    assert error.job is not None
    assert (error.job.id, error.job.call) == ("abc", FOX)
    assert "request abc was charged 0.03 USD" in str(error)
    assert face.spend.total_usd == Decimal("0.03")
    assert [job.id for job in face.resume()] == ["abc"]
    for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert (again.job, again.prediction, again.verdict) == (error.job, error.prediction, error.verdict)
    with pytest.raises(errors.SandboxMismatchError, match="charged before: request abc"):
        face.submit(CAT)
    assert face.sharing(expect=None).wait(error.job).done
    assert asked(face) == ["GET keys", f"POST {IMAGE.slug}", "GET predictions/abc/result"]


def test_a_charge_within_a_limit_of_spend_is_counted_once(twin: Twin) -> None:
    face = twin(keys(None), {"cost": 0.03}, ACCEPTED, expect="sandbox", max_spend=Decimal("0.06"))
    with pytest.raises(errors.SandboxMismatchError, match="Job abc"):
        face.submit(FOX)
    free = face.sharing(expect=None)
    free.server.steps = [{"cost": 0.03}, {**ACCEPTED, "request_id": "def"}]
    assert free.submit(FOX).id == "def"


@pytest.mark.parametrize("way", ["look", "wait"])
def test_a_charge_that_a_later_answer_tells(twin: Twin, way: str) -> None:
    face = twin(keys(None), SILENT, {**RUNNING, "cost": PAID}, expect="sandbox")
    job = face.submit(FOX)
    with pytest.raises(errors.SandboxMismatchError, match="Job abc was accepted") as no:
        getattr(face, way)(job)
    assert no.value.job is job
    assert no.value.prediction is not None
    assert no.value.prediction.status == "processing"


def test_a_refund_where_a_sandbox_was_expected(twin: Twin) -> None:
    with pytest.raises(errors.SandboxMismatchError, match="refunded"):
        twin(REFUNDED, expect="sandbox").wait("abc")


@pytest.mark.parametrize("way", ["submit", "run", "send"])
def test_a_sample_where_a_live_answer_was_expected(twin: Twin, way: str) -> None:
    face = twin(keys(None), SAMPLED, expect="live")
    with pytest.raises(errors.SandboxMismatchError, match="samples") as no:
        getattr(face, way)(FOX)
    assert no.value.prediction is not None
    assert no.value.prediction.outputs[0].url == SAMPLE
    assert (no.value.request_id, no.value.cost) == ("abc", Cost(Decimal(0)))
    with pytest.raises(errors.SandboxMismatchError, match="Nothing was submitted"):
        face.submit(ASKED)
    assert asked(face) == ["GET keys", f"POST {IMAGE.slug}"]


def test_a_sample_without_an_id(twin: Twin) -> None:
    nameless = {name: value for name, value in SAMPLED.items() if name != "request_id"}
    with pytest.raises(errors.SandboxMismatchError, match="A test key is not charged") as no:
        twin(keys(None), nameless, expect="live").submit(FOX)
    assert no.value.job is None
    assert no.value.prediction is not None


def test_a_look_sees_no_callback_before_the_mismatch(twin: Twin) -> None:
    seen: list[Prediction] = []
    face = twin(keys(None), SILENT, {**SAMPLED, "id": "abc"}, expect="live")
    with pytest.raises(errors.SandboxMismatchError):
        face.run(FOX, on_look=seen.append)
    assert seen == []


def test_an_answer_as_expected_passes(twin: Twin) -> None:
    assert twin(keys(None), ACCEPTED, DONE, expect="live").run(FOX).done
    assert twin(keys(None), SAMPLED, expect="sandbox").run(FOX).done
    assert twin(keys(None), TEXT, expect="live").run(ASKED).done
    assert twin(keys(None), TEXT, expect="sandbox").run(ASKED).done


def test_a_failed_job_stays_a_failed_job(twin: Twin) -> None:
    with pytest.raises(errors.JobFailedError):
        twin(keys(None), SILENT, REFUNDED, expect="live").run(FOX)


@pytest.mark.parametrize("expect", ["test", "", True, 1])
def test_expect_is_one_of_two_words(twin: Twin, expect: Any) -> None:
    with pytest.raises(MuAPIError, match="expect must be 'live', 'sandbox' or None"):
        twin(DONE, expect=expect)
    with pytest.raises(MuAPIError, match="expect must be"):
        twin(DONE).sharing(expect=expect)


def test_with_options_shares_what_is_known_of_the_key(twin: Twin) -> None:
    face = twin(keys(True))
    with pytest.raises(errors.SandboxMismatchError):
        face.sharing(expect="live").submit(FOX)
    face.server.steps = [SAMPLED]
    assert face.sharing(expect="sandbox").run(FOX).sandbox.verdict is True
    assert asked(face) == ["GET keys", f"POST {IMAGE.slug}"]


# A job that this client did not submit: it may be another key's.

OLD = Job("old", FOX)


@pytest.mark.parametrize("way", ["look", "wait"])
def test_a_charge_of_a_job_from_elsewhere_teaches_nothing_of_this_key(twin: Twin, way: str) -> None:
    face = twin({**DONE, "id": "old"}, keys(None), SAMPLED, expect="live")
    assert getattr(face, way)(OLD).sandbox.verdict is False
    with pytest.raises(errors.SandboxMismatchError, match="this is a sandbox") as no:
        face.run(FOX)
    assert no.value.verdict is not None
    assert no.value.verdict.verdict is True


@pytest.mark.parametrize("way", ["look", "wait"])
def test_a_sample_from_elsewhere_spares_no_look_at_the_key_list(twin: Twin, way: str) -> None:
    face = twin({**SAMPLED, "request_id": "old"}, keys(False), expect="sandbox")
    assert getattr(face, way)(OLD).sandbox.verdict is True
    with pytest.raises(errors.SandboxMismatchError, match="Nothing was submitted"):
        face.submit(FOX)
    assert asked(face) == ["GET predictions/old/result", "GET keys"]


def test_a_sample_from_elsewhere_is_told_and_holds_no_submit_up(twin: Twin) -> None:
    face = twin({**SAMPLED, "request_id": "old"}, keys(None), ACCEPTED, expect="live")
    with pytest.raises(
        errors.SandboxMismatchError, match="job old, which this client did not submit, is a sandbox"
    ) as no:
        face.wait(OLD)
    assert ".wait(" not in str(no.value)
    assert no.value.job is OLD
    assert no.value.prediction is not None
    assert no.value.prediction.outputs[0].url == SAMPLE
    assert face.submit(FOX).id == "abc"


def test_a_charge_from_elsewhere_is_told_and_holds_no_submit_up(twin: Twin) -> None:
    face = twin({**DONE, "id": "old"}, keys(None), SAMPLED, expect="sandbox")
    with pytest.raises(errors.SandboxMismatchError, match="job old, which this client did not submit, is a live"):
        face.look("old")
    assert face.run(FOX).sandbox.verdict is True


def test_what_is_known_of_this_key_says_nothing_of_a_job_from_elsewhere(twin: Twin) -> None:
    face = twin(ACCEPTED, {**SAMPLED, "request_id": "old"}, {**TEXT, "request_id": "old"})
    face.submit(FOX)
    with pytest.warns(SandboxWarning, match="request old was answered by a sandbox"):
        assert face.look(OLD).sandbox.verdict is True
    assert face.look(Job("old", ASKED)).sandbox.verdict is None


def test_a_warning_of_a_job_from_elsewhere_is_not_the_one_about_this_key(twin: Twin) -> None:
    face = twin({**SAMPLED, "request_id": "old"}, {**SAMPLED, "request_id": "old"}, SAMPLED)
    with pytest.warns(SandboxWarning, match="request old"):
        face.look(OLD)
    face.look(OLD)  # another warning would be an error
    with pytest.warns(SandboxWarning, match="request abc"):
        face.run(FOX)


def test_a_journal_that_keys_share(twin: Twin, tmp_path: Path) -> None:
    live = twin(ACCEPTED, journal=tmp_path / "j")
    live.submit(FOX)
    test = twin(DONE, keys(None), SAMPLED, journal=tmp_path / "j", expect="live")
    for job in test.resume():
        assert test.wait(job).done
    with pytest.raises(errors.SandboxMismatchError, match="samples"):
        test.run(FOX)


def test_a_key_that_was_charged_by_the_journal_is_no_sandbox_s_and_pays_for_no_other_job(
    twin: Twin, tmp_path: Path
) -> None:
    twin(ACCEPTED, DONE, journal=tmp_path / "j").run(FOX)
    again = twin(keys(True, False), journal=tmp_path / "j", expect="sandbox")
    for _ in range(2):
        with pytest.raises(errors.SandboxMismatchError, match="was charged before: request abc") as no:
            again.submit(CAT)
        assert "Nothing was submitted" in str(no.value)
    assert asked(again) == ["GET keys"]


def test_the_first_sample_of_a_journal_is_handed_to_no_live_client(twin: Twin, tmp_path: Path) -> None:
    """It was written down before the client had learnt of its key, and by itself shows which kind that is."""
    with pytest.warns(SandboxWarning):
        twin(SAMPLED, journal=tmp_path / "j").run(FOX)
    live = twin(keys(None), journal=tmp_path / "j", expect="live", reuse=True)
    assert [entry.key_kind for entry in live.jobs()] == ["sandbox"]
    with pytest.raises(errors.SandboxMismatchError, match="Nothing was submitted"):
        live.run(FOX)


def test_a_sample_that_the_journal_has_kept_is_warned_of_like_a_new_one(twin: Twin, tmp_path: Path) -> None:
    with pytest.warns(SandboxWarning):
        twin(SAMPLED, journal=tmp_path / "j").run(FOX)
    is_there = (206, "", {"content-type": "image/png"})
    later = twin(is_there, journal=tmp_path / "j", reuse=True)
    with pytest.warns(SandboxWarning, match="request abc was answered by a sandbox"):
        assert later.run(FOX).reused
    assert later.run(FOX).reused  # another warning would be an error


def test_an_answer_that_a_journal_has_kept_is_not_taken_for_one_that_came_at_once(twin: Twin, tmp_path: Path) -> None:
    """That is a sign of a sandbox, and no journal tells it: what one look showed has to show the same again."""
    unsure = {"id": "abc", "status": "completed", "outputs": [SAMPLE]}
    assert twin(SILENT, unsure, journal=tmp_path / "j").run(FOX).sandbox.verdict is None
    is_there = (206, "", {"content-type": "image/png"})
    for options in ({}, {"expect": "live"}):
        again = twin(keys(None), is_there, journal=tmp_path / "j", reuse=True, **options).run(FOX)
        assert (again.reused, again.sandbox.verdict) == (True, None)


def test_a_job_that_the_journal_has_as_a_live_key_s_is_no_sign_of_a_sandbox(
    twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it shows by itself: the key had been charged by then, for a job that lies far back by now."""
    sampled = {**SAMPLED, "request_id": "def"}
    face = twin(ACCEPTED, DONE, sampled, journal=tmp_path / "j")
    face.run(FOX)
    assert face.run(CAT).sandbox.verdict is False
    monkeypatch.setattr(past, "LATEST", 1)
    again = twin(keys(None), {**ACCEPTED, "request_id": "ghi"}, journal=tmp_path / "j", expect="live")
    assert again.submit(FOX).id == "ghi"


def test_a_job_that_was_sent_is_this_client_s(twin: Twin) -> None:
    face = twin(SILENT, {**RUNNING, "cost": PAID})
    face.send(FOX)
    face.look("abc")
    with pytest.raises(errors.SandboxMismatchError, match="Nothing was submitted"):
        face.sharing(expect="sandbox").submit(FOX)


# Nothing expected.


def test_a_sandbox_answer_is_warned_of_once_a_client(twin: Twin) -> None:
    face = twin(SAMPLED)
    with pytest.warns(SandboxWarning, match="request abc was answered by a sandbox"):
        face.run(FOX)
    face.sharing(timeout=5).run(CAT)  # another warning would be an error
    face.submit(FOX)
    assert "GET keys" not in asked(face)


def test_the_warning_points_at_the_line_that_called(twin: Twin) -> None:
    face = twin(SAMPLED)
    with pytest.warns(SandboxWarning) as warned:
        face.go(face.mu.run(FOX))
    assert "/muapi_client/" not in warned[0].filename.replace("\\", "/")


def test_a_warning_made_an_error_leaves_the_client_usable(twin: Twin) -> None:
    face = twin(SAMPLED)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SandboxWarning):
            face.run(FOX)
        assert face.run(FOX).done


@pytest.mark.parametrize("answers", [(ACCEPTED, DONE), (SILENT, FREE), (TEXT,), ({**SAMPLED, "cost": PAID},)], ids=str)
def test_no_other_answer_is_warned_of(twin: Twin, answers: Any) -> None:
    assert twin(*answers).run(ASKED if answers == (TEXT,) else FOX).done


def test_what_one_answer_shows_counts_for_the_next(twin: Twin) -> None:
    face = twin(TEXT, SAMPLED, TEXT)
    first = face.run(ASKED)
    with pytest.warns(SandboxWarning):
        face.run(FOX)
    assert (first.sandbox.verdict, face.run(ASKED).sandbox.verdict) == (None, True)
    live = twin(ACCEPTED, DONE, TEXT)
    live.run(FOX)
    assert live.run(ASKED).sandbox == SandboxVerdict(
        False,
        (
            "this key was charged before: request abc",
            "the server reported a cost of 0 USD",
            "the submit was answered with the finished job",
        ),
    )


# Asked for.


@pytest.mark.parametrize(
    ("listed", "verdict", "why"),
    [
        (keys(True, True), True, "marks every active key of the account (2) as a test key"),
        (keys(False), False, "marks none of the account's 1 active keys"),
        (keys(False, True), None, "marks 1 of 2 active keys as test keys"),
        (keys(None), None, "does not tell test keys from live ones"),
        ((403, {"detail": "Not authorized"}), None, "was not to be had: HTTP 403 to GET /api/v1/keys: Not authorized"),
    ],
)
def test_the_key_list_is_asked_for_without_spending(twin: Twin, listed: Any, verdict: bool | None, why: str) -> None:
    face = twin(listed)
    found = face.sandbox()
    assert found.verdict is verdict
    assert len(found.evidence) == 1
    assert why in found.evidence[0]
    assert asked(face) == ["GET keys"]


def test_what_was_seen_so_far_counts(twin: Twin) -> None:
    face = twin(ACCEPTED, keys(None))
    face.submit(FOX)
    assert face.sandbox().evidence[0] == "this key was charged before: request abc"
    assert face.sandbox().verdict is False


def test_a_list_that_does_not_arrive_is_an_error(twin: Twin) -> None:
    with pytest.raises(errors.APIConnectionError):
        twin(httpx.ConnectError("no")).sandbox()


def test_a_probe_that_settles_nothing_takes_no_warning_away(twin: Twin) -> None:
    face = twin(keys(None), {**SAMPLED, "outputs": ["https://files.example/1.png"]}, SAMPLED)
    assert face.sandbox(probe=FOX).verdict is None
    with pytest.warns(SandboxWarning):
        face.run(FOX)


def test_who_was_told_by_a_probe_is_not_warned(twin: Twin) -> None:
    face = twin(keys(None), SAMPLED)
    assert face.sandbox(probe=FOX).verdict is True
    assert face.run(FOX).sandbox.verdict is True  # a warning would be an error


def test_a_settled_question_needs_no_probe(twin: Twin) -> None:
    face = twin(keys(True))
    assert face.sandbox(probe=FOX).verdict is True
    assert asked(face) == ["GET keys"]


@pytest.mark.parametrize("expect", [None, "live", "sandbox"])
def test_a_probe_by_a_test_key(twin: Twin, expect: Any) -> None:
    """Who asks is answered: no warning, and no error whatever was expected."""
    face = twin(keys(None), SAMPLED, expect=expect)
    found = face.sandbox(probe=FOX)
    assert found.verdict is True
    assert f"an output lies on the host of the samples: {SAMPLE}" in found.evidence
    assert asked(face) == ["GET keys", f"POST {IMAGE.slug}"]


@pytest.mark.parametrize("expect", [None, "live", "sandbox"])
def test_a_probe_that_is_charged_is_not_waited_for(twin: Twin, expect: Any, tmp_path: Path) -> None:
    face = twin(keys(None), ACCEPTED, expect=expect, journal=tmp_path / "j")
    found = face.sandbox(probe=(FOX, CAT))
    assert found.verdict is False
    assert found.evidence[0] == "request abc was charged 0.03 USD, and a test key never is"
    assert asked(face) == ["GET keys", f"POST {IMAGE.slug}"]
    assert [job.id for job in face.resume()] == ["abc"]


def test_a_probe_that_tells_no_cost_is_waited_for(twin: Twin) -> None:
    assert twin(keys(None), SILENT, RUNNING, DONE).sandbox(probe=FOX).verdict is False
    assert twin(keys(None), SILENT, REFUNDED).sandbox(probe=FOX).verdict is False


def test_a_pair_of_probes_compares_their_outputs(twin: Twin) -> None:
    elsewhere = {**SAMPLED, "outputs": ["https://files.example/1.png"]}
    face = twin(keys(None), elsewhere)
    found = face.sandbox(probe=(FOX, CAT))
    assert found.verdict is True
    assert "two different inputs got the same outputs" in found.evidence
    assert asked(face) == ["GET keys", f"POST {IMAGE.slug}", f"POST {IMAGE.slug}"]
    other = {**SAMPLED, "outputs": ["https://files.example/2.png"]}
    assert twin(keys(None), elsewhere, other).sandbox(probe=(FOX, CAT)).verdict is None
    face.server.steps = [keys(None)]
    assert face.sandbox().verdict is True


@pytest.mark.parametrize("slug", [CHAT.slug, "new/one"])
def test_equal_words_are_no_evidence(twin: Twin, slug: str) -> None:
    """A live model that is asked twice whether there is a fox may say "no" twice."""
    pair = (raw_call(slug, {"prompt": "why are foxes red?"}), raw_call(slug, {"prompt": "what is 2 + 2?"}))
    found = twin(keys(None), {**TEXT, "outputs": ["no"]}).sandbox(probe=pair)
    assert found.verdict is None
    assert "same outputs" not in " ".join(found.evidence)


def test_one_text_probe_settles_nothing(twin: Twin) -> None:
    assert twin(keys(None), TEXT).sandbox(probe=ASKED).verdict is None


@pytest.mark.parametrize(
    "probe", [(FOX,), (FOX, FOX), (FOX, ASKED), (FOX, CAT, FOX), "flux", (1, 2), (), 5, 1.5], ids=repr
)
def test_probes_that_tell_nothing_are_refused(twin: Twin, probe: Any) -> None:
    face = twin(keys(True))
    with pytest.raises(MuAPIError, match="probe"):
        face.sandbox(probe=probe)
    assert asked(face) == []


def test_a_probe_keeps_to_the_limit_of_spend(twin: Twin) -> None:
    face = twin(keys(None), {"cost": 0.03}, max_spend=Decimal("0.01"))
    with pytest.raises(errors.SpendLimitError):
        face.sandbox(probe=FOX)
    assert face.server.posts == 1  # the estimate
