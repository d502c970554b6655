"""Which flow each file method of a client is: the counterpart of ``flows`` for uploads and downloads.

Lives here: readings and options in, flows and plans out. Loads with the first file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from muapi_client._files import download, liveness, upload
from muapi_client._files.fetch import DownloadLimits
from muapi_client._files.form_files import read_form
from muapi_client._settings.arguments import require_callables, require_folder, require_prediction
from muapi_client._settings.options import read_instance, read_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._files.attachments import Where
    from muapi_client._files.transfer import FileTransfer
    from muapi_client._protocol.steps import Flow
    from muapi_client._runtime.clock import Clock
    from muapi_client._types.prediction import Output, Prediction
    from muapi_generated.types import Call

R = TypeVar("R")


class Files:
    """The file flows of one client."""

    def __init__(self, uploads: upload.UploadContext, clock: Clock) -> None:
        self._uploads = uploads
        self._clock = clock

    def upload(self, source: Any, filename: str | None, on_progress: upload.OnProgress) -> Flow[str]:
        """Of ``MuAPI.upload``."""
        require_callables(on_progress=on_progress)
        return upload.upload(source, filename, on_progress, self._uploads)

    def upload_attachments(self, call: Call[Any], then: Callable[[Call[Any]], Flow[R]]) -> Flow[R]:
        """Of any call, after the upload of the local files in its body."""
        return upload.upload_attachments(call, then, self._uploads)

    def read_contents(self, call: Call[Any]) -> Flow[dict[Where, str]]:
        """The SHA-256 of each local file in a call's body, by its place."""
        return upload.read_contents(call, self._uploads)

    def are_there(self, outputs: tuple[Output, ...]) -> Flow[bool]:
        """Whether a job's outputs can still be fetched."""
        limits = self._limits(self._uploads.context.timeout, max_bytes=1)
        return liveness.are_there(outputs, limits, self._uploads.transfer)

    def is_upload(self, call: Call[Any]) -> bool:
        """Whether a call does no more than ``MuAPI.upload``."""
        return upload.is_upload(call)

    def send_file(self, call: Call[Any]) -> Flow[Any]:
        """Of ``MuAPI.send``, for a call that is an upload."""
        return upload.send_file(call, self._uploads)

    def read_form(self, call: Call[Any], then: Callable[[Call[Any]], Flow[R]]) -> Flow[R]:
        """Of any call with files of a form, after they were read."""
        return read_form(call, then, self._uploads)

    def plan(
        self,
        prediction: Prediction,
        directory: Any,
        *,
        name: str | Callable[[int], str] | None,
        timeout: float | None,
        max_bytes: int,
        concurrency: int,
    ) -> download.Plan:
        """Of ``MuAPI.download``."""
        require_prediction(prediction)
        require_folder(directory)
        if not callable(name):
            read_instance("name", name, str, example="text, or a function that makes it of an output's place")
        seconds = self._uploads.context.wait_timeout if timeout is None else read_seconds("timeout", timeout)
        limits = self._limits(seconds, max_bytes=max_bytes)
        return download.plan(prediction, directory, limits, name=name, concurrency=concurrency)

    def _limits(self, timeout: float, *, max_bytes: int) -> DownloadLimits:
        context = self._uploads.context
        return DownloadLimits(
            retry=context.retry,
            random=context.random,
            idle=context.timeout,
            max_bytes=max_bytes,
            timeout=timeout,
            ends=self._clock.now() + timeout,
            span=context.span,
        )


def make_file_flows(client: Any, transfer: FileTransfer) -> Files:
    """The file flows of a client, whose bytes ``transfer`` moves."""
    return Files(
        upload.UploadContext(
            context=client._context,  # noqa: SLF001 - the other half of the client, apart only so that it loads later
            transfer=transfer,
            cache=client._upload_cache,  # noqa: SLF001
            origin=client._origin,  # noqa: SLF001
        ),
        client._clock,  # noqa: SLF001
    )
