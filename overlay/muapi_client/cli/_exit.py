"""The end of a command: an exit code, and one line on standard error. Never a traceback.

Lives here: the table of codes, up to 8 the official CLI's, and what a user of this program can do about an error.
Does not live here: the errors' own words (``muapi_client.errors`` and whoever raises them),
saying them in a shell's (``_wording``).
"""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from muapi_client import errors
from muapi_client.cli._console import abandon_stdout, be_lenient
from muapi_client.cli._signals import INTERRUPTED, ending_as_interrupts
from muapi_client.cli._wording import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator

    from muapi_client.cli._console import Console

DONE: Final = 0
FAILED: Final = 1
LIVES_ON: Final = 7
PERHAPS_CHARGED: Final = 9
JOB_FAILED: Final = 10
NOT_SENT: Final = 11
OVER_BUDGET: Final = 12


class InterruptedJobError(errors.MuAPIError):
    """The user pressed Ctrl-C, or a signal did as much.

    The message says what is known of what was under way: of a job its cost, and how to take it up.

    Attributes:
        in_doubt: Whether something may have been charged that no answer told of.
        charged_usd: What this command's jobs were charged together so far, in USD, where they are many; else None.
    """

    def __init__(
        self, message: str = "", *, in_doubt: bool = False, charged_usd: Decimal | None = None, **known: Any
    ) -> None:
        super().__init__(message, **known)
        self.in_doubt: bool = in_doubt
        self.charged_usd: Decimal | None = charged_usd


# The first class that fits decides.
CODES: Final[tuple[tuple[type[errors.MuAPIError], int], ...]] = (
    (errors.AuthenticationError, 3),
    (errors.RateLimitError, 4),
    (errors.NotFoundError, 5),
    (errors.InsufficientCreditError, 6),
    (errors.WaitTimeoutError, LIVES_ON),
    (errors.ValidationError, 8),
    (errors.SubmitOutcomeUnknownError, PERHAPS_CHARGED),
    (errors.StreamBrokenError, PERHAPS_CHARGED),
    (errors.JobFailedError, JOB_FAILED),
    (errors.JobCancelledError, JOB_FAILED),
    (errors.SpendLimitError, OVER_BUDGET),
    (InterruptedJobError, INTERRUPTED),
)

# Of many jobs the first of these that any came to: doubts about money first, then what was paid for in vain, then why
# others were not begun.
WORST: Final = (PERHAPS_CHARGED, LIVES_ON, JOB_FAILED, FAILED, OVER_BUDGET, 6, 3, 4, 5, 8, NOT_SENT)

# Errors of a submit that charged nothing, where they tell no cost (README's table of errors).
FREE: Final = (
    errors.ValidationError,
    errors.AuthenticationError,
    errors.InsufficientCreditError,
    errors.NotFoundError,
    errors.RateLimitError,
    errors.SpendLimitError,
    errors.UploadError,
)

# A job that ended badly, or that the server does not know, is not worth another wait.
FINAL: Final = (errors.JobFailedError, errors.JobCancelledError, errors.NotFoundError)


def guard(work: Callable[[], int], console: Console) -> int:
    """Carry out ``work`` and answer its exit code, or that of whatever went wrong, once it is said."""
    be_lenient()
    with ending_as_interrupts() as ending:
        try:
            return work()
        except errors.MuAPIError as error:
            print_error(error, console)
            return ending.code if isinstance(error, InterruptedJobError) else code_of(error)
        except KeyboardInterrupt as interrupt:
            print_error(_find_hidden(interrupt) or InterruptedJobError("interrupted"), console)
            return ending.code
        except BrokenPipeError:  # whoever read the output has had enough
            abandon_stdout()
        except OSError as error:
            abandon_stdout()
            print_error(error, console)
        except Exception as error:  # noqa: BLE001 - the last line of defence: a user is owed a sentence, no traceback
            print_error(error, console)
        return FAILED


