"""Downloads: whole or not at all, without the key, under names of ours."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fileserver import HTML, KEY, MP4, PNG, cuts, drips, ranges, says, sends

from muapi_client import AsyncMuAPI, MuAPI, Output, Prediction, errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from fileserver import Face, FileServer


OTHER = PNG[:700] + PNG[:699:-1]  # another file, of the same size
PLACE = f"bytes 700-{len(PNG) - 1}/{len(PNG)}"


def left(directory: Path) -> list[str]:
    """What stands in a directory."""
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


def test_outputs_are_saved_in_their_order(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    urls = [server.plays("/a.png", sends(PNG)), server.plays("/b.mp4", sends(MP4))]
    saved = mu.download(made(*urls), tmp_path / "new" / "place")
    assert [path.name for path in saved] == ["req-1-0.png", "req-1-1.mp4"]
    assert [path.read_bytes() for path in saved] == [PNG, MP4]
    assert left(tmp_path / "new" / "place") == ["req-1-0.png", "req-1-1.mp4"]


def test_a_function_makes_names_of_the_outputs_places(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    urls = [server.plays("/a.png", sends(PNG)), server.plays("/b.mp4", sends(MP4))]
    saved = mu.download(made(*urls), tmp_path, name=lambda index: f"F\u00fcchse {index + 1:02}")
    assert [path.name for path in saved] == ["F\u00fcchse 01.png", "F\u00fcchse 02.mp4"]
    (hostile,) = mu.download(made(urls[0]), tmp_path / "out", name=lambda _: "../../etc/passwd")
    assert hostile.parent == tmp_path / "out"


def test_the_key_stays_with_the_api(
    mu: Face, server: FileServer, new_server: Callable[[], FileServer], made: Any, tmp_path: Path
) -> None:
    other = new_server()
    target = other.plays("/real.png", sends(PNG))
    url = server.plays("/a.png", sends(b"", 302, location=target))
    mu.download(made(url), tmp_path)
    requests = server.asked + other.asked
    assert [asked.path for asked in requests] == ["/a.png", "/real.png"]
    assert not any(KEY in str(asked) or "x-api-key" in asked.headers for asked in requests)


def test_a_redirect_may_be_relative(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    url = server.plays("/deep/a.png", sends(b"", 307, location="../b.png"))
    server.plays("/b.png", sends(PNG))
    assert mu.download(made(url), tmp_path)[0].read_bytes() == PNG


def test_redirects_end(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    url = server.plays("/a.png", sends(b"", 302, location="/a.png"))
    with pytest.raises(errors.DownloadError, match="more than 5 times"):
        mu.download(made(url), tmp_path)
    assert len(server.asked) == 6
    assert left(tmp_path) == []


@pytest.mark.parametrize("location", ["http://example.com/a.png", "file:///etc/passwd", "//[", ""])
def test_a_redirect_to_no_https_address_is_not_followed(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, location: str
) -> None:
    url = server.plays("/a.png", sends(b"", 302, location=location))
    with pytest.raises(errors.DownloadError, match="not https"):
        mu.download(made(url), tmp_path)


@pytest.mark.parametrize(
    "url", ["http://example.com/a.png", "ftp://x/a", "file:///etc/passwd", "https://u:p@x/a", "//["]
)
def test_only_https_is_fetched(mu: Face, made: Any, tmp_path: Path, url: str) -> None:
    with pytest.raises(errors.DownloadError, match="no https address") as caught:
        mu.download(made(url), tmp_path)
    assert caught.value.url == url


@pytest.mark.parametrize("url", ["file:///etc/passwd", "FTP://x.example/a.png", "s3://bucket/a.png"])
def test_an_answer_with_an_address_that_nobody_fetches_saves_no_text(
    mu: Face, server: FileServer, tmp_path: Path, url: str
) -> None:
    for outputs in ([url], [{"url": url}], [{"text": url}]):
        server.plays("/api/v1/predictions/r/result", says({"id": "r", "status": "completed", "outputs": outputs}))
        with pytest.raises(
            errors.DownloadError, match=f": {url.partition(':')[0].lower()} addresses are not supported"
        ):
            mu.download(mu.look("r"), tmp_path)
    assert left(tmp_path) == []


def test_a_cut_body_is_taken_up_where_it_broke_off(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    url = server.plays("/a.png", cuts(PNG, 700, etag='"v1"', accept_ranges="bytes"), ranges(PNG, etag='"v1"'))
    assert mu.download(made(url), tmp_path)[0].read_bytes() == PNG
    assert server.asked[1].headers["range"] == "bytes=700-"
    assert server.asked[1].headers["if-range"] == '"v1"'


def test_a_part_that_breaks_off_is_taken_up_again(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    def half(handler: Any) -> None:
        place = f"bytes 700-{len(PNG) - 1}/{len(PNG)}"
        handler.answer(206, PNG[700:900], content_range=place, etag='"v1"', content_length=str(len(PNG) - 700))
        handler.cut()

    url = server.plays("/a.png", cuts(PNG, 700, etag='"v1"'), half, ranges(PNG, etag='"v1"'))
    assert mu.download(made(url), tmp_path)[0].read_bytes() == PNG
    assert [asked.headers.get("range") for asked in server.asked] == [None, "bytes=700-", "bytes=900-"]


def test_a_part_shorter_than_was_asked_for_is_not_the_rest(
    mu: Face, server: FileServer, made: Any, tmp_path: Path
) -> None:
    short = sends(PNG[700:900], 206, content_range=f"bytes 700-899/{len(PNG)}", etag='"v1"')
    url = server.plays("/a.png", cuts(PNG, 700, etag='"v1"'), short, ranges(PNG, etag='"v1"'))
    assert mu.download(made(url), tmp_path)[0].read_bytes() == PNG
    assert [asked.headers.get("range") for asked in server.asked] == [None, "bytes=700-", "bytes=900-"]


@pytest.mark.parametrize(
    ("headers", "second"),
    [
        ({}, None),  # nothing tells whether it is the same file
        ({"etag": 'W/"v1"'}, None),  # alike is not equal
        ({"etag": '"v1"', "accept_ranges": "none"}, None),
        ({"last_modified": "Sun, 22 Nov 2026 10:00:00 GMT"}, "bytes=700-"),
    ],
)
def test_without_a_range_to_trust_it_begins_anew(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, *, headers: dict[str, str], second: str | None
) -> None:
    url = server.plays("/a.png", cuts(PNG, 700, **headers), sends(PNG))
    assert mu.download(made(url), tmp_path)[0].read_bytes() == PNG
    assert server.asked[1].headers.get("range") == second


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(sends(PNG[5:], 206, content_range=f"bytes 5-{len(PNG) - 1}/{len(PNG)}"), id="another part"),
        pytest.param(sends(PNG[700:], 206), id="a part that says not which"),
        pytest.param(
            sends(MP4[700:], 206, content_range=f"bytes 700-{len(MP4) - 1}/{len(MP4)}", etag='"v2"'), id="of v2"
        ),
        pytest.param(sends(OTHER[700:], 206, content_range=PLACE), id="of no version"),
        pytest.param(
            sends(OTHER[700:] + b"!", 206, content_range=f"bytes 700-{len(PNG)}/{len(PNG) + 1}", etag='"v1"'),
            id="of a longer file",
        ),
        pytest.param(sends(b"", 416, content_range=f"bytes */{len(PNG)}"), id="no such part"),
        pytest.param(sends(b"", 412), id="precondition"),
    ],
)
def test_a_wrong_part_is_not_joined(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, second: Callable[[Any], None]
) -> None:
    url = server.plays("/a.png", cuts(PNG, 700, etag='"v1"'), second, sends(PNG))
    assert mu.download(made(url), tmp_path)[0].read_bytes() == PNG
    assert "range" not in server.asked[2].headers


def test_a_part_of_another_date_is_not_joined(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    dates = [f"Sun, 22 Nov 2026 1{hour}:00:00 GMT" for hour in range(2)]
    second = sends(OTHER[700:], 206, content_range=PLACE, last_modified=dates[1])
    url = server.plays("/a.png", cuts(PNG, 700, last_modified=dates[0]), second, sends(PNG))
    assert mu.download(made(url), tmp_path)[0].read_bytes() == PNG


def test_a_part_of_the_same_date_may_leave_it_out(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    date = "Sun, 22 Nov 2026 10:00:00 GMT"
    url = server.plays("/a.png", cuts(PNG, 700, last_modified=date), sends(PNG[700:], 206, content_range=PLACE))
    assert mu.download(made(url), tmp_path)[0].read_bytes() == PNG
    assert len(server.asked) == 2


def test_a_body_that_stays_cut_is_given_up(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    url = server.plays("/a.png", cuts(PNG, 700))
    with pytest.raises(errors.DownloadError, match="after 3 tries") as caught:
        mu.download(made(url), tmp_path)
    assert (caught.value.url, caught.value.saved, len(server.asked)) == (url, [], 3)
    assert left(tmp_path) == []


@pytest.mark.parametrize("status", [408, 429, 500, 503, 522])
def test_a_refusal_that_passes_is_tried_again(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, status: int
) -> None:
    url = server.plays("/a.png", sends(HTML, status, retry_after="7"), sends(PNG))
    before = mu.mu._clock.slept
    assert mu.download(made(url), tmp_path)[0].read_bytes() == PNG
    assert mu.mu._clock.slept - before == 7


@pytest.mark.parametrize(("status", "tries"), [(403, 1), (404, 1), (200, 3)])
def test_a_page_is_never_saved(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, *, status: int, tries: int
) -> None:
    url = server.plays("/out.mp4", sends(HTML, status, content_type="text/html"))
    with pytest.raises(errors.DownloadError, match=r"web page|HTTP 40") as caught:
        mu.download(made(url), tmp_path)
    assert len(server.asked) == tries
    assert caught.value.status_code == status
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
        b"\xef\xbb\xbf\n <HTML lang=en>",
        b'{"detail": "Not authorized"}',
        b"no healthy upstream",
        b"",
    ],
)
def test_an_error_in_place_of_a_picture_is_not_saved(mu: Face, server: FileServer, tmp_path: Path, body: bytes) -> None:
    url = server.plays("/a.png", sends(body))
    with pytest.raises(errors.DownloadError):
        mu.download(Prediction("req-1", "completed", (Output(url=url, media_type="image/png"),)), tmp_path)
    assert left(tmp_path) == []


def test_the_bytes_tell_the_suffix(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    url = server.plays("/a.jpg", sends(PNG, content_type="video/mp4", content_disposition="attachment; filename=x.exe"))
    assert mu.download(made(url), tmp_path)[0].name == "req-1-0.png"


@pytest.mark.parametrize(
    ("told", "expected", "suffix"),
    [
        ("text/plain; charset=utf-8", None, "txt"),
        ("application/x-subrip", None, "srt"),
        ("application/x-unheard-of", None, "txt"),
        ("application/octet-stream", "model/obj", "obj"),
    ],
)
def test_what_the_bytes_do_not_tell_the_server_may(
    mu: Face, server: FileServer, tmp_path: Path, *, told: str, expected: str | None, suffix: str
) -> None:
    url = server.plays("/x", sends(b"v 1.0 2.0 3.0\n", content_type=told))
    saved = mu.download(Prediction("r", "completed", (Output(url=url, media_type=expected),)), tmp_path)
    assert saved[0].suffix == f".{suffix}"


@pytest.mark.parametrize("path", ["/..%2f..%2fetc%2fpasswd", "/a/../../b.png", "/CON", "/%00.png", "/" + "x" * 300])
def test_the_servers_path_names_nothing(mu: Face, server: FileServer, made: Any, tmp_path: Path, path: str) -> None:
    server.scripts.default_factory = lambda: [sends(PNG, content_disposition='attachment; filename="../../evil.sh"')]
    assert mu.download(made(server.url + path), tmp_path / "in") == [tmp_path / "in" / "req-1-0.png"]
    assert left(tmp_path) == ["in"]


def test_a_hostile_id_stays_inside(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    url = server.plays("/a.png", sends(PNG))
    saved = mu.download(made(url, request_id="../../../etc/passwd\x00\n"), tmp_path / "in")
    assert saved[0].parent == tmp_path / "in"
    assert left(tmp_path) == ["in"]


def test_nothing_is_overwritten(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    (tmp_path / "req-1-0.png").write_bytes(b"mine")
    url = server.plays("/a.png", sends(PNG))
    assert mu.download(made(url), tmp_path)[0].name == "req-1-0-2.png"
    assert (tmp_path / "req-1-0.png").read_bytes() == b"mine"


def test_the_same_file_is_not_saved_twice(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    url = server.plays("/a.png", sends(PNG))
    assert mu.download(made(url), tmp_path) == mu.download(made(url), tmp_path)
    assert left(tmp_path) == ["req-1-0.png"]


def test_two_outputs_of_one_name_are_two_files(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    url = server.plays("/out.png", sends(PNG))
    assert len(set(mu.download(made(url, url), tmp_path))) == 2


def test_without_hard_links_nothing_is_overwritten_either(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links on this file system")

    monkeypatch.setattr("os.link", refuse)
    (tmp_path / "req-1-0.png").write_bytes(b"mine")
    url = server.plays("/a.png", sends(PNG))
    assert mu.download(made(url), tmp_path)[0].read_bytes() == PNG
    assert left(tmp_path) == ["req-1-0-2.png", "req-1-0.png"]


@pytest.mark.parametrize("declared", [True, False])
def test_a_file_above_the_cap_is_refused(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, *, declared: bool
) -> None:
    def step(handler: Any) -> None:
        handler.answer(200, PNG, content_length=str(len(PNG)) if declared else "", connection="close")
        handler.cut()

    url = server.plays("/a.png", step)
    with pytest.raises(errors.DownloadError, match="max_bytes"):
        mu.download(made(url), tmp_path, max_bytes=len(PNG) - 1)
    assert len(server.asked) == 1
    assert left(tmp_path) == []
    assert mu.download(made(url), tmp_path, max_bytes=len(PNG))[0].read_bytes() == PNG


def test_a_dripped_file_ends_with_the_deadline(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    url = server.plays("/a.png", drips(PNG))
    with pytest.raises(errors.DownloadError, match=r"not whole within 1\.5 s"):
        mu.download(made(url), tmp_path, timeout=1.5)
    assert left(tmp_path) == []


def test_one_that_fails_does_not_lose_the_others(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    good, bad = server.plays("/a.png", sends(PNG)), server.plays("/b.png", sends(HTML, 403))
    with pytest.raises(errors.DownloadError, match="1 more failed; 2 of 4 outputs were saved") as caught:
        mu.download(made(good, bad, good, bad), tmp_path)
    assert [path.name for path in caught.value.saved] == ["req-1-0.png", "req-1-2.png"]
    assert caught.value.__notes__[-1] == f"Saved: {tmp_path / 'req-1-0.png'}, {tmp_path / 'req-1-2.png'}"
    assert (caught.value.url, caught.value.status_code, caught.value.request_id) == (bad, 403, "req-1")
    assert left(tmp_path) == ["req-1-0.png", "req-1-2.png"]


@pytest.mark.parametrize(("concurrency", "expected"), [(1, 1), (2, 2), (4, 4)])
def test_so_many_at_a_time(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, *, concurrency: int, expected: int
) -> None:
    barrier = threading.Barrier(expected)
    now, most, guard = 0, 0, threading.Lock()

    def step(handler: Any) -> None:
        nonlocal now, most
        with guard:
            now += 1
            most = max(most, now)
        barrier.wait(60)  # nobody is answered before as many are here as may be,
        handler.server.over.wait(0.03)  # nor before one more could have come
        with guard:
            now -= 1
        handler.answer(200, PNG)

    url = server.plays("/a.png", step)
    assert len(mu.download(made(*[url] * 4), tmp_path, concurrency=concurrency)) == 4
    assert most == expected


def test_text_and_data_are_saved_too(mu: Face, made: Any, tmp_path: Path) -> None:
    saved = mu.download(made(Output(text="grüße\n"), Output(data={"score": 0.5})), tmp_path)
    assert [path.name for path in saved] == ["req-1-0.txt", "req-1-1.json"]
    assert saved[0].read_text("utf-8") == "grüße\n"
    assert '"score": 0.5' in saved[1].read_text("utf-8")


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        (Prediction("r", "processing"), "no outputs yet"),
        (Prediction("r", "completed"), "completed without outputs"),
        (Prediction(None, "completed"), "the job completed without outputs"),
    ],
)
def test_nothing_to_download_says_so(mu: Face, tmp_path: Path, prediction: Prediction, message: str) -> None:
    with pytest.raises(errors.DownloadError, match=message):
        mu.download(prediction, tmp_path)


def test_a_file_is_no_directory(mu: Face, made: Any, tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(errors.DownloadError, match="give a directory"):
        mu.download(made(Output(text="x")), tmp_path / "taken")


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"max_bytes": 0}])
def test_bounds_that_let_nothing_through_are_refused(
    mu: Face, made: Any, tmp_path: Path, wrong: dict[str, int]
) -> None:
    with pytest.raises(errors.DownloadError, match="above 0"):
        mu.download(made(Output(text="x")), tmp_path, **wrong)


def test_a_full_disk_says_so(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_part: object, _content: bytes) -> None:
        raise errors.DownloadError("cannot write to x: No space left on device")

    monkeypatch.setattr("muapi_client._files.temp_file.PartialFile.write", full)
    url = server.plays("/a.png", sends(PNG))
    with pytest.raises(errors.DownloadError, match="No space left"):
        mu.download(made(url), tmp_path)
    assert len(server.asked) == 1
    assert left(tmp_path) == []


def test_a_closed_client_downloads_nothing(mu: Face, made: Any, tmp_path: Path) -> None:
    mu.close()
    with pytest.raises(errors.MuAPIError, match="closed"):
        mu.download(made("https://cdn.muapi.ai/a.png", "https://cdn.muapi.ai/b.png"), tmp_path)
    assert left(tmp_path) == []


def test_a_refused_connection_is_tried_again(mu: Face, made: Any, tmp_path: Path) -> None:
    with pytest.raises(errors.DownloadError, match="after 3 tries") as caught:
        mu.download(made("http://127.0.0.1:9/a.png"), tmp_path)  # the discard port: nothing listens
    assert caught.value.status_code is None


def test_json_where_json_was_made_is_saved(mu: Face, server: FileServer, tmp_path: Path) -> None:
    url = server.plays("/a.json", says({"detail": "fine"}))
    saved = mu.download(Prediction("r", "completed", (Output(url=url, media_type="application/json"),)), tmp_path)
    assert saved[0].name == "r-0.json"


class Short(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that ends before the length its head declares, over a transport that does not mind."""

    def __iter__(self) -> Iterator[bytes]:
        yield PNG[:700]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield PNG[:700]


