"""Which request functions a code base uses, as far as reading it can tell."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from by_kind import IMAGE

import muapi_client
from muapi_client.pinning import PinError, find_usage
from muapi_client.pinning._document.naming import function_name
from muapi_client.pinning._usage.usage import CLIENTS_OWN

SEEN = {
    f"from muapi_client.models import {IMAGE.function}": {IMAGE.function},
    f"from muapi_client.models import {IMAGE.function} as draw, kling_v2": {IMAGE.function, "kling_v2"},
    f"from muapi_client.models.text_to_image import {IMAGE.function}": {IMAGE.function},
    f"from muapi_client import models\nmodels.{IMAGE.function}(prompt='x')": {IMAGE.function},
    f"from muapi_client import models as m\nm.text_to_image.{IMAGE.function}(prompt='x')": {IMAGE.function},
    f"import muapi_client.models as m\ndraw = m.{IMAGE.function}": {IMAGE.function},
    "import muapi_client\nmuapi_client.models.audio.suno_v9()": {"suno_v9"},
    "import muapi_client.models.audio\nmuapi_client.models.audio.suno_v9()": {"suno_v9"},
    f"from muapi_client.models import text_to_image as t\nt.{IMAGE.function}()": {IMAGE.function},
    f"def f():\n    from muapi_client.models import {IMAGE.function}\n": {IMAGE.function},
    f"import muapi_client as mc\ngetattr(mc.models, '{IMAGE.function}')": {IMAGE.function},
    "from muapi_client import raw_call\nraw_call('mmaudio-v2/text-to-audio', {})": {"mmaudio-v2/text-to-audio"},
    "import muapi_client\nmuapi_client.raw_call(slug='/api/v1/x')": {"x"},
    f"from muapi_client import catalog\ncatalog.get('{IMAGE.slug}').call()": {IMAGE.slug},
    "from muapi_generated.api.account.get_account_balance import get_account_balance": {"get_account_balance"},
    "import muapi_generated.api.files.upload_file as u": {"upload_file"},
    f"from muapi_generated.functions import {IMAGE.function}": {IMAGE.function},
    f"from other.models import {IMAGE.function}\nimport models\nmodels.{IMAGE.function}": set(),
    f"from .models import {IMAGE.function}": set(),
    "import muapi_client\nmuapi_client.MuAPI()": set(),
}


@pytest.mark.parametrize("code", SEEN)
def test_every_way_to_a_function_is_seen(tmp_path: Path, code: str) -> None:
    (tmp_path / "app.py").write_text(code)
    found = find_usage([tmp_path])
    assert set(found.names) == SEEN[code]
    assert (found.unknown, found.unread, found.files) == ((), (), 1)


@pytest.mark.parametrize(
    "code",
    [
        "from muapi_client import raw_call\nraw_call(slug, {})",
        "from muapi_client import raw_call\nraw_call(f'{name}-v2')",
        "from muapi_client import models\ngetattr(models, name)",
        "from muapi_client import catalog\ncatalog.get(*names)",
    ],
)
def test_a_name_made_at_run_time_is_told_as_unknown(tmp_path: Path, code: str) -> None:
    (tmp_path / "app.py").write_text(code)
    found = find_usage([tmp_path])
    assert not found.names
    assert [one.line for one in found.unknown] == [2]


def test_a_star_import_uses_the_functions_it_names(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(f"from muapi_client.models import *\nprint({IMAGE.function}(prompt='x'))")
    found = find_usage([tmp_path])
    assert not found.names
    (name, places), *others = found.within({IMAGE.function: IMAGE.slug, "other": "other"}).names.items()
    assert (name, [one.line for one in places], others) == (IMAGE.function, [2], [])


def test_slugs_and_functions_become_one(tmp_path: Path) -> None:
    code = "from muapi_client import raw_call\nfrom muapi_client.models import a_b\nraw_call('a-b')\nraw_call('gone')"
    (tmp_path / "app.py").write_text(code)
    within = find_usage([tmp_path]).within({"a_b": "a-b"})
    assert {name: len(places) for name, places in within.names.items()} == {"a_b": 2}


def test_nothing_is_executed_and_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "bomb.py").write_text("raise SystemExit('executed')")
    (tmp_path / "broken.py").write_text("def (:")
    (tmp_path / "binary.py").write_bytes(b"\x00\xff\xfe")
    (tmp_path / "nested.py").write_text("x = " + "(" * 5000)
    (tmp_path / "latin.py").write_bytes("# -*- coding: latin-1 -*-\n# é\n".encode("latin-1"))
    found = find_usage([tmp_path])
    assert found.files == 2
    assert {Path(file).name for file, _ in found.unread} == {"broken.py", "binary.py", "nested.py"}
    assert all("\n" not in reason for _, reason in found.unread)


def test_installed_packages_and_hidden_folders_are_left_out(tmp_path: Path) -> None:
    for folder in (".git", "node_modules", "env/lib", "src"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.py").write_text(f"from muapi_client.models import {IMAGE.function}")
    (tmp_path / "env/pyvenv.cfg").touch()
    (tmp_path / "src/again").symlink_to(tmp_path)
    places = find_usage([tmp_path]).names[IMAGE.function]
    assert [Path(one.file).relative_to(tmp_path).as_posix() for one in places] == ["src/a.py"]


def test_a_place_without_code_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PinError, match="no Python file"):
        find_usage([tmp_path])
    with pytest.raises(PinError, match="there is no file or folder"):
        find_usage([tmp_path / "nowhere"])


def test_what_the_client_calls_by_itself_is_what_its_code_says() -> None:
    home = Path(muapi_client.__file__).parent
    own = [*home.glob("_*.py"), *home.glob("_*/**/*.py")]
    imported = set(find_usage(own).names)
    built = {
        function_name(method, path)
        for file in own
        for method, path in re.findall(
            r'Operation\(\s*"\w*",\s*"([A-Z]+)",\s*"(/api/v1/[^"]+)"', file.read_text("utf-8")
        )
    }
    assert all(ast.parse(file.read_text("utf-8")) for file in own)
    assert imported | built == CLIENTS_OWN
