"""Where outputs are saved, settled before anything is paid for.

Lives here: the folder that can be written to, the names in it. Does not live here: patterns (``_names``), fetching and
writing (``MuAPI.download``), which never overwrites a file.
"""

from __future__ import annotations

import tempfile
from glob import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from muapi_client.cli._client import find_job
from muapi_client.cli._config import read_path
from muapi_client.cli._names import Pattern, find_clash, read_pattern
from muapi_client.errors import DownloadError, ValidationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from muapi_client import MuAPI
    from muapi_client._types.prediction import Prediction
    from muapi_client.cli._console import Console


class Saving(NamedTuple):
    """Where outputs are saved, and under which names.

    Attributes:
        directory: The folder.
        pattern: Of the names.
        slug: The model.
    """

    directory: Path
    pattern: Pattern
    slug: str

    def open(self) -> None:
        """Make the folder, and see that it can be written to.

        Raises:
            DownloadError: It cannot; nothing was sent.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.directory).close()
        except OSError as error:
            raise DownloadError(
                f"outputs cannot be saved in {self.directory}: {error.strerror or error} (nothing was sent)"
            ) from None

    def of(self, mu: MuAPI, request_id: str) -> Saving:
        """The same for a job of another program: which model it is of the journal tells, where it knows the job."""
        if not self.pattern.names("slug"):
            return self
        known = find_job(mu, request_id)
        return self._replace(slug="job" if known is None else known.slug)

    def name(self, prediction: Prediction, key: str, row: Mapping[str, Any]) -> Callable[[int], str]:
        """What makes the names of a prediction's files, of an output's place."""
        return self.pattern.render({"slug": self.slug, "id": prediction.id or "output", "key": key}, row)

    def save(self, mu: MuAPI, prediction: Prediction) -> list[Path]:
        """Save the outputs of one job; one that made none has nothing to save.

        Raises:
            DownloadError: One could not be saved; ``saved`` tells which were.
        """
        if not prediction.outputs:
            return []
        return mu.download(prediction, self.directory, name=self.name(prediction, "0", {}))

    def refuse_clashes(self, jobs: Iterable[tuple[str, str, Mapping[str, Any]]]) -> None:
        """Refuse names that two of several jobs would have: which of them got which would be chance.

        Args:
            jobs: Of each what it is called in a message, its key, its row.

        Raises:
            ValidationError: There is one.
        """
        if self.pattern.names("id"):
            return
        clash = find_clash(
            (job, self.pattern.render({"slug": self.slug, "key": key}, row)(0)) for job, key, row in jobs
        )
        if clash:
            name, first, second = clash
            raise ValidationError(
                f"{first} and {second} would both be saved as {name}: {{key}} or {{id}} in --name keeps them apart"
                " (nothing was sent)"
            )

    def remark_taken(self, console: Console) -> None:
        """Tell that a name is taken, where it hangs on nothing that the server tells."""
        if self.pattern.names("id"):
            return
        first = self.pattern.render({"slug": self.slug, "key": "0"}, {})(0)
        if taken := sorted(self.directory.glob(f"{escape(first)}.*")):
            console.remark(f"{taken[0]} is there and stays as it is: another free name is used beside it")


def read_saving(options: argparse.Namespace, slug: str, default: str, *, folder: str | None = None) -> Saving | None:
    """Read where outputs are to be saved, and touch nothing there; None where they are not.

    Args:
        options: Those of a command with ``add_saving``.
        slug: The model.
        default: The pattern where none is given.
        folder: Where to, should neither an option nor a setting say so; None to save nothing then.

    Raises:
        ValidationError: A pattern is given, and no folder.
    """
    place = options.out or options.settings.output_dir or folder
    if place is None:
        if options.name is not None:
            raise ValidationError("--name says how saved files are called, and nothing is saved without --out DIR")
        return None
    return Saving(read_path(place), read_pattern(options.name or default), slug)


def open_saving(options: argparse.Namespace, slug: str, default: str, *, folder: str | None = None) -> Saving | None:
    """Settle where outputs are saved, and that they can be; of what is given and raised see :func:`read_saving`.

    Raises:
        ValidationError: A pattern is given, and no folder.
        DownloadError: The folder cannot be made or written to; nothing was sent.
    """
    saving = read_saving(options, slug, default, folder=folder)
    if saving is not None:
        saving.open()
    return saving