def test_the_declared_length_is_held_against_the_bytes(twin: Any, made: Any, tmp_path: Path) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-length": str(len(PNG))}, stream=Short())

    with pytest.raises(errors.DownloadError, match=f"700 of {len(PNG)} bytes"):
        twin(transport=httpx.MockTransport(answer)).download(made("https://x/a.png"), tmp_path)
    assert left(tmp_path) == []


def test_an_answer_that_a_mock_made_whole_is_whole(twin: Any, made: Any, tmp_path: Path) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=PNG))  # which declares its length
    assert twin(transport=transport).download(made("https://x/a.png"), tmp_path)[0].read_bytes() == PNG


def test_what_queued_past_the_deadline_is_not_asked_for(
    mu: Face, server: FileServer, made: Any, tmp_path: Path
) -> None:
    slow, late = server.plays("/a.png", drips(PNG)), server.plays("/b.png", sends(PNG))
    with pytest.raises(errors.DownloadError, match="1 more failed"):
        mu.download(made(slow, late), tmp_path, timeout=1.5, concurrency=1)
    assert [asked.path for asked in server.asked] == ["/a.png"]


def test_an_interrupt_stops_every_thread(
    server: FileServer, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("muapi_client._files.temp_file.PartialFile.place", interrupt)
    urls = server.plays("/a.png", sends(PNG)), server.plays("/b.png", drips(PNG))
    with MuAPI(KEY, server.url) as mu, pytest.raises(KeyboardInterrupt):
        mu.download(made(*urls), tmp_path)
    assert left(tmp_path) == []
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("muapi")]


def test_a_cancelled_download_leaves_nothing(server: FileServer, made: Any, tmp_path: Path) -> None:
    begun = threading.Event()

    def step(handler: Any) -> None:
        begun.set()
        drips(PNG)(handler)

    async def cancelled() -> None:
        async with AsyncMuAPI(KEY, server.url) as mu:
            task = asyncio.create_task(mu.download(made(server.plays("/a.png", step)), tmp_path))
            assert await asyncio.to_thread(begun.wait, 60)
            assert len(left(tmp_path)) == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancelled())
    assert left(tmp_path) == []


@pytest.mark.parametrize("odd", ["3", None, 1.5, True, 0])
def test_a_limit_that_is_no_whole_number_is_refused(
    mu: Face, made: Any, server: FileServer, tmp_path: Path, odd: Any
) -> None:
    for option in ("concurrency", "max_bytes"):
        with pytest.raises(errors.DownloadError, match=f"{option} must be a whole number above 0, not {odd!r}"):
            mu.download(made("https://x.example/a.png"), tmp_path, **{option: odd})
    assert server.asked == []