@contextmanager
def interrupted_while(doing: str) -> Generator[None]:
    """Have an interrupt tell what was under way where no job was, what of it may be done, and where to look.

    Args:
        doing: That, in words that go on from "interrupted while".

    Raises:
        InterruptedJobError: The user pressed Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise InterruptedJobError(f"interrupted while {doing}", charged_usd=Decimal(0)) from None


def _find_hidden(interrupt: BaseException) -> errors.MuAPIError | None:
    """Find the error that was on its way here when an interrupt took its place, as one does while a client closes."""
    found = interrupt.__context__
    while found is not None and not isinstance(found, errors.MuAPIError):
        found = found.__context__
    return found


def code_of(error: errors.MuAPIError) -> int:
    """The exit code of an error."""
    if isinstance(error, errors.APIConnectionError) and error.sent is False:
        return NOT_SENT
    return next((code for kind, code in CODES if isinstance(error, kind)), FAILED)


def print_error(error: Exception, console: Console) -> None:
    """Say what went wrong, in one line on standard error."""
    console.say(f"muapi-client: {_message(error)}", error_form(error))


def _message(error: Exception) -> str:
    if isinstance(error, errors.MuAPIError):
        return tell(error)
    if isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        return f"{error.strerror or error}{place}"
    if isinstance(error, ImportError):
        return str(error)  # a missing extra says how to install it
    return f"{type(error).__name__}: {error} (a fault of this program; please report it)"


def tell(error: errors.MuAPIError) -> str:
    """An error in words, and what to type next."""
    return describe(error, _advise(error))


def _advise(error: errors.MuAPIError) -> Iterator[str]:
    if isinstance(error, errors.DownloadError) and error.request_id:
        yield f"The job has ended and is paid for; once more: muapi-client download {error.request_id}"
    elif error.request_id and not isinstance(error, (*FINAL, InterruptedJobError, errors.SubmitOutcomeUnknownError)):
        yield f"On the command line: muapi-client wait {error.request_id}"


def is_in_doubt(error: BaseException) -> bool:
    """Whether an error leaves it open what was charged, beside the cost it tells."""
    if isinstance(error, InterruptedJobError):
        return error.in_doubt
    if isinstance(error, errors.StreamBrokenError | errors.WaitTimeoutError):
        return error.cost is None
    return isinstance(error, errors.SubmitOutcomeUnknownError)


def charged_by(error: BaseException) -> float | None:
    """What was charged where a command ended with this error, in USD: 0 where that is certain, None where it is not."""
    from muapi_client.cli._formats import charged_form, to_json_number  # noqa: PLC0415 - when something went wrong only

    if isinstance(error, InterruptedJobError) and error.charged_usd is not None:
        return to_json_number(error.charged_usd)
    cost = getattr(error, "cost", None)
    is_free = isinstance(error, FREE) or (isinstance(error, errors.APIConnectionError) and not error.sent)
    if cost is None and is_free and getattr(error, "request_id", None) is None:
        return 0.0
    return charged_form(cost)


def worst(codes: Collection[int]) -> int:
    """The exit code of many jobs, by :data:`WORST`; what none of them came to counts as an error."""
    return next((code for code in WORST if code in codes), FAILED if any(codes) else DONE)


def error_form(error: Exception) -> dict[str, Any]:
    """An error as JSON."""
    from muapi_client.cli._formats import cost_form  # noqa: PLC0415 - needed when something went wrong only

    cost = getattr(error, "cost", None)
    return {
        "error": _message(error),
        "type": type(error).__name__,
        "request_id": getattr(error, "request_id", None),
        "status_code": getattr(error, "status_code", None),
        "cost": cost_form(cost),
        "charged_usd": charged_by(error),
        "in_doubt": is_in_doubt(error),
        "saved_paths": [str(path) for path in getattr(error, "saved", ())],
    }
