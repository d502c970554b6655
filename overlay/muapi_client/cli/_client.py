"""The client of a command: made from its options, the environment and the user's settings, in this order.

Lives here: which key, journal and budget that comes to. Does not live here: reading settings (``_config``), the
keyring (``_keyring``), the words of options (``_arguments``).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from muapi_client import Budget, MuAPI
from muapi_client._client.base import hide_address
from muapi_client._settings.api_key import VARIABLE
from muapi_client._settings.options import read_origin
from muapi_client.cli._config import NO_FOLDER, default_journal, read_budget
from muapi_client.cli._keyring import read_key
from muapi_client.errors import JournalError, ValidationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from muapi_client import AsyncMuAPI
    from muapi_client._transport.map_driver import Work
    from muapi_client._types.entry import Entry
    from muapi_client.cli._console import Console

PLAIN: Final = ("max_spend", "reuse", "tag", "unpriced", "webhook")  # options of commands that are the client's own


def open_client(options: argparse.Namespace, console: Console, **more: Any) -> MuAPI:
    """Make the client that a command's options ask for; who calls it closes it.

    It has a journal where the command has the options for one, and a limit of money where the command pays.

    Args:
        more: Options of ``MuAPI`` that no option of the command line names.

    Raises:
        ValidationError: A budget has no journal to be kept in.
        JournalError: The journal cannot be opened.
        MuAPIError: An option cannot be right, or there is no key; see ``MuAPI``.
    """
    return MuAPI(_stored_key(options.settings.base_url), **_read_options(options, console, more))


def open_reader(options: argparse.Namespace, console: Console) -> MuAPI:
    """The client of a command that pays for nothing: it makes no journal where there is none."""
    return open_client(options, console, **({} if _is_there(find_journal(options)) else {"journal": None}))


def open_async_client(options: argparse.Namespace, console: Console) -> AsyncMuAPI:
    """The twin of :func:`open_client`."""
    from muapi_client import AsyncMuAPI  # noqa: PLC0415 - few commands wait for many jobs

    return AsyncMuAPI(_stored_key(options.settings.base_url), **_read_options(options, console, {}))


def _read_options(options: argparse.Namespace, console: Console, more: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a client, but for its key; those in ``more`` come first."""
    if getattr(options, "reuse", False) and find_journal(options) is None:
        raise ValidationError("--reuse answers from the journal, and there is none: --journal FILE (nothing was sent)")
    plain = {name: value for name in PLAIN if (value := getattr(options, name, None)) is not None}
    journal = _made(find_journal(options)) if hasattr(options, "journal") and "journal" not in more else None
    if getattr(options, "timeout", None) is not None:
        plain["wait_timeout"] = options.timeout
    return {
        "base_url": options.settings.base_url,
        "transport": console.transport,
        "journal": journal,
        "budget": _budget(options, has_journal=journal is not None),
        **plain,
        **more,
    }


def find_journal(options: argparse.Namespace) -> Any:
    """The journal a command is about: a path, an address, or None for none.

    Args:
        options: Those of a command with ``add_journal``.
    """
    if options.journal is not None:
        return hide_address(options.journal)
    if options.no_journal or options.settings.journal is False:
        return None
    return options.settings.journal or default_journal()


def need_journal(options: argparse.Namespace) -> Any:
    """The journal of a command that reads one.

    Raises:
        ValidationError: It was told to have none, or nobody knows where it is.
        JournalError: There is no such file.
    """
    journal = find_journal(options)
    if journal is None:
        why = "" if default_journal() else f" ({NO_FOLDER})"
        raise ValidationError(f"which journal? --journal FILE{why}")
    if not _is_there(journal):
        raise JournalError(f"there is no journal {journal}: the first job that is run with it makes it")
    return journal


