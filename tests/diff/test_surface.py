"""The Python surface of both packages, guarded by griffe: ours against a record, the rendered one against the diff."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import griffe
import pipeline
import pytest
import specimen
import surface

from muapi_client.pinning import diff

if TYPE_CHECKING:
    from pathlib import Path


def test_the_public_surface_is_the_recorded_one() -> None:
    found = surface.differences()
    assert not found, "\n".join([*found, surface.REMEDY])


def test_a_changed_signature_and_a_lost_name_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = surface.RECORD.read_text(encoding="utf-8")
    changed = record.replace("timeout: float = 60.0", "timeout: float = 30.0", 1) + "muapi_client.gone() -> None\n"
    other = tmp_path / "surface.txt"
    other.write_text(changed, encoding="utf-8")
    monkeypatch.setattr(surface, "RECORD", other)
    found = surface.differences()
    assert "-muapi_client.gone() -> None" in found
    assert any(line.startswith("+") and "timeout: float = 60.0" in line for line in found)
    assert surface.main([]) == 1
    assert surface.main(["--write"]) == 0
    assert other.read_text(encoding="utf-8") == record
    assert surface.main([]) == 0


def later(document: dict[str, Any]) -> dict[str, Any]:
    """The specimen with a field gone, one that must be sent, and an operation gone."""
    made = copy.deepcopy(document)
    del made["paths"]["/api/v1/talker"]
    shared = made["components"]["schemas"]["SharedRequest"]
    del shared["properties"]["motion"]
    fields = made["components"]["schemas"]["FieldsRequest"]
    fields["required"].append("size")
    return made


@pytest.fixture(scope="module")
def surfaces(tmp_path_factory: pytest.TempPathFactory) -> list[griffe.Object | griffe.Alias]:
    """The specimen as it is and as it is later, both rendered and read."""
    found: list[griffe.Object | griffe.Alias] = []
    for name, document in (("old", specimen.DOCUMENT), ("new", later(specimen.DOCUMENT))):
        result = pipeline.run(tmp_path_factory.mktemp(name), document=document)
        assert result.code == 0, result.output
        found.append(griffe.load(result.package.name, search_paths=[result.package.parent], allow_inspection=False))
    return found


def test_what_breaks_the_rendered_package_is_told_as_breaking(surfaces: list[griffe.Object | griffe.Alias]) -> None:
    old, new = surfaces
    breaks = [one for one in griffe.find_breaking_changes(old, new) if ".api." in one.obj.path]
    broken = {one.obj.path.split(".api.")[1].split(".")[1].split("(")[0] for one in breaks}
    assert {"talker", "every_field", "vidu_v2_0"} <= broken
    found = diff(specimen.DOCUMENT, later(specimen.DOCUMENT))
    told = {one.function for one in found.changes if one.impact == "breaking"}
    assert broken <= told
