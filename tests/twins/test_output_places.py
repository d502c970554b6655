"""Outputs in an answer's own fields, through both clients: found, never an input, and no end of a job by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from muapi_client import Job, errors, raw_call

if TYPE_CHECKING:
    from twins.conftest import Twin

PHOTO = "https://example.com/fox.png"
VIDEO = "https://cdn.muapi.ai/outputs/1.mp4"
THUMBNAIL = "https://cdn.muapi.ai/outputs/1.jpg"
CALL = raw_call("animate", {"image_url": PHOTO, "prompt": "it runs"})
ACCEPTED = {"request_id": "abc", "status": "processing"}
LOOSE = {"id": "abc", "status": "completed", "image_url": PHOTO, "video_url": VIDEO}


def test_what_the_call_sent_is_no_output(twin: Twin) -> None:
    done = twin(ACCEPTED, {**ACCEPTED, "video_url": f"{VIDEO}?draft"}, LOOSE).run(CALL)
    assert [output.url for output in done.outputs] == [VIDEO]
    assert (done.warnings, done.looks) == ((), 2)


def test_of_an_id_alone_what_is_doubtful_is_told(twin: Twin) -> None:
    done = twin(LOOSE).wait("abc")
    assert [output.url for output in done.outputs] == [PHOTO, VIDEO]
    assert "one of them may be what it sent" in done.warnings[0]


@pytest.mark.parametrize(
    "answer",
    [
        {"request_id": "abc", "status": "success", "video_url": VIDEO},
        {"request_id": "abc", "status": "completed", "url": "https://muapi.ai/jobs/abc"},
        {"request_id": "abc", "video_url": VIDEO},
    ],
)
def test_an_address_beside_an_id_is_looked_into(twin: Twin, answer: dict[str, Any]) -> None:
    assert isinstance(twin(answer).submit(CALL), Job)
    face = twin(answer, {"id": "abc", "status": "completed", "outputs": [f"{VIDEO}?whole"]})
    assert face.run(CALL).outputs[0].url == f"{VIDEO}?whole"
    assert (face.server.posts, face.server.gets) == (1, 1)


def test_a_submit_that_answers_with_the_file_is_done(twin: Twin) -> None:
    face = twin({"output_url": VIDEO, "cost": {"amount_usd": 0.5}})
    done = face.run(CALL)
    assert (done.id, done.done, [output.url for output in done.outputs]) == (None, True, [VIDEO])
    assert str(face.spend.total_usd) == "0.5"
    assert face.server.gets == 0


def test_a_resumed_answer_of_the_journal_has_them_too(twin: Twin, tmp_path: Any) -> None:
    face = twin(ACCEPTED, LOOSE, journal=tmp_path / "jobs.db", reuse=True)
    face.run(CALL)
    (entry,) = face.jobs()
    assert [output.url for output in entry.outputs] == [VIDEO]
    face.go(face.mu.close())


END = {"id": "abc", "status": "completed", "outputs": [f"{VIDEO}?whole"]}
RESULT = {"url": "https://api.muapi.ai/api/v1/predictions/abc/result"}


@pytest.mark.parametrize(
    "answer",
    [
        {"request_id": "abc", "data": {"eta": 30}},
        {"request_id": "abc", "output": {"status": "queued"}},
        {"id": "abc", "status": "success", "data": {"queue_position": 3}},
        {"id": "abc", "status": "success", "data": {"request_id": "abc"}},
        {"id": "abc", "status": "success", "data": RESULT},
        {"id": "abc", "status": "completed", "output": RESULT},
        {"id": "abc", "status": "success", "images": [PHOTO]},
        {"id": "abc", "status": "success", "images": [PHOTO], "url": "https://muapi.ai/jobs/abc"},
        {"id": "abc", "status": "success", "data": {"image_url": PHOTO}},
        {"id": "abc", "images": [{"url": PHOTO}]},
        {"request_id": "abc", "data": "queued"},
        {"request_id": "abc", "data": " QUEUED "},
        {"request_id": "abc", "data": "Your job has been accepted."},
        {"request_id": "abc", "data": {"text": "queued"}},
        {"request_id": "abc", "output": "queued"},
        {"request_id": "abc", "output": {"text": "processing"}},
        {"request_id": "abc", "outputs": [""], "data": "in a queue"},
        {"request_id": "abc", "status": "success", "data": "queued"},
        {"request_id": "abc", "status": "completed", "data": "queued"},
        {"request_id": "abc", "status": "completed", "thumbnail_url": THUMBNAIL},
    ],
    ids=str,
)
def test_facts_of_an_accepted_job_and_an_echo_of_its_call_are_no_end_of_it(twin: Twin, answer: dict[str, Any]) -> None:
    assert isinstance(twin(answer).submit(CALL), Job)
    face = twin(answer, END)
    assert face.run(CALL).outputs[0].url == f"{VIDEO}?whole"
    assert (face.server.posts, face.server.gets) == (1, 1)


@pytest.mark.parametrize(
    "told",
    [
        {"data": {"eta": 30}},
        {"data": "queued"},
        {"data": "Your job is third in the queue."},
        {"output": "processing"},
        {"status": "success", "data": "queued"},
    ],
    ids=str,
)
def test_facts_that_a_look_tells_of_a_job_are_no_end_of_it(twin: Twin, told: dict[str, Any]) -> None:
    face = twin(ACCEPTED, {"request_id": "abc", **told}, END)
    assert [output.url for output in face.run(CALL).outputs] == [f"{VIDEO}?whole"]


def test_a_word_of_status_without_an_id_is_no_result_of_a_submit(twin: Twin) -> None:
    face = twin({"data": "queued"})
    with pytest.raises(errors.SubmitOutcomeUnknownError):
        face.run(CALL)
    assert len(face.unknown()) == 1


def test_a_text_is_the_result_where_nothing_else_can_be_meant(twin: Twin) -> None:
    for answer in (
        {"id": "abc", "status": "completed", "data": "queued"},
        {"id": "abc", "status": "success", "data": "Foxes live in dens."},
        {"id": "abc", "output": "Foxes live in dens."},
        {"id": "abc", "outputs": ["queued"]},
    ):
        done = twin(ACCEPTED, answer).run(CALL)
        assert [output.text for output in done.outputs] in (["queued"], ["Foxes live in dens."])


@pytest.mark.parametrize("place", ["data", "images", "output"])
@pytest.mark.parametrize("word", ["completed", "Succeeded "])
def test_a_text_beside_a_word_that_only_an_end_has_is_the_result_of_a_submit(twin: Twin, place: str, word: str) -> None:
    face = twin({"id": "abc", "status": word, place: "Foxes live in dens."})
    assert [output.text for output in face.run(CALL).outputs] == ["Foxes live in dens."]
    assert (face.server.posts, face.server.gets) == (1, 0)


DEEP: Any = None
for _ in range(600):
    DEEP = [DEEP]
HOLLOW: list[Any] = [
    DEEP,
    [{"url": None}],
    [{"url": ""}],
    {"images": []},
    {"video": None},
    [{"images": [{"url": None}]}],
]


@pytest.mark.parametrize("hollow", HOLLOW, ids=lambda hollow: str(hollow)[:40])
def test_an_object_in_which_nothing_stands_is_no_output(twin: Twin, hollow: Any) -> None:
    running = twin(ACCEPTED, {"id": "abc", "outputs": hollow}, END)
    assert [output.url for output in running.run(CALL).outputs] == [f"{VIDEO}?whole"]
    with pytest.raises(errors.JobFailedError, match="NSFW"):
        twin({"id": "abc", "status": "completed", "outputs": hollow, "error": "NSFW"}).wait("abc")
    done = twin({"id": "abc", "status": "completed", "outputs": hollow}).wait("abc")
    assert (done.outputs, done.warnings) == ((), ("the job completed without outputs",))


def test_a_preview_is_not_what_was_paid_for_and_is_named(twin: Twin) -> None:
    done = twin(ACCEPTED, {"id": "abc", "status": "completed", "thumbnail_url": THUMBNAIL}).run(CALL)
    assert (done.done, done.outputs) == (True, ())
    assert done.warnings == ("the job completed without outputs; the answer links to a preview, in thumbnail_url",)
    both = twin(ACCEPTED, {**LOOSE, "thumbnailUrl": THUMBNAIL, "preview_image_url": THUMBNAIL}).run(CALL)
    assert ([output.url for output in both.outputs], both.warnings) == ([VIDEO], ())


def test_facts_are_outputs_in_the_documented_place_and_where_no_job_is_named(twin: Twin) -> None:
    done = twin({"id": "abc", "status": "completed", "outputs": [{"score": 1}]}).run(CALL)
    assert [output.data for output in done.outputs] == [{"score": 1}]
    bare = twin(ACCEPTED, {"id": "abc", "outputs": [{"score": 1}]}).run(CALL)
    assert (bare.looks, [output.data for output in bare.outputs]) == (1, [{"score": 1}])
    alone = twin({"data": {"score": 1}}).run(CALL)
    assert [output.data for output in alone.outputs] == [{"score": 1}]


@pytest.mark.parametrize(
    ("sent", "echo"),
    [
        (PHOTO, "https://Example.com/fox.png"),
        (PHOTO, "https://example.com:443/fox.png"),
        (f"{PHOTO}?sig=1", PHOTO),
        ("http://example.com/fox.png", PHOTO),
        ("https://example.com/my+fox.png", "https://example.com/my%20fox.png"),
        (f"like {PHOTO}, but red", PHOTO),
    ],
)
def test_an_input_is_known_however_it_is_written(twin: Twin, sent: str, echo: str) -> None:
    call = raw_call("animate", {"images": [sent], "prompt": "it runs"})
    done = twin(ACCEPTED, {"id": "abc", "status": "completed", "image_url": echo, "video_url": VIDEO}).run(call)
    assert [output.url for output in done.outputs] == [VIDEO]
    listed = twin(ACCEPTED, {"id": "abc", "status": "completed", "images": [echo], "video_url": VIDEO}).run(call)
    assert [output.url for output in listed.outputs] == [VIDEO]


def test_a_place_that_holds_nothing_hides_none_behind_it(twin: Twin) -> None:
    for empty in ([""], [None, {}], [[]], *HOLLOW):
        done = twin(ACCEPTED, {"id": "abc", "status": "completed", "outputs": empty, "output": VIDEO}).run(CALL)
        assert [output.url for output in done.outputs] == [VIDEO]


@pytest.mark.parametrize("path", ["//api/v1/x.png", "/%61pi/v1/x.png", "/x/../api/v1/x.png", "/API/v1/x.png"])
def test_what_is_the_apis_is_no_output_however_its_path_is_written(twin: Twin, path: str) -> None:
    done = twin(ACCEPTED, {"id": "abc", "status": "completed", "url": f"https://api.muapi.ai{path}"}).run(CALL)
    assert (done.outputs, done.warnings) == ((), ("the job completed without outputs",))
