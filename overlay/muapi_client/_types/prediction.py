"""What a job is to the user: what the server last reported of it, and its outputs.

Lives here: values. Does not live here: reading them out of an answer (``_protocol/job_answer``), getting
them (``_jobs``), fetching and saving outputs (``_client/saving``), weighing which kind of key got them (``_sandbox``).
"""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from importlib import import_module
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, field, fields, frozen

from muapi_client._runtime.forks import forks
from muapi_client._types.access import Access
from muapi_client._types.cost import Cost
from muapi_client._types.equality import equal_values, hash_values
from muapi_client._types.reprs import represent_short
from muapi_client._types.sandbox import SandboxVerdict
from muapi_client._types.schema import describe_value
from muapi_client._types.showing import show_value
from muapi_client._types.status import LONGEST_WORD, JobState, job_state
from muapi_generated.types import Call

NOT_WEIGHED: Final = SandboxVerdict(None)  # of a prediction that no client has judged, such as a webhook's claim
LARGEST: Final = 2 * 2**30  # bytes that one output may have, unless its user says otherwise


@frozen(eq=False)
class Output:
    """One thing a job made.

    It can be read and saved as long as its URL lives, by whoever holds it, whether the client is closed or not: the
    client's key is neither needed nor sent, and what holds for ``MuAPI.download`` holds here.

    Attributes:
        url: Where it can be fetched, a ``data:`` URL that holds it, or None. URLs are public and may expire (observed:
            after 7 to 30 days).
        text: The text a language or transcription model answered, or None.
        data: What came as neither: an object or number, as it was.
        media_type: The IANA media type the URL tells or its ending suggests, such as ``image/png``, or None.
    """

    __module__ = "muapi_client"
    __get_pydantic_core_schema__ = classmethod(describe_value)

    url: str | None = None
    text: str | None = None
    data: Any = field(default=None, hash=False)
    media_type: str | None = None
    _access: Access | None = field(default=None, repr=False, eq=False, alias="access", metadata={"schema": None})

    __eq__ = equal_values
    __hash__ = hash_values
    __repr__ = represent_short

    def read(self, *, timeout: float | None = None, max_bytes: int = LARGEST) -> bytes:
        """Its content: the file behind the URL, a text as UTF-8, other data as JSON.

        Args:
            timeout: Seconds for all of it; by default half an hour.
            max_bytes: Bytes it may have.

        Raises:
            DownloadError: It cannot be had whole.
        """
        content: bytes = _load_saving().read(self, timeout=timeout, max_bytes=max_bytes)
        return content

    def save(self, path: str | PathLike[str], *, timeout: float | None = None, max_bytes: int = LARGEST) -> Path:
        """Save it as a file, whole or not at all.

        Nothing is overwritten: a file of that name which holds the same bytes is taken for it, and beside any other it
        gets the next free name, ``fox-2.png``.

        Args:
            path: The file, whose folder is made where it is missing. A name without an ending, ``"fox"``, gets the one
                that its bytes tell.
            timeout: Seconds for all of it; by default half an hour.
            max_bytes: Bytes it may have.

        Returns:
            Where it is.

        Raises:
            DownloadError: It cannot be had whole, or not be written; or a folder is there.
        """
        saved: Path = _load_saving().save(self, path, timeout=timeout, max_bytes=max_bytes)
        return saved

    def pil(self, *, timeout: float | None = None, max_bytes: int = LARGEST) -> Any:
        """Read it as a picture, a ``PIL.Image.Image``, which a notebook shows; for this Pillow has to be installed.

        Args:
            timeout: Seconds for fetching it; by default half an hour.
            max_bytes: Bytes it may have.

        Raises:
            DownloadError: It cannot be had whole, or Pillow reads no picture of it.
            MuAPIError: Pillow is not installed.
        """
        return _load_saving().open_picture(self, timeout=timeout, max_bytes=max_bytes)

    def show(self, *, width: int = 320) -> None:
        """Show it in a notebook's cell: pictures, video and sound by their URL, which the browser fetches.

        Elsewhere its repr is printed. To see a picture that only this machine can fetch, :meth:`pil` reads it.

        Args:
            width: Pixels of a picture or a video.

        Raises:
            MuAPIError: The width cannot be right.
        """
        show_value(self, load_cards().output_card, width)

    def _repr_html_(self) -> str:
        html: str = load_cards().output_card(self)
        return html

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what of the client it holds but for plain facts: others have secrets and connections."""
        plain = None if self._access is None else self._access.to_plain()
        return {"url": self.url, "text": self.text, "data": self.data, "media_type": self.media_type, "access": plain}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`__getstate__` kept."""
        plain = state["access"]
        restored = {**state, "access": None if plain is None else Access.from_plain(plain)}
        for name, value in restored.items():
            object.__setattr__(self, "_access" if name == "access" else name, value)


