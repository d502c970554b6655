"""Which hosts are the real MuAPI's, where jobs cost money, and whether this process may connect to them.

A test that must not reach them says so in the environment, which the processes that it starts inherit: there this
package refuses to connect. In the test's own process the guard itself sees more, and fails the test.

Lives here: the hosts, and the variable. Does not live here: the test's own process (``pytest_plugin``), connecting
(``_transport/guard``).
"""

from __future__ import annotations

import os
from typing import Final

DOMAIN: Final = "muapi.ai"
VARIABLE: Final = "MUAPI_NO_REAL_API"  # any text forbids it, but the own word of the process that guards itself


def is_real(host: object) -> bool:
    """Tell whether ``host``, a name as text or bytes, is MuAPI's."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str):
        return False
    name = host.rstrip(".").lower()
    return name == DOMAIN or name.endswith(f".{DOMAIN}")


def own_word() -> str:
    """What the variable says in the process that guards itself: no text that a person would write, such as 1."""
    return f"guarded by process {os.getpid()}"


def is_forbidden(host: str) -> bool:
    """Tell whether this process must not connect to ``host``: it is real, and another process says so."""
    says = os.environ.get(VARIABLE)
    return bool(says) and says != own_word() and is_real(host)
