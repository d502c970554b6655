"""Where files may not be moved to or from: this machine and its private networks, if the API is not there itself.

A hostile or broken answer could otherwise have a program fetch from services that trust whoever is in their network.
What is judged are the very addresses that are connected to, so that a name which resolves to another one a moment later
gains nothing. Where a proxy or a user's own transport resolves names, the name alone can be judged.

Nor does a process that a test has started connect to the real MuAPI where that test must not.

Lives here: the refusals. Does not live here: which addresses are private (``_files/addresses``), which hosts are real
(``_runtime/real_api``), connecting (``deadline``, ``async_network``).
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

from muapi_client._runtime.forks import forks
from muapi_client._runtime.real_api import VARIABLE, is_forbidden
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

ADVICE: Final = "where that is meant, allow_private_downloads=True lets it"


class PrivateAddressError(MuAPIError):
    """A file would have been moved to or from a private address: nothing was sent. Callers say of which file."""


def refuse_real(host: str) -> None:
    """Let a process that a test has started connect to no host of the real MuAPI.

    Raises:
        MuAPIError: It would.
    """
    if is_forbidden(host):
        raise MuAPIError(
            f"{host} is the real MuAPI, where jobs cost money, and {VARIABLE} is set, as by a test that must not reach "
            "it: nothing was sent. Give this process the emulator, MUAPI_BASE_URL=muapi_emulator.serve() and "
            f"MUAPI_API_KEY=sk-live, or start it without {VARIABLE}"
        )


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, in the order to try them.

    Raises:
        OSError: It has none.
        UnicodeError: It is no name of a host.
    """
    return [str(address[0]) for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def find_private(addresses: Sequence[str]) -> str | None:
    """The first address that is not of the public internet, or None."""
    with forks.kept_waiting:
        from ipaddress import ip_address  # noqa: PLC0415 - files alone need it

        from muapi_client._files.addresses import is_private  # noqa: PLC0415 - as above

    return next((each for each in addresses if is_private(ip_address(each.partition("%")[0]))), None)


def check_addresses(host: str, addresses: Sequence[str], home: Sequence[str]) -> None:
    """Let no host be connected to that has a private address, unless the API has one.

    Args:
        host: Its name.
        addresses: What it resolved to.
        home: What the API's host resolved to.

    Raises:
        PrivateAddressError: It has.
    """
    address = find_private(addresses)
    if address is not None and find_private(home) is None:
        at = "" if address == host else f" at {address},"
        raise PrivateAddressError(f"{host} is{at} no address of the public internet, where files belong: {ADVICE}")


def check_name(url: httpx.URL, home: str) -> None:
    """The counterpart of :func:`check_addresses` where another resolves names.

    Args:
        url: What is asked for.
        home: The API's host.

    Raises:
        PrivateAddressError: The host is a private address, or named for a private network, and the API's is not.
    """
    with forks.kept_waiting:
        from muapi_client._files.addresses import is_private_name  # noqa: PLC0415 - as above

    if is_private_name(url.host) and not is_private_name(home):
        raise PrivateAddressError(f"{url.host} is no address of the public internet, where files belong: {ADVICE}")


def resolve_home(home: str) -> list[str]:
    """The addresses of the API's host; none where it has none, as behind a proxy that alone resolves names."""
    try:
        return resolve(home, 0)
    except (OSError, UnicodeError):
        return []