@frozen(repr=False, eq=False)
class AsyncOutput(Output):
    """An :class:`Output` that an ``AsyncMuAPI`` handed out: ``read``, ``save`` and ``pil`` are awaited."""

    __module__ = "muapi_client"

    __getstate__ = Output.__getstate__  # attrs would write new ones, which keep what secrets there are
    __setstate__ = Output.__setstate__

    def read(  # type: ignore[override]  # the twin of Output, awaited
        self, *, timeout: float | None = None, max_bytes: int = LARGEST
    ) -> Awaitable[bytes]:
        """Its content; see ``Output.read``."""
        content: Awaitable[bytes] = _load_saving().aread(self, timeout=timeout, max_bytes=max_bytes)
        return content

    def save(  # type: ignore[override]  # as above
        self, path: str | PathLike[str], *, timeout: float | None = None, max_bytes: int = LARGEST
    ) -> Awaitable[Path]:
        """Save it as a file, whole or not at all; see ``Output.save``."""
        saved: Awaitable[Path] = _load_saving().asave(self, path, timeout=timeout, max_bytes=max_bytes)
        return saved

    def pil(self, *, timeout: float | None = None, max_bytes: int = LARGEST) -> Awaitable[Any]:
        """Read it as a picture; see ``Output.pil``."""
        picture: Awaitable[Any] = _load_saving().aopen_picture(self, timeout=timeout, max_bytes=max_bytes)
        return picture


