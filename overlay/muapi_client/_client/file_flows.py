"""Which flow each file method of a client is: the counterpart of ``flows`` for uploads and downloads.

Lives here: readings and options in, flows and plans out. Loads with the first file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from muapi_client._files import download, upload
from muapi_client._settings.options import read_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._files.transfer import FileTransfer
    from muapi_client._protocol.steps import Flow
    from muapi_client._runtime.clock import Clock
    from muapi_client._types.prediction import Prediction
    from muapi_generated.types import Call

R = TypeVar("R")


class Files:
    """The file flows of one client."""

    def __init__(self, desk: upload.Desk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    def upload(self, source: Any, filename: str | None, on_progress: upload.OnProgress) -> Flow[str]:
        """Of ``MuAPI.upload``."""
        return upload.upload(source, filename, on_progress, self._desk)

    def hosted(self, call: Call[Any], then: Callable[[Call[Any]], Flow[R]]) -> Flow[R]:
        """Of any call, after the upload of the local files in its body."""
        return upload.with_hosted_files(call, then, self._desk)

    def sent(self, call: Call[Any]) -> Flow[Any]:
        """Of ``MuAPI.send``, for a call with a multipart field."""
        return upload.sent_file(call, self._desk)

    def plan(
        self, prediction: Prediction, directory: Any, *, timeout: float | None, max_bytes: int, concurrency: int
    ) -> download.Plan:
        """Of ``MuAPI.download``."""
        context = self._desk.context
        return download.plan(
            prediction,
            directory,
            context,
            now=self._clock.now(),
            timeout=context.wait_timeout if timeout is None else read_seconds("timeout", timeout),
            max_bytes=max_bytes,
            concurrency=concurrency,
        )


def files_of(client: Any, hands: FileTransfer) -> Files:
    """The file flows of a client, carried out by its hands."""
    return Files(
        upload.Desk(
            context=client._context,  # noqa: SLF001 - the other half of the client, apart only so that it loads later
            hands=hands,
            shelf=client._shelf,  # noqa: SLF001
            origin=client._origin,  # noqa: SLF001
        ),
        client._clock,  # noqa: SLF001
    )
