"""How a client's outputs are fetched: what of it an output keeps, so that it can be read and saved by itself.

Lives here: the value. Does not live here: the outputs (``prediction``), fetching them (``_client/saving``).
"""

from typing import Any

from attrs import field, frozen


@frozen(kw_only=True)
class Access:
    """What an output knows of the client that was told of it.

    Attributes:
        origin: The API's: where it is on a private address, outputs may be on one.
        allow_private: Whether they may be on one anyway.
        awaits: Whether the client awaits.
        has_transport: Whether it was given a transport in place of the network.
        transport: That transport. As clock and key it stays behind when the output is pickled.
        clock: The client's.
        key: The client's, to be hidden in what a server echoes; no request for an output carries it.
    """

    origin: str = ""
    allow_private: bool = False
    awaits: bool = False
    has_transport: bool = False
    transport: Any = field(default=None, repr=False)
    clock: Any = field(default=None, repr=False)
    key: Any = field(default=None, repr=False)

    def to_plain(self) -> tuple[Any, ...]:
        """What a pickle takes along, for :meth:`from_plain`."""
        return self.origin, self.allow_private, self.awaits, self.has_transport

    @classmethod
    def from_plain(cls, plain: tuple[Any, ...]) -> "Access":
        """Read back what :meth:`to_plain` gave."""
        origin, allow_private, awaits, has_transport = plain
        return cls(origin=origin, allow_private=allow_private, awaits=awaits, has_transport=has_transport)
