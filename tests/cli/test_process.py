"""The program as a process of its own: starting, pipes that break, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE

from muapi_client import MuAPI

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = (sys.executable, "-m", "muapi_client.cli")


def process(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    options = {"stdout": subprocess.PIPE, **options}
    return subprocess.run((*PROGRAM, *words), check=False, text=True, stderr=subprocess.PIPE, timeout=60, **options)


def test_help_and_version_load_nothing_heavy() -> None:
    code = (
        "import sys\nfrom muapi_client.cli import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n"
        "    heavy = {'httpx', 'anyio', 'attrs', 'attr', 'muapi_generated'} & sys.modules.keys()\n"
        "    print(sorted(heavy), file=sys.stderr)\n"
    )
    for word in ("--help", "--version"):
        done = subprocess.run(
            (sys.executable, "-c", code, word), check=True, text=True, capture_output=True, timeout=60
        )
        assert done.stdout
        assert done.stderr == "[]\n"


@pytest.mark.parametrize("words", [("models", "flux"), ("run", IMAGE.name, "prompt=x", "--dry-run"), ("spec", "show")])
def test_what_needs_no_network_imports_no_network(words: tuple[str, ...]) -> None:
    code = "import sys\nfrom muapi_client.cli import main\nmain(sys.argv[1:])\nassert 'httpx' not in sys.modules\n"
    subprocess.run((sys.executable, "-c", code, *words), check=True, capture_output=True, timeout=60)


def test_the_module_is_the_program() -> None:
    done = process("--output", "json", "models", "show", IMAGE.slug)
    assert done.returncode == 0
    assert json.loads(done.stdout)[0]["function"] == IMAGE.function
    assert process("models", "show", f"{IMAGE.slug[:-2]}eg").returncode == 5


def test_a_reader_who_has_had_enough_breaks_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = process("spec", "show", stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full disk at hand")
def test_a_full_disk_is_one_clear_line() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = process("spec", "show", stdout=full)
    assert (done.returncode, done.stderr) == (1, "muapi-client: No space left on device\n")


@pytest.mark.skipif(os.name != "posix", reason="closes a stream in a shell")
@pytest.mark.parametrize("form", ["plain", "json"])
def test_a_stream_that_was_closed_before_takes_no_job_from_anybody(form: str, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom muapi_client.cli import main\nfrom muapi_client.emulator import Emulator\n"
        "emulator = Emulator(live_keys=('sk-live',), job_seconds=0)\n"
        "code = main(sys.argv[1:], transport=emulator.transport())\nassert emulator.accepted == 1\nsys.exit(code)\n"
    )
    environment = {**os.environ, "MUAPI_API_KEY": "sk-live", "MUAPI_CONFIG": os.devnull}
    words = (sys.executable, "-c", code, "run", IMAGE.slug, "prompt=x", "--output", form, "--no-journal")
    without_out, without_err, without_in = (
        subprocess.run(
            ("sh", "-c", f'exec "$@" {closed}', "sh", *words),
            check=False,
            text=True,
            capture_output=True,
            timeout=60,
            env=environment,
        )
        for closed in (">&-", "2>&-", "<&-")
    )
    assert without_out.returncode == 1
    assert ('"unwritten"' if form == "json" else "the result could not be written: ") in without_out.stderr
    assert "Traceback" not in without_out.stderr
    assert (without_err.returncode, without_in.returncode) == (0, 0)
    if form == "json":
        assert json.loads(without_err.stdout)["status"] == "completed"
    else:
        assert without_err.stdout.startswith("https://")
        assert len(without_err.stdout.splitlines()) == 1


def test_letters_the_terminal_lacks_are_escaped() -> None:
    narrow = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    words = ("run", IMAGE.slug, "prompt=f\u00fcr", "--dry-run")
    done = process(*words, env=narrow)
    assert done.stdout.isascii()
    assert json.loads(done.stdout)["body"]["prompt"] == "f\u00fcr"


@pytest.fixture
def endless() -> Iterator[str]:
    """An API on loopback whose jobs never end; answers its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.answer({"request_id": "job-1", "status": "processing"})

        def do_GET(self) -> None:
            self.answer({"id": "job-1", "status": "processing"})

        def answer(self, value: dict[str, str]) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            """Say nothing."""

    yield from serve(Handler)


