"""``run``, ``wait`` and ``look``, through the door and to an emulator."""

from __future__ import annotations

import io
import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import CHAT, EDIT, IMAGE, STREAM, STREAMED, price_of, row

from muapi_client.emulator import Outcome, Shape

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from muapi_client.emulator import Emulator

Call = Any  # the fixture `call`; see conftest


def test_a_job_prints_its_output_and_tells_id_charge_and_balance_aside(call: Call, emulator: Emulator) -> None:
    said = call("run", IMAGE.slug, "prompt=a red fox", "width=512")
    assert said.code == 0
    assert said.out.startswith("https://cdn.muapi.ai/outputs/")
    assert said.out.count("\n") == 1
    price, accepted, summary = said.err.splitlines()
    asks = "which this input may change: --estimate asks"
    assert price == f"price: about {price_of(IMAGE)} USD, by the price list's example, {asks}"
    assert "accepted as " in accepted
    charged, balance = (f"{usd.normalize():f} USD" for usd in (emulator.charged_usd, emulator.balance))
    assert f"charged {charged}; balance {balance}" in summary
    assert emulator.accepted == 1


def test_outputs_stand_one_a_line(call: Call) -> None:
    said = call("run", IMAGE.slug, "prompt=x", "num_images=3")
    assert len(said.out.splitlines()) == 3


def test_json_is_one_object_and_json_lines(call: Call, emulator: Emulator) -> None:
    said = call("run", IMAGE.slug, "prompt=a red fox", "--output", "json")
    assert said.json["status"] == "completed"
    assert said.json["outputs"][0]["media_type"] == "image/png"
    assert said.json["cost"]["charged_usd"] == float(emulator.charged_usd)
    assert said.json["balance_usd"] == float(emulator.balance)
    assert said.json["sandbox"] is False
    (accepted,) = said.events
    assert (accepted["event"], accepted["request_id"]) == ("accepted", said.json["request_id"])


@pytest.mark.parametrize(
    "words",
    [
        ["--output", "json", "run", IMAGE.slug, "prompt=x", "width=64", "--dry-run"],
        ["run", "--output", "json", "--dry-run", IMAGE.slug, "prompt=x", "width=64"],
        ["run", IMAGE.slug, "--dry-run", "prompt=x", "--output", "json", "width=64"],
        ["run", IMAGE.function, "prompt=x", "--dry-run", "--", "width=64"],
        ["run", IMAGE.name, "prompt=x", "width=64", "--dry-run"],
    ],
)
def test_options_may_stand_anywhere_and_a_model_has_three_names(call: Call, words: list[str]) -> None:
    said = call(*words)
    assert said.code == 0
    assert said.json["body"] == {"prompt": "x", "width": 64}
    assert said.json["url"] == f"https://api.muapi.ai/api/v1/{IMAGE.slug}"


@pytest.mark.parametrize(
    ("slug", "fields"),
    [
        (IMAGE.slug, ["prompt=a \N{SNOWFLAKE} fox", "width=512", "sync=false", "num_images=2"]),
        (
            EDIT.slug,
            ["prompt=x", "images_list=https://a.example/1.png", "images_list=https://a.example/2.png"],
        ),
        row("mmaudio-v2/text-to-audio", ["prompt=rain"], body={"prompt": "rain"}),
        row(
            "suno-create-music",
            ["style=piano", "style_weight=0.5", "title=null", "model=V5"],
            body={"style": "piano", "style_weight": 0.5, "title": None, "model": "V5"},
        ),
        row("deepseek-v4-flash", ["prompt=x", "stop=a", "stop=b"], body={"prompt": "x", "stop": ["a", "b"]}),
    ],
)
def test_a_dry_run_shows_what_is_sent(call: Call, emulator: Emulator, slug: str, fields: list[str]) -> None:
    dry = call("run", slug, *fields, "--dry-run")
    assert not emulator.requests
    assert call("run", slug, *fields).code == 0
    request = emulator.requests[0].request
    assert dry.json == {
        "method": request.method,
        "url": f"https://api.muapi.ai{request.path}",
        "query": dict(request.query),
        "body": json.loads(request.body),
    }


