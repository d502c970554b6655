"""What a person says of calls that no reading of the code can tell: in a comment, or in the table of a lock."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from muapi_client.pinning import PinError, Usage, Use, find_usage
from muapi_client.pinning._document.reader import list_functions
from muapi_client.pinning._usage.usage import index_functions, index_groups

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD = "from muapi_client import raw_call\n"
MODELS = [  # of a document of our own: slug, catalogue name, tag
    ("flux-dev-image", "flux-dev", "Image: Text-to-Image"),
    ("flux-schnell-image", "flux-schnell", "Image: Text-to-Image"),
    ("gpt-5-mini", "gpt-5-mini", "LLM / Multimodal"),
    ("sync-lipsync", "sync-lipsync", "Video: Lipsync"),
    ("veed-lipsync", "veed-lipsync", "Video: Lipsync"),
]
WEBHOOK = {"name": "webhook", "in": "query"}
DOCUMENT = {
    "paths": {
        f"/api/v1/{slug}": {"post": {"summary": f"{name} (best)", "tags": [tag], "parameters": [WEBHOOK]}}
        for slug, name, tag in MODELS
    }
}


@pytest.fixture
def find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Usage]:
    """Look into one file that holds this, with a table of uses beside it."""
    monkeypatch.chdir(tmp_path)

    def find(text: str, name: str = "app.py", **uses: list[str]) -> Usage:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return find_usage(["."], uses={place.replace("__", "."): names for place, names in uses.items()})

    return find


def resolved(usage: Usage) -> Usage:
    return usage.within(list_functions(DOCUMENT), index_functions(DOCUMENT), index_groups(DOCUMENT))


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("raw_call(slug, {})  # muapi: uses flux_dev_image\n", 2),
        ("# muapi: uses flux_dev_image\nraw_call(slug, {})\n", 2),
        ("raw_call(\n    slug,\n    {},\n)  # muapi: uses flux_dev_image\n", 5),
        ("raw_call(slug, {})  # noqa: X # muapi:uses flux_dev_image # and why\n", 2),
        ("if raw_call(  # muapi: uses flux_dev_image\n    slug, {}\n):\n    pass\n", 2),
        ("for one in [\n    raw_call(slug, {})\n]:  # muapi: uses flux_dev_image\n    pass\n", 4),
        ("match raw_call(slug, {}):  # muapi: uses flux_dev_image\n    case 1:\n        pass\n", 2),
    ],
)
def test_a_comment_beside_a_dynamic_call_names_what_it_uses(find: Callable[..., Usage], code: str, place: int) -> None:
    usage = find(HEAD + code)
    assert (usage.complete, usage.idle) == (True, ())
    assert usage.acknowledged == {"flux_dev_image": (Use("app.py", place),)}
    assert resolved(usage).names == {"flux_dev_image": (Use("app.py", place),)}


def test_a_name_made_at_run_time_is_said_likewise(find: Callable[..., Usage]) -> None:
    usage = find("from muapi_client import models\n# muapi: uses flux_dev_image\ngetattr(models, name)()\n")
    assert (usage.complete, [*usage.acknowledged]) == (True, ["flux_dev_image"])


@pytest.mark.parametrize(
    "code",
    [
        "raw_call(slug, {})\n# muapi: uses flux_dev_image\n",
        "# muapi: uses flux_dev_image\n\nraw_call(slug, {})\n",
        "print()  # muapi: uses flux_dev_image\nraw_call(slug, {})\n",
        "def run(slug):  # muapi: uses flux_dev_image\n    raw_call(slug, {})\n",
        "text = '# muapi: uses flux_dev_image'; raw_call(slug, {})\n",
        "raw_call(slug, {})  # muapi: used flux_dev_image\n",
    ],
)
def test_a_comment_elsewhere_says_nothing_of_the_call(find: Callable[..., Usage], code: str) -> None:
    usage = find(HEAD + code)
    assert not usage.complete
    assert not usage.acknowledged


def test_a_comment_where_nothing_is_dynamic_is_told(find: Callable[..., Usage]) -> None:
    usage = find(f"{HEAD}raw_call('flux_dev_image')  # muapi: uses gpt_5_mini\n")
    assert (usage.idle, usage.complete, [*usage.names]) == (("app.py:2",), True, ["flux_dev_image"])


def test_several_names_of_every_kind_and_several_comments_count(find: Callable[..., Usage]) -> None:
    text = (
        "# muapi: uses flux_dev_image, gpt-5-mini\n# muapi: uses flux-schnell,   group  lipsync\nraw_call(slug, {})\n"
    )
    usage = resolved(find(HEAD + text))
    lipsync = {"sync_lipsync", "veed_lipsync"}
    assert set(usage.names) == {"flux_dev_image", "gpt_5_mini", "flux_schnell_image", *lipsync}
    assert usage.named == {"flux_dev_image", "gpt_5_mini", "flux_schnell_image"}
    assert usage.groups == ("lipsync",)


def test_each_of_two_calls_in_a_statement_has_its_own(find: Callable[..., Usage]) -> None:
    text = "both = [\n    raw_call(one, {}),  # muapi: uses flux_dev_image\n    raw_call(two, {}),\n]\n"
    usage = find(HEAD + text)
    assert usage.unknown == (Use("app.py", 4),)
    assert find(HEAD + text.replace("two, {}),", "two, {}),  # muapi: uses gpt_5_mini")).complete


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("flux_dev_imag", "did you mean flux_dev_image"),
        ("lipsync", r"did you mean group lipsync\?"),
        ("group lipsink", r"did you mean group lipsync"),
        ("flux_dev_image gpt_5_mini", "no function, slug, catalogue name or group"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_what_was_meant(
    find: Callable[..., Usage], said: str, hint: str
) -> None:
    usage = find(f"{HEAD}raw_call(slug, {{}})  # muapi: uses {said}\n")
    with pytest.raises(PinError, match=rf"app\.py:2 says that .*{hint}"):
        resolved(usage)


def test_a_comment_that_names_nothing_is_refused(find: Callable[..., Usage]) -> None:
    with pytest.raises(PinError, match=r"app\.py:2 .* names nothing"):
        find(f"{HEAD}raw_call(slug, {{}})  # muapi: uses\n")


def test_notebooks_have_comments_too(find: Callable[..., Usage]) -> None:
    cells = [
        {"cell_type": "code", "source": ["%time\n", HEAD]},
        {"cell_type": "code", "source": "!pip list\n# muapi: uses flux_dev_image\nraw_call(slug, {})"},
    ]
    usage = find(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}), "notes.ipynb")
    assert (usage.complete, [*usage.acknowledged]) == (True, ["flux_dev_image"])


def test_a_way_that_is_handed_on_is_said_where_it_arrives(find: Callable[..., Usage], tmp_path: Path) -> None:
    text = "from muapi_client import models\nmodels.flux_dev_image()\n"
    (tmp_path / "home.py").write_text(text, encoding="utf-8")
    assert find("from home import models\n").unknown == (Use("app.py", 1),)
    assert find("from home import models  # muapi: uses flux_dev_image\n").complete


TWO = """\
from muapi_client import raw_call


