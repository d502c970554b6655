"""What the disk refuses while a download is saved: an error that says so, and nothing is left lying about."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest
from fileserver import PNG, sends

from muapi_client import Output, errors
from muapi_client._files.temp_file import PartialFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from fileserver import Face, FileServer

FULL = {"full": errno.ENOSPC, "too large a file": errno.EFBIG, "quota": errno.EDQUOT}


def left(directory: Path) -> list[str]:
    """What stands in a directory."""
    return sorted(path.name for path in directory.iterdir())


def fail(code: int) -> Callable[..., Any]:
    """Something that the disk refuses."""

    def refuse(*_: object, **__: object) -> Any:
        raise OSError(code, os.strerror(code))

    return refuse


class SmallDisk(io.FileIO):
    """A file on a disk that has room for so many bytes, and may tell it as late as on closing."""

    def __init__(self, path: Path, *, room: int, code: int, late: bool) -> None:
        super().__init__(path, "x+")
        self._room, self._code, self._late = room, code, late

    def write(self, content: Any) -> int:
        if not self._late and self.tell() + len(content) > self._room:
            raise OSError(self._code, os.strerror(self._code))
        return super().write(content)

    def close(self) -> None:
        late = self._late and not self.closed
        super().close()
        if late:
            raise OSError(self._code, os.strerror(self._code))


@pytest.mark.parametrize("code", FULL.values(), ids=FULL)
@pytest.mark.parametrize(
    ("room", "late"),
    [(0, False), (100, False), (len(PNG) * 20 - 1, False), (0, True)],
    ids=["at once", "midway", "at the last byte", "on closing"],
)
def test_a_full_disk_is_told_and_leaves_no_file(
    mu: Face,
    server: FileServer,
    made: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    room: int,
    late: bool,
    code: int,
) -> None:
    plain = Path.open

    def open_small(path: Path, mode: str = "r", *rest: Any, **named: Any) -> IO[Any]:
        if path.suffix == ".part":
            return io.BufferedRandom(SmallDisk(path, room=room, code=code, late=late))
        return plain(path, mode, *rest, **named)

    monkeypatch.setattr(Path, "open", open_small)
    url = server.plays("/a.png", sends(PNG * 20))
    with pytest.raises(errors.DownloadError, match=r"cannot write to .*Errno"):
        mu.download(made(url), tmp_path)
    assert left(tmp_path) == []
    assert len(server.asked) == 1  # the next try would find the disk as full


@pytest.mark.parametrize("output", [Output(text="x" * 100_000), Output(data={"a": "x" * 100_000})])
def test_a_full_disk_is_told_of_text_too(
    mu: Face, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: Output
) -> None:
    monkeypatch.setattr(
        Path,
        "open",
        lambda path, _mode: io.BufferedRandom(SmallDisk(path, room=100, code=errno.ENOSPC, late=False)),
    )
    with pytest.raises(errors.DownloadError, match="No space left"):
        mu.download(made(output), tmp_path)
    assert left(tmp_path) == []


@pytest.mark.parametrize("step", ["os.link", "os.replace"])
def test_a_name_for_which_there_is_no_room_leaves_none(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, step: str
) -> None:
    monkeypatch.setattr("os.link", fail(errno.EPERM))  # a file system without links
    monkeypatch.setattr(step, fail(errno.ENOSPC))
    if step == "os.link":
        plain = Path.open
        monkeypatch.setattr(
            Path, "open", lambda path, mode: fail(errno.ENOSPC)() if path.suffix == ".png" else plain(path, mode)
        )
    url = server.plays("/a.png", sends(PNG))
    with pytest.raises(errors.DownloadError, match="No space left"):
        mu.download(made(url), tmp_path)
    assert left(tmp_path) == []


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_directory_that_is_not_ours_to_write_to_is_told(
    mu: Face, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(Path, "open", fail(code))
    with pytest.raises(errors.DownloadError, match=r"cannot write to"):
        mu.download(made(Output(text="x"), Output(text="y")), tmp_path)
    assert left(tmp_path) == []


@pytest.mark.parametrize("name", ["x" * 300, "a/" * 3000, "file/in/a/file"])
def test_a_directory_that_cannot_be_made_is_told(mu: Face, made: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(errors.DownloadError):
        mu.download(made(Output(text="x")), tmp_path / name)
    assert left(tmp_path) == ["file"]


def test_a_link_that_leads_nowhere_is_not_followed(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    (tmp_path / "req-1-0.png").symlink_to(tmp_path / "elsewhere")
    url = server.plays("/a.png", sends(PNG))
    assert mu.download(made(url), tmp_path)[0].name == "req-1-0-2.png"
    assert left(tmp_path) == ["req-1-0-2.png", "req-1-0.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in this file system")
def test_a_pipe_of_that_name_is_not_opened(mu: Face, server: FileServer, made: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "req-1-0.png")
    url = server.plays("/a.png", sends(PNG))
    assert mu.download(made(url), tmp_path)[0].name == "req-1-0-2.png"


def test_a_file_that_cannot_be_removed_is_told(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.plays("/a.png", sends(PNG))
    monkeypatch.setattr(Path, "unlink", fail(errno.EACCES))
    with pytest.raises(errors.DownloadError, match=r"cannot write to .*Permission denied"):
        mu.download(made(url), tmp_path)


def test_what_goes_wrong_is_not_hidden_by_a_file_that_cannot_be_removed(
    mu: Face, server: FileServer, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.plays("/a.png", sends(b"no picture", 404))
    monkeypatch.setattr(Path, "unlink", fail(errno.EACCES))
    with pytest.raises(errors.DownloadError, match="HTTP 404") as caught:
        mu.download(made(url), tmp_path)
    cause = caught.value.__cause__
    assert cause is not None
    assert any("Permission denied" in note for note in cause.__notes__)


def test_a_file_whose_end_has_come_is_not_begun_any_more(tmp_path: Path) -> None:
    with PartialFile(tmp_path) as part:
        pass
    with pytest.raises(errors.DownloadError, match="stopped"):
        part.open()
    assert left(tmp_path) == []


def test_the_end_waits_for_what_a_thread_is_doing_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opening, go_on = threading.Event(), threading.Event()
    plain = Path.open

    def open_slowly(path: Path, mode: str) -> IO[Any]:
        opening.set()
        assert go_on.wait(60)
        return plain(path, mode)

    monkeypatch.setattr(Path, "open", open_slowly)
    with PartialFile(tmp_path) as part:
        thread = threading.Thread(target=part.open)
        thread.start()
        assert opening.wait(60)
        threading.Timer(0.05, go_on.set).start()
    thread.join()
    assert left(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX's")
def test_a_real_limit_of_the_system_is_told(server: FileServer, tmp_path: Path) -> None:
    url = server.plays("/a.png", sends(PNG * 1000))
    program = f"""
import resource
from muapi_client import MuAPI, Output, Prediction, errors
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
try:
    MuAPI("sk", {server.url!r}).download(Prediction("r", "completed", (Output(url={url!r}),)), {str(tmp_path)!r})
except errors.DownloadError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert "File too large" in ran.stdout
    assert left(tmp_path) == []
