"""A request that passed every check.

Lives here: what an operation is given to answer one, and the form of such an answerer. Does not live here: the checks
(``dispatch``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from muapi_client.emulator._messages.messages import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from muapi_client.emulator._messages.messages import Reply, Request
    from muapi_client.emulator._spec.operations import Operation
    from muapi_client.emulator._state.keys import Key
    from muapi_client.emulator._state.world import World


@frozen(eq=False, repr=False)
class CheckedRequest:
    """A request that passed every check, ready to be answered.

    Args:
        now: The emulator's time on arrival, in seconds.
        base: ``http://HOST:PORT`` for a client that reaches the emulator there, else ``""``.
    """

    request: Request
    operation: Operation
    parameters: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    now: float
    base: str
    _key: Key | None

    def need(self, name: str) -> Any:
        """A field of the body that the answer is made of.

        Raises:
            Refusal: 501, where it was left out: a later document may no longer ask for it.
        """
        if name not in self.body:
            asked = f"{self.operation.method} {self.operation.path}"
            raise Refusal(501, f"The emulator makes its answer to {asked} of the field {name!r}: send that, too")
        return self.body[name]

    @property
    def is_test(self) -> bool:
        """True where a test key came with it."""
        return self._key is not None and self._key.is_test


Handler: TypeAlias = "Callable[[World, CheckedRequest], Reply]"
