"""No way to a request function is lost: whatever code does with one, the function is named, or it is told as unknown.

The tables are snippets and what must come of each; ordinary code is told precisely, and nothing of it as unknown.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import muapi_client
from muapi_client import catalog
from muapi_client.pinning import Usage, find_usage
from muapi_client.pinning._usage.symbols import PLAIN, find_symbol

FUNCTIONS = {"flux_dev_image": "flux-dev-image", "kling_v2": "kling-v2", "get_result": "predictions/{id}/result"}
CALLED = {"flux-dev": {"flux_dev_image"}, "kling": {"kling_v2"}}
BOTH = {"flux_dev_image", "kling_v2"}
FLUX = {"flux_dev_image"}
MODELS = "from muapi_client import models\n"
CATALOG = "from muapi_client import catalog\n"
RAW = "from muapi_client import raw_call\n"
ROOT = "import muapi_client as mc\n"

ORDINARY = {
    "from muapi_client import MuAPI, models\nwith MuAPI() as mu:\n    mu.run(models.flux_dev_image(prompt='x'))": FLUX,
    ROOT + "mc.models.flux_dev_image(prompt='x')\nmc.MuAPI()": FLUX,
    ROOT + "mc.models.text_to_image.flux_dev_image(prompt='x')": FLUX,
    "from muapi_client.models import flux_dev_image as y\nfs = [y]\ng = y": FLUX,
    MODELS + "make = models.flux_dev_image\nf(models.kling_v2)": BOTH,
    MODELS + "TABLE = {'a': models.flux_dev_image, 'b': models.kling_v2}": BOTH,
    MODELS + "def f(x: models.FluxDevImage) -> list[models.flux_dev_image]: ...": FLUX,
    MODELS + "@models.flux_dev_image\ndef f(): ...": FLUX,
    MODELS + "getattr(models, 'flux_dev_image')(prompt='x')": FLUX,
    MODELS + "if hasattr(models, 'flux_dev_image'): ...": FLUX,
    MODELS + "async def f(mu):\n    return await mu.run(models.text_to_image.flux_dev_image(prompt='x'))": FLUX,
    MODELS + "print(models.__name__, models.flux_dev_image.__name__)": FLUX,
    CATALOG + "model = catalog.get('flux-dev-image')\nmodel.call(prompt='x')": FLUX,
    CATALOG + "catalog.get('flux-dev').fields": FLUX,
    CATALOG + "def f(m: catalog.Model) -> catalog.Price | None: return m.price\ncatalog.get('kling')": {"kling_v2"},
    "from muapi_client.catalog import Model, get\nm: Model = get(name='flux_dev_image')": FLUX,
    RAW + "raw_call('flux-dev-image', {'prompt': 'x'})": FLUX,
    RAW + "raw_call(slug='/api/v1/flux-dev-image')": FLUX,
    RAW + "raw_call('predictions/123/result')": {"get_result"},
    RAW + "raw_call('newer-than-the-document', {})": set(),
    "from muapi_client import AsyncMuAPI, errors\ntry: ...\nexcept errors.MuAPIError: f(errors, AsyncMuAPI)": set(),
    '"""Uses muapi_client.models and muapi_client.catalog."""\nimport muapi_client\n"""muapi_client.models"""': set(),
    "try:\n    import muapi_client\nexcept ImportError:\n    HAS = False": set(),
    "from muapi_client import Call, Job, Prediction\ndef f(c: Call[object], j: Job) -> Prediction: ...": set(),
    "from muapi_client.errors import MuAPIError\nfrom muapi_client.emulator import Fault\nf(Fault, MuAPIError)": set(),
    "from muapi_client import webhooks\nwebhooks.receive(b'')\nh = webhooks": set(),
    "import logging\nlogging.getLogger('muapi_client').info('muapi_client: flux')": set(),
    "pytest_plugins = ['muapi_client.pytest_plugin']": set(),
    "from muapi_generated import SPEC\nfrom muapi_generated.models import ModelItem\nf(SPEC, ModelItem)": set(),
    "import muapi_generated_old\nfrom muapi_client import MuAPI\nMuAPI(models=muapi_generated_old)": set(),
    "from muapi_generated_old.functions import flux_dev_image": FLUX,
    "from django.db import models\nclass A(models.Model): x = models.CharField()\nf(models)": set(),
    "def f(catalog):\n    for one in catalog.all(): g(one)": set(),
    "from muapi_client import *\nMuAPI().run(models.flux_dev_image(prompt='x'))": FLUX,
    "from muapi_client import *\nraw_call('flux-dev-image')": FLUX,
    "from muapi_client.catalog import *\nget('flux-dev')": FLUX,
    "from muapi_client.models import *\nflux_dev_image(prompt='x')": FLUX,
    "def f():\n    from muapi_client import models as m\n    m.flux_dev_image()\n"
    "def g():\n    from muapi_client import catalog as m\n    m.get('kling-v2')": BOTH,
    "from importlib import import_module\nimport_module('muapi_client.models').flux_dev_image()": FLUX,
    "import importlib\nimportlib.import_module('.models', package='muapi_client').flux_dev_image()": FLUX,
    "__import__('muapi_client').models.flux_dev_image()": FLUX,
    "import muapi_client\ngetattr(muapi_client, 'models').flux_dev_image()": FLUX,
    "import pytest\npytest.importorskip('muapi_client')": set(),
    "from unittest import mock\nmock.patch('muapi_client.models.flux_dev_image')": FLUX,
}

UNKNOWN = {
    MODELS + "s = models\ns.flux_dev_image()": 2,
    MODELS + "g = models.text_to_image\ng.flux_dev_image()": 2,
    MODELS + "class A:\n    shelf = models": 3,
    MODELS + "f(models)": 2,
    MODELS + "f(shelf=models)": 2,
    MODELS + "for fam in (models.text_to_image,): fam.flux_dev_image()": 2,
    MODELS + "vars(models)['flux_dev_image']": 2,
    MODELS + "models.__dict__['flux_dev_image']": 2,
    MODELS + "from operator import attrgetter\nattrgetter('flux_dev_image')(models)": 3,
    MODELS + "getattr(models, name)": 2,
    MODELS + "getattr(getattr(models, 'text_to_image'), name)": 2,
    MODELS + "def f(shelf=models): ...": 2,
    MODELS + "lambda: models": 2,
    MODELS + "def f():\n    return models": 3,
    MODELS + "def f():\n    yield models": 3,
    MODELS + "(m := models).flux_dev_image()": 2,
    MODELS + "with models as m: ...": 2,
    MODELS + "match models:\n    case m: m.flux_dev_image()": 2,
    MODELS + "f'{models}'": 2,
    MODELS + "models.x\neval('models.flux_dev_image')": 3,
    MODELS + "models.x\nglobals()['models']": 3,
    MODELS + "import copy": 1,
    "from muapi_client import models as models": 1,
    "import muapi_client.models": 1,
    "import muapi_client.models.text_to_image as t": 1,
    "import muapi_client as mc\nx = mc": 2,
    "import muapi_client\ngetattr(muapi_client, name)": 2,
    "from muapi_generated import api\nx = api": 2,
    "from muapi_generated.types import Operation\nOperation('', 'POST', path)": 2,
    "import sys\nsys.modules['muapi_client.models'].flux_dev_image": 2,
    "from importlib import import_module\nimport_module('muapi_client.models.' + group)": 2,
    "from importlib import import_module\nimport_module(f'muapi_client.models.{group}')": 2,
    "from importlib import import_module\nm = import_module('muapi_client.models')": 2,
    "from pkgutil import resolve_name\nresolve_name('muapi_client:models')": 2,
    "from muapi_client._spec.raw_call import *": 1,
    CATALOG + "catalog.find('flux')[0].call(prompt='x')": 2,
    CATALOG + "[m.call() for m in catalog.all()]": 2,
    CATALOG + "map(catalog.get, ['flux-dev-image'])": 2,
    CATALOG + "c = catalog": 2,
    CATALOG + "catalog.get(name)": 2,
    CATALOG + "catalog.get(*names)": 2,
    CATALOG + "catalog._models('x')": 2,
    CATALOG + "x = catalog.get.__wrapped__": 2,
    "from muapi_client.catalog import find\nfind('flux')": 2,
    "from muapi_client.catalog import *\nall()": 2,
    "from functools import partial\n" + RAW + "partial(raw_call, 'flux-dev-image')": 3,
    ROOT + "c = mc.raw_call\nc(slug)": 2,
    RAW + "raw_call(f'{name}-v2')": 2,
    RAW + "raw_call(**given)": 2,
    "from muapi_client import *\nx = raw_call": 2,
}


def used(folder: Path, **files: str) -> Usage:
    for name, text in files.items():
        path = folder / f"{name.replace('__in__', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return find_usage([folder])


@pytest.mark.parametrize("code", ORDINARY)
def test_ordinary_code_is_told_precisely(tmp_path: Path, code: str) -> None:
    found = used(tmp_path, app=code)
    assert (found.unknown, found.unread) == ((), ())
    assert set(found.within(FUNCTIONS, CALLED).names) == ORDINARY[code]


@pytest.mark.parametrize("code", UNKNOWN)
def test_what_cannot_be_followed_is_told_as_unknown(tmp_path: Path, code: str) -> None:
    assert [one.line for one in used(tmp_path, app=code).unknown] == [UNKNOWN[code]]


STATEMENTS = st.sampled_from(
    ["x = {0}", "f({0})", "f(*{0})", "f(a, k={0})", "x = [{0}]", "x = ({0},)", "x = {{1: {0}}}", "x = not {0}",
     "x += {0}", "x: object = {0}", "return_ = lambda: {0}", "x = {0} or y", "x = {0}[0]", "x = y[{0}]",
     "x = [a for a in {0}]", "del y[{0}]", "assert {0}", "raise {0}", "for a in {0}: pass", "while {0}: pass",
     "with {0}: pass", "x = {0} == y", "def f(a={0}): pass", "@{0}\ndef f(): pass", "class A({0}): pass",
     'x = f"{{{0}}}"', "x = {0}.__dict__", "x = (y := {0})", "x = a if b else {0}", "getattr({0}, a + b)",
     "f({0}).x.y", "(lambda a: a)({0}).flux_dev_image()"]
)  # fmt: skip
WAYS = st.sampled_from(
    ["m.models", "m.models.audio", "m.raw_call", "m.catalog", "m.catalog.get", "m.catalog.find", "m.catalog.all", "m",
     "getattr(m, 'models')", "import_module('muapi_client.models')", "__import__('muapi_client')"]
)  # fmt: skip


@given(st.lists(STATEMENTS, min_size=1, max_size=3), WAYS)
def test_wherever_a_way_stands_it_is_told(
    tmp_path_factory: pytest.TempPathFactory, statements: list[str], way: str
) -> None:
    file = tmp_path_factory.mktemp("way") / "app.py"
    for statement in statements:
        file.write_text(f"import muapi_client as m\n{statement.format(way)}\n", encoding="utf-8")
        assert find_usage([file]).unknown, statement.format(way)


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        (MODELS + "models.kling_v2()", "from x import models\nmodels.flux_dev_image()", None),
        (MODELS + "models.kling_v2()", "from .x import models as m\nm.flux_dev_image()", None),
        (MODELS + "models.kling_v2()", "import x\nx.models.flux_dev_image()", None),
        (MODELS + "models.kling_v2()", "import pkg.x\npkg.x.models.flux_dev_image()", None),
        (MODELS + "models.kling_v2()", "from pkg import x\nx.models.flux_dev_image()", None),
        (MODELS + "models.kling_v2()", "from x import *\nmodels.flux_dev_image()", None),
        (MODELS + "models.kling_v2()", "from importlib import import_module\nimport_module('x').models.f()", None),
        (MODELS + "models.kling_v2()", "import x\ngetattr(x, 'models').flux_dev_image()", None),
        (RAW + "raw_call('kling-v2')", "from x import raw_call\nraw_call(slug)", None),
        ("import muapi_client\nmuapi_client.models.kling_v2()", "from x import muapi_client as m\nm.models.f()", None),
        (MODELS, "from x import models\nmodels.flux_dev_image()", None),
        ("from muapi_client.models import *", "import pkg.x\npkg.x.flux_dev_image()", None),
        ("from muapi_client.models import *", "from . import x\nf(x)", None),
        ("from muapi_client.models import *", "from x import *\nflux_dev_image()", None),
        ("from muapi_client.models import *", "from pkg.x import flux_dev_image, kling_v2 as k", BOTH),
        ("from muapi_client.models import *\nkling_v2()", "from .x import flux_dev_image", BOTH),
        ("from muapi_client.models import flux_dev_image", "from x import flux_dev_image\nflux_dev_image()", FLUX),
        (ROOT + "mu = mc.MuAPI()\nmc.models.kling_v2()", "from x import mu\nmu.run(1)", {"kling_v2"}),
        (MODELS + "models.kling_v2()", "from django.db import models\nmodels.CharField()", {"kling_v2"}),
        (MODELS + "models.kling_v2()", "def f(self):\n    return self.models.x", {"kling_v2"}),
    ],
)
def test_what_one_file_hands_to_another_is_not_lost(
    tmp_path: Path, first: str, second: str, names: set[str] | None
) -> None:
    found = used(tmp_path, x=first, y=second)
    if names is None:
        assert found.unknown
    else:
        assert (set(found.within(FUNCTIONS).names), found.unknown) == (names, ())


def test_a_package_hands_on_what_its_init_has(tmp_path: Path) -> None:
    init = MODELS + "models.kling_v2()"
    found = used(tmp_path, shop__in____init__=init, shop__in__b="from . import models", c="from shop import models")
    assert {(Path(one.file).name, one.line) for one in found.unknown} == {("b.py", 1), ("c.py", 1)}
    (tmp_path / "shop/sub").mkdir()
    found = used(tmp_path / "shop", sub__in__d="from .. import models\n")
    assert {Path(one.file).name for one in found.unknown} == {"b.py", "d.py"}


def test_every_public_name_has_a_meaning() -> None:
    told = {name: find_symbol(f"muapi_client.{name}").sort for name in muapi_client.__all__}
    assert {name for name, sort in told.items() if sort != "plain"} == {"catalog", "models", "raw_call"}
    assert {*muapi_client.__all__} - {"catalog", "models", "raw_call", "__version__"} <= PLAIN
    assert find_symbol("muapi_client.whatever_comes").sort == "way"
    told = {name: find_symbol(f"muapi_client.catalog.{name}").sort for name in catalog.__all__}
    assert told == {"Field": "plain", "Model": "plain", "Price": "plain", "all": "way", "find": "way", "get": "asks"}


def notebook(*cells: str, language: str = "python") -> str:
    told = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    words = {"cell_type": "markdown", "source": ["models.kling_v2("]}
    return json.dumps({"nbformat": 4, "metadata": {"kernelspec": {"language": language}}, "cells": [words, *told]})


def test_a_notebooks_code_is_read(tmp_path: Path) -> None:
    cells = [
        "%pip install muapi-client\n!ls\nfrom muapi_client import models",
        "%%bash\nif then",
        "%%time\nif True:\n    %matplotlib inline\n    x = !ls\nmodels?\n%time models.flux_dev_image(prompt='x')",
        "await mu.run(models.kling_v2())",
    ]
    (tmp_path / "try.ipynb").write_text(notebook(*cells), encoding="utf-8")
    (tmp_path / "r.ipynb").write_text(notebook("x <- 1", language="R"), encoding="utf-8")
    found = find_usage([tmp_path])
    assert (set(found.names), found.unknown, found.unread, found.files) == (BOTH, (), (), 1)
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["from muapi_client.models import kling_v2"]}]}]}
    (tmp_path / "try.ipynb").write_text(json.dumps(old), encoding="utf-8")
    assert set(find_usage([tmp_path]).names) == {"kling_v2"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ipynb", notebook("def (")),
        ("a.ipynb", "{"),
        ("a.ipynb", "[]"),
        ("a.ipynb", "{}"),
        ("a.ipynb", '{"cells": [{"cell_type": "code", "source": 1}]}'),
        ("a.py", "match = (:"),
        ("a.pyx", "cdef int x"),
        ("run", "#!/usr/bin/python2\nprint 1"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    found = find_usage([tmp_path])
    assert [Path(file).name for file, _ in found.unread] == [name]
    assert not found.complete


def test_where_a_notebook_does_not_parse_is_told_by_its_code_cell_and_the_line_within_it(tmp_path: Path) -> None:
    file = tmp_path / "a.ipynb"
    file.write_text(notebook("import math\n\n\n", "x = 1\ny = = 2\n", "z = 3"), encoding="utf-8")
    ((_, why),) = find_usage([file]).unread
    assert why == "invalid syntax (code cell 2, line 2)"


def test_scripts_without_a_suffix_are_read(tmp_path: Path) -> None:
    (tmp_path / "draw").write_text("#!/usr/bin/env python3\nfrom muapi_client.models import flux_dev_image\n")
    (tmp_path / "window.pyw").write_text("from muapi_client.models import kling_v2\n")
    (tmp_path / "LICENSE").write_text("from muapi_client.models import nothing\n")
    (tmp_path / "build").write_text("#!/bin/sh\nfi\n")
    found = find_usage([tmp_path])
    assert (set(found.names), found.unread, found.files) == (BOTH, (), 2)


def test_links_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/a.py").write_text("from muapi_client.models import flux_dev_image")
    (tmp_path / "src/deep").mkdir(parents=True)
    (tmp_path / "src/common").symlink_to(tmp_path / "shared")
    (tmp_path / "src/deep/again").symlink_to(tmp_path / "src")
    (tmp_path / "shared/back").symlink_to(tmp_path / "src")
    (places,) = find_usage([tmp_path / "src"]).names.values()
    assert [Path(one.file).relative_to(tmp_path).as_posix() for one in places] == ["src/common/a.py"]
    (tmp_path / "src/up").symlink_to(tmp_path)
    (tmp_path / "src/gone.py").symlink_to(tmp_path / "nowhere.py")
    assert {Path(file).name for file, _ in find_usage([tmp_path / "src"]).unread} == {"up", "gone.py"}
