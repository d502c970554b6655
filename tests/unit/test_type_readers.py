"""Tools that read types take model functions, calls and classes as they are: pydantic, LangChain, FastAPI.

Over every model function: its schema is made, a call that fits comes out as the function itself makes it, and one that
does not fit is refused. The tools are the tests' own; importing the client brings none of them.
"""

from __future__ import annotations

import inspect
import io
import json
import subprocess
import sys
import typing
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import pydantic
import pytest
from by_kind import IMAGE, ImageRequest, fields_of, make_image, make_upscale
from fastapi import Body, Depends, FastAPI
from fastapi.testclient import TestClient
from fitting import make_fitting
from langchain_core.tools import StructuredTool

from muapi_client import Call, Cost, MuAPI, Output, Prediction, SandboxVerdict, catalog, models, raw_call
from muapi_client.emulator import Emulator
from muapi_client.pinning import pinned
from muapi_generated import models as generated
from muapi_generated.api.files.upload_file import upload_file
from muapi_generated.schemas import to_json_schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# LangChain's, of UNSET, where it derives a tool's schema from the function.
unset_warned_of = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
FIELDS = fields_of(pinned().document, IMAGE)
PIECES = FIELDS["num_images"]["enum"]
EXPECTED = f"{', '.join(map(str, PIECES[:-1]))} or {PIECES[-1]}"
MODELS = {model.function: model for model in catalog.all()}


def values_of(function: str) -> dict[str, Any]:
    """A value for every parameter of a model function, by its name there."""
    request = MODELS[function].request
    schema = to_json_schema(request) if request else {}  # one without a body
    properties = schema.get("properties", {})
    names = {name.lstrip("_"): name for name in properties}
    parameters = getattr(models, function).__kwdefaults__ or {}
    optional = [name for name in parameters if name in names]
    needed = [name for name in schema.get("required", ()) if name.isidentifier()]
    signature = inspect.signature(getattr(models, function)).parameters.values()
    others = [one.name for one in signature if one.default is one.empty and one.name not in needed]  # of the query
    hints = typing.get_type_hints(getattr(models, function)) if others else {}
    queried = {name: {int: 1, float: 0.5, bool: False}.get(hints[name], "x") for name in others}
    return {name: make_fitting(properties[names[name]], {}) for name in (*needed, *optional)} | queried


@pytest.mark.parametrize("group", models.GROUPS)
def test_pydantic_validates_every_model_function(group: str) -> None:
    for name in getattr(models, group).__all__:
        function = getattr(models, name)
        checked = pydantic.validate_call(validate_return=True)(function)
        values = values_of(name)
        assert checked(**values) == function(**values)
        for field in values:
            with pytest.raises(pydantic.ValidationError, match=field):
                checked(**{**values, field: object()})
        with pytest.raises(pydantic.ValidationError, match="no_such_field"):
            checked(**values, no_such_field=1)


@unset_warned_of
@pytest.mark.parametrize("group", models.GROUPS)
def test_langchain_makes_a_tool_of_every_model_function(group: str) -> None:
    for name in getattr(models, group).__all__:
        function = getattr(models, name)
        tool = StructuredTool.from_function(function, parse_docstring=True)
        schema = tool.args
        values = values_of(name)
        assert schema.keys() >= values.keys()
        assert all(schema[field]["description"] for field in values)
        assert not [field for field in values if "default" in schema[field]]
        assert tool.invoke(values) == function(**values)
        json.dumps(tool.tool_call_schema.model_json_schema())


@pytest.mark.parametrize("group", models.GROUPS)
def test_langchain_refuses_a_misspelt_field_by_the_schema_of_the_class_and_warns_of_nothing(group: str) -> None:
    for name in getattr(models, group).__all__:
        if not MODELS[name].request:
            continue
        function = getattr(models, name)
        request = getattr(generated, MODELS[name].request)
        schema = pydantic.TypeAdapter(request).json_schema()
        tool = StructuredTool.from_function(pydantic.validate_call(function), args_schema=schema)
        values = values_of(name)
        assert tool.invoke(values) == function(**values)
        with pytest.raises(pydantic.ValidationError, match="no_such_field"):
            tool.invoke({**values, "no_such_field": 1})


@pytest.mark.parametrize("group", models.GROUPS)
def test_fastapi_takes_every_model_function_as_a_dependency(group: str) -> None:
    app = FastAPI()
    for name in getattr(models, group).__all__:
        app.post(f"/{name}")(depending(getattr(models, name)))
    if group == "three_d":  # one is enough: of all of them it takes a minute
        assert app.openapi()["paths"].keys() == {f"/{name}" for name in models.three_d.__all__}


