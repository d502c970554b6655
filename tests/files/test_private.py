"""Files move to and from the public internet, unless the API itself is elsewhere or the user says so."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest
from fileserver import MP4, PNG, Face, sends

from muapi_client import errors
from muapi_client._transport import async_network, deadline
from muapi_client._transport.guard import PrivateAddressError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fileserver import FileServer

REMOTE = "https://api.muapi.ai"
PUBLIC, PRIVATE = "93.184.216.34", "127.0.0.1"
REFUSED = "no address of the public internet"


class Listener:
    """A service on this machine that counts who comes, and says nothing."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.heads: list[bytes] = []
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            with connection:
                head = connection.recv(4096)
                if head == b"over":
                    return
                self.heads.append(head)

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"over")
        self.thread.join()
        self.socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    service = Listener()
    yield service
    service.close()


@pytest.fixture
def remote(twin: Callable[..., Face]) -> Iterator[Callable[..., Face]]:
    """``remote(**options)``: a client of an API that is on the public internet."""
    kind = twin().kind
    faces: list[Face] = []

    def new(base_url: str = REMOTE, **options: Any) -> Face:
        faces.append(Face(kind, base_url, options))
        return faces[-1]

    yield new
    for face in faces:
        face.close()
        face.runner.close()


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names resolve to; others to nothing."""
    names: dict[str, list[str]] = {}

    def look_up(host: Any, port: Any, *_: Any, **__: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in names and not name[0].isdigit():
            raise socket.gaierror(-2, "Name or service not known")
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(port))) for address in names.get(name, [name])
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "localhost.", "[::1]", "0.0.0.0"])
def test_an_output_on_this_machine_is_not_fetched_for_a_remote_api(
    remote: Callable[..., Face], server: FileServer, made: Any, tmp_path: Path, host: str
) -> None:
    port = server.server_address[1]
    server.plays("/a.png", sends(PNG))
    for scheme in ("http", "https"):
        with pytest.raises(errors.DownloadError, match=f"{REFUSED}|no https address|not known"):
            remote().download(made(f"{scheme}://{host}:{port}/a.png"), tmp_path)
    assert server.asked == []


def test_it_is_where_the_user_says_so(
    remote: Callable[..., Face], server: FileServer, made: Any, tmp_path: Path
) -> None:
    url = server.plays("/a.png", sends(PNG))
    assert remote(allow_private_downloads=True).download(made(url), tmp_path)[0].read_bytes() == PNG


def test_with_options_may_say_so_and_unsay_it(
    remote: Callable[..., Face], server: FileServer, made: Any, tmp_path: Path
) -> None:
    url = server.plays("/a.png", sends(PNG))
    mu = remote()
    allowed = mu.mu.with_options(allow_private_downloads=True)
    assert len(mu.go(allowed.download(made(url), tmp_path))) == 1
    with pytest.raises(errors.DownloadError, match=REFUSED):  # though a connection to it is open
        mu.go(allowed.with_options(allow_private_downloads=False).download(made(url), tmp_path))
    assert len(server.asked) == 1


@pytest.mark.parametrize("addresses", [[PRIVATE], [PUBLIC, PRIVATE], ["10.0.0.1"], ["::ffff:127.0.0.1"], ["fe80::1%2"]])
def test_a_name_with_a_private_address_is_not_connected_to(
    remote: Callable[..., Face],
    listener: Listener,
    dns: dict[str, list[str]],
    made: Any,
    tmp_path: Path,
    *,
    addresses: list[str],
) -> None:
    dns["cdn.example"] = addresses
    dns["api.muapi.ai"] = [PUBLIC]
    with pytest.raises(errors.DownloadError, match=f"cdn.example is at .*{REFUSED}") as caught:
        remote().download(made(f"https://cdn.example:{listener.port}/a.png"), tmp_path)
    assert caught.value.url == f"https://cdn.example:{listener.port}/a.png"
    assert listener.heads == []


@pytest.mark.parametrize("base_url", ["https://api.corp.example", "https://10.1.2.3"])
def test_it_is_where_the_api_itself_has_one(
    remote: Callable[..., Face],
    listener: Listener,
    dns: dict[str, list[str]],
    made: Any,
    tmp_path: Path,
    *,
    base_url: str,
) -> None:
    dns["api.corp.example"] = ["10.1.2.3"]
    dns["cdn.corp.example"] = [PRIVATE]
    with pytest.raises(errors.DownloadError, match="after 3 tries"):
        remote(base_url).download(made(f"https://cdn.corp.example:{listener.port}/a.png"), tmp_path)
    assert len(listener.heads) == 3  # it speaks no TLS


@pytest.mark.parametrize(
    "target",
    [
        "https://127.0.0.1/a",
        "https://10.0.0.1/a",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/a",
        "https://[fe80::1]/a",
        "https://[::ffff:7f00:1]/a",
        "https://[64:ff9b::a00:1]/a",
        "https://0x7f000001/a",
        "https://127.1/a",
        "https://localhost./a",
        "https://100.64.0.1/a",
        "https://224.0.0.1/a",
        "https://metadata.google.internal/a",
    ],
)
def test_over_a_transport_of_the_users_the_name_alone_is_judged_at_each_redirect(
    remote: Callable[..., Face], made: Any, tmp_path: Path, target: str
) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if request.url.path == "/away":
            return httpx.Response(302, headers={"location": target})
        return httpx.Response(200, content=PNG)

    mu = remote(transport=httpx.MockTransport(answer))
    for url in (target, "https://cdn.example/away"):
        with pytest.raises(errors.DownloadError, match=REFUSED):
            mu.download(made(url), tmp_path)
    assert asked == ["https://cdn.example/away"]
    assert list(tmp_path.iterdir()) == []
    assert len(mu.go(mu.mu.with_options(allow_private_downloads=True).download(made(target), tmp_path))) == 1
    home = remote("https://10.9.9.9", transport=httpx.MockTransport(answer))
    assert len(home.download(made(target), tmp_path)) == 1


@pytest.mark.parametrize("host", ["cdn.example", "127.0.0.1", "a.local"])
def test_behind_a_proxy_the_name_alone_is_judged(
    remote: Callable[..., Face],
    listener: Listener,
    made: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    host: str,
) -> None:
    monkeypatch.setattr("muapi_client._transport.opening.find_proxy", lambda _: f"http://127.0.0.1:{listener.port}")
    with pytest.raises(errors.DownloadError) as caught:
        remote().download(made(f"https://{host}/a.png"), tmp_path)
    public = host == "cdn.example"
    assert [head.split()[:2] for head in listener.heads] == [[b"CONNECT", b"cdn.example:443"]] * 3 * public
    assert (REFUSED in str(caught.value)) is not public


@pytest.mark.parametrize("url", ["https://10.0.0.1/bucket", "https://127.0.0.1/bucket", "https://localhost/bucket"])
def test_no_file_is_handed_to_storage_there_either(
    remote: Callable[..., Face], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr("muapi_client._files.upload.LARGE", 100)
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.url.path.endswith("get_upload_url"):
            return httpx.Response(200, json={"url": url, "fields": {"key": "k"}})
        return httpx.Response(204)

    mu = remote(transport=httpx.MockTransport(answer))
    with pytest.raises(errors.UploadError, match=f"upload.mp4 is not sent: .*{REFUSED}"):
        mu.upload(MP4)
    assert asked == ["api.muapi.ai"]
    allowed = mu.mu.with_options(allow_private_downloads=True)
    assert mu.go(allowed.upload(MP4)) == "https://cdn.muapi.ai/k"


class Recorded(httpcore.NetworkBackend):
    """A network that notes who is connected to, and lets nobody."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def connect_tcp(self, host: str, *_: Any, **__: Any) -> Any:
        self.asked.append(host)
        raise httpcore.ConnectError("nobody answers")


