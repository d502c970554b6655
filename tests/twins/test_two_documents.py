"""Two documents in one process: the installed package, and an older one that `muapi-client spec build` rendered."""

from __future__ import annotations

import copy
import importlib
import json
import pickle
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE, OTHER_IMAGE, make_image, make_other_image

from muapi_client import Call, Job, MuAPI, SpendWarning, catalog, raw_call
from muapi_client._spec.packages import part
from muapi_client.cli import main
from muapi_client.errors import MuAPIError, NotFoundError, ValidationError
from muapi_client.pinning import pinned
from muapi_generated import models as new_models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

NAME = "muapi_generated_of_may"
KEPT = (IMAGE.slug, "account/balance", "account/topup", "upload_file")
ACCEPTED = {"request_id": "r-1", "status": "processing", "cost": {"amount_usd": 0.1, "amount_credits": 10}}
ANOTHER, THIRD, FOURTH = ({**ACCEPTED, "request_id": name} for name in ("r-2", "r-3", "r-4"))
DONE = {"id": "r-1", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/1.png"]}


def of_may() -> dict[str, Any]:
    """The pinned document as it may have been: fewer endpoints, a field since gone, one not there yet."""
    document = copy.deepcopy(pinned().document)
    paths = document["paths"]
    document["paths"] = {path: paths[path] for path in paths if path.removeprefix("/api/v1/") in KEPT}
    job = document["paths"][f"/api/v1/{IMAGE.slug}"]["post"]
    document["paths"]["/api/v1/flux-first"] = {"post": copy.deepcopy(job)}
    reference = job["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    properties = document["components"]["schemas"][reference.rsplit("/", 1)[1]]["properties"]
    properties["grain"] = {"type": "integer", "minimum": 1, "title": "Grain"}
    del properties["width"]
    return document


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the older package stands."""
    folder = tmp_path_factory.mktemp("older")
    (folder / "old.json").write_text(json.dumps(of_may()), encoding="utf-8")
    assert main(["spec", "build", "--source", str(folder / "old.json"), "--output", str(folder), "--name", NAME]) == 0
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def old(place: Path) -> ModuleType:
    """The older package, imported."""
    return importlib.import_module(NAME)


@pytest.fixture(scope="module")
def older(old: ModuleType) -> Any:
    """Its request functions."""
    return importlib.import_module(f"{NAME}.functions")


def test_each_call_is_checked_by_the_document_it_was_made_for(twin: Any, older: Any) -> None:
    face = twin(ACCEPTED, ANOTHER)
    assert face.submit(getattr(older, IMAGE.function)(prompt="a", grain=2)).id == "r-1"
    assert face.submit(make_image(prompt="a", width=512)).id == "r-2"
    assert [json.loads(request.content) for request in face.server.requests] == [
        {"prompt": "a", "grain": 2},
        {"prompt": "a", "width": 512},
    ]
    for call, named in (
        (getattr(older, IMAGE.function)(prompt="a", grain=0), "grain: Input should be greater than or equal to 1"),
        (catalog.get(IMAGE.slug).call(prompt="a", grain=2), "grain: Unknown field"),
        (catalog.get(IMAGE.slug, package=NAME).call(prompt="a", width=512), "width: Unknown field"),
    ):
        with pytest.raises(ValidationError, match=named):
            face.submit(call)
    assert face.server.posts == 2


def test_a_client_of_a_document_holds_every_job_against_it(twin: Any, old: ModuleType, older: Any) -> None:
    face = twin(ACCEPTED, ANOTHER, THIRD, FOURTH, models=old)
    assert face.submit(getattr(older, IMAGE.function)(prompt="a", grain=2)).call.operation.package == NAME
    assert face.submit(make_image(prompt="a")).call.operation.package == NAME
    with pytest.raises(ValidationError, match="width: Unknown field"):
        face.submit(make_image(prompt="a", width=512))
    with pytest.raises(
        ValidationError, match=f"{OTHER_IMAGE.function}: the document of {NAME} has no {OTHER_IMAGE.slug}"
    ):
        face.submit(make_other_image(prompt="a"))
    assert face.submit(raw_call(OTHER_IMAGE.slug, {"prompt": "a"})).id == "r-3"
    assert face.server.posts == 3
    assert face.sharing(models=None).submit(make_image(prompt="a", width=512)).id == "r-4"
    assert twin(ACCEPTED).sharing(models=NAME).submit(make_image(prompt="a")).call.operation.package == NAME


def test_answers_are_of_the_classes_of_the_call(twin: Any, old: ModuleType, older: Any) -> None:
    theirs = importlib.import_module(f"{NAME}.models")
    face = twin(ACCEPTED, ANOTHER)
    assert type(face.send(older.flux_first(prompt="a"))) is theirs.Submission
    assert type(face.send(make_image(prompt="a"))) is new_models.Submission
    balance = twin({"balance": 3}, models=old).account.balance
    assert type(twin(ACCEPTED).go(balance())) is new_models.AccountBalance  # a request of the client's own


def test_a_job_runs_to_its_end_and_names_its_document(twin: Any, old: ModuleType, older: Any) -> None:
    done = twin(ACCEPTED, DONE, models=old).run(older.flux_first(prompt="a"))
    assert done.outputs[0].url == "https://cdn.muapi.ai/outputs/1.png"


def test_prices_are_asked_by_the_names_of_the_document(twin: Any, old: ModuleType, older: Any) -> None:
    call = older.flux_first(prompt="a")
    for options in ({}, {"models": old}):
        face = twin({"cost": 0.02}, **options)
        estimate = face.estimate(call)
        assert (estimate.model, estimate.cost_usd) == (IMAGE.name, Decimal("0.02"))
    with pytest.raises(NotFoundError, match="no model 'flux-first'"):
        catalog.get("flux-first")


def test_a_limit_of_spend_holds_for_calls_of_both(twin: Any, older: Any) -> None:
    face = twin({"cost": 0.02}, ACCEPTED, {"cost": 0.02}, max_spend=Decimal("0.11"))
    with pytest.warns(SpendWarning, match="flux-first was charged 0.1 USD where 0.02 USD had been set aside"):
        face.submit(older.flux_first(prompt="a"))
    with pytest.raises(MuAPIError, match="max_spend"):
        face.submit(make_image(prompt="a"))


def test_calls_and_jobs_travel_and_are_taken_up_by_the_right_document(twin: Any, older: Any) -> None:
    call = getattr(older, IMAGE.function)(prompt="a", grain=2)
    assert call != catalog.get(IMAGE.slug).call(prompt="a", grain=2)
    assert pickle.loads(pickle.dumps(call)) == Call.from_json(call.to_json()) == call
    job = twin(ACCEPTED).submit(call)
    again = Job.from_json(job.to_json())
    assert again.call == pickle.loads(pickle.dumps(job)).call == call
    assert twin(DONE).wait(again).id == "r-1"
    assert twin(ACCEPTED).submit(again.call).id == "r-1"  # checked by the older document: grain passes


TAKE_UP = """
import sys
sys.path.insert(0, sys.argv[1])
import httpx
from muapi_client import SpendWarning, Call, MuAPI
from muapi_client.errors import MuAPIError
answer = {"request_id": "r-2", "status": "processing"}
server = httpx.MockTransport(lambda request: httpx.Response(200, json=answer))
call = Call.from_json(sys.stdin.read())
try:
    MuAPI("a-key-that-is-none", transport=server).submit(call)
except MuAPIError as error:
    print(error)
print(call.operation.package in sys.modules)
print(MuAPI("a-key-that-is-none", transport=server, models=call.operation.package).submit(call).id)
"""


def test_a_token_imports_nothing_by_itself(place: Path, older: Any) -> None:
    call = getattr(older, IMAGE.function)(prompt="a", grain=2)
    done = subprocess.run(
        [sys.executable, "-c", TAKE_UP, str(place)], input=call.to_json(), capture_output=True, text=True, check=True
    )
    told, imported, request_id = done.stdout.splitlines()
    assert told == (
        f"the call was made by {NAME!r}, which this process has not imported: import it first, or make the client with"
        f" models={NAME!r}"
    )
    assert (imported, request_id) == ("False", "r-2")


def test_what_cannot_be_answered_is_not_sent(twin: Any, older: Any) -> None:
    call = older.flux_first(prompt="a")
    lost = Call.from_json(call.to_json().replace(NAME, "muapi_generated_of_april"))
    face = twin(ACCEPTED, strict=False)
    for method in (face.submit, face.send, face.run, face.estimate):
        with pytest.raises(MuAPIError, match="which this process has not imported"):
            method(lost)
    assert face.server.requests == []


def test_an_answer_of_a_class_nobody_knows_arrives_as_it_came(twin: Any, older: Any) -> None:
    call = older.flux_first(prompt="a")
    said = twin({"balance": 3}).send(Call.from_json(call.to_json().replace('"Submission"', '"Submissoin"')))
    assert said == {"balance": 3}


def test_an_operation_cannot_name_any_module_as_its_package() -> None:
    for name in ("json", "os.path", "no.such", "muapi_client"):
        with pytest.raises(MuAPIError, match="has not imported"):
            part(name, "models")


@pytest.mark.parametrize("given", ["no_such_package", "json", json, "", 7])
def test_what_is_no_package_of_request_functions_is_refused(given: Any) -> None:
    with pytest.raises(MuAPIError, match="muapi-client spec build"):
        MuAPI("a-key-that-is-none", models=given)


def test_a_catalogue_of_the_older_document(old: ModuleType) -> None:
    assert [model.slug for model in catalog.all(package=NAME)] == sorted([IMAGE.slug, "flux-first"])
    model = catalog.get("flux_first", package=NAME)
    assert {field.name for field in model.fields} >= {"prompt", "grain"}
    assert catalog.find("first", package=NAME) == (model,)
