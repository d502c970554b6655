"""The version of the distribution: that of the code, and the day of the document it was rendered from.

Lives here: the two, put together; the build reads the result too. Does not live here: the document's hash, which alone
tells two documents of one day apart (``muapi_generated.SPEC``).

``0.1.0.20261122`` is a public version of PEP 440 that sorts by code first and day second, the form in which typeshed
numbers its stubs: ``muapi-client==0.1.0.*`` takes newer documents of this code, ``==0.1.0.20261122`` only this one. The
day is never typed: it is the lock's ``fetched_at``. A release may end in ``a1``, ``b1`` or ``rc1``, ``.post1`` and
``.dev1``, which then follow the day: ``0.2.0rc1`` is ``0.2.0.20261122rc1``, for PEP 440 takes no number behind them.
"""

from __future__ import annotations

from os.path import basename, dirname, join
from typing import Any, Final, cast

RELEASE: Final = "0.1.0"  # of the code by hand, semantic


def version_of(release: str, lock: str) -> str:
    """A release's version with the day (UTC) of the document that a lock, as TOML, describes; pure."""
    # tomllib would double what importing this package takes; `fetch` writes one fact a line, and a test compares.
    fetched_at = lock.partition('\nfetched_at = "')[2]
    day = fetched_at[: len("2026-11-22")].replace("-", "")
    end = next((place for place, letter in enumerate(release) if letter not in "0123456789."), len(release))
    numbers = release[:end].rstrip(".")
    return f"{numbers}.{day}{release[len(numbers) :]}" if day.isdecimal() else release


def _lock() -> str:
    """The lock of the checkout, or of the installed wheel; empty where a copy of the package came without one."""
    home = dirname(dirname(__file__))  # noqa: PTH120 - pathlib takes 4 ms, which importing the package need not
    place = (home, "..", "spec") if basename(home) == "overlay" else (home, "muapi_generated")  # noqa: PTH119 - same
    path = join(*place, "lock.toml")  # noqa: PTH118 - same
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - same
            return file.read()
    except OSError:
        return _read_from_archive(path)


def _read_from_archive(path: str) -> str:
    """A file beside this one where both are in an archive, by what loaded this one."""
    try:
        content: bytes = cast("Any", __spec__).loader.get_data(path)
    except (OSError, AttributeError):  # it is not there; this file is run by its path
        return ""
    return content.decode()


__version__ = version_of(RELEASE, _lock())
