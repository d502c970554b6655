"""Models that make speech, music and sounds, one function each; a function loads when it is asked for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from muapi_generated.functions.audio import *
else:
    from muapi_client._runtime.forks import held
    from muapi_generated.functions.audio import __all__, __dir__, __getattr__

    __getattr__ = held(__getattr__)
