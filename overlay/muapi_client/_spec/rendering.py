"""Renderings: what a generated package was rendered from, for the locks of programs to be held against.

Lives here: reading that of a package. Does not live here: comparing it with a lock (``pinning``), what a client does
about it (``_client/spec_pin``).
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from muapi_generated import Spec

FILE: Final = "fingerprints.json"


def read_rendering(package: str) -> dict[str, Any]:
    """Read what a generated package, which is imported, was rendered from, as ``pinning.Rendering`` has it.

    Raises:
        MuAPIError: Its fingerprints cannot be read, or are of another document.
    """
    module: Any = import_module(package)
    spec: Spec = module.SPEC
    try:  # by its loader, also out of an archive: importlib.resources takes longer to load than all of this
        told = json.loads(module.__spec__.loader.get_data(str(Path(module.__file__).with_name(FILE))))
    except (OSError, ValueError):
        told = {}
    if told.get("sha256") != spec.sha256:
        raise MuAPIError(
            f"{package} has no fingerprints of the document it was rendered from: install muapi-client anew, or render "
            "the package again (`muapi-client spec build`, in a checkout `nox -s generate`)"
        )
    return {
        "document_sha256": spec.sha256,
        "corrections_sha256": spec.corrections_sha256,
        "functions": told["functions"],
        "uncorrected": told["uncorrected"],
    }
