"""Documents that are not MuAPI's: each is rendered whole, or refused by name; never less, never something else.

The cases are those of openapi-python-client's own end-to-end documents, written anew (documents/).
"""

from __future__ import annotations

import importlib
import inspect
import json
import pickle
import sys
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pipeline
import pytest
import yaml_of
from inline_snapshot import snapshot
from mypy import api as mypy

from rules import document_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

DOCUMENTS = Path(__file__).parent / "documents"
NAMES = sorted(path.stem for path in DOCUMENTS.iterdir())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where every document of the folder is rendered, and found by an import."""
    folder = tmp_path_factory.mktemp("documents")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def package(place: Path) -> Callable[..., ModuleType]:
    """The package of a document, rendered once."""

    def rendered(name: str, *options: str) -> ModuleType:
        target = f"doc_{name}"
        if not (place / target).exists():
            (path,) = DOCUMENTS.glob(f"{name}.*")
            result = pipeline.render_file(path, place / target, *options)
            assert result.code == 0, result.output
        return importlib.import_module(target)

    return rendered


def operations(name: str) -> set[tuple[str, str]]:
    """Every operation a document has, by a reading of its own."""
    (path,) = DOCUMENTS.glob(f"{name}.*")
    document = yaml_of.read(path)
    items = {
        route: document["components"]["pathItems"][item["$ref"].rsplit("/", 1)[1]] if "$ref" in item else item
        for route, item in document["paths"].items()
    }
    return {
        (method.upper(), route) for route, item in items.items() for method in item if method in document_checks.METHODS
    }


def functions(package: ModuleType) -> list[Any]:
    """Every request function of a package."""
    root = Path(next(iter(package.__path__)))
    modules = [file for file in sorted(root.glob("api/*/*.py")) if file.stem != "__init__"]
    return [
        getattr(importlib.import_module(f"{package.__name__}.api.{file.parent.name}.{file.stem}"), file.stem)
        for file in modules
    ]


def sample(annotation: str) -> Any:
    """A value of an annotation, as somebody would write it."""
    first = annotation.split(" | ", maxsplit=1)[0]
    if first.startswith("Literal["):
        return get_args(eval(first, {"Literal": __import__("typing").Literal}))[0]
    plain: dict[str, Any] = {"str": "x", "int": 7, "float": 1.5, "bool": True, "Any": {"x": 1}, "Upload": b"x"}
    return [] if first.startswith("Sequence") else plain.get(first, {})


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_is_a_function_that_makes_a_call_which_travels(
    name: str, package: Callable[..., ModuleType]
) -> None:
    made = package(name)
    found = functions(made)
    module = {one: sys.modules[one.__module__] for one in found}
    assert {(module[one].OPERATION.method, module[one].OPERATION.path) for one in found} == operations(name)
    assert made.SPEC.operations == len(found) == len(operations(name))
    models = importlib.import_module(f"{made.__name__}.models")
    assert all("return" in typing.get_type_hints(one) for one in found)
    assert all(typing.get_type_hints(getattr(models, one)) is not None for one in models.__all__)
    for one in found:
        parameters = inspect.signature(one).parameters
        for names in (list(parameters), [name for name, each in parameters.items() if each.default is each.empty]):
            call = one(**{name: sample(parameters[name].annotation) for name in names})
            assert pickle.loads(pickle.dumps(call)) == call
            if not call.files:
                assert type(call).from_json(call.to_json()) == call
            if call.operation.request:
                checks, models = (importlib.import_module(f"{made.__name__}.{part}") for part in ("checks", "models"))
                list(checks.problems(getattr(models, call.operation.request), call.body))


def test_all_of_them_are_strictly_typed(package: Callable[..., ModuleType], place: Path) -> None:
    packages = [place / package(name).__name__ for name in NAMES]
    options = ["--strict", "--config-file=", f"--cache-dir={place}/.cache"]
    output, trouble, code = mypy.run([*options, *map(str, packages)])
    assert (code, trouble) == (0, ""), output


def problems(made: ModuleType, model: str, **fields: Any) -> list[str]:
    checks, models = (importlib.import_module(f"{made.__name__}.{part}") for part in ("checks", "models"))
    return [str(one) for one in checks.problems(getattr(models, model), fields)]


def typed(made: ModuleType, function: str) -> dict[str, str]:
    (one,) = (one for one in functions(made) if one.__name__ == function)
    return {name: each.annotation for name, each in inspect.signature(one).parameters.items()}


def test_openapi_30_means_what_it_says(package: Callable[..., ModuleType]) -> None:
    made = package("petshop_30")
    assert typed(made, "pets") == snapshot(
        {
            "weight": "float",
            "nick": "str | None",
            "size": "Literal['small', 'large'] | None",
            "owner": "models.Owner | Fields | None",
            "keeper": "models.Owner | Fields",
            "either": "str | int | None",
        }
    )
    assert problems(made, "Pet", weight=0) == snapshot(["weight: Input should be greater than 0"])
    assert problems(made, "Pet", weight=100, nick=None, size=None, owner=None, either=None) == snapshot([])


def test_an_optional_body_and_a_date_of_yaml(package: Callable[..., ModuleType]) -> None:
    made = package("petshop_31")
    assert typed(made, "patch_pets_pet_id") == {"pet_id": "int", "name": "str"}
    assert 'Server default: "2020-02-29"' in str(
        inspect.getdoc(next(f for f in functions(made) if f.__name__ == "pets"))
    )


def test_inheritance_reaches_every_generation_and_the_youngest_speaks_last(package: Callable[..., ModuleType]) -> None:
    made = package("kinds")
    assert typed(made, "children") == {"grand": "str", "own": "bool", "parent": "int"}
    assert problems(made, "Child", grand="a", own=True, parent=4) != []
    assert problems(made, "Child", own=True) == ["grand: Field required"]


def test_alternatives_told_apart_by_a_field_are_checked_each(package: Callable[..., ModuleType]) -> None:
    made = package("kinds")
    assert problems(made, "Order", animal={"kind": "dog", "tail": True}) == []
    assert problems(made, "Order", animal={"kind": "cow"}) != []


def test_schemas_that_hold_themselves_end_somewhere(package: Callable[..., ModuleType]) -> None:
    made = package("recursive")
    assert typed(made, "trees") == snapshot(
        {
            "name": "str",
            "left": "models.Tree | Fields | None",
            "children": "Sequence[models.Tree | Fields]",
            "partner": "models.Hedge | Fields",
            "free": "str | Sequence[Any] | Mapping[str, Any]",
            "twofold": "Sequence[Any]",
            "itself": "Any",
        }
    )
    assert problems(made, "Tree", name="a", children=[{"name": "b", "left": {"name": 3}}]) == snapshot(
        ["children.0.left.name: Input should be a valid string"]
    )


def test_what_is_referred_to_is_there(package: Callable[..., ModuleType]) -> None:
    made = package("referred")
    assert typed(made, "things_id") == snapshot(
        {"id": "str", "page": "int", "a": "Any", "b": "Sequence[Any]", "c": "int"}
    )
    (call,) = (one(id="7", page=1, a=None, c=2) for one in functions(made))
    assert (call.operation.answer, call.operation.request, call.path, call.query) == (
        "MadeThing", "ThingIn", {"id": "7"}, {"page": 1},
    )  # fmt: skip


def test_an_answer_that_is_no_json_is_told_as_such(package: Callable[..., ModuleType]) -> None:
    (one,) = (one for one in functions(package("files")) if one.__name__ == "get_files_name_picture")
    assert "``image/png``, which is no JSON" in " ".join(str(inspect.getdoc(one)).split())


def test_words_of_python_and_of_other_alphabets_keep_their_wire_names(package: Callable[..., ModuleType]) -> None:
    made = package("words")
    assert sorted(one.__name__ for one in functions(made)) == snapshot(
        ["get_given", "get_lambda_lambda", "große_ete", "import_class", "print_"]
    )
    (one,) = (one for one in functions(made) if "gro" in one.__name__)
    assert typed(made, one.__name__) == snapshot(
        {
            "naive": "Literal['größer', '大', \"''\", '\"', '\\\\']",
            "名前": "str",
            "None_": "str",
            "True_": "bool",
            "print": "str",
            "int_": "int",
            "checks_": "models.AnyModel | Fields",
            "private": "str",
            "field_2nd": "str",
            "field": "str",
        }
    )
    wires = {"naïve", "名前", "None", "True", "print", "int", "checks", "_private", "2nd", ""}
    assert one(**dict.fromkeys(inspect.signature(one).parameters, "x")).body.keys() == wires


def test_enums_of_any_sort(package: Callable[..., ModuleType]) -> None:
    assert typed(package("choices"), "choose") == snapshot(
        {
            "none": "str",
            "flags": "Literal[True, False]",
            "mixed": "float | None",
            "lists": "Any",
            "one": "Any",
            "wrong": "Literal['a']",
            "number": "str",
            "twice": "Literal['a', 'b']",
            "dates": "Literal['2020-01-01', '10']",
        }
    )


def test_another_prefix_is_left_out_of_names_when_told(package: Callable[..., ModuleType], tmp_path: Path) -> None:
    assert [one.__name__ for one in functions(package("below_v2"))] == ["api_v2_make_it_now"]
    (path,) = DOCUMENTS.glob("below_v2.*")
    result = pipeline.render_file(path, tmp_path / "second", "--prefix", "/api/v2")
    assert "Schema 'In' takes fields beyond those it names" in result.output
    assert (tmp_path / "second/api/other/make_it_now.py").exists()
    assert '_PREFIX: Final = "/api/v2/"' in result.text("types.py")
    assert json.loads(result.text("catalog.json"))["models"][0]["slug"] == "make-it/now"


OP: dict[str, Any] = {"responses": {}}


def doc(**change: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": OP}}, **change}


def taking(*parameters: dict[str, Any], path: str = "/a") -> dict[str, Any]:
    return doc(paths={path: {"get": {**OP, "parameters": list(parameters)}}})


def sending(schema: Any, kind: str = "application/json", **components: Any) -> dict[str, Any]:
    body = {"content": {kind: {"schema": schema}}}
    return doc(paths={"/a": {"post": {**OP, "requestBody": body}}}, components={"schemas": components})


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
TEXT = {"type": "string"}
OBJECT = {"type": "object", "properties": {"a": TEXT}}


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (doc(openapi="3.2.0"), "OpenAPI '3.2.0'; only OpenAPI 3.0 and 3.1"),
        (doc(openapi=3.1), "OpenAPI 3.1; only OpenAPI 3.0 and 3.1 can be rendered, named in full, as by"),
        ({"swagger": "2.0", "paths": {}}, "Swagger '2.0'"),
        (doc(paths={}), "holds no operation"),
        (doc(paths=None), "paths of the document is None where an object belongs"),
        (doc(paths={"/a": {"get": []}}), "paths['/a'].get of the document is [] where an object belongs"),
        (doc(paths={"a": {"get": OP}}), "paths['a']: a path begins with a slash"),
        (doc(paths={"/a": {"get": OP, "POST": OP}}), "paths['/a'] holds 'POST', which is no method"),
        (doc(paths={"/a": {"get": OP, "query": OP}}), "paths['/a'] holds 'query', which is no method"),
        (doc(components={"schemas": {"A": {"properties": {"x": 3}}}}), "components.schemas['A'].properties['x']"),
        (doc(components={"schemas": {"A": {"type": 3}}}), "components.schemas['A'].type of the document is 3"),
        (taking({"name": "a key", "in": "header", "schema": TEXT}), "GET /a takes header a key"),
        (taking({"name": "s;id", "in": "cookie", "schema": TEXT}), "GET /a takes cookie s;id"),
        (taking({"name": "x", "in": "header", "schema": OBJECT}), "GET /a takes an object in a header (x)"),
        (taking({"name": "q", "in": "query", "content": {"application/json": {}}}), "GET /a takes query q"),
        (taking({"name": "q", "in": "query", "schema": TEXT, "style": "deepObject"}), "GET /a takes query q"),
        (taking({"name": "q", "in": "query", "schema": {"type": "object"}}), "an object in the query (q)"),
        (taking({"name": "b", "in": "path", "schema": TEXT}, path="/{a}"), "GET /{a} takes path b"),
        (taking({"$ref": "#/components/parameters/X"}), "'#/components/parameters/X', which it does not hold"),
        (taking({"$ref": "other.yaml#/X"}), "'other.yaml#/X', which it does not hold"),
        (doc(paths={"/a": {"$ref": "./a.yaml"}}), "'./a.yaml', which it does not hold"),
        (sending(OBJECT, "multipart/mixed"), "POST /a: no body of 'multipart/mixed' can be made"),
        (sending({"type": "array", "items": {}}, "multipart/form-data"), "POST /a takes multipart/form-data without"),
        (sending({"type": "object"}, "multipart/form-data"), "POST /a takes multipart/form-data without naming"),
        (
            sending(ref("A"), A={"allOf": [{"anyOf": [OBJECT, OBJECT]}, OBJECT]}),
            "made of alternatives",
        ),
        (doc(components={"schemas": {"A": {**OBJECT, "properties": {"a-b": TEXT, "a_b": TEXT}}}}), "a-b of A"),
        (doc(components={"schemas": {"!!": OBJECT, "??": OBJECT}}), "'!!' and '??'"),
        (doc(paths={"/a-b": {"get": OP}, "/a_b": {"get": OP}}), "'GET /a-b' and 'GET /a_b'"),
    ],
)  # fmt: skip
def test_what_cannot_be_rendered_whole_is_refused_by_name(document: dict[str, Any], named: str, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    result = pipeline.render_file(path, tmp_path / "out" / "package")
    assert result.code == 1
    assert named in result.output
    assert "Traceback" not in result.output
    assert list((tmp_path / "out").glob("*")) == []


def test_what_stands_behind_a_path_names_an_operation_and_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    path.write_text(json.dumps(doc(paths={"/f/{id}": {"put": OP}, "/f/{id}#add {x}": {"put": OP}})), encoding="utf-8")
    result = pipeline.render_file(path, tmp_path / "out" / "package", "--prefix", "/")
    assert result.code == 0, result.output
    for name in ("put_f_id", "put_f_id_add_x"):
        assert f'Operation("{name}", "PUT", "/f/{{id}}")' in result.text(f"api/other/{name}.py")
        assert "path=given(id=id)" in result.text(f"api/other/{name}.py")


def test_parameters_that_differ_in_what_they_compare_are_told_apart(tmp_path: Path) -> None:
    names = ["Day", "Day<", "Day>", "Day<=", "Day>="]
    path = tmp_path / "document.json"
    document = taking(*({"name": name, "in": "query", "schema": TEXT} for name in names))
    path.write_text(json.dumps(document), encoding="utf-8")
    result = pipeline.render_file(path, tmp_path / "out" / "package", "--prefix", "/")
    assert result.code == 0, result.output
    text = result.text("api/other/get_a.py")
    pairs = {"Day<": "Day_lt", "Day>": "Day_gt", "Day<=": "Day_le", "Day>=": "Day_ge"}
    assert [one for one in ("Day=Day", *(f'"{wire}": {name}' for wire, name in pairs.items())) if one not in text] == []


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("a.json", "openapi: 3.1.0\n", "line 1 column 1 (char 0); a file of YAML is named .yaml"),
        ("a.json", '{"paths": {"/a": {}, "/a": {}}}', "the key '/a' stands twice"),
        ("a.json", '{"a": NaN}', "NaN is no JSON number"),
        ("a.json", '{"a": 1e999}', "the number '1e999' is beyond"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.json", '{"a":' * 300 + "1" + "}" * 300, "nested more than 200 deep"),
        ("a.yaml", "a: .nan\n", "is not YAML: NaN is no JSON number"),
        ("a.yaml", "a: !!binary aGk=\n", "is not YAML"),
        ("a.yaml", "a: !!python/object/apply:os.system ['touch boom']\n", "is not YAML"),
        ("a.yaml", "a: 1\na: 2\n", "is not YAML"),
        ("a.yaml", "a: &a [*a]\n", "is not YAML"),
        ("a.yaml", BOMB, "its aliases unfold to more than 10_000_000 values"),
        ("a.yaml", "just text", "is no JSON object"),
    ],
)  # fmt: skip
def test_a_file_that_two_readers_could_take_differently_is_refused(
    name: str, text: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text, encoding="utf-8")
    result = pipeline.render_file(tmp_path / name, tmp_path / "out" / "package")
    assert (result.code, len(result.output.strip().splitlines())) == (1, 1), result.output
    assert named in result.output
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("there", ["a file", "a folder of something else"])
def test_nothing_that_was_not_rendered_is_ever_replaced(there: str, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    if there == "a file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "__init__.py").write_text("mine")
    result = pipeline.render_file(DOCUMENTS / "bare.yaml", target)
    assert "would be gone: name another place" in result.output
    assert (target if target.is_file() else target / "__init__.py").read_text() == "mine"


def test_a_package_needs_a_name_python_takes(tmp_path: Path) -> None:
    assert (
        "'not-a-name' is no name of a package"
        in pipeline.render_file(DOCUMENTS / "bare.yaml", tmp_path / "not-a-name").output
    )
