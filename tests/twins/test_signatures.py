"""The twins promise the same: same names, same parameters, each documented."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import muapi_client
from muapi_client import (
    AsyncJob,
    AsyncMuAPI,
    AsyncOutput,
    AsyncPrediction,
    Job,
    MuAPI,
    Output,
    Prediction,
    catalog,
    errors,
)
from muapi_client._client import resources

PAIRS = [
    (MuAPI, AsyncMuAPI),
    (Job, AsyncJob),
    (Output, AsyncOutput),
    (Prediction, AsyncPrediction),
    *((getattr(resources, name), getattr(resources, f"Async{name}")) for name in ("Account", "Keys", "Models")),
]
RENAMED = {"__enter__": "__aenter__", "__exit__": "__aexit__"}


def text_of(annotation: Any) -> str:
    """An annotation without the modules its names are of."""
    shown = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:[a-z_]\w*\.)+", "", shown)


EITHER = " | AsyncIterable[Call[Any]]"  # of calls: who awaits also takes what is awaited


def promised(kind: type) -> dict[str, Any]:
    """What a class promises, its own and inherited, in source order."""
    names = [name for one in reversed(kind.__mro__[:-1]) for name in vars(one)]
    return {
        name: inspect.getattr_static(kind, name)
        for name in dict.fromkeys(names)
        if not name.startswith("_") or name in ("__init__", *RENAMED, *RENAMED.values())
    }


@pytest.mark.parametrize(("blocking", "awaiting"), PAIRS, ids=lambda kind: kind.__name__)
def test_the_same_names(blocking: type, awaiting: type) -> None:
    assert {RENAMED.get(name, name) for name in promised(blocking)} == set(promised(awaiting))


@pytest.mark.parametrize(("blocking", "awaiting"), PAIRS, ids=lambda kind: kind.__name__)
def test_the_same_parameters(blocking: type, awaiting: type) -> None:
    for name, member in promised(blocking).items():
        if inspect.isfunction(member):
            twin = inspect.signature(promised(awaiting)[RENAMED.get(name, name)])
            ours = inspect.signature(member)
            shown = [(p.name, p.kind, p.default) for p in ours.parameters.values()]
            assert shown == [(p.name, p.kind, p.default) for p in twin.parameters.values()], name
            annotations = [
                text_of(p.annotation).replace(EITHER, "").replace("Async", "") for p in twin.parameters.values()
            ]
            assert annotations == [text_of(p.annotation) for p in ours.parameters.values()], name


@pytest.mark.parametrize(("blocking", "awaiting"), PAIRS, ids=lambda kind: kind.__name__)
def test_the_same_answers(blocking: type, awaiting: type) -> None:
    for name, member in promised(blocking).items():
        if inspect.isfunction(member) and name != "__init__":
            twin = promised(awaiting)[RENAMED.get(name, name)]
            shown = text_of(inspect.signature(twin).return_annotation)
            plain = shown.removeprefix("Awaitable[").removesuffix("]") if shown.startswith("Awaitable[") else shown
            ours = text_of(inspect.signature(member).return_annotation)
            assert plain.replace("Async", "") == ours, name


@pytest.mark.parametrize("kind", [kind for pair in PAIRS for kind in pair], ids=lambda kind: kind.__name__)
def test_everything_is_documented(kind: type) -> None:
    assert inspect.getdoc(kind)
    for name, member in promised(kind).items():
        if name == "__init__" and "_mu" in kind.__init__.__code__.co_names:
            continue  # a trivial one is described by its class
        found = member.fget if isinstance(member, property) else member
        if inspect.isfunction(found):
            assert (found.__doc__ or "").strip(), f"{kind.__name__}.{name}"


def test_what_waits_is_awaited() -> None:
    """What ``MuAPI`` itself defines does I/O; what both clients share in ``Client`` does none."""
    for name, member in vars(MuAPI).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            twin = vars(AsyncMuAPI)[name]
            shown = text_of(inspect.signature(twin).return_annotation)
            iterates = "Iterator[" in shown or "Generator[" in shown
            assert iterates or inspect.iscoroutinefunction(twin), name


def test_all_is_exact() -> None:
    assert sorted(muapi_client.__all__) == sorted(set(muapi_client.__all__))
    assert set(dir(muapi_client)) == set(muapi_client.__all__)
    for name in muapi_client.__all__:
        assert getattr(muapi_client, name) is not None
    assert {"MuAPI", "AsyncMuAPI", "Call", "Job", "Prediction", "Output", "Cost", "raw_call"} <= set(
        muapi_client.__all__
    )


def test_a_star_import_gives_just_that() -> None:
    names: dict[str, Any] = {}
    exec("from muapi_client import *", names)
    assert set(names) - {"__builtins__"} == set(muapi_client.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="MuApi"):
        _ = muapi_client.MuApi  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", [errors, catalog], ids=lambda module: module.__name__)
def test_a_public_module_names_what_is_public(module: Any) -> None:
    own = {name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    assert {name for name in own if not name.startswith("_")} == set(module.__all__)


def test_every_error_is_one_tree() -> None:
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.MuAPIError)
        assert getattr(errors, name).__doc__
