"""Language models, and their streams, one function each; a function loads when it is asked for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from muapi_generated.functions.language import *
else:
    from muapi_client._runtime.forks import held
    from muapi_generated.functions.language import __all__, __dir__, __getattr__

    __getattr__ = held(__getattr__)