def find_made_journal(options: argparse.Namespace, console: Console) -> Any:
    """The journal of a command that lists what one holds; None, once that is said, where none was made yet.

    One that is named, on the line or by the settings, is missing where it is not there: a name that is mistyped, or a
    disk that is not mounted, must hide no doubt about money.

    Raises:
        ValidationError: Those of :func:`need_journal`.
        JournalError: There is no file of the name that was given.
    """
    journal, is_named = find_journal(options), options.journal is not None or options.settings.journal is not None
    if not is_named and journal is not None and not _is_there(journal):
        console.remark(f"nothing was submitted yet: the first job makes the journal {journal}")
        return None
    return need_journal(options)


def has_journal(mu: Any) -> bool:
    """Whether anything but this program will know of a client's jobs."""
    return mu._context.journal is not None  # noqa: SLF001 - as below


def _is_there(journal: Any) -> bool:
    """Whether a journal is there already, as far as this machine can tell; a database may be."""
    return not isinstance(journal, str | Path) or Path(journal).exists()


def name_journal(journal: Any) -> str:
    """What a journal is called in a message: a path, or an address without its password."""
    return str(journal) if isinstance(journal, str | Path) else str(journal.name)


def own_jobs(mu: Any) -> list[Entry]:
    """What this very program has submitted or waited for, as far as anything may have come of it, oldest first."""
    return [record.entry() for record in mu._context.memory if record.state != "intent"]  # noqa: SLF001 - no journal's


def find_job(mu: Any, request_id: str) -> Entry | None:
    """The job of a request id, where the journal has it; no other one is read."""
    journal, account = mu._context.journal, mu._context.account  # noqa: SLF001 - as above
    found: Entry | None = None if journal is None else journal.find_job(request_id, account)
    return found


def list_maps(mu: Any) -> list[Work]:
    """The maps of a client that are under way."""
    return list(mu._maps)  # noqa: SLF001 - as above


def has_submitted(mu: Any, request_id: str | None) -> bool:
    """Whether a job is known to be of this very program, which paid for it; one without an id was answered at once."""
    owns: bool = mu._context.memory.owns(request_id or "")  # noqa: SLF001 - as above
    return owns


def remark_without_journal(options: argparse.Namespace, console: Console) -> None:
    """Tell who is about to pay for a job that nothing but this program will know of it, unless that was asked for.

    It is about money, so that neither ``--quiet`` nor JSON leaves it out.
    """
    if not options.no_journal and options.settings.journal is None and find_journal(options) is None:
        told = f"no journal is kept of this job: {NO_FOLDER}; or --journal FILE, or --no-journal"
        console.say(told, {"event": "no_journal", "told": told})


def _stored_key(base_url: str | None) -> str | None:
    """The key to give the client: None leaves it to the client, which reads the environment."""
    return None if os.environ.get(VARIABLE) else read_key(read_origin(base_url))


def _made(journal: Any) -> Any:
    """The journal, with a folder for the user's own, which nobody else has made.

    Raises:
        JournalError: It cannot be made.
    """
    if isinstance(journal, Path):
        try:
            journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise JournalError(
                f"your journal cannot be kept in {journal.parent}: {error.strerror or error}; --journal FILE keeps it"
                " elsewhere, --no-journal does without (nothing was sent)"
            ) from None
    return journal


def _budget(options: argparse.Namespace, *, has_journal: bool) -> Budget | None:
    """The limit that all jobs of the journal share, where the command pays.

    Raises:
        ValidationError: There is one, and nothing to keep it in.
    """
    if not hasattr(options, "budget"):
        return None
    given = options.budget or options.settings.budget_usd
    if given is None:
        return None
    usd, period = read_budget(given)
    if not has_journal:
        raise ValidationError(
            f"a budget of {usd} USD is kept in the journal, and there is none: --max-spend {usd} is the limit of this"
            " program alone (nothing was sent)"
        )
    return Budget(usd, per=period or ("day" if options.budget is None else options.budget_per))  # type: ignore[arg-type]