def test_a_dry_run_needs_no_key_and_knows_the_base_url(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUAPI_API_KEY")
    monkeypatch.setenv("MUAPI_BASE_URL", "http://127.0.0.1:8000/api/v1")
    said = call("run", IMAGE.slug, "prompt=x", "--dry-run")
    assert said.code == 0
    assert said.json["url"] == f"http://127.0.0.1:8000/api/v1/{IMAGE.slug}"


def test_an_estimate_sends_no_job(call: Call, emulator: Emulator) -> None:
    assert call("run", IMAGE.slug, "prompt=x", "num_images=2", "--estimate").out == "0.03 USD\n"
    assert call("run", IMAGE.slug, "--estimate", "--output=json").json == {
        "model": IMAGE.name,
        "cost_usd": 0.015,
        "dynamic": True,
        "strategy": IMAGE.name,
    }
    assert emulator.accepted == 0


def test_input_comes_from_a_file_and_words_win(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "input.json"
    file.write_text('{"prompt": "from the file", "width": 512}', encoding="utf-8")
    said = call("run", IMAGE.slug, "--json", str(file), "width=1024", "--dry-run")
    assert said.json["body"] == {"prompt": "from the file", "width": 1024}


def test_input_comes_from_standard_input(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO('{"prompt": "\u00e9"}'.encode())))
    assert call("run", IMAGE.slug, "--json", "-", "--dry-run").json["body"] == {"prompt": "\u00e9"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[1]", "a JSON list, not an object"),
        (b"{", "holds no JSON"),
        (b"\xff", "holds no JSON"),
        (b'{"prompt": "a", "prompt": "b"}', "holds no JSON: 'prompt' stands in it twice"),
        (b'{"prompt": "a", "seed": NaN}', "holds no JSON: NaN is no JSON number"),
    ],
)
def test_a_file_that_holds_no_object_is_refused(call: Call, tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "input.json"
    file.write_bytes(content)
    said = call("run", IMAGE.slug, "--json", str(file))
    assert said.code == 8
    assert words in said.err


def test_a_file_that_is_not_there(call: Call, tmp_path: Path) -> None:
    said = call("run", IMAGE.slug, "--json", str(tmp_path / "none.json"))
    assert said.code == 1
    assert "No such file or directory" in said.err
    assert "none.json" in said.err


def test_a_file_is_checked_as_words_are(call: Call, tmp_path: Path, emulator: Emulator) -> None:
    file = tmp_path / "input.json"
    file.write_text('{"promt": "x"}', encoding="utf-8")
    said = call("run", IMAGE.slug, "--json", str(file))
    assert said.code == 8
    assert "did you mean 'prompt'?" in said.err
    assert not emulator.requests


def test_raw_sends_unchecked_to_any_slug(call: Call, emulator: Emulator) -> None:
    said = call("run", "brand/new-model", "--raw", "prompt=x", "count=2", 'name="2"', "tags=a", "tags=b", "--dry-run")
    assert said.json["url"].endswith("/api/v1/brand/new-model")
    assert said.json["body"] == {"prompt": "x", "count": 2, "name": "2", "tags": ["a", "b"]}
    assert call("run", "brand/new-model", "--raw", "prompt=x").code == 5
    assert [exchange.slug for exchange in emulator.requests] == ["brand/new-model"]


def test_a_job_need_not_be_waited_for(call: Call, emulator: Emulator) -> None:
    said = call("run", IMAGE.slug, "prompt=x", "--no-wait")
    request_id = said.out.strip()
    assert f"muapi-client wait {request_id}" in said.err
    assert len(emulator.requests) == 1
    assert call("look", request_id).out == "queued\n"
    done = call("wait", request_id)
    assert done.out == f"https://cdn.muapi.ai/outputs/{request_id}.png\n"
    looked = call("look", request_id)
    assert looked.out == f"completed\n{done.out}"
    assert emulator.accepted == 1


def test_no_wait_in_json(call: Call) -> None:
    said = call("--output=json", "run", IMAGE.slug, "prompt=x", "--no-wait")
    assert said.json["request_id"] == said.events[0]["request_id"]
    assert said.json["cost"]["amount_usd"] == 0.015


def test_a_job_that_is_finished_at_once_is_printed_at_once(call: Call, emulator: Emulator) -> None:
    said = call("run", IMAGE.slug, "prompt=x", "sync=true", "--no-wait")
    assert said.out.startswith("https://")
    assert len(emulator.requests) == 1


def test_looking_at_a_failed_job_is_no_error(call: Call, emulator: Emulator) -> None:
    emulator.next(Outcome.failed("out of memory"))
    assert call("run", IMAGE.slug, "prompt=x").code == 10
    request_id = emulator.requests[-1].request.path.split("/")[-2]
    said = call("look", request_id)
    assert (said.code, said.out) == (0, "failed\n")
    assert "out of memory" in said.err
    assert "was refunded" in said.err
    assert call("look", request_id, "--output", "json").json["error"] == "out of memory"


def test_text_and_data_are_printed_too(call: Call, emulator: Emulator) -> None:
    emulator.next(Outcome.completed(["a red\nfox"]), Outcome.completed([{"rank": 1}]))
    assert call("run", CHAT.slug, "prompt=x").out == "a red\nfox\n"
    assert call("run", CHAT.slug, "prompt=x").out == '{"rank": 1}\n'


def test_a_sandbox_key_is_pointed_out(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUAPI_API_KEY", "sk-test")
    assert "sandbox" in call("run", IMAGE.slug, "prompt=x").err
    assert "sandbox" in call("run", IMAGE.slug, "prompt=x", "-n", "2").err
    assert call("run", IMAGE.slug, "prompt=x", "--output=json").json["sandbox"] is True


def test_a_charge_the_server_did_not_tell_is_unknown_and_not_zero(call: Call, emulator: Emulator) -> None:
    emulator.next(Outcome.completed(shape=Shape(costs="none")))
    assert "charge unknown" in call("run", IMAGE.slug, "prompt=x").err


def test_what_would_steer_a_terminal_does_not_reach_it(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    nasty = "a\x1b]0;gotcha\x07b"
    emulator.next(*[Outcome.completed([nasty])] * 2)
    assert call("run", CHAT.slug, "prompt=x").out == f"{nasty}\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert "\x1b" not in call("run", CHAT.slug, "prompt=x").out


def test_a_stream_cannot_be_taken_up_later(call: Call, emulator: Emulator) -> None:
    said = call("run", STREAM.slug, "prompt=x", "--no-wait")
    assert said.code == 8
    assert f"run {STREAMED.slug}" in said.err
    assert not emulator.requests


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", IMAGE.slug, "prompt"],
        ["run", IMAGE.slug, "=x"],
        ["run", IMAGE.slug, "--promt", "x"],
        ["run", IMAGE.slug, "--api-key", "x"],
        ["run", IMAGE.slug, "--estimate", "--dry-run"],
        ["run", IMAGE.slug, "--timeout", "0"],
        ["run", IMAGE.slug, "--timeout", "inf"],
        ["run", IMAGE.slug, "--max-spend", "-1"],
        ["run", IMAGE.slug, "--max-spend", "a lot"],
        ["run", IMAGE.slug, "--dry"],
        ["wait"],
        ["wait", "id", "more"],
        ["models", "show"],
        ["demo", "--yes"],
        ["spec"],
        ["spec", "hide"],
        ["--output", "xml", "demo"],
        ["sing"],
        [],
    ],
)
def test_what_makes_no_command_is_a_usage_error(
    call: Callable[..., Any], capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        call(*words)
    assert left.value.code == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["run", IMAGE.slug, "--prompt", "x"],
            "unrecognized .*--prompt x; a field of the input has no dashes",
        ),
        (["wait", "id", "--prompt", "x"], r"unrecognized arguments: --prompt x \(see muapi-client wait --help\)$"),
        (["run"], r"required: SLUG \(see muapi-client run --help\)$"),  # fields are not: many models need none
    ],
    ids=str,
)
def test_a_usage_error_tells_how_a_field_is_written(
    call: Callable[..., Any], capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    with pytest.raises(SystemExit):
        call(*words)
    assert re.search(message, capsys.readouterr().err.strip())
