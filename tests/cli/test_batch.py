"""``batch``: a job for each row, all checked first; the same command again pays nothing again."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import EDIT, IMAGE, price_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muapi_client.cli._exit import worst
from muapi_client.cli._rows import read_table
from muapi_client.emulator import Emulator, Fault, Outcome
from muapi_client.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable

Call = Any  # the fixture `call`; see conftest
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
FOXES = [{"name": "red fox", "prompt": "a, fox", "width": 512}, {"name": "owl", "prompt": 'an "owl"\nby night'}]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, rows: Iterable[dict[str, Any]]) -> str:
    """A file of rows; answers its name."""
    listed = list(rows)
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        if name.endswith(".csv"):
            writer = csv.DictWriter(file, list(dict.fromkeys(column for row in listed for column in row)))
            writer.writeheader()
            writer.writerows(listed)
        else:
            file.writelines(f"{json.dumps(row)}\n" for row in listed)
    return name


def sent(emulator: Emulator, slug: str = IMAGE.slug) -> list[dict[str, Any]]:
    """The bodies that were submitted."""
    return [json.loads(each.request.body) for each in emulator.requests if each.slug == slug]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_each_row_is_a_job_and_a_line_of_results(call: Call, emulator: Emulator, here: Path, form: str) -> None:
    file = write(f"foxes.{form}", FOXES)
    said = call("batch", file, IMAGE.slug, "--out", "out", "--name", "{row.name}", "num_images=2")
    assert said.code == 0
    assert sorted(sent(emulator), key=str) == [
        {"num_images": 2, "prompt": "a, fox", "width": 512},
        {"num_images": 2, "prompt": 'an "owl"\nby night'},
    ]
    saved = sorted(path.name for path in (here / "out").iterdir())
    assert saved == ["owl-0.png", "owl-1.png", "red_fox-0.png", "red_fox-1.png"]
    lines = sorted(line.split("\t") for line in said.out.splitlines())
    assert lines == [["1", f"out/red_fox-{n}.png"] for n in (0, 1)] + [["2", f"out/owl-{n}.png"] for n in (0, 1)]
    books = f"foxes.{form} {IMAGE.slug}: 2 of 2 done in T: 2 finished; 0.06 USD charged."
    assert re.sub(r"\d+:\d\d:\d\d", "T", said.err.splitlines()[-1]) == books


def test_rows_that_a_sandbox_key_answers_are_told_to_be_samples(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """They all look alike, cost nothing, and pass for what was asked; so they do when they come from the journal."""
    monkeypatch.setenv("MUAPI_API_KEY", "sk-test")
    words = ("batch", write("foxes.csv", [{"prompt": f"fox {n}"} for n in range(3)]), IMAGE.slug)
    for _ in range(2):
        lines = call(*words).err.splitlines()
        assert lines.count("this key is a sandbox (test) key: the output is a sample, not made from your input") == 1
        assert lines[-1].endswith(" 3 of what was made are samples of a sandbox (test) key, not made from the input.")
    assert "sandbox" not in call(*words, "--quiet").err
    assert [row["sandbox"] for row in call(*words, "--output=json").json["rows"]] == [True] * 3


def test_the_same_command_again_pays_nothing_again(call: Call, emulator: Emulator, here: Path) -> None:
    file = write("foxes.csv", [{"prompt": f"fox {n}"} for n in range(3)])
    words = ("batch", file, IMAGE.slug, "--out", "out")
    first = call(*words)
    paid = emulator.charged_usd
    again = call(*words)
    assert (again.code, emulator.accepted, emulator.charged_usd) == (0, 3, paid)
    assert sorted(again.out.splitlines()) == sorted(first.out.splitlines())
    assert again.err.splitlines()[-1].endswith(f"Of what was charged, {paid.normalize():f} USD were in earlier runs.")
    write("foxes.csv", [{"prompt": f"fox {n}"} for n in range(5)])  # two more
    told = call(*words, "--output=json").json
    assert emulator.accepted == 5
    assert (told["finished"], told["charged_before_usd"]) == (5, float(paid))
    assert told["charged_usd"] == float(emulator.charged_usd - paid)
    assert sorted((row["key"], row["reused"]) for row in told["rows"]) == [
        ("1", True),
        ("2", True),
        ("3", True),
        ("4", False),
        ("5", False),
    ]
    assert len(list((here / "out").iterdir())) == 5


def test_a_row_that_changed_under_its_key_is_refused_by_name(call: Call, emulator: Emulator) -> None:
    file = write("foxes.csv", [{"name": "a", "prompt": "fox"}, {"name": "b", "prompt": "owl"}])
    words = ("batch", file, IMAGE.slug, "--key", "name")
    assert call(*words).code == 0
    write("foxes.csv", [{"name": "b", "prompt": "owl"}, {"name": "a", "prompt": "a wolf"}])
    said = call(*words)
    assert said.code == 1
    assert "a (line 3): run 'foxes.csv" in said.err
    assert "knows 'a' as another call" in said.err
    assert emulator.accepted == 2
    assert call(*words, "--run", "another").code == 0


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("promt\nfox\n", f"'promt' is no field of {IMAGE.slug}: did you mean prompt?"),
        ("prompt;width\nfox;512\n", "columns are separated by commas here, not by ';'"),
        ("prompt,prompt\na,b\n", "has 'prompt' twice"),
        ("prompt,\na,b\n", "a column without a name"),
        ("prompt,width\na,b,c\n", "line 2: 3 cells, and the header has 2"),
        ("prompt,width\n\n\na\n", "line 4: 1 cells"),
        ('prompt\n"a\nb"\n"c', "line 4: no CSV"),
        ("prompt,width\nfox,512\n\nfox,wide\n", "line 4: width: "),
        ("prompt,num_images\nfox,9\n", "line 2: num_images: "),
        ("prompt\n", "has no rows"),
        ("", "has no rows"),
    ],
)
def test_a_bad_csv_is_told_by_its_line_and_nothing_is_sent(
    call: Call, emulator: Emulator, content: str, complaint: str
) -> None:
    Path("a.csv").write_text(content)
    said = call("batch", "a.csv", IMAGE.slug)
    assert said.code == 8
    assert complaint in said.err
    assert "nothing was sent" in said.err
    assert not emulator.requests


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"prompt": "x"', "line 2: no JSON"),
        ("[1]", "line 2: no JSON object"),
        ('{"prompt": NaN}', "line 2: no JSON: NaN"),
        ('{"prompt": 5}', "line 2: prompt: "),
        ('{"prompt": "x", "promt": "y"}', "did you mean prompt?"),
        ('{"prompt": "x", "width": "512"}', "line 2: width: "),
        ('{"prompt": "x", "prompt": "y"}', "line 2: no JSON: 'prompt' stands in it twice"),
        ('{"prompt": "half \\ud800"}', "line 2: no JSON: 'utf-8' codec can't encode"),
    ],
)
def test_bad_json_lines_are_told_by_their_line(call: Call, emulator: Emulator, line: str, complaint: str) -> None:
    Path("a.jsonl").write_text(f'{{"prompt": "fox"}}\n{line}\n')
    said = call("batch", "a.jsonl", IMAGE.slug)
    assert said.code == 8
    assert complaint in said.err
    assert not emulator.requests


def test_of_many_bad_rows_some_are_told_and_all_counted(call: Call, emulator: Emulator) -> None:
    file = write("foxes.csv", [{"prompt": "x", "width": "wide" if n % 2 else 512} for n in range(100)])
    said = call("batch", file, IMAGE.slug, "--output=json")
    assert [event["line"] for event in said.events[:-1]] == list(range(3, 23, 2))
    assert "50 rows do not fit, of which 10 are named here" in said.events[-1]["error"]
    assert not emulator.requests


def test_a_byte_that_is_no_text_is_told_by_its_line(call: Call) -> None:
    Path("a.csv").write_bytes(b"prompt\nfox\n\xff\n")
    assert "a.csv, line 3: no text in UTF-8" in call("batch", "a.csv", IMAGE.slug).err


def test_a_spreadsheets_mark_at_the_beginning_and_its_line_ends_are_no_matter(call: Call, emulator: Emulator) -> None:
    Path("a.csv").write_bytes(b"\xef\xbb\xbfprompt,width\r\nfox,\r\n\r\nowl,512\r\n")
    assert call("batch", "a.csv", IMAGE.slug).code == 0
    assert sorted(sent(emulator), key=str) == [{"prompt": "fox"}, {"prompt": "owl", "width": 512}]


def test_a_column_for_names_or_keys_alone_need_be_no_field(call: Call) -> None:
    file = write("foxes.csv", [{"id": "a", "title": "x", "prompt": "fox"}])
    assert call("batch", file, IMAGE.slug, "--key", "id").code == 8
    assert call("batch", file, IMAGE.slug, "--key", "id", "--out", "o", "--name", "{row.title}").code == 0
    for words in (("--key", "none"), ("--out", "o", "--name", "{row.none}")):
        assert "has no column 'none'" in call("batch", file, IMAGE.slug, *words).err


@pytest.mark.parametrize(
    ("cells", "complaint"), [(["a", "a"], "line 3: name is 'a', as in line 2"), (["a", ""], "line 3: name is empty")]
)
def test_keys_differ(call: Call, emulator: Emulator, cells: list[str], complaint: str) -> None:
    file = write("foxes.csv", [{"name": cell, "prompt": "x"} for cell in cells])
    said = call("batch", file, IMAGE.slug, "--key", "name")
    assert complaint in said.err
    assert not emulator.requests


def test_two_rows_that_would_have_one_name_are_refused(call: Call, emulator: Emulator) -> None:
    file = write("foxes.csv", [{"name": "Red fox", "prompt": "x"}, {"name": "red/fox", "prompt": "y"}])
    said = call("batch", file, IMAGE.slug, "--out", "out", "--name", "{row.name}")
    assert (said.code, len(emulator.requests)) == (8, 0)
    assert "line 2 and line 3 would both be saved as red_fox-0" in said.err
    assert call("batch", file, IMAGE.slug, "--out", "out", "--name", "{row.name}-{key}").code == 0


def test_media_is_meant_from_the_batchs_folder_and_text_reads_no_file(call: Call, emulator: Emulator) -> None:
    Path("data").mkdir()
    Path("data/fox.png").write_bytes(PNG)
    Path("secret.txt").write_text("geheim")
    file = write("data/edits.csv", [{"prompt": "@secret.txt", "images_list": "fox.png"}])
    assert call("batch", file, EDIT.slug).code == 0
    (body,) = sent(emulator, EDIT.slug)
    assert body["prompt"] == "@secret.txt"
    assert body["images_list"][0].startswith("https://")
    Path("fox.png").write_bytes(PNG)
    for place in ("../fox.png", str(Path("fox.png").absolute())):
        write(file, [{"prompt": "x", "images_list": place}])
        said = call("batch", file, EDIT.slug, "--run", "other")
        assert said.code == 8
        assert "is not in data, where the files of rows are: --files DIR" in said.err
        assert call("batch", file, EDIT.slug, "--run", "other", "--files", ".", "--dry-run").code == (
            8 if place.startswith("..") else 0
        )
    write(file, [{"prompt": "x", "images_list": "wolf.png"}])
    said = call("batch", file, EDIT.slug, "--run", "other")
    assert "line 2: " in said.err
    assert f"no such file, and no URL (looked for {Path('data/wolf.png')})" in said.err


def test_a_dry_run_checks_all_rows_and_needs_no_key(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MUAPI_API_KEY")
    assert call("batch", write("foxes.csv", [{"prompt": "x"}] * 3), IMAGE.slug, "--dry-run").out == (
        f"3 rows fit {IMAGE.slug}\n"
    )
    assert not emulator.requests


def test_an_estimate_adds_up_all_rows_and_asks_for_equal_ones_once(call: Call, emulator: Emulator) -> None:
    rows = [{"prompt": f"fox {n}", "num_images": 1 + n % 2} for n in range(10)]
    said = call("batch", write("foxes.csv", rows), IMAGE.slug, "--estimate")
    assert said.out == "0.225 USD\n"
    assert "10 rows, 2 prices" in said.err
    assert (len(emulator.requests), emulator.accepted) == (2, 0)


def test_rows_may_come_on_standard_input_and_need_a_name(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words, code in [(["--format", "csv"], 8), (["--run", "a"], 8), (["--format", "csv", "--run", "a"], 0)]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"prompt\nfox\n")))
        assert call("batch", "-", IMAGE.slug, *words).code == code
    assert sent(emulator) == [{"prompt": "fox"}]


def test_standard_input_holds_the_rows_or_a_field_and_never_both(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"num_images\n1\n")))
    said = call("batch", "-", IMAGE.slug, "--format", "csv", "--run", "a", "prompt=-")
    assert (said.code, emulator.accepted) == (8, 0)
    assert "read once" in said.err


def test_closed_standard_input_is_told(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    said = call("batch", "-", IMAGE.slug, "--format", "csv", "--run", "a")
    assert said.code == 8
    assert "fault of this program" not in said.err


def test_without_a_journal_it_runs_once_and_promises_no_more(call: Call, emulator: Emulator) -> None:
    file = write("foxes.csv", [{"prompt": "x"}])
    assert call("batch", file, IMAGE.slug, "--no-journal").code == 0
    for words in (["--run", "a"], ["--retry-unknown"], ["--budget", "5"], ["--reuse"]):
        assert call("batch", file, IMAGE.slug, "--no-journal", *words).code == 8
    assert emulator.accepted == 1


def test_a_budget_holds_for_the_run_and_tells_what_was_not_begun(call: Call, emulator: Emulator) -> None:
    file = write("foxes.csv", [{"prompt": f"fox {n}"} for n in range(10)])
    words = ("batch", file, IMAGE.slug, "--concurrency", "1")
    said = call(*words, "--budget", "0.05")
    assert (said.code, emulator.accepted) == (12, 3)
    assert "3 of 10 done in " in said.err.splitlines()[-1]
    assert said.err.splitlines()[-1].endswith(
        ": 3 finished, 1 not sent, 6 not begun; 0.045 USD charged. What was not sent or not begun: the same command"
        " again with a higher limit."
    )
    told = call(*words, "--budget", "0.05", "--output=json")
    assert (told.code, told.json["failed"], told.json["not_sent"], told.json["not_begun"]) == (12, 0, 1, 6)
    assert emulator.accepted == 3
    assert call(*words, "--budget", "5").code == 0
    assert emulator.accepted == 10


def test_without_a_journal_nobody_is_sent_to_pay_again(call: Call, emulator: Emulator) -> None:
    file = write("foxes.csv", [{"prompt": f"fox {n}"} for n in range(10)])
    said = call("batch", file, IMAGE.slug, "--no-journal", "--concurrency", "1", "--max-spend", "0.05")
    assert (said.code, emulator.accepted) == (12, 3)
    assert said.err.splitlines()[-1].endswith(
        "What was not sent or not begun: the same command again would pay for the others again."
    )


def test_what_a_limit_has_no_room_for_is_told_in_words_once(call: Call, emulator: Emulator) -> None:
    file = write("foxes.csv", [{"prompt": f"fox {n}"} for n in range(10)])
    said = call("batch", file, IMAGE.slug, "--budget", "0.05")
    assert (said.code, emulator.accepted) == (12, 3)
    assert said.err.count("past the budget of 0.05 USD") == 1
    told = call("batch", file, IMAGE.slug, "--budget", "0.05", "--output=json")
    refused = [row["error"] for row in told.json["rows"] if row["error"]]  # the others were not begun any more
    assert 1 <= len(refused) <= 7
    assert all("past the budget of 0.05 USD" in error for error in refused)


def test_an_error_that_ends_many_rows_alike_is_told_in_full_once(call: Call) -> None:
    file = write("foxes.csv", [{"prompt": f"fox {n}"} for n in range(5)])
    poor = Emulator(live_keys=("sk-live",), balance=Decimal(0))
    said = call("batch", file, IMAGE.slug, transport=poor.transport())
    assert said.code == 6
    assert said.err.count("topup AMOUNT") == 1
    books = said.err.splitlines()[-1]
    assert "0 of 5 done" in books
    assert sum(int(count) for count in re.findall(r"(\d+) (?:refused|not begun)", books)) == 5
    assert re.search(r"What was refused(?: or not begun)?: the same command again\.$", books)
    told = re.findall(r"^\d \(line \d\): (the same as \d \(line \d\)$)?", said.err, re.MULTILINE)
    assert told.count("") == 1, (
        "of those that were under way when the first was refused, which a slow machine had not begun"
    )
    said = call("run", IMAGE.slug, "prompt=x", "-n", "2", "--max-spend", "0.02")
    assert said.err.splitlines()[-1].endswith(
        "What was not sent: the same command again would pay for the others again."
    )


def test_failed_rows_are_told_and_the_worst_code_is_answered(call: Call, emulator: Emulator) -> None:
    emulator.next(Outcome.failed("out of memory"))
    file = write("foxes.csv", [{"prompt": "a"}, {"prompt": "b"}])
    said = call("batch", file, IMAGE.slug, "--concurrency", "1")
    assert said.code == 10
    both, each = price_of(IMAGE, 2), price_of(IMAGE)
    assert said.err.splitlines()[:1] == [f"price: about {both} USD ({each} each), by the price list's example"]
    assert said.err.splitlines()[1].startswith("1 (line 2): job ")
    assert "1 finished, 1 failed" in said.err.splitlines()[-1]
    assert "--reuse with another --run NAME" in said.err.splitlines()[-1]
    told = call("batch", file, IMAGE.slug, "--output=json")
    assert told.code == 10
    again = call("batch", file, IMAGE.slug, "--reuse", "--run", "again", "--output=json")
    assert (again.code, again.json["finished"], emulator.accepted) == (0, 2, 3)
    assert again.json["charged_usd"] == float(emulator.charged_usd / 2)  # of three jobs one failed, and was refunded
    (failed,) = [row for row in told.json["rows"] if row.get("error")]
    assert (failed["key"], failed["place"], failed["error_type"]) == ("1", "line 2", "JobFailedError")
    assert (failed["exit_code"], failed["charged_usd"], failed["in_doubt"], failed["state"]) == (
        10,
        0.0,
        False,
        "failed",
    )


def test_what_may_have_been_charged_is_told_and_not_sent_again_unless_asked_for(call: Call, emulator: Emulator) -> None:
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    file = write("foxes.csv", [{"prompt": "a"}])
    words = ("batch", file, IMAGE.slug)
    said = call(*words)
    assert (said.code, emulator.accepted) == (9, 1)
    assert "muapi-client unknown lists what may have been charged" in said.err
    assert "mu." not in said.err
    told = call(*words, "--output=json")
    assert (told.code, emulator.accepted) == (9, 1)
    assert told.json["rows"][0]["in_doubt"]
    assert told.json["in_doubt_usd"] == float(IMAGE.price.cost_usd)
    assert call(*words).err.startswith("1 of 1 rows were submitted before, and are not again\n")
    once_more = call(*words, "--retry-unknown")
    assert once_more.err.startswith(f"price: about {price_of(IMAGE)} USD")
    assert (once_more.code, emulator.accepted) == (0, 2)


def test_a_key_that_is_refused_ends_it_at_once(call: Call, monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    monkeypatch.setenv("MUAPI_API_KEY", "sk-wrong")
    file = write("foxes.csv", [{"prompt": f"fox {n}"} for n in range(50)])
    assert call("batch", file, IMAGE.slug, "--concurrency", "2").code == 3
    assert len(emulator.requests) <= 4


def test_a_download_that_fails_is_told_with_what_to_type(call: Call, emulator: Emulator) -> None:
    emulator.next(Outcome.completed(["http://plain.example/a.png"]))
    file = write("foxes.csv", [{"prompt": "a"}])
    said = call("batch", file, IMAGE.slug, "--out", "out")
    assert said.code == 1
    assert said.out == "1\thttp://plain.example/a.png\n"
    assert "is paid for; once more: muapi-client download" in said.err
    assert "1 of 1 done in " in said.err
    assert ": 0 finished, 1 not saved; 0.015 USD charged." in said.err


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "No space left on device")], ids=["pipe", "disk"])
def test_results_that_nobody_takes_are_saved_all_the_same_or_no_more_are_paid_for(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, here: Path, error: OSError
) -> None:
    def fail(_: str) -> None:
        raise error

    for module in ("_exit", "_record"):
        monkeypatch.setattr(f"muapi_client.cli.{module}.abandon_stdout", lambda: None)
    file = write("foxes.csv", [{"prompt": f"fox {n}"} for n in range(9)])
    words = ("batch", file, IMAGE.slug, "--concurrency", "1")
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout.write", fail)
        saved = call(*words, "--out", "out")
        unsaved = call(*words, "--run", "another")
    assert saved.code == 1
    assert "standard output takes no more; the jobs go on, and are saved" in saved.err
    assert "not begun" not in saved.err, "all of them ended"
    assert len(list((here / "out").iterdir())) == 9
    assert unsaved.code == 1
    assert emulator.accepted < 9 + 4
    assert "standard output takes no more; nothing more is submitted, and 9 of 9 have not ended" in unsaved.err or (
        re.search(r"standard output takes no more; .* 1 ended without being printed \([0-9a-f-]{36}\)", unsaved.err)
    )
    assert unsaved.err.strip().split("\n")[1].endswith("to go on: the same command again.")
    assert call(*words, "--run", "another").code == 0
    assert emulator.accepted == 18


def test_a_key_breaks_no_line_of_results(call: Call) -> None:
    file = write("foxes.csv", [{"name": "a\tb\nc", "prompt": "x"}])
    assert call("batch", file, IMAGE.slug, "--key", "name").out.startswith("a b c\thttps://")


def test_quiet_says_nothing_but_results_and_errors(call: Call, emulator: Emulator) -> None:
    file = write("foxes.csv", [{"prompt": "a"}])
    assert call("batch", file, IMAGE.slug, "--quiet").err == ""
    said = call("run", IMAGE.slug, "prompt=x", "-q")
    assert (said.code, said.err) == (0, "")
    lone = call("run", IMAGE.slug, "prompt=x", "-q", "--no-journal")
    assert lone.err.startswith("accepted as ")  # the one trace of it, should this program be killed
    assert call("run", IMAGE.slug, "promt=x", "-q").err != ""


def test_twenty_thousand_rows_are_read_and_checked_in_no_time(call: Call, emulator: Emulator) -> None:
    file = write("many.csv", [{"prompt": f"fox {n}", "width": 512} for n in range(20_000)])
    began = time.process_time()
    assert call("batch", file, IMAGE.slug, "--dry-run", "--output=json").code == 0
    assert time.process_time() - began < 30  # a hang or a square, on whatever machine; some 3 s
    assert not emulator.requests


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["csv", "jsonl"]))
def test_any_bytes_are_rows_or_told_why_not(here: Path, content: bytes, form: str) -> None:
    (here / "any").write_bytes(content)
    with suppress(ValidationError):  # and nothing else
        assert read_table(str(here / "any"), form).rows


def test_of_many_codes_doubts_about_money_come_first() -> None:
    assert worst([]) == worst([0, 0]) == 0
    assert worst([0, 8, 10, 9, 1]) == 9
    assert worst([0, 10, 7]) == 7
    assert worst([11, 12, 0]) == 12
    assert worst([99]) == 1


def test_a_row_whose_file_is_another_is_refused_and_gets_no_result_of_the_first(
    call: Call, emulator: Emulator, here: Path
) -> None:
    (here / "fox.png").write_bytes(PNG)
    file = write("edits.csv", [{"images_list": "fox.png"}])
    words = ("batch", file, EDIT.slug, "prompt=x")
    assert call(*words).code == 0
    (here / "owl.png").write_bytes(PNG + b"another")
    write("edits.csv", [{"images_list": "owl.png"}, {"images_list": "fox.png"}])  # as where a row is put before
    said = call(*words)
    assert said.code == 1
    assert "1 (line 2): run 'edits.csv" in said.err
    assert "knows '1' with other local files" in said.err
    assert [line.split("\t")[0] for line in said.out.splitlines()] == ["2"]
    (here / "fox.png").rename(here / "red.png")  # the same file by another name is the same
    write("edits.csv", [{"images_list": "red.png"}])
    assert call(*words).code == 0
    assert emulator.accepted == 2


@pytest.mark.parametrize("option", ["--estimate", "--dry-run"])
@pytest.mark.parametrize("pattern", ["{row.title}", "{row.title}-{index}"])
def test_asking_first_takes_the_command_as_it_will_run_and_touches_no_folder(
    call: Call, emulator: Emulator, here: Path, option: str, pattern: str
) -> None:
    file = write("foxes.csv", [{"prompt": "fox", "title": "red"}, {"prompt": "owl", "title": "grey"}])
    words = ("batch", file, IMAGE.slug, "--out", "out", "--name", pattern)
    assert call(*words, option).code == 0
    assert not (here / "out").exists()
    write("foxes.csv", [{"prompt": "fox", "title": "red"}, {"prompt": "owl", "title": "Red"}])
    said = call(*words, option)
    assert (said.code, emulator.accepted) == (8, 0)
    assert "line 2 and line 3 would both be saved as" in said.err


def test_the_price_said_before_is_that_of_the_rows_as_they_are(call: Call, emulator: Emulator) -> None:
    file = write("foxes.csv", [{"prompt": f"fox {n}", "num_images": 1 + n % 2 * 3} for n in range(6)])
    asked = call("batch", file, IMAGE.slug, "--estimate")
    limit = price_of(IMAGE, 6.5)
    said = call("batch", file, IMAGE.slug, "--max-spend", limit, "--concurrency", "1")
    one = Decimal(call("run", IMAGE.slug, "prompt=x", "--estimate").out.split()[0])
    assert asked.out == f"{(15 * one).normalize():f} USD\n"
    assert said.err.splitlines()[0] == (
        f"price: about {price_of(IMAGE, 15)} USD ({price_of(IMAGE)} to {price_of(IMAGE, 4)} each), by the price list's"
        f" example; the limit of {limit} USD has room for 3 of them at most"
    )
    wide = call("batch", file, IMAGE.slug, "width=512", "--run", "wide", "--quiet")
    assert (wide.code, wide.err) == (0, "")


def test_rows_that_differ_in_addresses_alone_are_priced_once(call: Call, emulator: Emulator) -> None:
    file = write("edits.jsonl", [{"images_list": [f"https://a.example/{n}.png"]} for n in range(9)])
    assert "9 rows, 1 prices" in call("batch", file, EDIT.slug, "prompt=x", "--estimate").err
    assert len(emulator.requests) == 1


def test_the_price_said_before_a_rerun_is_that_of_what_was_not_submitted(call: Call) -> None:
    file = write("foxes.csv", [{"prompt": f"fox {n}"} for n in range(3)])
    words = ("batch", file, IMAGE.slug)
    call(*words)
    assert call(*words).err.splitlines()[0] == "3 of 3 rows were submitted before, and are not again"
    assert "price: " not in call(*words).err
    write("foxes.csv", [{"prompt": f"fox {n}"} for n in range(5)])  # two more
    before, price = call(*words).err.splitlines()[:2]
    assert before == "3 of 5 rows were submitted before, and are not again"
    assert price.startswith(f"price: about {price_of(IMAGE, 2)} USD (")
    assert "submitted before" not in call(*words, "--quiet").err


def test_a_row_that_has_not_ended_in_time_lives_on_and_is_no_failed_one(call: Call) -> None:
    endless = Emulator(live_keys=("sk-live",), job_seconds=math.inf)
    file = write("foxes.csv", [{"prompt": "a"}])
    words = ("batch", file, IMAGE.slug, "--timeout", "5")
    said = call(*words, transport=endless.transport())
    assert said.code == 7
    books = said.err.splitlines()[-1]
    assert "0 of 1 done in " in books
    assert books.endswith(": 0 finished, 1 lives on; 0.015 USD charged. What lives on: the same command again.")
    told = call(*words, "--output=json", transport=endless.transport())
    assert (told.code, told.json["running"], told.json["failed"], endless.accepted) == (7, 1, 0, 1)
    assert (told.json["charged_usd"], told.json["charged_before_usd"]) == (0.0, 0.015)
    assert [(row["state"], row["exit_code"]) for row in told.json["rows"]] == [("running", 7)]
