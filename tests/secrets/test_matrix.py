"""Ways to fail times places to look: neither the key nor a webhook's secret is found, with either client."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import json
import logging
import secrets
import signal
import sqlite3
import sys
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from by_kind import make_image
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

sys.path.insert(0, str(Path(__file__).parent))

from search import find, frames, pickled, records, shown, words
from ways import CLOSE, RESET, Asked, answer, echo, escaped, serving

from muapi_client import AsyncMuAPI, Journal, MuAPI, MuAPIError, Polling, Retry, raw_call, webhooks
from muapi_client._protocol import spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

KEY = f"sk-live-{secrets.token_hex(16)}"
HOOK = secrets.token_urlsafe(24)  # in the path of the client's webhook
OTHER = secrets.token_urlsafe(24)  # in that of one call's own
PROMPT = f"a fox by {secrets.token_hex(8)}"  # in errors it may be quoted by the server; in logs and spans it may not
SECRETS = {"the key": KEY, "the client's webhook": HOOK, "a call's webhook": OTHER}
QUICK = {"retry": Retry(attempts=2, initial=0.01), "polling": Polling(minimum=0.01), "timeout": 20.0}
ACCEPTED = {"request_id": "r1", "status": "processing"}
HOOKS = "https://hooks.example/h/"
OUTPUT: dict[str, str] = {}


def call(**fields: Any) -> Any:
    return raw_call("x", {"prompt": PROMPT, "webhook_url": f"https://hooks.example/h/{OTHER}?a=%2Fb", **fields})


def streamed() -> Any:
    return raw_call("x/stream", call().body)


class Way(NamedTuple):
    """One way to fail.

    Attributes:
        answer: What the server answers.
        act: What is done with a client, awaited or iterated over where it can be.
        options: Of the client, beside the usual ones.
        reads: Whether the server reads bodies.
    """

    answer: Callable[[Asked], bytes | None]
    act: Callable[[Any], Any]
    options: Mapping[str, Any] = MappingProxyType({})
    reads: bool = True


def submit(mu: Any) -> Any:
    return mu.submit(call())


def upload(mu: Any, size: int = 8) -> Any:
    return mu.upload(b"\x89PNG\r\n\x1a\n" + b"x" * size, filename="a.png")


def accept_then(answered: Callable[[Asked], bytes | None]) -> Callable[[Asked], bytes | None]:
    return lambda asked: answer(ACCEPTED) if asked.method == "POST" else answered(asked)


def fail_job(asked: Asked) -> bytes:
    return answer({"id": "r1", "status": "failed", "error": f"no: {asked.whole}", "input": asked.echoes()})


def garbage(asked: Asked) -> bytes:
    return f"{asked.headers['x-api-key']} {asked.target} is no HTTP\r\n\r\n".encode() + CLOSE


def odd_head(asked: Asked) -> bytes:
    return f"HTTP/1.1 200 OK\r\n {asked.headers['x-api-key']} {asked.target}\r\n\r\n".encode() + RESET


def redirect(asked: Asked) -> bytes:
    return answer(
        {}, "307 Temporary Redirect", location=f"http://127.0.0.1:1/{asked.headers['x-api-key']}{asked.target}"
    )


def cut(asked: Asked) -> bytes:
    return echo(asked, "200 OK")[:-40] + RESET


def break_stream(asked: Asked) -> bytes:
    key, half = asked.headers["x-api-key"], len(KEY) // 2
    events = [{"text": f"{key} {asked.target}"}, {"text": f"bad {key[:half]}"}, {"text": key[half:]}, asked.echoes()]
    return (
        answer(b"", content_type="text/event-stream", content_length="99999")
        + b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)
        + RESET
    )


def break_text(asked: Asked) -> bytes:
    return answer(f"{asked.whole} ".encode() * 3, content_type="text/plain", content_length="99999") + RESET


def give_output(asked: Asked) -> bytes:
    """A finished job whose output is an error page that echoes what the API was sent."""
    if asked.method == "POST":
        OUTPUT["echo"] = asked.whole
        return answer({"id": "r1", "status": "completed", "outputs": [f"http://{asked.headers['host']}/a.png"]})
    page = f"<html>{OUTPUT['echo']} {'x' * 500}</html>"
    return answer(page.encode(), "200 OK", content_type="text/html", location=OUTPUT["echo"].split()[0])


def run_and_download(mu: Any, folder: Path) -> Any:
    if isinstance(mu, MuAPI):
        return mu.download(mu.run(call()), folder)

    async def work() -> Any:
        return await mu.download(await mu.run(call()), folder)

    return work()


def run_and_save(mu: Any, folder: Path) -> Any:
    """The same by the values themselves, once their client is closed."""
    if isinstance(mu, MuAPI):
        done = mu.run(call())
        mu.close()
        return done.save(folder)

    async def work() -> Any:
        done = await mu.run(call())
        await mu.close()
        return await done.outputs[0].read()

    return work()


async def cancel(mu: Any) -> None:
    task = asyncio.ensure_future(mu.submit(call()))
    await asyncio.sleep(0.2)
    task.cancel()
    await task


def give_up(mu: Any) -> Any:
    """Cancel a submit that hangs: a task's way, or a signal handler's."""
    if isinstance(mu, AsyncMuAPI):
        return cancel(mu)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    return mu.submit(call())


def hang(_: Asked) -> None:
    return None


WAYS: dict[str, Way] = {
    "refused 401": Way(lambda asked: echo(asked, "401 Unauthorized"), submit),
    "refused 422": Way(lambda asked: echo(asked, "422 Unprocessable Content"), submit),
    "charged 400": Way(lambda asked: echo(asked, "400 Bad Request", cost={"amount_usd": 1}), submit),
    "server 500": Way(lambda asked: echo(asked, "500 Internal Server Error"), submit),
    "followed": Way(accept_then(lambda asked: echo(asked, "403 Forbidden")), lambda mu: mu.events("r1")),
    "followed to its end": Way(fail_job, lambda mu: mu.events("r1")),
    "server 500 at a look": Way(accept_then(lambda asked: echo(asked, "403 Forbidden")), lambda mu: mu.run(call())),
    "job failed": Way(accept_then(fail_job), lambda mu: mu.run(call())),
    "job failed at once": Way(fail_job, lambda mu: mu.run(call())),
    "reset while writing": Way(lambda _: RESET, lambda mu: mu.submit(call(more="x" * 2**20)), reads=False),
    "reset while reading": Way(cut, submit),
    "timeout": Way(hang, submit, {"timeout": 0.3, "retry": Retry(attempts=1)}),
    "given up": Way(hang, give_up),
    "no TLS": Way(hang, submit, {"base_url": "https"}),
    "redirect": Way(redirect, submit),
    "garbage": Way(garbage, submit),
    "garbage in the head": Way(odd_head, submit),
    "no JSON": Way(lambda asked: answer(f"<html>{asked.whole}".encode()), submit),
    "no id": Way(lambda asked: echo(asked, "200 OK"), submit),
    "nobody there": Way(hang, submit, {"base_url": "http://127.0.0.1:1"}),
    "refused here": Way(hang, lambda mu: mu.submit(make_image(webhook_url=HOOKS + OTHER, width="wide"))),
    "over the limit": Way(lambda asked: echo(asked, "404 Not Found"), submit, {"max_spend": 1}),
    "estimate": Way(lambda asked: echo(asked, "500 Internal Server Error"), lambda mu: mu.estimate(call())),
    "upload": Way(lambda asked: echo(asked, "413 Content Too Large"), upload),
    "upload reset": Way(lambda _: RESET, partial(upload, size=2**20), reads=False),
    "stream refused": Way(lambda asked: echo(asked, "401 Unauthorized"), lambda mu: mu.stream(streamed())),
    "stream broken": Way(break_stream, lambda mu: mu.stream(streamed())),
    "text broken": Way(break_text, lambda mu: mu.stream(streamed())),
    "stream of a page": Way(lambda asked: answer(f"<html>{asked.whole}".encode()), lambda mu: mu.stream(streamed())),
    "option refused": Way(hang, lambda mu: mu.with_options(webhook=f"https://h.example/h/{HOOK}", timeout=-1)),
}  # fmt: skip


class Result(NamedTuple):
    """What a way to fail ended in."""

    mu: Any
    error: BaseException
    told: Any


async def _collect(outcome: Any) -> Any:
    return [item async for item in outcome] if hasattr(outcome, "__aiter__") else await outcome


def fail(kind: type, way: Way, url: str, journal: Any, act: Callable[[Any], Any]) -> Result:
    """Fail in one way; answers the client, the error and what the client tells afterwards."""
    options: dict[str, Any] = {
        **QUICK,
        "webhook": f"https://hooks.example/h/{HOOK}?x=%2F",
        "journal": journal,
        **way.options,
    }
    base_url = options.pop("base_url", url)
    mu = kind(KEY, url.replace("http", "https") if base_url == "https" else base_url, **options)

    def work() -> Any:
        with mu:
            outcome = act(mu)
            return list(outcome) if inspect.isgenerator(outcome) else outcome

    async def awork() -> Any:
        async with mu:
            return await _collect(act(mu))

    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever comes, it keeps the secrets
        work() if kind is MuAPI else asyncio.run(awork())
    assert not isinstance(caught.value, AssertionError | pytest.fail.Exception)
    told = [mu.unknown(), list(mu.jobs())] if kind is MuAPI else asyncio.run(_tell(mu))
    return Result(mu, caught.value, told)


async def _tell(mu: Any) -> Any:
    return [await mu.unknown(), [entry async for entry in mu.jobs()]]


def places(result: Result, logged: list[logging.LogRecord], folder: Path, out: str) -> Iterator[tuple[str, str]]:
    """Everything that a failure leaves behind."""
    yield from words(result.error)
    yield from frames(result.error)
    yield from records(logged)
    yield from traced()
    for thing in (result.mu, *vars(result.mu).values(), *result.told):
        yield "a repr", repr(thing)
        for text in shown(thing):
            yield "a value told", text
    for file in folder.iterdir():
        if file.is_file():
            yield "the journal", file.read_bytes().decode("utf-8", "replace")
    yield "standard output", out


EXPORTER = InMemorySpanExporter()


def traced() -> Iterator[tuple[str, str]]:
    """What a span may show."""
    for span in EXPORTER.get_finished_spans():
        yield f"span {span.name}", span.to_json()


@pytest.fixture(autouse=True)
def _all_spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(EXPORTER))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    spans.find_tracer.cache_clear()
    yield
    spans.end_all()
    spans.find_tracer.cache_clear()
    EXPORTER.clear()


@pytest.fixture(params=[MuAPI, AsyncMuAPI], ids=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> type:
    found: type = request.param
    return found


def look(result: Result, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], folder: Path) -> set[str]:
    """Where a secret is found; a call's own webhook is in the pickle of the call that an error carries, as it must."""
    out, err = capfd.readouterr()
    of_client = {name: SECRETS[name] for name in ("the key", "the client's webhook")}
    pickles = [pickled(thing) for thing in (result.error, result.told)]
    ours = [record for record in caplog.records if record.name.startswith("muapi_client")]
    return (
        find(SECRETS, places(result, caplog.records, folder, out + err))
        | find(of_client, (("a pickle", text) for text in pickles))
        | find({"the prompt": PROMPT}, iter([*records(ours), *traced()]))
    )