class Maker:
    def make(self, slug):
        if slug:
            return raw_call(slug, {})


def make(slug):
    def inner():
        return raw_call(slug, {})
    return inner
"""


def test_the_table_names_what_a_function_uses(find: Callable[..., Usage]) -> None:
    assert find(TWO).unknown == (Use("app.py", 7), Use("app.py", 12))
    usage = find(TWO, **{"app.py:Maker.make": ["flux_dev_image"], "app.py:make": ["gpt_5_mini"]})
    assert usage.acknowledged == {"flux_dev_image": (Use("app.py", 7),), "gpt_5_mini": (Use("app.py", 12),)}
    assert usage.complete
    assert find(TWO, **{"app.py:make.inner": ["gpt_5_mini"]}).unknown == (Use("app.py", 7),)
    assert find(TWO, **{"app.py": ["group lipsync"]}).complete


def test_a_line_of_the_table_for_nothing_is_told(find: Callable[..., Usage], tmp_path: Path) -> None:
    (tmp_path / "beside").mkdir()
    assert find(TWO, **{"app.py:run": ["gpt_5_mini"]}).idle == ("the table [uses] with 'app.py:run'",)
    with pytest.raises(PinError, match=r"\[uses\] with 'ap\.py:make' names no file"):
        find(TWO, **{"ap.py:make": ["gpt_5_mini"]})
    (tmp_path / "beside/tool.py").write_text("", encoding="utf-8")
    assert find_usage(["app.py"], uses={"beside/tool.py": ["gpt_5_mini"]}).idle == ()  # nobody looked into it


def test_the_table_stands_for_a_file_that_cannot_be_read(find: Callable[..., Usage], tmp_path: Path) -> None:
    (tmp_path / "fast.pyx").write_text("cdef int one", encoding="utf-8")
    assert find(HEAD).unread
    usage = find(HEAD, **{"fast.pyx": ["gpt_5_mini"]})
    assert (usage.unread, usage.idle, [*usage.acknowledged]) == ((), (), ["gpt_5_mini"])


def test_the_paths_of_the_table_start_at_its_home(find: Callable[..., Usage], tmp_path: Path) -> None:
    find(TWO)
    (tmp_path / "deep").mkdir()
    assert find_usage([tmp_path], uses={"../app.py": ["gpt_5_mini"]}, home=tmp_path / "deep").complete
