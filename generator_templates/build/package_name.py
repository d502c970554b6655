"""The name of a package that is built: one that can be imported, and that hides nothing from those who import it.

Lives here: which names are refused, and why. Does not live here: what stands at the place already (``ownership``).
"""

from __future__ import annotations

import keyword
import sys

from rules.errors import GenerationError
from rules.names import DEVICES

_OURS = frozenset({"muapi_client", "muapi_generated"})
# by ours, by the tools of their extras, and by those in turn
# fmt: off
_NEEDED = frozenset({
    "anyio", "argcomplete", "attr", "attrs", "certifi", "click", "cloudpickle", "dask", "dateutil",
    "deprecated", "distributed", "fsspec", "h11", "httpcore", "httptools", "httpx", "httpx_sse", "idna",
    "importlib_metadata", "jinja2", "jsonpath_rfc9535", "jsonschema_rs", "locket", "markdown_it",
    "markupsafe", "mdurl", "msgpack", "openapi_python_client", "opentelemetry", "packaging",
    "partd", "platformdirs", "psutil", "psycopg", "pydantic", "pydantic_core", "pygments", "rich",
    "ruamel", "ruff", "six", "sniffio", "sortedcontainers", "specshift", "tblib", "toolz",
    "tornado", "typing_extensions", "urllib3", "wrapt", "yaml", "zict", "zipp",
})
# fmt: on


def check_form(name: str) -> None:
    """Refuse a name that no import statement can say.

    Raises:
        GenerationError: It is none, a word of Python's own, or a device of Windows, whose name no folder has there.
    """
    if not (name.isascii() and name.isidentifier()):
        raise GenerationError(f"{name!r} is no name of a package: take letters, digits and underscores.")
    if keyword.iskeyword(name):
        raise GenerationError(f"{name!r} is no name of a package, but a word of Python's own: take another.")
    if name.lower() in DEVICES:
        raise GenerationError(f"{name!r} is no name of a package, but a device of Windows: take another.")


def check_free(name: str) -> None:
    """Refuse the name of a module that programs need: whichever comes first on the path would hide the other.

    Raises:
        GenerationError: It is such a name; the message says whose.
    """
    if name in sys.stdlib_module_names or name == "__main__":
        owner = "a module of Python's standard library"
    elif name in _OURS:
        owner = "a package of muapi-client itself"
    elif name in _NEEDED:
        owner = "a package that muapi-client needs"
    else:
        return
    raise GenerationError(f"{name!r} is {owner}, and one of the two would hide the other: take another name.")
