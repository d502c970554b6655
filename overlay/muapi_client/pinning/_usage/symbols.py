"""Meanings: what a dotted name of this client leads to. Pure.

Closed by construction: what is not known to lead to no request function counts as a way to all of them.

Lives here: the modules and names of this client. Does not live here: which code has which name (``imports``,
``call_sites``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from muapi_client.pinning._document.naming import GROUPS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Sort = Literal["function", "asks", "way", "plain"]

CLIENT: Final = "muapi_client"
RENDERED: Final = "muapi_generated"
_FUNCTION_MODULES: Final = ((CLIENT, "models"), (RENDERED, "functions"))
_ENDPOINTS: Final = (RENDERED, "api")
_GROUP_MODULES: Final = GROUPS - {"account", "files", "keys", "platform", "predictions"}  # these have no module
# What of this client leads to no request function; a test holds it against `__all__`.
PLAIN: Final = frozenset({
    "UNSET", "AsyncJob", "AsyncMuAPI", "AsyncOutput", "AsyncPrediction", "Budget", "Call", "Cost", "Entry",
    "Estimate", "Job", "JobEvent", "JobState", "Journal", "MuAPI", "MuAPIError", "Outcome", "Outcomes", "Output",
    "Polling", "PostgresJournal", "Prediction", "Progress", "Reconciliation", "Retry", "SandboxVerdict",
    "SandboxWarning", "Spend", "SpendWarning", "StreamEvent", "_version", "cli", "distributed", "emulator",
    "errors", "pinning", "pytest_plugin", "webhooks",
})  # fmt: skip
_PLAIN_RENDERED: Final = frozenset({"SPEC", "Spec", "answers", "checks", "choices", "models", "types"})
# The catalogue's names that lead to any model; `part`, which it imports for itself, leads to any module.
_CATALOG: Final = frozenset({"all", "find", "part"})
_ABOUT: Final = frozenset({"__doc__", "__file__", "__module__", "__name__", "__path__", "__qualname__", "__version__"})
CLIENTS: Final = frozenset({f"{CLIENT}.MuAPI", f"{CLIENT}.AsyncMuAPI"})
# What `import *` brings of that which leads on; from a module of functions it brings the functions themselves.
STARS: Final[Mapping[str, tuple[str, ...]]] = {
    CLIENT: ("MuAPI", "AsyncMuAPI", "catalog", "models", "raw_call"),
    f"{CLIENT}.catalog": ("all", "find", "get"),
}


class Symbol(NamedTuple):
    """The thing that a name leads to.

    Attributes:
        sort: ``function``: one request function; ``asks``: what takes a function's name as text, such as ``raw_call``;
            ``way``: from where any function can be had; ``plain``: none of these.
        name: The function's.
    """

    sort: Sort
    name: str = ""


WAY: Final = Symbol("way")
NOTHING: Final = Symbol("plain")


def find_client_name(name: str, packages: Collection[str] = ()) -> str:
    """A dotted name as one of this client's; empty where it is none. A package rendered beside counts as the first.

    Args:
        name: The name.
        packages: Names of packages known to be rendered, which may stand in other packages.
    """
    root, dot, rest = name.partition(".")
    if root.startswith(f"{RENDERED}_"):
        root = RENDERED
    if root in (CLIENT, RENDERED):
        return f"{root}{dot}{rest}".rstrip(".")
    parts = name.rstrip(".").split(".")
    start = next((number for number, part in enumerate(parts) if part in packages), None)
    return "" if start is None else ".".join([RENDERED, *parts[start + 1 :]])


def find_symbol(name: str) -> Symbol:
    """Find what a dotted name of this client leads to; nothing for an empty one."""
    parts = tuple(name.split("."))
    if parts[-1] in _ABOUT or not name:
        owner = find_symbol(".".join(parts[:-1])) if name else NOTHING
        return owner if owner.sort == "function" else NOTHING
    module = next((module for module in _FUNCTION_MODULES if parts[: len(module)] == module), None)
    if module:
        rest = parts[len(module) :]
        return _function_or_way(rest[1:] if rest[:1] and rest[0] in _GROUP_MODULES else rest)
    if parts[: len(_ENDPOINTS)] == _ENDPOINTS:
        return _function_or_way(parts[len(_ENDPOINTS) + 1 :])
    return _find_elsewhere(parts)


def is_function_module(name: str) -> bool:
    """Tell whether ``import *`` from this module brings request functions."""
    parts = tuple(name.split("."))
    return any(parts[: len(module)] == module for module in _FUNCTION_MODULES) and find_symbol(name) == WAY


def _function_or_way(rest: tuple[str, ...]) -> Symbol:
    return Symbol("function", rest[0]) if rest and not rest[0].startswith("_") else WAY


def _find_elsewhere(parts: tuple[str, ...]) -> Symbol:
    """Find what a name leads to that is not below the functions."""
    raw = parts[0] == CLIENT and parts[-1] == "raw_call"  # wherever in the package it was imported from
    if raw or parts == (CLIENT, "catalog", "get"):
        return Symbol("asks")
    plain = {(CLIENT, name) for name in PLAIN} | {(RENDERED, name) for name in _PLAIN_RENDERED}
    of_catalog = parts[2] if parts[:2] == (CLIENT, "catalog") and parts[2:] else "_"
    plain_catalog = not of_catalog.startswith("_") and of_catalog not in {*_CATALOG, "get"}
    made_by_hand = parts[:3] == (RENDERED, "types", "Operation")  # with any path
    return NOTHING if plain_catalog or (parts[:2] in plain and not made_by_hand) else WAY
