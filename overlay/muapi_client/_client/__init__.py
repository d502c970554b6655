"""What a user calls: the two clients, and which flow each of their methods is.

``resources`` loads once it is asked for, since few programs use it: the clients name its classes in annotations.
"""

from typing import TYPE_CHECKING, Any

from muapi_client._runtime.forks import held

if TYPE_CHECKING:
    from muapi_client._client import resources as resources
else:

    @held
    def __getattr__(name: str) -> Any:
        if name != "resources":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - with the first of them

        return import_module(f"{__name__}.{name}")