def depending(function: Callable[..., Call[Any]]) -> Callable[..., dict[str, Any]]:
    def make(call: Any = Depends(function)) -> dict[str, Any]:  # noqa: B008 - known in this frame alone
        sent: dict[str, Any] = json.loads(call.to_json())
        return sent

    return make


def prompt_of(request: Annotated[ImageRequest, Body()]) -> str:
    return request.prompt


def test_fastapi_reads_a_call_from_query_and_body() -> None:
    app = FastAPI()
    app.post("/fox")(depending(make_image))
    with TestClient(app) as client:
        answer = client.post("/fox?prompt=a fox&width=1024", json=[{"model": "owner/lora"}])
        assert Call.from_json(answer.text) == make_image(prompt="a fox", width=1024, model_id=[{"model": "owner/lora"}])
        assert client.post("/fox?width=wide").status_code == 422
        assert client.post("/fox", json=[{"modle": "owner/lora"}]).status_code == 422


def test_fastapi_takes_a_model_function_as_an_endpoint_and_a_class_as_a_body() -> None:
    app = FastAPI()
    app.post("/fox")(make_image)

    app.post("/body")(prompt_of)
    with TestClient(app) as client:
        assert Call.from_json(client.post("/fox?prompt=a fox").text) == make_image(prompt="a fox")
        assert client.post("/body", json={"prompt": "a fox"}).json() == "a fox"
        assert client.post("/body", json={"prompt": "a fox", "num_images": 9}).status_code == 422
        assert client.post("/body", json={"promt": "a fox"}).status_code == 422
    schema = app.openapi()["paths"]["/body"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["num_images"]["enum"] == PIECES


def test_a_problem_of_a_class_names_its_field() -> None:
    adapter = pydantic.TypeAdapter(ImageRequest)
    wrong = {"num_images": 9, "model_id": [{"model": "a/b"}, {"model": "a/b", "weight": 5}], "promt": "a fox"}
    with pytest.raises(pydantic.ValidationError) as caught:
        adapter.validate_python(wrong)
    assert [(each["loc"], each["type"], each["input"]) for each in caught.value.errors()] == [
        (("num_images",), "literal_error", 9),
        (("model_id", 1, "weight"), "less_than_equal", 5),
        (("promt",), "extra_forbidden", "a fox"),
    ]
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(generated.ModelItem).validate_python({})
    assert [(each["loc"], each["type"]) for each in caught.value.errors()] == [(("model",), "missing")]


def test_a_problem_of_a_class_in_a_class_names_its_field_from_the_top() -> None:
    class Order(pydantic.BaseModel):
        request: ImageRequest

    with pytest.raises(pydantic.ValidationError) as caught:
        Order.model_validate_json('{"request": {"num_images": 9}}')
    assert [each["loc"] for each in caught.value.errors()] == [("request", "num_images")]
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.validate_call(make_image)(model_id=[{"modle": "a/b"}])
    named = [each["loc"] for each in caught.value.errors()]
    assert {(where[0], where[1], where[-1]) for where in named} >= {("model_id", 0, "model"), ("model_id", 0, "modle")}


def test_fastapi_tells_which_field_of_a_body_is_wrong() -> None:
    app = FastAPI()
    app.post("/body")(prompt_of)
    with TestClient(app) as client:
        (problem,) = client.post("/body", json={"num_images": 9}).json()["detail"]
        assert (problem["loc"], problem["ctx"]) == (["body", "num_images"], {"expected": EXPECTED})


@unset_warned_of
def test_a_local_file_passes_and_stays_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG")
    checked = pydantic.validate_call(make_upscale)
    tool = StructuredTool.from_function(make_upscale)
    with path.open("rb") as file:
        for given in (path, file, io.BytesIO(b"\x89PNG"), "https://example.com/a.png"):
            assert checked(image_url=given).body == {"image_url": given}
            assert tool.invoke({"image_url": given}).body == {"image_url": given}
    for wrong in (42, b"\x89PNG", None):
        with pytest.raises(pydantic.ValidationError, match="a URL, a path, or an open binary file"):
            checked(image_url=wrong)  # type: ignore[arg-type]
    assert pydantic.validate_call(upload_file)(file=b"\x89PNG").files == {"file": b"\x89PNG"}


def test_an_object_of_a_class_is_given_as_the_class_or_by_its_fields() -> None:
    checked = pydantic.validate_call(make_image)
    for given in ({"model": "a/b", "weight": 2}, generated.ModelItem(model="a/b", weight=2)):
        assert checked(model_id=[given]) == make_image(model_id=[given])
    for wrong in ({"modle": "a/b"}, {"model": "a/b", "weight": 5}, "a/b"):
        with pytest.raises(pydantic.ValidationError, match="model_id"):
            checked(model_id=[wrong])  # type: ignore[list-item]


@pytest.mark.parametrize("name", generated.__all__)
def test_pydantic_reads_and_writes_every_class(name: str) -> None:
    kind = getattr(generated, name)
    adapter = pydantic.TypeAdapter(kind)
    schema = adapter.json_schema()
    assert (schema["title"], schema["type"]) == (name, "object")
    wire = {"odd": 1} if hasattr(kind, "from_dict") else make_fitting(to_json_schema(name), {})
    value = adapter.validate_python(wire)
    assert isinstance(value, kind)
    assert adapter.validate_python(value) is value
    assert adapter.validate_json(adapter.dump_json(value)) == value
    with pytest.raises(pydantic.ValidationError):
        adapter.validate_python(42)


def test_the_schema_of_a_class_has_what_the_document_says() -> None:
    properties = pydantic.TypeAdapter(ImageRequest).json_schema()["properties"]
    assert properties["num_images"]["enum"] == PIECES
    assert properties["width"].get("default") == FIELDS["width"].get("default")
    assert properties["webhook_url"]["anyOf"][1] == {"type": "null"}
    weight = properties["model_id"]["items"]["properties"]["weight"]
    assert (weight["minimum"], weight["maximum"]) == (0, 4)


def test_an_answer_is_written_as_it_came() -> None:
    came = {"request_id": "abc", "status": "processing", "cost": {"amount_usd": "0.5", "odd": []}, "eta": 3}
    adapter = pydantic.TypeAdapter(generated.Submission)
    assert json.loads(adapter.dump_json(adapter.validate_python(came))) == came


def test_a_call_is_a_value_of_pydantic_models() -> None:
    class Order(pydantic.BaseModel):
        call: Call[Any]

    for call in (make_image(prompt="a fox"), raw_call("new/model", {"prompt": "a fox"})):
        assert Order.model_validate_json(Order(call=call).model_dump_json()).call == call
    with pytest.raises(pydantic.ValidationError, match="not a call"):
        Order.model_validate({"call": {"operation": 42}})


def test_a_prediction_is_read_and_written() -> None:
    made = Prediction(
        "abc",
        "completed",
        outputs=(Output("https://example.com/a.png", media_type="image/png"),),
        cost=Cost(Decimal("0.015"), 15),
        balance=Decimal("1.10"),
        warnings=("odd",),
        raw={"status": "completed", "eta": 3},
        seconds=0.5,
        call=make_image(prompt="a fox", webhook_url="https://example.com/secret"),
        sandbox=SandboxVerdict(True, ("no charge",)),
    )
    adapter = pydantic.TypeAdapter(Prediction)
    assert adapter.validate_python(made) is made
    written = json.loads(adapter.dump_json(made))
    assert written["cost"]["amount_usd"] == "0.015"
    assert "call" not in written
    read = adapter.validate_python(written)
    assert (read, read.sandbox) == (made, made.sandbox)
    for wrong, where in ({"cost": {"amount_usd": "much"}}, ("cost", "amount_usd")), ({"stat": 1}, ("stat",)):
        with pytest.raises(pydantic.ValidationError) as caught:
            adapter.validate_python({**written, **wrong})
        assert [each["loc"] for each in caught.value.errors()] == [where]
    schema = adapter.json_schema()
    assert (schema["title"], schema["required"], schema["additionalProperties"]) == (
        "Prediction",
        ["id", "status"],
        False,
    )


def test_fastapi_answers_with_a_prediction() -> None:
    def draw() -> Prediction:
        with MuAPI(transport=Emulator().transport(), api_key="sk-test", expect="sandbox") as mu:
            return mu.run(make_image(prompt="a fox"))

    app = FastAPI()
    app.post("/draw")(pydantic.validate_call(validate_return=True)(draw))
    app.post("/draws", response_model=list[Prediction])(lambda: [draw()])
    with TestClient(app) as client:
        assert client.post("/draw").json()["outputs"][0]["media_type"].startswith("image/")
        assert [each["status"] for each in client.post("/draws").json()] == ["completed"]
    answers = app.openapi()["paths"]["/draw"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answers["properties"].keys() >= {"id", "status", "outputs", "cost"}


def test_nothing_of_ours_imports_pydantic() -> None:
    code = (
        f"import sys, typing; from muapi_client import MuAPI; from muapi_client.models import {IMAGE.function}\n"
        f"typing.get_type_hints({IMAGE.function}); {IMAGE.function}(model_id=[{{'model': 'a/b'}}])\n"
        "assert not {'pydantic', 'pydantic_core', 'muapi_generated.schemas'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
