"""Fetching into a folder: what is written, what stays, what is told. The source is a file throughout."""

from __future__ import annotations

import copy
import json
import os
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from by_kind import CHAT, IMAGE, UPSCALE, fields_of

from muapi_client.pinning import Fetched, PinError, diff, fetch, pinned, verify
from muapi_client.pinning.__main__ import main

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOME = "https://api.muapi.ai/openapi.json"
MODELS = {"models": [{"name": "flux-dev", "cost": 0.025}], "total": 1, "currency": "USD"}
FILES = ("openapi.json", "models.json", "lock.toml")


def document(*slugs: str, words: str = "") -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Body"}}}
    paths = {f"/api/v1/{slug}": {"post": {"summary": words, "requestBody": {"content": content}}} for slug in slugs}
    schemas = {"Unused": {"type": "string"}, "Body": {"type": "object"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Muapi API", "version": "1.0.0"},
        "paths": {**paths, "/app/session": {"get": {}}},
        "components": {"schemas": schemas},
    }


class Room:
    """A folder to pin into, and a file to fetch."""

    def __init__(self, home: Path) -> None:
        self.home, self.spec, self.source = home, home / "spec", home / "served.json"
        self.models = home / "prices.json"
        self.serve(document("flux-dev-image", "veo"))
        self.models.write_text(json.dumps(MODELS))

    def serve(self, content: object) -> None:
        self.source.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())

    def fetch(self, **options: Any) -> Fetched:
        return fetch(str(self.source), self.spec, **{"now": lambda: NOON, **options})

    def bytes(self) -> dict[str, tuple[bytes, int]]:
        """Every file there, hidden ones too, with the time it was written."""
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in self.spec.iterdir()}

    def lock(self) -> dict[str, Any]:
        return tomllib.loads((self.spec / "lock.toml").read_text())


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.fixture
def pinned_room(room: Room) -> Room:
    room.fetch(models=str(room.models), recorded_source=HOME, note="a copy")
    return room


def test_the_first_fetch_writes_document_prices_and_lock(pinned_room: Room) -> None:
    assert sorted(pinned_room.bytes()) == sorted(FILES)
    kept = json.loads((pinned_room.spec / "openapi.json").read_bytes())
    assert list(kept["paths"]) == ["/api/v1/flux-dev-image", "/api/v1/veo"]
    assert list(kept["components"]["schemas"]) == ["Body"]
    lock = pinned_room.lock()
    assert (lock["source"], lock["note"], lock["etag"]) == (HOME, "a copy", "")
    assert (lock["fetched_at"], lock["operations"], lock["schemas"]) == ("2026-11-22T12:00:00+00:00", 2, 1)
    assert json.loads((pinned_room.spec / "models.json").read_bytes())["as_of"] == "2026-11-22"
    assert verify(pinned_room.spec) == ()


def test_a_pin_without_prices_is_whole(room: Room) -> None:
    assert room.fetch().changed == ("openapi.json", "lock.toml")
    assert room.lock()["models_sha256"] == ""
    assert verify(room.spec) == ()


def test_files_are_for_everybody_to_read_or_for_whom_they_were(pinned_room: Room) -> None:
    assert (pinned_room.spec / "openapi.json").stat().st_mode & 0o777 == 0o644
    (pinned_room.spec / "openapi.json").chmod(0o640)
    pinned_room.serve(document("veo"))
    pinned_room.fetch()
    assert (pinned_room.spec / "openapi.json").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("options", [{}, {"recorded_source": HOME, "note": "a copy"}])
def test_the_same_document_changes_no_byte_and_touches_no_file(pinned_room: Room, options: dict[str, Any]) -> None:
    before = pinned_room.bytes()
    reordered = document("veo", "flux-dev-image")
    reordered["paths"]["/app/other"] = {"post": {}}
    pinned_room.serve(reordered)
    done = pinned_room.fetch(models=str(pinned_room.models), now=lambda: datetime(2030, 1, 1, tzinfo=UTC), **options)
    assert pinned_room.bytes() == before
    assert (done.changed, done.before) == ((), done.after)
    assert done.message == f"unchanged: {done.after[:12]}, 2 operations"


def test_a_changed_document_is_told_by_hashes_and_operations(pinned_room: Room) -> None:
    before = pinned_room.lock()["document_sha256"]
    pinned_room.serve(document("veo", "kling", "sora", words="new"))
    done = pinned_room.fetch()
    assert done.added == ("POST /api/v1/kling", "POST /api/v1/sora")
    assert (done.removed, done.altered) == (("POST /api/v1/flux-dev-image",), ("POST /api/v1/veo",))
    assert (done.before, done.after) == (before, pinned_room.lock()["document_sha256"])
    assert done.message == (
        f"pinned: {before[:12]} -> {done.after[:12]}, 3 operations (+2, -1, 1 altered); wrote openapi.json, lock.toml"
    )
    assert verify(pinned_room.spec) == ()