class AsyncRecorded(httpcore.AsyncNetworkBackend):
    """Its twin."""

    def __init__(self, plain: Recorded) -> None:
        self.plain = plain

    async def connect_tcp(self, host: str, *_: Any, **__: Any) -> Any:
        return self.plain.connect_tcp(host)


@pytest.mark.parametrize("awaiting", [False, True], ids=["sync", "async"])
def test_what_was_judged_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch, *, awaiting: bool) -> None:
    network = Recorded()
    answers = iter([PUBLIC, PRIVATE])  # a name that is moved between judging and connecting

    def rebind(host: str, *_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC if host == "api" else next(answers), 443))]

    monkeypatch.setattr(socket, "getaddrinfo", rebind)

    def connect() -> None:
        if awaiting:
            asyncio.run(async_network._Backend(AsyncRecorded(network), "api").connect_tcp("cdn", 443, 5.0))
        else:
            deadline._Backend(network, "api").connect_tcp("cdn", 443, 5.0)

    with pytest.raises(httpcore.ConnectError, match="nobody"):
        connect()
    with pytest.raises(PrivateAddressError):
        connect()
    assert network.asked == [PUBLIC]


def test_a_name_that_resolves_to_nothing_is_told(
    remote: Callable[..., Face], dns: dict[str, list[str]], made: Any, tmp_path: Path
) -> None:
    assert dns == {}
    with pytest.raises(errors.DownloadError, match="not known"):
        remote().download(made("https://nowhere.example/a.png"), tmp_path)
