"""What a user holds can be asked for its types at run time, and says the public module it is imported from."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
import typing
from datetime import UTC, datetime
from decimal import Decimal
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from by_kind import IMAGE, make_image

import muapi_client
from muapi_client import (
    AsyncJob,
    AsyncOutput,
    AsyncPrediction,
    Budget,
    Call,
    Cost,
    Entry,
    Estimate,
    Job,
    JobEvent,
    JobState,
    Outcome,
    Outcomes,
    Output,
    Polling,
    Prediction,
    Progress,
    Reconciliation,
    Retry,
    SandboxVerdict,
    SandboxWarning,
    SpendWarning,
    StreamEvent,
    catalog,
    errors,
    models,
    raw_call,
    webhooks,
)
from muapi_client._client import resources
from muapi_generated import models as generated

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = (muapi_client, errors, catalog, webhooks)
ELSEWHERE = {"MuAPIError": "muapi_client.errors", "Call": "muapi_generated.types"}  # imported from there, as well


def public() -> Iterator[tuple[str, Any]]:
    """Every public class and function, by its public name."""
    for module in MODULES:
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, type | FunctionType):
                yield f"{module.__name__}.{name}", value


PUBLIC = dict(public())


def parts(value: Any) -> Iterator[Any]:
    """A class or function, and the public methods and properties of a class."""
    yield value
    if not isinstance(value, type):
        return
    for kind in value.__mro__:
        if kind.__module__.partition(".")[0] not in ("muapi_client", "muapi_generated"):
            continue
        for name, member in vars(kind).items():
            if name.startswith("_") and name != "__init__":
                continue
            function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            if isinstance(function, FunctionType):
                yield function


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_and_its_methods_tell_their_types_at_run_time(name: str) -> None:
    for part in parts(PUBLIC[name]):
        typing.get_type_hints(part)
        if isinstance(part, FunctionType):
            inspect.signature(part, eval_str=True)


@pytest.mark.parametrize("name", ["Account", "Keys", "Models"])
@pytest.mark.parametrize("kind", ["", "Async"], ids=["sync", "async"])
def test_the_methods_of_a_resource_tell_their_types_at_run_time(kind: str, name: str) -> None:
    for part in parts(getattr(resources, kind + name)):
        typing.get_type_hints(part)


@pytest.mark.parametrize("name", models.GROUPS)
def test_a_model_function_tells_its_types_at_run_time(name: str) -> None:
    group = getattr(models, name)
    for function in (getattr(group, name) for name in group.__all__):
        assert typing.get_type_hints(function)["return"].__origin__ is Call
        parameters = inspect.signature(function, eval_str=True).parameters.values()
        assert not [one for one in parameters if isinstance(one.annotation, str) or one.annotation is one.empty]


@pytest.mark.parametrize("name", generated.__all__)
def test_a_class_that_is_sent_or_answered_tells_its_types_at_run_time(name: str) -> None:
    kind = getattr(generated, name)
    assert typing.get_type_hints(kind).keys() == {part.name for part in attrs.fields(kind)}
    if hasattr(kind, "from_dict"):
        assert typing.get_type_hints(kind.from_dict)["return"] is kind


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_says_the_module_it_is_imported_from(name: str) -> None:
    module, _, short = name.rpartition(".")
    value = PUBLIC[name]
    assert value.__module__ in (module, ELSEWHERE.get(short))
    assert getattr(sys.modules[value.__module__], value.__qualname__) is value


def test_asking_a_client_for_its_types_imports_no_httpx() -> None:
    code = (
        "import sys, typing; from muapi_client import AsyncMuAPI, MuAPI\n"
        "for client in (MuAPI, AsyncMuAPI):\n"
        "    for name in ('run', 'submit', 'reconcile', '__init__'):\n"
        "        typing.get_type_hints(getattr(client, name))\n"
        "assert not {'httpx', 'anyio'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_client_loads_no_journal_and_no_resource_until_asked_for() -> None:
    code = (
        "import sys; from muapi_client import MuAPI, Entry; MuAPI('sk')\n"
        "assert not {'httpx', 'anyio', 'sqlite3', 'muapi_client._client.resources'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


NOW = datetime(2026, 1, 2, tzinfo=UTC)
FOX = make_image(prompt="a fox")
COST = Cost(Decimal("0.03"), 3)
DONE = Prediction("abc", "completed", (Output(url="https://cdn.muapi.ai/outputs/1.png"),), cost=COST, call=FOX)
JOB = Job("abc", FOX, COST, NOW)
KNOWN: dict[str, Any] = {"request_id": "abc", "status_code": 400, "cost": COST, "balance": Decimal(1)}
VALUES = [
    JOB,
    AsyncJob("abc", FOX, COST, NOW),
    DONE,
    AsyncPrediction("abc", "completed", (AsyncOutput(text="a fox"),), cost=COST, call=FOX),
    AsyncOutput(url="https://cdn.muapi.ai/outputs/1.png"),
    COST,
    FOX,
    Entry(key="k", state="accepted", slug=IMAGE.slug, call=FOX, intended_at=NOW, changed_at=NOW),
    Estimate(IMAGE.name, Decimal("0.03"), dynamic=True, strategy=None),
    Reconciliation((JOB,), complete=True),
    StreamEvent("fox", prediction=DONE),
    JobEvent("abc", DONE, changed=True),
    SandboxVerdict(verdict=True, evidence=("a sentence",)),
    JobState.DONE,
    Budget(5, per="day"),
    Outcome(0, "fox", FOX, JOB, DONE),
    Outcomes([Outcome(0, "fox", FOX, JOB, DONE)]),
    Progress(1, 0, 1, 0, 0, Decimal("0.03"), Decimal(0), NOW),
    Polling(),
    Retry(),
    catalog.get(IMAGE.slug),
    catalog.get(IMAGE.slug).fields,
    webhooks.Hint("abc", DONE),
    raw_call,
]
ERRORS = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_pickled_value_comes_back_and_names_no_private_module(value: Any) -> None:
    pickled = pickle.dumps(value)
    assert pickle.loads(pickled) == value
    assert b"muapi_client._" not in pickled


def test_who_handed_a_value_out_is_no_part_of_it() -> None:
    for kind, awaited in ((Output, AsyncOutput), (Prediction, AsyncPrediction)):
        one, twin, other = kind("abc", "text"), awaited("abc", "text"), awaited("abc", "x")
        assert one == twin
        assert twin == one
        assert hash(one) == hash(twin)
        assert one != other
        assert one != ("abc", "text")
    assert Output("abc") != Prediction("abc", "x")


@pytest.mark.parametrize("kind", ERRORS)
def test_a_pickled_error_comes_back_and_names_no_private_module(kind: type[errors.MuAPIError]) -> None:
    more = {"job": JOB, "prediction": DONE} if issubclass(kind, errors.JobError | errors.SandboxMismatchError) else {}
    error = kind("what went wrong", **KNOWN, **more)
    pickled = pickle.dumps(error)
    back = pickle.loads(pickled)
    assert (type(back), str(back), vars(back)) == (kind, str(error), vars(error))
    assert b"muapi_client._" not in pickled


@pytest.mark.parametrize("kind", [SandboxWarning, SpendWarning])
def test_a_pickled_warning_names_no_private_module(kind: type[UserWarning]) -> None:
    pickled = pickle.dumps(kind("what is odd"))
    assert str(pickle.loads(pickled)) == "what is odd"
    assert b"muapi_client._" not in pickled


def test_a_verdict_is_weighed_when_its_prediction_is_pickled() -> None:
    def weigh(prediction: Prediction) -> SandboxVerdict:
        return SandboxVerdict(None, (f"{prediction.id} was weighed",))

    back = pickle.loads(pickle.dumps(Prediction("abc", "completed", sandbox=weigh)))
    assert back.sandbox == SandboxVerdict(None, ("abc was weighed",))


def test_every_public_value_is_pickled_here() -> None:
    made = {type(value) for value in VALUES} | {*ERRORS, SandboxWarning, SpendWarning, Output}
    left = {name for name, value in PUBLIC.items() if isinstance(value, type) and value not in made}
    assert left == {
        f"muapi_client.{name}"
        for name in ("AsyncMuAPI", "MuAPI", "Journal", "PostgresJournal", "Spend", "catalog.Field", "catalog.Price")
    } | {"muapi_client.webhooks.Seen"}


def test_the_public_modules_are_all_looked_at() -> None:
    found = {name for name in muapi_client.__all__ if isinstance(getattr(muapi_client, name), ModuleType)}
    assert found == {"errors", "catalog", "webhooks", "models"}
    assert Call.__module__ == "muapi_generated.types"
