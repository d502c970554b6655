"""``muapi-client resume``: every job that was accepted and whose end was not seen, waited for side by side.

Lives here: what each came to, as it is told. Does not live here: which jobs there are, waiting for one
(``AsyncMuAPI``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio
from attrs import define, field

from muapi_client._types.job import slug_of
from muapi_client.cli._client import find_made_journal, open_async_client
from muapi_client.cli._exit import DONE, InterruptedJobError, code_of, error_form, print_error, worst
from muapi_client.cli._formats import prediction_form
from muapi_client.cli._progress import NO_CANCEL, SAMPLE, is_sample, list_facts, output_line
from muapi_client.cli._saving import open_saving
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from muapi_client import AsyncJob, AsyncMuAPI, Prediction
    from muapi_client.cli._console import Console
    from muapi_client.cli._saving import Saving

AT_ONCE: Final = 64  # jobs waited for side by side, as a map has them


@define
class Resumed:
    """What came of the jobs so far.

    Attributes:
        console: Where it is told.
        taken: How many were taken up.
        others: How many the journal has beside those, of other API keys and addresses.
        unknown: How many submits may have been charged, and told no id: nobody can wait for those.
        forms: Those that came to something, as JSON.
        codes: The exit codes of those that came to something else than a result.
    """

    console: Console
    taken: int = 0
    others: int = 0
    unknown: int = 0
    forms: list[dict[str, Any]] = field(factory=list[dict[str, Any]])
    codes: list[int] = field(factory=list[int])

    def end(self, job: AsyncJob, prediction: Prediction, saved: Sequence[Path]) -> None:
        """Tell what a job came to."""
        form = {"model": slug_of(job), **prediction_form(prediction, saved)}
        self.forms.append(form)
        made = list(map(str, saved)) or [" ".join(output_line(output).split()) for output in prediction.outputs]
        if self.console.json:
            self.console.say("", {"event": "ended", **form})
            return
        if made:
            self.console.made(None, "\n".join(f"{job.id}\t{each}" for each in made))
        if is_sample(prediction):
            self.console.remark(SAMPLE)
        self.console.remark("; ".join(list_facts(prediction)))

    def go_wrong(self, job: AsyncJob, error: MuAPIError) -> None:
        """Tell that a job came to nothing, or has not ended in time."""
        self.codes.append(code_of(error))
        self.forms.append({"model": slug_of(job), **error_form(error), "request_id": job.id})
        print_error(error, self.console)


def resume(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``resume``.

    Raises:
        JournalError: There is no such journal, or it cannot be read.
        DownloadError: The folder cannot be written to.
        InterruptedJobError: The user pressed Ctrl-C; the jobs live on.
    """
    if find_made_journal(options, console) is None:
        console.result([], "")
        return DONE
    saving = open_saving(options, "", "{id}-{index}")
    resumed = Resumed(console)
    try:
        anyio.run(_take_up, options, saving, resumed)
    except KeyboardInterrupt:
        left = resumed.taken - len(resumed.forms)
        what = "1 job was waited for and lives on" if left == 1 else f"{left} jobs were waited for and live on"
        raise InterruptedJobError(f"interrupted: {what}: {NO_CANCEL}. To go on: muapi-client resume") from None
    finally:
        if console.json:
            console.result(resumed.forms, "")
    wrong = len(resumed.codes)
    told = f"{len(resumed.forms) - wrong} completed{f', {wrong} not' if wrong else ''}"
    console.remark(told if resumed.forms else "no job is left to be waited for")
    if resumed.others:
        console.remark(
            f"{resumed.others} of another API key or address may be left: `muapi-client jobs --state accepted"
            " --all-accounts` lists them, and `resume` takes that key and address"
        )
    if resumed.unknown:
        doubt = {"event": "in_doubt", "jobs": resumed.unknown}
        console.say(f"{resumed.unknown} more may have been charged: muapi-client unknown lists them", doubt)
    return worst(resumed.codes)


async def _take_up(options: argparse.Namespace, saving: Saving | None, resumed: Resumed) -> None:
    room = anyio.Semaphore(AT_ONCE)

    async def see_to_its_end(job: AsyncJob) -> None:
        try:
            await _see_to_its_end(mu, job, saving, resumed)
        finally:
            room.release()

    try:
        async with open_async_client(options, resumed.console) as mu, anyio.create_task_group() as tasks:
            own = len([entry async for entry in mu.jobs(state="accepted")])
            resumed.others = len([entry async for entry in mu.jobs(state="accepted", all_accounts=True)]) - own
            _tell_count(own, resumed.console)
            async for job in mu.resume():
                await room.acquire()
                resumed.taken += 1
                tasks.start_soon(see_to_its_end, job)
            resumed.unknown = len(await mu.unknown())
    except ExceptionGroup as group:  # what a job comes to is no error here, so this is of what all of them share
        raise group.exceptions[0] from None


def _tell_count(count: int, console: Console) -> None:
    """Tell a person how many there are: the first may end in half an hour."""
    if count and not console.quiet:
        word = f"{count} jobs were accepted and have" if count > 1 else "1 job was accepted and has"
        console.say(f"{word} not been seen to end; waiting", {"event": "waiting", "jobs": count})


async def _see_to_its_end(mu: AsyncMuAPI, job: AsyncJob, saving: Saving | None, resumed: Resumed) -> None:
    try:
        prediction = await mu.wait(job)
        saved: Sequence[Path] = ()
        if saving is not None and prediction.outputs:
            name = saving._replace(slug=slug_of(job) or "job").name(prediction, "0", {})
            saved = await mu.download(prediction, saving.directory, name=name)
    except MuAPIError as error:
        resumed.go_wrong(job, error)
    else:
        resumed.end(job, prediction, saved)