def serve(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to another process")
def test_ctrl_c_prints_the_id_and_leaves_with_130(endless: str) -> None:
    environment = {**os.environ, "MUAPI_API_KEY": "sk-secret", "MUAPI_BASE_URL": endless}
    with subprocess.Popen(
        (*PROGRAM, "run", IMAGE.slug, "prompt=x"),
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stderr is not None
        assert running.stderr.readline().startswith("price: about ")
        accepted = running.stderr.readline()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert accepted.startswith("accepted as job-1")
    assert running.returncode == 130
    assert out == ""
    assert err.startswith("muapi-client: interrupted; job job-1 lives on")
    assert "muapi-client wait job-1" in err
    assert "sk-secret" not in accepted + err


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to another process")
def test_ctrl_c_ends_no_job_that_is_resumed(endless: str, tmp_path: Path) -> None:
    place = ("--journal", str(tmp_path / "jobs.db"))
    environment = {**os.environ, "MUAPI_API_KEY": "sk-secret", "MUAPI_BASE_URL": endless}
    assert process("run", IMAGE.slug, "prompt=x", "--no-wait", *place, env=environment).stdout == "job-1\n"
    with subprocess.Popen(
        (*PROGRAM, "resume", *place), env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == "1 job was accepted and has not been seen to end; waiting\n"
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert err.startswith("muapi-client: interrupted: ")
    assert err.endswith(" on: MuAPI has no route to cancel a job. To go on: muapi-client resume\n")
    listed = process("jobs", *place, "--output=json", env=environment).stdout
    assert [job["state"] for job in json.loads(listed)] == ["accepted"]


def wait_until_accepted(journal: Path, address: str) -> None:
    """Wait until a program that runs has a job accepted."""
    with MuAPI("sk-secret", address, journal=journal) as mu:
        while not list(mu.jobs(state="accepted")):
            threading.Event().wait(0.02)


LIVES_ON = "muapi-client: interrupted; job job-1 lives on and may be charged: MuAPI has no route to cancel a job."


@pytest.mark.skipif(os.name != "posix", reason="sends signals to another process")
@pytest.mark.parametrize(("number", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_that_ends_the_program_tells_what_lives_on_as_ctrl_c_does(
    endless: str, tmp_path: Path, number: str, code: int
) -> None:
    environment = {**os.environ, "MUAPI_API_KEY": "sk-secret", "MUAPI_BASE_URL": endless}
    place = ("--journal", str(tmp_path / "jobs.db"))
    rows = tmp_path / "foxes.jsonl"
    rows.write_text('{"prompt": "a red fox"}\n', encoding="utf-8")
    ended = "muapi-client: interrupted; nothing more is submitted, and 1 of 1 have not ended; 1 live on (job-1): "
    for words, said in (
        (("batch", str(rows), IMAGE.slug, *place), ended),
        (("run", IMAGE.slug, "prompt=x", *place), LIVES_ON),
        (("resume", *place), "muapi-client: interrupted: "),
    ):
        with subprocess.Popen(
            (*PROGRAM, *words), env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running:
            assert running.stderr is not None
            if words[0] == "batch":  # it says nothing for ten seconds
                wait_until_accepted(tmp_path / "jobs.db", endless)
            else:
                while " accepted " not in f" {running.stderr.readline()}":
                    pass
            running.send_signal(getattr(signal, number))
            out, err = running.communicate(timeout=60)
        assert (running.returncode, out) == (code, ""), err
        assert said in err
        assert "Traceback" not in err


@pytest.mark.skipif(os.name != "posix", reason="sends signals to another process")
def test_a_hang_up_that_is_ignored_stays_so(endless: str) -> None:
    environment = {**os.environ, "MUAPI_API_KEY": "sk-secret", "MUAPI_BASE_URL": endless}
    with subprocess.Popen(
        ("sh", "-c", 'trap "" HUP; exec "$@"', "sh", *PROGRAM, "run", IMAGE.slug, "prompt=x", "--no-journal"),
        env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        assert running.stderr is not None
        while not running.stderr.readline().startswith("accepted as job-1"):
            pass
        running.send_signal(signal.SIGHUP)
        running.send_signal(signal.SIGTERM)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 143
    assert err.startswith(LIVES_ON)


@pytest.fixture
def silent() -> Iterator[tuple[str, threading.Event]]:
    """An API on loopback that takes submits and answers none; its address, and whether one came."""
    came, over = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            came.set()
            over.wait()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            """Say nothing."""

    for address in serve(Handler):
        yield address, came
        over.set()


@pytest.mark.skipif(os.name != "posix", reason="sends signals to another process")
@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_second_ctrl_c_leaves_a_batch_at_once_and_tells_what_is_in_doubt(
    silent: tuple[str, threading.Event], tmp_path: Path, number: str, code: int
) -> None:
    address, came = silent
    place = ("--journal", str(tmp_path / "jobs.db"))
    rows = tmp_path / "foxes.jsonl"
    rows.write_text('{"prompt": "a red fox"}\n', encoding="utf-8")
    environment = {**os.environ, "MUAPI_API_KEY": "sk-secret", "MUAPI_BASE_URL": address}
    with subprocess.Popen(
        (*PROGRAM, "batch", str(rows), IMAGE.slug, *place),
        env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        assert running.stderr is not None
        assert came.wait(60)
        running.send_signal(getattr(signal, number))
        while "Ctrl-C again leaves at once" not in running.stderr.readline():
            pass
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)  # an answer to the submit would be waited for for a minute
    assert running.returncode == code, err
    assert "1 submits may have been charged, and no answer told an id" in err
    assert "Traceback" not in err
    listed = process("unknown", *place, "--output=json", env=environment)
    assert len(json.loads(listed.stdout)) == 1, listed.stderr


STRUCK = """
import signal, sys

class Strike:
    def find_spec(self, name, path=None, target=None):
        if name == struck:
            sys.meta_path.remove(self)
            signal.raise_signal(signal.SIGINT)

struck, sys.argv[1:] = sys.argv[1], ["models", "show", sys.argv[2]]
sys.meta_path.insert(0, Strike())
from muapi_client_command import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    "loaded",
    [
        "muapi_client",
        "logging",
        "muapi_client._runtime.logs",
        "muapi_client._runtime.forks",
        "concurrent.futures.thread",
        "muapi_client.cli",
        "argparse",
        "muapi_client.cli._arguments",
        "muapi_client.cli._console",
        "muapi_client._types.sandbox",
        "attrs",
        "muapi_client.errors",
        "muapi_client.cli._exit",
        "muapi_client.cli._config",
        "muapi_client.cli._models",
        "muapi_client.catalog",
    ],
)
def test_ctrl_c_while_the_program_loads_ends_it_in_silence(loaded: str) -> None:
    done = subprocess.run(
        (sys.executable, "-c", STRUCK, loaded, IMAGE.slug), check=False, text=True, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr in ("", "muapi-client: interrupted\n")


def test_the_program_begins_where_nothing_else_is_loaded() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"muapi-client": "muapi_client_command:main"}
    code = "import sys\nbefore = set(sys.modules)\nimport muapi_client_command\nprint(set(sys.modules) - before)\n"
    done = subprocess.run((sys.executable, "-c", code), check=True, text=True, capture_output=True, timeout=60)
    assert done.stdout == "{'muapi_client_command'}\n"
