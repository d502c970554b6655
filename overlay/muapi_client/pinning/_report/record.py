"""The report as JSON. Pure.

Lives here: the names of its fields, which programs rely on. Does not live here: which changes there are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from attrs import asdict

if TYPE_CHECKING:
    from muapi_client.pinning._report.report import Report
    from muapi_client.pinning._usage.usage import Usage


def told(report: Report) -> str:
    """The report as one JSON object."""
    return json.dumps(record(report), ensure_ascii=False, indent=2)


def record(report: Report) -> dict[str, Any]:
    """The report as JSON values."""
    diff = report.diff
    return {
        "old": report.old,
        "new": report.new,
        "operations": {"old": diff.operations[0], "new": diff.operations[1]},
        "worst": diff.worst,
        "counts": diff.counts,
        "used": None if report.usage is None else _used(report.usage),
        "changes": [asdict(change) for change in diff.changes],
    }


def _used(usage: Usage) -> dict[str, Any]:
    return {
        "files": usage.files,
        "names": {name: [f"{use.file}:{use.line}" for use in places] for name, places in usage.names.items()},
        "unknown": [f"{use.file}:{use.line}" for use in usage.unknown],
        "unread": [{"file": file, "reason": reason} for file, reason in usage.unread],
    }
