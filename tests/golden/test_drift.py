"""Drift: what is committed is what comes out, whatever the seed and the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline import Result

import pipeline
import pytest

from build import swap


def test_the_same_bytes_come_out_under_any_seed_and_from_any_folder(rendered: Result, tmp_path: Path) -> None:
    again = pipeline.run(tmp_path, environment={"PYTHONHASHSEED": "4711", "LC_ALL": "C"})
    assert again.code == 0, again.output
    assert swap.list_differences(rendered.package, again.package) == []


def test_drift_lists_every_file_that_was_edited_added_or_removed(
    document: dict[str, Any], render: Callable[..., Result]
) -> None:
    package = render(document=document).package
    assert render("drift", document=document).code == 0
    (package / "types.py").write_text("# edited\n")
    (package / "api/extra.py").write_text("")
    (package / "choices.py").unlink()
    (package / "__pycache__").mkdir()
    (package / "__pycache__/x.pyc").write_bytes(b"")
    result = render("drift", document=document)
    assert result.code == 1
    assert result.output.splitlines()[:3] == ["extra    api/extra.py", "missing  choices.py", "differs  types.py"]
    assert "3 files" in result.output
    assert (package / "types.py").read_text() == "# edited\n"  # it only tells


def test_a_changed_document_shows_as_drift(document: dict[str, Any], render: Callable[..., Result]) -> None:
    render(document=document)
    document["components"]["schemas"]["SharedRequest"]["properties"]["prompt"]["maxLength"] = 10
    output = render("drift", document=document).output
    assert "differs  models/shared_request.py" in output
    assert "differs  catalog.json" in output


def test_a_swap_that_died_half_way_is_put_right(tmp_path: Path) -> None:
    target = tmp_path / "package"
    aside = swap.backup_path(target)
    aside.mkdir()
    (aside / "old.py").write_text("old")
    swap.recover_backup(target)  # died between the two renames: the old package comes back
    assert (target / "old.py").read_text() == "old"
    aside.mkdir()
    swap.recover_backup(target)  # died before the old package was removed: the new one stays
    assert (target / "old.py").exists()
    assert not aside.exists()


def test_a_swap_that_fails_leaves_the_old_package_in_its_place(tmp_path: Path) -> None:
    target = tmp_path / "package"
    target.mkdir()
    (target / "old.py").write_text("old")
    with pytest.raises(FileNotFoundError):
        swap.swap_in(tmp_path / "never made", target)
    assert [path.name for path in tmp_path.iterdir()] == ["package"]
    assert (target / "old.py").read_text() == "old"


def test_a_swap_replaces_a_package_whole(tmp_path: Path) -> None:
    target, new = tmp_path / "package", tmp_path / "new"
    for folder, name in ((target, "old.py"), (new, "new.py")):
        folder.mkdir()
        (folder / name).write_text("")
    swap.swap_in(new, target)
    assert [path.name for path in target.iterdir()] == ["new.py"]
    assert [path.name for path in tmp_path.iterdir()] == ["package"]
