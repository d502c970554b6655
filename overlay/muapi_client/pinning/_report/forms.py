"""The forms in which a report can be had, and the one for programs: JSON.

Lives here: which forms there are, and the names of the fields in JSON, which programs rely on. Does not live here: the
forms for people and tools (``text``, ``markdown``, ``sarif``), which changes there are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from attrs import asdict

from muapi_client.pinning._report import markdown, sarif, text

if TYPE_CHECKING:
    from muapi_client.pinning._report.report import Report
    from muapi_client.pinning._usage.usage import Usage

Form = Literal["text", "markdown", "json", "sarif"]


def render(report: Report, form: Form) -> str:
    """Write a report.

    Args:
        report: What to write.
        form: ``text`` for a terminal, ``markdown`` for a pull request, ``json``, or ``sarif`` (2.1.0) for tools that
            show findings beside code.

    Returns:
        The text, without a newline at its end.
    """
    if form == "json":
        return json.dumps(make_record(report), ensure_ascii=False, indent=2)
    if form == "sarif":
        return sarif.render(report)
    return markdown.render(report) if form == "markdown" else text.render(report)


def make_record(report: Report) -> dict[str, Any]:
    """The report as JSON values."""
    diff = report.diff
    return {
        "old": report.old,
        "new": report.new,
        "operations": {"old": diff.operations[0], "new": diff.operations[1]},
        "worst": diff.worst,
        "counts": diff.counts,
        "used": None if report.usage is None else _record_usage(report.usage),
        "changes": [asdict(change) for change in diff.changes],
    }


def _record_usage(usage: Usage) -> dict[str, Any]:
    return {
        "files": usage.files,
        "names": {name: [str(use) for use in places] for name, places in usage.names.items()},
        "unknown": [str(use) for use in usage.unknown],
        "unread": [{"file": file, "reason": reason} for file, reason in usage.unread],
    }