def test_what_is_altered_is_what_the_diff_tells(room: Room) -> None:
    """A change in a schema is one of every operation that has it; another way of writing the same is none."""
    whole = copy.deepcopy(pinned().document)
    room.serve(whole)
    room.fetch()
    fields_of(whole, IMAGE)["width"]["maximum"] = 512
    whole["paths"][CHAT.operation.path]["post"]["deprecated"] = False
    del whole["paths"][UPSCALE.operation.path]
    room.serve(whole)
    done = room.fetch()
    told = diff(pinned().document, whole)
    assert set(done.altered) == {f"{one.method} {one.path}" for one in told.changes} - {*done.removed}
    assert f"POST {IMAGE.operation.path}" in done.altered
    assert f"POST {CHAT.operation.path}" not in done.altered
    assert f"(+0, -1, {len(done.altered)} altered)" in done.message


def test_a_local_copy_is_recorded_as_one_and_by_its_name_alone(room: Room) -> None:
    room.fetch()
    assert (room.lock()["source"], room.lock()["note"]) == (
        "file:served.json",
        "a copy on the machine that fetched it",
    )
    assert str(room.home) not in (room.spec / "lock.toml").read_text()


def test_a_claim_about_the_same_document_changes_the_lock_alone(pinned_room: Room) -> None:
    done = pinned_room.fetch(recorded_source=HOME, note="fetched live by a friend")
    assert done.changed == ("lock.toml",)
    assert done.message == f"unchanged: {done.after[:12]}, 2 operations; wrote lock.toml"
    assert pinned_room.lock()["note"] == "fetched live by a friend"


@pytest.mark.parametrize(
    "claim", ["/home/me/openapi.json", "http://127.0.0.1/o.json", "https://[::1]/o", "https://", ""]
)
def test_a_claim_that_means_nothing_elsewhere_is_refused(pinned_room: Room, claim: str) -> None:
    before = pinned_room.bytes()
    with pytest.raises(PinError, match=r"cannot name .* as the source"):
        pinned_room.fetch(recorded_source=claim)
    assert pinned_room.bytes() == before


def test_prices_alone_are_renewed_beside_an_unchanged_document(pinned_room: Room) -> None:
    pinned_room.models.write_text(json.dumps(MODELS | {"models": [{"name": "flux-dev", "cost": 0.03}]}))
    assert pinned_room.fetch(models=str(pinned_room.models)).changed == ("models.json", "lock.toml")
    assert verify(pinned_room.spec) == ()


def test_prices_are_kept_when_none_are_asked_for(pinned_room: Room) -> None:
    before = (pinned_room.spec / "models.json").read_bytes()
    pinned_room.serve(document("veo"))
    pinned_room.fetch()
    assert (pinned_room.spec / "models.json").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<html>502 Bad Gateway</html>", "web page"),
        (json.dumps(document("veo")).encode()[:-9], "breaks off"),
        (b'{"detail": "Not Found"}', "no OpenAPI version"),
        (document(), "no operation under /api/v1"),
        (document("veo") | {"components": {}}, "refers to '#/components/schemas/Body'"),
    ],
)
def test_what_cannot_be_pinned_leaves_the_old_pin(pinned_room: Room, content: object, told: str) -> None:
    before = pinned_room.bytes()
    pinned_room.serve(content)
    with pytest.raises(PinError) as caught:
        pinned_room.fetch()
    assert f"{pinned_room.source} cannot be pinned: " in str(caught.value)
    assert told in str(caught.value)
    assert str(caught.value).endswith("; the old pin is untouched")
    assert pinned_room.bytes() == before


def test_broken_prices_leave_the_old_pin(pinned_room: Room) -> None:
    before = pinned_room.bytes()
    pinned_room.serve(document("veo"))
    pinned_room.models.write_text("{}")
    with pytest.raises(PinError, match="no list of models"):
        pinned_room.fetch(models=str(pinned_room.models))
    assert pinned_room.bytes() == before


