"""A call that was paid for before is answered from the journal, and only by an answer that may stand for it."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import make_chat, make_edit, make_image

from muapi_client import errors, raw_call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx
    from places import Place

COST = {"amount_usd": 0.0042, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
PICTURE = "https://cdn.muapi.ai/outputs/a.png"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


class Server:
    """A MuAPI that ends each job at once; ``files`` answers what is fetched from elsewhere."""

    def __init__(self) -> None:
        self.submitted = 0
        self.uploaded = 0
        self.probes: list[httpx.Request] = []
        self.outputs: list[Any] = [PICTURE]
        self.status = "completed"
        self.files: Callable[[httpx.Request], Any] = lambda _: (206, "", {"content-type": "image/png"})

    def __call__(self, request: httpx.Request) -> Any:
        if request.url.host != "api.muapi.ai":
            self.probes.append(request)
            return self.files(request)
        if request.url.path.endswith("/upload_file"):
            self.uploaded += 1
            return {"url": f"https://cdn.muapi.ai/uploads/{self.uploaded}.png"}
        if request.method == "POST":
            self.submitted += 1
            return {"request_id": f"r{self.submitted}", "status": "processing", "cost": COST}
        name = request.url.path.split("/")[-2]
        return {"id": name, "status": self.status, "outputs": self.outputs, "cost": COST, "error": None}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def mu(twin: Any, server: Server, place: Place) -> Any:
    return twin(server, journal=place.location, reuse=True)


def test_an_equal_call_is_answered_at_once_and_charges_nothing(mu: Any, server: Server) -> None:
    first = mu.run(make_image(prompt="fox"))
    second = mu.run(make_image(prompt="fox"))

    assert (first.reused, second.reused) == (False, True)
    assert (second.id, second.outputs, second.status) == (first.id, first.outputs, "completed")
    assert (second.cost, second.balance, second.call) == (None, None, make_image(prompt="fox"))
    assert server.submitted == 1
    assert mu.spend.total_usd == first.cost.amount_usd
    assert len(mu.jobs()) == 1
    assert mu.submit(make_image(prompt="fox")).reused


def test_another_process_answers_from_the_same_journal(mu: Any, twin: Any, server: Server, place: Place) -> None:
    mu.run(make_image(prompt="fox"))
    other = twin(server, journal=place.location, reuse=True)
    assert other.run(make_image(prompt="fox")).reused
    assert not twin(server, journal=place.location).run(make_image(prompt="fox")).reused  # off by default


@pytest.mark.parametrize(
    "other",
    [
        make_image(prompt="hare"),
        make_image(prompt="fox", num_images=2),
        raw_call("flux-dev-image-of-another-name", {"prompt": "fox"}),
    ],
    ids=["another prompt", "another field", "another model"],
)
def test_another_call_is_submitted(mu: Any, server: Server, other: Any) -> None:
    mu.run(make_image(prompt="fox"))
    assert not mu.run(other).reused
    assert server.submitted == 2


def test_the_order_of_fields_and_a_webhook_make_no_other_call(mu: Any, server: Server) -> None:
    mu.run(raw_call("m", {"a": 1, "b": [True, None]}))
    assert mu.run(raw_call("m", {"b": [True, None], "a": 1, "webhook_url": "https://example.com/hook/s3cr3t"})).reused
    assert not mu.run(raw_call("m", {"a": True, "b": [True, None]})).reused
    assert server.submitted == 2


def test_another_key_and_another_origin_have_answers_of_their_own(
    mu: Any, twin: Any, server: Server, place: Place
) -> None:
    mu.run(make_image(prompt="fox"))
    options = {"journal": place.location, "reuse": True}
    assert not twin(server, api_key="sk-another-0123456789", **options).run(make_image(prompt="fox")).reused
    server.files = lambda _: (404, "")
    assert not twin(server, base_url="https://api.muapi.ai/proxy", **options).run(make_image(prompt="fox")).reused


def test_a_live_client_gets_no_sample_of_a_sandbox_key(mu: Any, server: Server, place: Place) -> None:
    mu.run(make_image(prompt="fox"))
    assert mu.run(make_image(prompt="fox")).sandbox.verdict is False
    place.change("UPDATE job SET key_kind = 'sandbox'")
    assert not mu.run(make_image(prompt="fox")).reused
    assert server.submitted == 2


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_has_expired_is_made_anew(mu: Any, server: Server, status: int) -> None:
    mu.run(make_image(prompt="fox"))
    server.files = lambda _: (status, "")
    assert not mu.run(make_image(prompt="fox")).reused
    assert server.submitted == 2


def test_a_page_in_place_of_the_file_is_no_output(mu: Any, server: Server) -> None:
    mu.run(make_image(prompt="fox"))
    server.files = lambda _: (200, "<html>gone</html>", {"content-type": "text/html; charset=utf-8"})
    assert not mu.run(make_image(prompt="fox")).reused


def test_an_older_answer_takes_the_place_of_one_that_has_expired(mu: Any, server: Server) -> None:
    mu.run(make_image(prompt="fox"))
    server.outputs = ["https://cdn.muapi.ai/outputs/b.png"]
    mu.sharing(reuse=False).run(make_image(prompt="fox"))
    server.files = lambda request: (404 if request.url.path.endswith("b.png") else 206, "")
    assert mu.run(make_image(prompt="fox")).outputs[0].url == PICTURE


def test_where_it_cannot_be_told_nothing_is_submitted_and_the_error_says_how_to_go_on(mu: Any, server: Server) -> None:
    mu.run(make_image(prompt="fox"))
    server.files = lambda _: (503, "")
    with pytest.raises(errors.DownloadError, match=r"a\.png is still there cannot be told \(HTTP 503\).*reuse=False"):
        mu.run(make_image(prompt="fox"))
    assert server.submitted == 1
    assert mu.unknown() == []


def test_redirects_in_a_circle_tell_nothing(mu: Any, server: Server) -> None:
    mu.run(make_image(prompt="fox"))
    server.files = lambda _: (302, "", {"location": PICTURE})
    with pytest.raises(errors.DownloadError, match=r"cannot be told \(HTTP 302\)"):
        mu.run(make_image(prompt="fox"))
    assert (server.submitted, len(server.probes)) == (1, 6)


def test_a_passing_failure_is_asked_about_again_and_a_redirect_followed(mu: Any, server: Server) -> None:
    mu.run(make_image(prompt="fox"))
    answers = iter([(503, ""), (302, "", {"location": "https://storage.example/a.png"}), (206, "")])
    server.files = lambda _: next(answers)
    assert mu.run(make_image(prompt="fox")).reused
    assert [request.url.host for request in server.probes] == ["cdn.muapi.ai", "cdn.muapi.ai", "storage.example"]


def test_the_probe_takes_one_byte_at_most_and_carries_no_key(mu: Any, server: Server) -> None:
    mu.run(make_image(prompt="fox"))
    mu.run(make_image(prompt="fox"))
    (probe,) = server.probes
    assert (probe.method, probe.headers["range"]) == ("GET", "bytes=0-0")
    assert "x-api-key" not in probe.headers


def test_a_text_is_there_without_being_asked_for(mu: Any, server: Server) -> None:
    server.outputs = ["Because."]
    mu.run(make_chat(prompt="why?"))
    again = mu.run(make_chat(prompt="why?"))
    assert (again.reused, again.outputs[0].text, server.probes) == (True, "Because.", [])


@pytest.mark.parametrize("location", ["http://cdn.muapi.ai/a.png", "https://10.0.0.1/a.png", ""])
def test_an_output_that_leads_where_no_file_is_fetched_from_is_gone(mu: Any, server: Server, location: str) -> None:
    mu.run(make_image(prompt="fox"))
    server.files = lambda _: (302, "", {"location": location})
    assert not mu.run(make_image(prompt="fox")).reused


def test_a_job_that_made_nothing_is_no_answer(mu: Any, server: Server) -> None:
    server.outputs = []
    for _ in range(2):
        assert not mu.run(make_image(prompt="fox")).reused
    assert server.submitted == 2


def test_newer_jobs_that_are_no_answers_hide_no_older_one(mu: Any, server: Server, place: Place) -> None:
    first = mu.run(make_image(prompt="fox"))
    again = mu.sharing(reuse=False)
    for number in range(8):
        server.outputs = [] if number % 2 else [f"https://cdn.muapi.ai/outputs/{number}.png"]
        again.run(make_image(prompt="fox"))
    place.change(f"UPDATE job SET key_kind = 'sandbox' WHERE request_id <> '{first.id}'")
    assert mu.run(make_image(prompt="fox")).id == first.id


def test_a_job_that_failed_is_no_answer(mu: Any, server: Server) -> None:
    server.status, server.outputs = "failed", []
    for _ in range(2):
        with pytest.raises(errors.JobFailedError):
            mu.run(make_image(prompt="fox"))
    assert server.submitted == 2


def test_what_was_forgotten_is_no_answer(mu: Any, server: Server) -> None:
    mu.run(make_image(prompt="fox"))
    assert mu.forget(before=datetime.now(UTC) + timedelta(days=1)) == 1
    assert not mu.run(make_image(prompt="fox")).reused
    assert server.submitted == 2


def test_local_files_count_by_their_contents_and_are_not_uploaded_again(
    mu: Any, twin: Any, server: Server, tmp_path: Path, place: Place
) -> None:
    first, same, other = (tmp_path / name for name in ("a.png", "b.png", "c.png"))
    first.write_bytes(PNG)
    same.write_bytes(PNG)
    other.write_bytes(PNG + b"!")

    mu.run(make_edit(prompt="by night", images_list=[first]))
    mu = twin(server, journal=place.location, reuse=True)  # which has uploaded nothing yet
    assert mu.run(make_edit(prompt="by night", images_list=[same])).reused
    assert mu.run(make_edit(prompt="by night", images_list=[io.BytesIO(PNG)])).reused
    assert server.uploaded == 1
    assert not mu.run(make_edit(prompt="by night", images_list=[other])).reused
    assert not mu.run(make_edit(prompt="by night", images_list=[same, other])).reused
    assert (server.uploaded, server.submitted) == (3, 3)


def test_a_text_that_spells_a_file_by_its_hash_asks_for_another(mu: Any, server: Server, tmp_path: Path) -> None:
    (file := tmp_path / "a.png").write_bytes(PNG)
    digest = hashlib.sha256(PNG).hexdigest()
    mu.run(raw_call("m", {"image_url": file}))
    assert mu.run(raw_call("m", {"image_url": file})).reused
    for text in (f"sha256:{digest}", f"text:sha256:{digest}"):
        assert not mu.run(raw_call("m", {"image_url": text})).reused
        assert mu.run(raw_call("m", {"image_url": text})).reused
    assert server.submitted == 3


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


def test_a_file_that_can_be_read_only_once_is_submitted_whole(mu: Any, server: Server) -> None:
    for _ in range(2):
        assert not mu.run(make_edit(prompt="by night", images_list=[Pipe(PNG)])).reused
    assert server.submitted == 2


def test_a_closed_file_and_a_body_that_holds_itself_are_refused_as_ever(mu: Any, server: Server) -> None:
    closed = io.BytesIO(PNG)
    closed.close()
    cycle: dict[str, Any] = {"prompt": "fox"}
    cycle["again"] = cycle
    with pytest.raises(errors.UploadError, match="closed file"):
        mu.run(make_edit(prompt="by night", images_list=[closed]))
    with pytest.raises(errors.ValidationError, match="cannot be written as JSON"):
        mu.run(raw_call("m", cycle))
    assert server.submitted == 0


def test_a_job_that_was_accepted_just_now_is_not_taken_for_lost(twin: Any, place: Place) -> None:
    """Its submit had to wait for its turn, and was refused and sent again: it was intended long before."""
    twin({"request_id": "r1", "status": "processing"}, journal=place.location).submit(make_image(prompt="a fox"))
    place.change("UPDATE job SET intended_at = ?", (datetime.now(UTC) - timedelta(minutes=2)).isoformat())
    done = {"id": "r1", "status": "completed", "outputs": [PICTURE]}
    mu = twin((404, {"detail": "Not Found"}), done, journal=place.location, reuse=True)
    assert mu.run(make_image(prompt="a fox")).id == "r1"
    assert mu.server.posts == 0


def test_send_always_sends(mu: Any, server: Server) -> None:
    mu.run(make_image(prompt="fox"))
    mu.send(make_image(prompt="fox"))
    assert server.submitted == 2


def test_reuse_needs_a_journal_and_is_true_or_false(twin: Any, server: Server, place: Place) -> None:
    with pytest.raises(errors.MuAPIError, match="reuse=True answers from the journal, and this client has none"):
        twin(server, reuse=True)
    with pytest.raises(errors.MuAPIError, match="reuse must be True or False, not 'yes'"):
        twin(server, journal=place.location, reuse="yes")
    with pytest.raises(errors.MuAPIError, match="this client has none"):
        twin(server).with_options(reuse=True)


def test_an_invalid_call_is_refused_as_ever(mu: Any, server: Server) -> None:
    with pytest.raises(errors.ValidationError):
        mu.run(make_image(prompt=3))
    assert server.submitted == 0