@frozen(eq=False)
class Prediction:
    """What the server reported of a job in one answer.

    Attributes:
        id: The request id, or None when the server answered a submit at once without one.
        status: The server's own word, such as ``completed``.
        outputs: What the job made; empty while it runs.
        cost: What it cost, or None where the answer reported none: unknown, not zero.
        error: Why it failed, in the server's words, whole; or None.
        balance: What was left in the account after it, in USD, or None.
        warnings: What is odd about the answer, each a sentence, such as cost headers that contradict the body.
        raw: The body as it came.
        seconds: How long it took by the client's clock: from the acceptance, or from the wait where that came later.
        looks: How many exchanges it took after the submit; 0 where the submit itself was answered so, and 1 where the
            journal has kept the answer, which does not tell.
        status_code: The HTTP status of the answer; a failed job mostly comes with 400.
        call: What was submitted, or None where only the id is known.
        reused: Whether it is the answer to an equal call that was paid for before (``reuse=True``): nothing was
            submitted, and ``cost`` is None; ``id`` names the job that made it.
        headers: The headers of the answer, names in small letters, without the API key, cookies and whatever else is
            a secret by its name; empty where it came from the journal.
    """

    __module__ = "muapi_client"
    __get_pydantic_core_schema__ = classmethod(describe_value)

    id: str | None
    status: str
    outputs: tuple[Output, ...] = ()
    cost: Cost | None = None
    error: str | None = None
    balance: Decimal | None = None
    warnings: tuple[str, ...] = ()
    raw: Any = field(default=None, repr=False, hash=False)
    seconds: float | None = None
    looks: int = field(default=0, repr=False)
    status_code: int | None = field(default=None, repr=False)
    call: Call[Any] | None = field(  # pydantic writes none of it: it may hold local files, and a webhook's secret
        default=None, repr=False, eq=False, metadata={"schema": None}
    )
    reused: bool = False
    headers: Mapping[str, str] = field(  # pydantic writes none of it: it is between the server and this program
        factory=dict, repr=False, eq=False, metadata={"schema": None}
    )
    _sandbox: SandboxVerdict | Callable[..., SandboxVerdict] = field(  # or what weighs the prediction when asked for
        default=NOT_WEIGHED, repr=False, eq=False, alias="sandbox", metadata={"schema": SandboxVerdict}
    )

    __eq__ = equal_values
    __hash__ = hash_values
    __repr__ = represent_short

    @property
    def done(self) -> bool:
        """Whether the job has ended well."""
        return self.state is JobState.DONE

    @property
    def state(self) -> JobState:
        """Where the job stands."""
        word = self.status[:LONGEST_WORD]
        return job_state(word, has_outputs=bool(self.outputs), has_error=bool(self.error))

    @property
    def sandbox(self) -> SandboxVerdict:
        """Whether this answer came from a sandbox (test) key, with the evidence for it; weighed when asked for.

        It goes by what the answer shows, by the model's price in the catalogue, and, for a job it submitted, by what
        its client had learnt of the key by then: a charge, samples, the key list where it was asked for.
        """
        return self._sandbox if isinstance(self._sandbox, SandboxVerdict) else self._sandbox(self)

    def save(
        self,
        directory: str | PathLike[str],
        *,
        name: str | None = None,
        concurrency: int = 4,
        timeout: float | None = None,
        max_bytes: int = LARGEST,
    ) -> list[Path]:
        """Save all outputs in a folder, as ``MuAPI.download`` does, whether the client is closed or not.

        In the journal, if there is one, only ``MuAPI.download`` notes where they are.

        Args:
            directory: Where to; made where it is missing.
            name: What the files are called; by default by the request id.
            concurrency: How many outputs are fetched at a time.
            timeout: Seconds for all of it; by default half an hour.
            max_bytes: Bytes one output may have.

        Returns:
            The files, in the order of ``outputs``.

        Raises:
            DownloadError: There are no outputs, or one could not be saved; ``saved`` tells which were.
        """
        files: list[Path] = _load_saving().save_all(
            self, directory, name=name, concurrency=concurrency, timeout=timeout, max_bytes=max_bytes
        )
        return files

    def show(self, *, width: int = 320) -> None:
        """Show it in a notebook's cell with its outputs: pictures, video and sound, which the browser fetches.

        What the cell shows of a prediction by itself fetches nothing. Elsewhere its repr is printed.

        Args:
            width: Pixels of a picture or a video.

        Raises:
            MuAPIError: The width cannot be right.
        """
        show_value(self, load_cards().prediction_card, width)

    def _repr_html_(self) -> str:
        html: str = load_cards().prediction_card(self)
        return html

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what weighs it, which knows the client's key, and keep what it says."""
        return {each.name: getattr(self, each.name) for each in fields(Prediction)} | {"_sandbox": self.sandbox}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`__getstate__` kept."""
        for name, value in state.items():
            object.__setattr__(self, name, value)


@frozen(repr=False, eq=False)
class AsyncPrediction(Prediction):
    """A :class:`Prediction` that an ``AsyncMuAPI`` handed out: ``save`` is awaited, and so is what its outputs do."""

    __module__ = "muapi_client"

    if TYPE_CHECKING:
        outputs: tuple[AsyncOutput, ...] = ()

    __getstate__ = Prediction.__getstate__  # as of AsyncOutput
    __setstate__ = Prediction.__setstate__

    def save(  # type: ignore[override]  # the twin of Prediction, awaited
        self,
        directory: str | PathLike[str],
        *,
        name: str | None = None,
        concurrency: int = 4,
        timeout: float | None = None,
        max_bytes: int = LARGEST,
    ) -> Awaitable[list[Path]]:
        """Save all outputs in a folder; see ``Prediction.save``."""
        files: Awaitable[list[Path]] = _load_saving().asave_all(
            self, directory, name=name, concurrency=concurrency, timeout=timeout, max_bytes=max_bytes
        )
        return files


def hand_out(prediction: Prediction, access: Access) -> Prediction:
    """The prediction as a client hands it out: of its kind, and with outputs that are fetched as it would."""
    made = hand_out_outputs(prediction.outputs, access)
    kind = AsyncPrediction if access.awaits else Prediction
    if type(prediction) is kind:
        return evolve(prediction, outputs=made) if made else prediction
    values = {str(each.alias): getattr(prediction, each.name) for each in fields(Prediction)}
    return kind(**{**values, "outputs": made})


def hand_out_outputs(outputs: tuple[Output, ...], access: Access) -> tuple[Output, ...]:
    """The same of outputs."""
    kind = AsyncOutput if access.awaits else Output
    return tuple(kind(each.url, each.text, each.data, each.media_type, access) for each in outputs)


def load_cards() -> ModuleType:
    """What a notebook shows of them, which few programs ask for."""
    with forks.kept_waiting:
        from muapi_client._html import cards  # noqa: PLC0415 - as above

    return cards


def _load_saving() -> Any:
    """What fetches outputs: a client's work, whose room stands above this one, so that it is loaded by name."""
    with forks.kept_waiting:
        return import_module("muapi_client._client.saving")