class Interruption:
    """Lets renames pass until one for a given name comes; then fails, that time or for good."""

    def __init__(self, name: str, failure: BaseException, *, for_good: bool = False) -> None:
        self.name, self.failure, self.for_good, self.failed = name, failure, for_good, False
        self.replace = os.replace

    def __call__(self, source: Path, target: Path) -> None:
        if Path(target).name == self.name or (self.failed and self.for_good):
            self.failed = True
            raise self.failure
        self.replace(source, target)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_rename_that_fails_leaves_every_old_byte(
    pinned_room: Room, monkeypatch: pytest.MonkeyPatch, name: str, failure: BaseException
) -> None:
    before = pinned_room.bytes()
    pinned_room.serve(document("veo"))
    pinned_room.models.write_text(json.dumps(MODELS | {"models": [{"name": "veo"}]}))
    monkeypatch.setattr(os, "replace", Interruption(name, failure))
    expected = PinError if isinstance(failure, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as caught:
        pinned_room.fetch(models=str(pinned_room.models))
    assert {name: content for name, (content, _) in pinned_room.bytes().items()} == {
        name: content for name, (content, _) in before.items()
    }
    if expected is PinError:
        assert "No space left on device; the old pin is untouched" in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_a_first_pin_that_fails_leaves_nothing(room: Room, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(os, "replace", Interruption(name, OSError(5, "Input/output error")))
    with pytest.raises(PinError, match="Input/output error"):
        room.fetch(models=str(room.models))
    assert room.bytes() == {}


def test_a_crash_between_two_renames_is_told_and_healed(pinned_room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned_room.serve(document("veo"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", Interruption("lock.toml", OSError(5, "Input/output error"), for_good=True))
        with pytest.raises(PinError, match=r"openapi\.json could not be put back .*fetch again"):
            pinned_room.fetch()
    told = verify(pinned_room.spec)
    assert told[0].startswith("spec/openapi.json is not the one spec/lock.toml describes")
    assert pinned_room.fetch().changed == ("lock.toml",)
    assert verify(pinned_room.spec) == ()


def test_what_a_killed_fetch_left_is_swept_away(pinned_room: Room) -> None:
    (pinned_room.spec / ".lock.toml.k1ll3d.new").write_text("half")
    pinned_room.serve(document("veo"))
    pinned_room.fetch()
    assert sorted(pinned_room.bytes()) == sorted(FILES)


@pytest.mark.parametrize("content", [b"", b"\xff", b"source = 1", b"[["])
def test_a_broken_lock_is_healed(pinned_room: Room, content: bytes) -> None:
    (pinned_room.spec / "lock.toml").write_bytes(content)
    assert pinned_room.fetch().changed == ("lock.toml",)
    assert verify(pinned_room.spec) == ()


def test_a_pin_edited_by_hand_is_healed(pinned_room: Room) -> None:
    before = pinned_room.bytes()
    (pinned_room.spec / "openapi.json").write_bytes(b"{")
    done = pinned_room.fetch()
    assert done.changed == ("openapi.json",)
    assert done.message.startswith("pinned: 021fb596db81 -> ")
    assert pinned_room.bytes()["openapi.json"][0] == before["openapi.json"][0]
    assert verify(pinned_room.spec) == ()


def test_prices_that_nobody_can_read_are_not_locked(pinned_room: Room) -> None:
    (pinned_room.spec / "models.json").write_bytes(b"{")
    with pytest.raises(PinError, match="give --models to renew it"):
        pinned_room.fetch()
    pinned_room.fetch(models=str(pinned_room.models))
    assert verify(pinned_room.spec) == ()


def test_a_folder_that_cannot_be_written_is_told(room: Room) -> None:
    room.spec.write_text("a file")
    with pytest.raises(PinError, match=r"cannot write .*spec: File exists"):
        room.fetch()


def test_a_file_that_cannot_be_read_is_told(pinned_room: Room) -> None:
    (pinned_room.spec / "lock.toml").unlink()
    (pinned_room.spec / "lock.toml").mkdir()
    with pytest.raises(PinError, match=r"cannot read .*lock\.toml: Is a directory"):
        pinned_room.fetch()


def test_a_source_that_is_no_file_is_told(room: Room) -> None:
    for source in (room.home / "absent.json", room.home, "api.muapi.ai/openapi.json"):
        with pytest.raises(PinError, match=r"there is no file .*: name one, or an address"):
            fetch(str(source), room.spec)
    assert not room.spec.exists()


def test_a_file_url_is_a_file(room: Room) -> None:
    fetch(room.source.as_uri(), room.spec)
    assert room.lock()["source"] == "file:served.json"


def test_the_command_tells_and_exits(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fetch", "--source", str(room.source), "--spec", str(room.spec), "--models", str(room.models)]
    assert main([*words, "--recorded-source", HOME, "--note", "a copy"]) == 0
    assert capsys.readouterr().out.startswith("pinned: nothing -> ")
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("unchanged: ")
    room.serve(b"<html>\n\n</html>")
    assert main(words) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("fetch: ")
    assert told.err.count("\n") == 1
    assert room.lock()["note"] == "a copy"


def test_the_environment_names_the_source(
    room: Room, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MUAPI_OPENAPI_URL", str(room.source))
    assert main(["fetch", "--spec", str(room.spec)]) == 0
    assert "2 operations" in capsys.readouterr().out
