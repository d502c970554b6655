"""The emulator as a command: what it prints, what it logs, how it ends."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import CHAT, IMAGE, make_image, make_video

from muapi_client import MuAPI, errors
from muapi_client.cli import main
from muapi_client.emulator import Emulator, Fault
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROGRAM = (sys.executable, "-m", "muapi_client.cli", "emulator")
LIVE, TEST = "sk-live", "sk-test"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals to another process")


class Running:
    """The command in a process of its own, once it listens."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.first = process.stdout.readline()

    def stop(self, how: int = signal.SIGTERM) -> tuple[str, str]:
        """The rest of standard output, and all of standard error."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.send_signal(how)
        self.process.wait(timeout=60)
        return self.process.stdout.read(), self.process.stderr.read()


@contextmanager
def running(*words: str, **variables: str) -> Iterator[Running]:
    # The environment names a key that is nobody's business, as a user's would.
    environment = {**os.environ, "MUAPI_API_KEY": "sk-users-own", **variables}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen((*PROGRAM, "--port", "0", *words), env=environment, text=True, **pipes) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def test_it_serves_logs_and_sums_up() -> None:
    with running("--output", "json", "--balance", "5") as emulator:
        told = json.loads(emulator.first)
        with MuAPI(told["live_key"], told["url"]) as mu:
            done = mu.run(make_image(prompt="a fox"))
            balance = mu.account_balance
        with MuAPI(told["test_key"], told["url"], expect="sandbox") as mu:
            mu.run(make_image(prompt="a fox"))
        httpx.get(f"{told['url']}/api/v1/keys/{LIVE}")
        out, err = emulator.stop()
    events = [json.loads(line) for line in err.splitlines()]
    submit, *others, stopped = events
    assert (submit["event"], submit["method"], submit["path"]) == ("request", "POST", f"/api/v1/{IMAGE.slug}")
    assert (submit["status"], submit["request_id"], submit["fault"]) == (200, done.id, None)
    assert done.cost is not None
    assert float(submit["cost_usd"]) == float(done.cost.amount_usd) > 0
    assert submit["ms"] >= 0
    assert {event["event"] for event in others} == {"request"}
    assert others[-1]["path"] == "/api/v1/keys/sk-***"
    assert (stopped["event"], stopped["accepted"], stopped["requests"]) == ("stopped", 1, len(others) + 1)
    assert stopped["charged_usd"] == float(done.cost.charged_usd)
    assert stopped["balance_usd"] == float(balance or 0) == 5 - stopped["charged_usd"]
    assert (emulator.process.returncode, out) == (0, "")
    assert LIVE not in err
    assert "sk-users-own" not in emulator.first + out + err


def test_chaos_is_logged_and_the_summary_is_the_truth() -> None:
    with running("--chaos", "1", "--seed", "4") as emulator:
        url = emulator.first.split()[-1]
        for _ in range(6):
            try:
                httpx.post(f"{url}/api/v1/{IMAGE.slug}", json={"prompt": "x"}, headers={"x-api-key": LIVE}, timeout=60)
            except httpx.HTTPError:
                continue
        out, err = emulator.stop(signal.SIGINT)
    *lines, total = err.splitlines()
    assert len(lines) == 6
    assert all(line.startswith(f"POST /api/v1/{IMAGE.slug}  ") and "  fault: " in line for line in lines)
    accepted = sum(Fault(line.rpartition("  fault: ")[2]).accepts for line in lines)
    assert total.startswith(f"6 requests; {accepted} jobs accepted, ")
    assert 0 < accepted < 6
    assert f"export MUAPI_BASE_URL={url}/api/v1 MUAPI_API_KEY={LIVE}" in out
    assert emulator.process.returncode == 0


def test_a_state_that_is_kept_is_gone_on_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "emulator.json"
    (listed,) = [one for one in pinned().models["models"] if one["name"] == IMAGE.name]
    cost = Decimal(str(listed["cost"]))  # of a process of its own, which charges what the pin says
    with running("--state", str(state), "--balance", "5") as emulator:
        with MuAPI(LIVE, emulator.first.split()[-1]) as mu:
            done = mu.run(make_image(prompt="a fox"))
        emulator.stop()
    with running("--state", str(state)) as emulator:
        with MuAPI(LIVE, emulator.first.split()[-1]) as mu:
            assert mu.look(done.id).done
            assert mu.account_balance == Decimal(5) - cost
        _, err = emulator.stop()
    assert err.splitlines()[-1] == f"1 requests; 1 jobs accepted, {cost} USD charged, {5 - cost} USD left"
    assert {path.name for path in tmp_path.iterdir()} == {"emulator.json", "emulator.json.lock"}
    assert main(["emulator", "--state", str(state), "--balance", "7"]) == 1
    assert "has a balance of its own" in capsys.readouterr().err
    state.write_text("{}")
    assert main(["emulator", "--state", str(state)]) == 1
    assert "holds no state of an emulator" in capsys.readouterr().err
    assert main(["emulator", "--state", str(tmp_path / "none" / "x")]) == 1
    assert "No such file" in capsys.readouterr().err


def test_a_state_has_one_owner_at_a_time_however_that_one_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "emulator.json"
    with running("--state", str(state)) as emulator:
        assert emulator.first
        assert main(["emulator", "--state", str(state)]) == 1
        assert "is the state of an emulator that is running" in capsys.readouterr().err
        emulator.stop(signal.SIGKILL)
    with running("--state", str(state)) as emulator:
        assert emulator.first


def test_a_state_is_one_by_whichever_link_it_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, link = tmp_path / "kept" / "emulator.json", tmp_path / "link.json"
    state.parent.mkdir()
    link.symlink_to(state)
    with running("--state", str(link)) as emulator:
        assert emulator.first
        assert main(["emulator", "--state", str(state)]) == 1
        assert "is the state of an emulator that is running" in capsys.readouterr().err
        emulator.stop()
    assert link.is_symlink()
    assert Emulator.load(state.read_text()).accepted == 0


def test_a_state_is_kept_in_a_file_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for wrong in (str(fifo), str(tmp_path), "", os.devnull):
        assert main(["emulator", "--port", "0", "--state", wrong]) == 1
        assert "is no file that a state can be kept in" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["fifo"]


def test_a_disk_that_is_full_leaves_the_state_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(_number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    state = tmp_path / "s.json"
    state.write_text(kept := Emulator(balance=7).save())
    monkeypatch.setattr(os, "fsync", fill)
    assert main(["emulator", "--port", "0", "--state", str(state)]) == 1
    assert "No space left" in capsys.readouterr().err
    assert state.read_text() == kept
    assert {path.name for path in tmp_path.iterdir()} == {"s.json", "s.json.lock"}


def accept_and_fail_to_keep(tmp_path: Path, get_in_the_way: Callable[[int], object]) -> str:
    """The last words of an emulator that cannot write its state at its end."""
    state, elsewhere = tmp_path / "s.json", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with running("--state", str(state), TMPDIR=str(elsewhere)) as emulator:
        url, kept = emulator.first.split()[-1], state.read_text()
        headers = {"x-api-key": LIVE}
        assert httpx.post(f"{url}/api/v1/{IMAGE.slug}", json={"prompt": "x"}, headers=headers).is_success
        get_in_the_way(emulator.process.pid)
        last = emulator.stop()[1].splitlines()[-1]
    assert emulator.process.returncode == 1
    assert last.startswith("muapi-client: the state could not be written: ")
    assert f"{state} is as it was when this emulator began; how it ended, with 1 jobs accepted and " in last
    assert state.read_text() == kept
    return last


def test_a_state_that_cannot_be_written_at_the_end_is_kept_elsewhere(tmp_path: Path) -> None:
    last = accept_and_fail_to_keep(tmp_path, lambda _pid: (tmp_path / "s.json.part").mkdir())
    (saved,) = (tmp_path / "elsewhere").glob("muapi-emulator-*/s.json")
    assert last.endswith(f" is in {saved}: move it there")
    assert saved.stat().st_mode & 0o777 == 0o600
    assert Emulator.load(saved.read_text()).accepted == 1


@pytest.mark.skipif(sys.platform != "linux", reason="limits another process")
def test_a_state_that_can_be_written_nowhere_is_not_lost_in_silence(tmp_path: Path) -> None:
    def fill(pid: int) -> None:
        import resource

        resource.prlimit(pid, resource.RLIMIT_FSIZE, (100, 100))  # as a full disk takes the first bytes

    last = accept_and_fail_to_keep(tmp_path, fill)
    assert last.endswith(" is lost, for the temporary folder takes it neither")
    assert [*(tmp_path / "elsewhere").iterdir()] == []
    assert {path.name for path in tmp_path.iterdir()} == {"s.json", "s.json.lock", "elsewhere"}


@pytest.mark.parametrize("how", [(signal.SIGHUP,), (signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT)])
def test_neither_a_closed_terminal_nor_impatience_costs_the_state(tmp_path: Path, how: tuple[int, ...]) -> None:
    state = tmp_path / "s.json"
    with running("--state", str(state)) as emulator:
        url = emulator.first.split()[-1]
        big = {"prompt": "x" * 30_000_000}  # so that writing takes a while
        headers = {"x-api-key": LIVE}
        assert httpx.post(f"{url}/api/v1/{IMAGE.slug}", json=big, headers=headers, timeout=60).status_code == 200
        for each in how[:-1]:
            emulator.process.send_signal(each)
            while not state.with_name("s.json.part").exists() and emulator.process.poll() is None:
                pass
        emulator.stop(how[-1])
    assert emulator.process.returncode == 0
    assert Emulator.load(state.read_text()).accepted == 1


def test_a_state_is_for_its_owner_alone_to_read_whoever_could_before(tmp_path: Path) -> None:
    state, left = tmp_path / "s.json", tmp_path / "s.json.part"
    left.write_text("of one that was killed")
    left.chmod(0o666)
    with running("--state", str(state)) as emulator:
        assert state.stat().st_mode & 0o777 == 0o600
        state.chmod(0o644)
        emulator.stop()
    assert state.stat().st_mode & 0o777 == 0o600


def test_a_state_of_another_document_says_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document, state = tmp_path / "d.json", tmp_path / "s.json"
    changed = json.loads(pinned().content)
    changed["info"] = {"title": "Ours", "version": "7"}
    changed["paths"]["/api/v1/brand-new"] = changed["paths"][f"/api/v1/{IMAGE.slug}"]
    document.write_text(json.dumps(changed))
    with running("--spec", str(document), "--state", str(state)) as emulator:
        url = emulator.first.split()[-1]
        assert httpx.post(f"{url}/api/v1/brand-new", json={"prompt": "x"}, headers={"x-api-key": LIVE}).is_success
        emulator.stop()
    assert main(["emulator", "--port", "0", "--state", str(state)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{state}: this state was made with another document, 'Ours' 7 (sha256 " in line
    assert (
        "has a job of POST /api/v1/brand-new, which is not in the one that is answered now, the document pinned" in line
    )
    assert "altered" not in line
    with running("--spec", str(document), "--state", str(state)) as emulator:
        assert emulator.stop()[1].splitlines()[-1].startswith("0 requests; 1 jobs accepted")


def test_what_is_wrong_with_an_option_is_not_said_of_the_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, document = tmp_path / "s.json", tmp_path / "d.json"
    state.write_text(Emulator().save())
    changed = json.loads(pinned().content)
    changed["paths"][f"/api/v1/{IMAGE.slug}"]["post"]["tags"] = None
    document.write_text(json.dumps(changed))
    assert main(["emulator", "--port", "0", "--state", str(state), "--spec", str(document)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be answered" in line
    assert str(state) not in line
    state.write_bytes(b"\xff")
    assert main(["emulator", "--port", "0", "--state", str(state)]) == 1
    assert f"{state} holds no state of an emulator" in capsys.readouterr().err


def test_the_control_token_may_come_from_the_environment() -> None:
    def ask(url: str, token: str) -> int:
        return httpx.get(f"{url}/emulator/state", headers={"x-emulator-token": token}).status_code

    for token, words, statuses in [
        ("hidden", (), [401, 200, 401]),
        ("hidden", ("--control-token", "shown"), [401, 401, 200]),
        ("hidden", ("--no-control",), [404, 404, 404]),
        ("", (), [200, 200, 200]),
    ]:
        with running(*words, MUAPI_EMULATOR_TOKEN=token) as emulator:
            url = emulator.first.split()[-1]
            assert [ask(url, shown) for shown in ("wrong", "hidden", "shown")] == statuses
            assert "hidden" not in "".join((emulator.first, *emulator.stop()))


def test_two_emulators_give_their_jobs_different_ids_also_from_one_state(tmp_path: Path) -> None:
    def accept(*words: str) -> str:
        with running("--job-seconds", "0", *words) as emulator, MuAPI(LIVE, emulator.first.split()[-1]) as mu:
            done = mu.run(make_image(prompt="a fox"))
            emulator.stop()
        return str(done.id)

    states = [tmp_path / "a.json", tmp_path / "b.json"]
    accept("--state", str(states[0]))
    states[1].write_text(states[0].read_text())
    ids = [accept("--state", str(states[0])), accept("--state", str(states[1])), accept(), accept()]
    assert len(set(ids)) == 4
    assert accept("--seed", "7") == accept("--seed", "7")


@pytest.mark.parametrize(("words", "ids"), [((), 2), (("--seed", "3"), 1)])
def test_a_reset_gives_no_id_of_before_unless_a_seed_is_asked_for(words: tuple[str, ...], ids: int) -> None:
    with running("--job-seconds", "0", *words) as emulator, MuAPI(LIVE, emulator.first.split()[-1]) as mu:
        seen = set()
        for _ in range(2):
            seen.add(mu.run(make_image(prompt="a fox")).id)
            httpx.post(f"{emulator.first.split()[-1]}/emulator/reset").raise_for_status()
    assert len(seen) == ids


def test_what_an_emulator_is_made_with_can_be_said_in_words(tmp_path: Path) -> None:
    document, prices = tmp_path / "d.json", tmp_path / "p.json"
    pin = pinned()
    document.write_bytes(pin.content)
    listed = json.loads(json.dumps(pin.models))
    for entry in listed["models"]:
        entry["cost"] = 0.5
    prices.write_text(json.dumps(listed))
    words = "--live-key sk-a --live-key sk-b --test-key sk-c --balance 7"
    words += " --job-seconds image=1,video=2 --result-seconds 1000000"
    words += " --failure-rate 1 --refund-rate 0 --moderation-rate 0 --serial image --serial video --speed 1000"
    words += " --shape submit=id,failure=http_200,running=a+b --webhook-duplicates 1 --seed 3 --control-token t"
    words += f" --strict-types --spec {document} --prices {prices} --allowed-host emulator --cors https://a.example"
    with running("--output", "json", *words.split()) as emulator:
        told = json.loads(emulator.first)
        assert (told["live_key"], told["test_key"], told["base_url"]) == ("sk-a", "sk-c", f"{told['url']}/api/v1")
        with MuAPI("sk-b", told["base_url"]) as mu, pytest.raises(errors.JobFailedError) as caught:
            mu.run(make_image(prompt="a fox"))
        assert caught.value.cost is not None
        assert caught.value.cost.charged_usd == Decimal("0.5")
        assert httpx.get(f"{told['url']}/emulator/health", headers={"host": "emulator"}).status_code == 200
        steered = [httpx.get(f"{told['url']}/emulator/state", headers=h) for h in ({}, {"x-emulator-token": "t"})]
        assert [answer.status_code for answer in steered] == [401, 200]
        assert steered[1].json()["balance_usd"] == "6.500000"
        odd = {"json": {"prompt": "a fox", "width": "512"}, "headers": {"x-api-key": "sk-b"}}
        assert httpx.post(f"{told['base_url']}/{IMAGE.slug}", **odd).status_code == 422


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--spec nowhere.json", "there is no file nowhere.json: name one, a folder with openapi.json, an address"),
        ("--spec half.json", "'half.json' cannot be used: the document refers to '#/components/schemas/Lost'"),
        ("--prices nowhere.json", "there is no file nowhere.json: name one, or an address"),
    ],
)
def test_an_option_that_is_none_ends_it_with_a_sentence(
    words: str, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    half = {"get": {"responses": {"200": {"$ref": "#/components/schemas/Lost"}}}}
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/api/v1/x": half}}
    (tmp_path / "half.json").write_text(json.dumps(document))
    assert main(["emulator", "--port", "0", *words.split()]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


@pytest.mark.parametrize(
    "words", ["--job-seconds -1", "--job-seconds image", "--shape submit", "--balance 1e30", "--cors * --no-cors"]
)
def test_words_that_cannot_be_right_are_wrong_usage(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["emulator", *words.split()])
    assert caught.value.code == 2
    assert words.split(maxsplit=1)[0] in capsys.readouterr().err


def test_the_keys_that_are_printed_are_those_of_the_state(tmp_path: Path) -> None:
    state = tmp_path / "s.json"
    state.write_text(Emulator(live_keys=("sk-mine",), test_keys=()).save())
    with running("--state", str(state)) as emulator:
        told = emulator.stop()[0]
    assert "live key sk-mine   test key (none)" in told
    assert "MUAPI_API_KEY=sk-mine" in told


def test_an_option_that_a_kept_state_has_of_its_own_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "s.json"
    state.write_text(Emulator().save())
    for option in ("--live-key=x", "--failure-rate=0.1", "--shape=submit=id", "--serial=image"):
        assert main(["emulator", "--port", "0", "--state", str(state), option]) == 1
        assert f"of its own: leave {option.partition('=')[0]} out" in capsys.readouterr().err


def test_the_module_is_the_command_and_ends_cleanly(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "muapi_client.emulator", "--port", "0", "--output", "json")
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        emulator = Running(process)
        assert httpx.get(f"{json.loads(emulator.first)['url']}/emulator/health").json()["status"] == "ok"
        emulator.stop()
    assert process.returncode == 0


def test_real_time_is_as_slow_as_the_real_one() -> None:
    with running("--realtime") as emulator, MuAPI(LIVE, emulator.first.split()[-1]) as mu:
        job: Any = mu.submit(make_video(prompt="waves"))
        assert [mu.look(job).status for _ in range(3)] == ["queued"] * 3
        emulator.stop()


def test_a_port_that_is_taken_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        before = signal.getsignal(signal.SIGTERM)
        assert main(["emulator", "--port", port]) == 1
    assert signal.getsignal(signal.SIGTERM) is before
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"muapi-client: cannot listen on 127.0.0.1, port {port}: ")
    assert err.endswith("; port 0 picks a free one\n")


@pytest.mark.parametrize(
    ("words", "taught"),
    [
        (("--chaos", "20"), "no rate from 0 to 1, such as 0.2"),
        (("--chaos", "nan"), "no rate"),
        (("--port", "70000"), "no port: 0 to 65535"),
        (("--balance", "-1"), "no amount in USD"),
        (("--serial", "typo"), "it names typo; the kinds are image, video"),
        (("--job-seconds", "typo=1"), "it names typo; the kinds are image, video"),
        (("--shape", "submit=typo"), "submit='typo' is no such layout: there are request_id, bare, id, data"),
        (("--shape", "typo=1"), "a shape has no 'typo'; there are submit, outputs"),
        (("--shape", "extras=maybe"), "extras='maybe' is neither true nor false"),
        (("--failure-rate", "0.8", "--moderation-rate", "0.8"), "together they are at most 1"),
        (("--allowed-host", "http://x"), "no host"),
        (("--cors", "x"), "no origin"),
        (("--control-token", ""), "the control token is empty"),
        (("--webhook-duplicates", "-1"), "no whole number"),
        (("--live-key", ""), "a key is empty"),
        (("--live-key", "sk-test"), "one key is among the live keys and among the test keys"),
        (("--live-key", "a", "--test-key", "b", "--test-key", "a"), "among the live keys and among the test keys"),
    ],
)
def test_words_that_cannot_be_right(words: tuple[str, ...], taught: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["emulator", *words])
    assert left.value.code == 2
    assert taught in capsys.readouterr().err


def test_a_webhook_that_is_no_url_is_told_like_any_other() -> None:
    with running("--output", "json") as emulator:
        url = json.loads(emulator.first)["url"]
        told = httpx.post(
            f"{url}/api/v1/{CHAT.slug}",
            params={"webhook": "http://["},
            json={"prompt": "x"},
            headers={"x-api-key": LIVE},
        )
        assert told.status_code == 200
        assert emulator.process.stderr is not None
        while (event := json.loads(emulator.process.stderr.readline()))["event"] != "webhook":
            pass
        emulator.stop()
    assert (event["host"], event["status"], event["attempt"]) == ("", None, 1)
    assert "not posted" in event["error"]
