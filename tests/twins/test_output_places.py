"""Outputs in an answer's own fields, through both clients: found, never an input, and no end of a job by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from muapi_client import Job, raw_call

if TYPE_CHECKING:
    from twins.conftest import Twin

PHOTO = "https://example.com/fox.png"
VIDEO = "https://cdn.muapi.ai/outputs/1.mp4"
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
