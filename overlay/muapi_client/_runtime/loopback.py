"""Which hosts are this machine, as their names alone tell: nothing is looked up.

Lives here: the one rule. Does not live here: which addresses are private (``_files/addresses``).
"""

from __future__ import annotations

from muapi_client._runtime.forks import forks


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: ``localhost``, or a loopback address (``127.0.0.0/8``, ``::1``).

    A name below ``localhost`` is none: a resolver that does not know RFC 6761 asks the network for it.

    Args:
        host: A host as a URL names it, without brackets.
    """
    with forks.kept_waiting:
        from ipaddress import ip_address  # noqa: PLC0415 - 2 ms, which importing the package need not take

    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name
        return False