@pytest.fixture(autouse=True)
def _all_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("name", WAYS)
def test_nothing_is_found(
    name: str, kind: type, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    way = WAYS[name]
    with serving(way.answer, reads=way.reads) as url, contextlib.closing(Journal(tmp_path / "jobs.db")) as journal:
        result = fail(kind, way, url, journal, way.act)
        assert look(result, caplog, capfd, tmp_path) == set()


QUIET = {"option refused", "refused here", "estimate"}  # nothing is sent, so there is nothing to tell


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("name", [name for name in WAYS if name not in QUIET])
def test_every_way_to_fail_leaves_records_and_spans_to_look_at(
    name: str, kind: type, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    way = WAYS[name]
    with serving(way.answer, reads=way.reads) as url, contextlib.closing(Journal(tmp_path / "jobs.db")) as journal:
        fail(kind, way, url, journal, way.act)
    assert any(record.name.startswith("muapi_client.") for record in caplog.records)
    assert list(traced())


@pytest.mark.parametrize("what", ["write", "read"])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("act", ["submit", "stream", "upload"])
def test_nor_when_it_is_interrupted(  # noqa: PLR0917 - three of them are its parameters, the rest fixtures
    what: str, nth: int, act: str, kind: type, tmp_path: Path,
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    interrupt(kind, what, nth, monkeypatch)
    acts = {"submit": submit, "stream": WAYS["stream broken"].act, "upload": WAYS["upload"].act}
    answers = {"submit": lambda asked: echo(asked, "200 OK"), "stream": break_stream, "upload": WAYS["upload"].answer}
    with serving(answers[act]) as url, contextlib.closing(Journal(tmp_path / "jobs.db")) as journal:
        result = fail(kind, Way(hang, acts[act]), url, journal, acts[act])
        assert look(result, caplog, capfd, tmp_path) == set()


def interrupt(kind: type, what: str, nth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Ctrl-C strike in the n-th read or write of the network."""
    from httpcore._backends import anyio, sync

    count = iter(range(1, 100))
    stream: Any = sync.SyncStream if kind is MuAPI else anyio.AnyIOStream
    real = getattr(stream, what)

    def strike(self: Any, *rest: Any, **more: Any) -> Any:
        if next(count) == nth:
            raise KeyboardInterrupt
        return real(self, *rest, **more)

    async def astrike(self: Any, *rest: Any, **more: Any) -> Any:
        return await strike(self, *rest, **more)

    monkeypatch.setattr(stream, what, strike if kind is MuAPI else astrike)


def test_nor_when_the_journal_is_locked(
    kind: type, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "jobs.db"
    with contextlib.closing(Journal(path, busy_timeout=0.1)) as journal, serving(lambda _: answer(ACCEPTED)) as url:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            journal.entries()
            other.execute("BEGIN EXCLUSIVE")

            def act(mu: Any) -> Any:
                return mu.submit(call())

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(kind, "unknown", lambda _: [] if kind is MuAPI else _nothing())
                patch.setattr(kind, "jobs", lambda _: [] if kind is MuAPI else _no_items())
                result = fail(kind, Way(hang, act), url, journal, act)
            other.execute("ROLLBACK")
        assert isinstance(result.error, MuAPIError)
        assert look(result, caplog, capfd, tmp_path) == set()


async def _nothing() -> list[Any]:
    return []


async def _no_items() -> Any:
    for item in ():
        yield item


@pytest.mark.parametrize("get", [run_and_download, run_and_save])
def test_nor_when_a_download_brings_an_error_page(
    get: Any, kind: type, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def act(mu: Any) -> Any:
        return get(mu, tmp_path / "pictures")

    with serving(give_output) as url, contextlib.closing(Journal(tmp_path / "jobs.db")) as journal:
        result = fail(kind, Way(give_output, act), url, journal, act)
        assert "DownloadError" in type(result.error).__name__
        assert look(result, caplog, capfd, tmp_path) == set()


@pytest.mark.parametrize(
    "options", [{"timeout": -1}, {"base_url": "x"}, {"max_spend": "much"}, {"journal": "/dev/null/x"}]
)
def test_nor_when_the_client_cannot_be_made(kind: type, options: dict[str, Any]) -> None:
    with pytest.raises(MuAPIError) as caught:
        kind(KEY, **{"webhook": f"https://hooks.example/h/{HOOK}", **options})
    assert find(SECRETS, iter([*words(caught.value), *frames(caught.value)])) == set()


@pytest.mark.parametrize(
    "given",
    ["wrong", "", "\ud800", HOOK[:-1], f"{HOOK}\udcff"],
    ids=["another", "empty", "half a character", "cut", "its own and half a character"],
)
def test_nor_when_a_webhook_s_token_is_wrong(given: str) -> None:
    assert webhooks.same_token(HOOK, given) is False


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"status": "completed"}', b"[" * 100_000])
def test_nor_when_a_webhook_is_none(body: bytes) -> None:
    with pytest.raises(MuAPIError) as caught:
        webhooks.receive(body, {"referer": f"https://hooks.example/h/{HOOK}"})
    assert find(SECRETS, iter(words(caught.value))) == set()


def test_a_planted_secret_is_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The search finds what it looks for: in each place, in each spelling."""

    for spelt in (
        KEY,
        escaped(KEY),
        "".join(f"%{ord(letter):02x}" for letter in KEY),
        "".join(f"&#{ord(c)};" for c in KEY),
    ):
        assert find(SECRETS, iter([("a text", f"…{spelt}…")])) == {"the key in a text"}
        (tmp_path / "file").write_text(spelt)
        logging.getLogger("httpcore").debug("headers %s", [(b"x-api-key", spelt.encode())])
        sys.stdout.write(spelt)
        error = MuAPIError(f"bad key {spelt}")
        found = look(Result(Plain(spelt), error, [{"a": [spelt.encode()]}]), caplog, capfd, tmp_path)
        assert {text.partition(" in ")[2] for text in found} >= {
            "repr of an error", "text of an error", "traceback", "log of httpcore", "a repr", "a value told",
            "the journal", "standard output", "a pickle",
        }  # fmt: skip
        caplog.clear()
    namespace: dict[str, Any] = {"__name__": "httpx"}
    exec(compile(f"def leak():\n    local = [{{'a': ({KEY!r},)}}]\n    1 / 0", "httpx/x.py", "exec"), namespace)
    with pytest.raises(ZeroDivisionError) as caught:
        namespace["leak"]()
    assert find(SECRETS, frames(caught.value)) == {"the key in local local of httpx/x.py:leak"}


class Plain:
    """A thing whose repr tells all."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


@pytest.fixture(autouse=True)
def _no_pending_garbage() -> Iterator[None]:
    yield
    gc.collect()
