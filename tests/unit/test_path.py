"""How far a submission travels: the modules it passes through, and how often it changes from one to another.

Work is counted, not time: the calls of one warm submit, by the module that each function is of. A path that grows is
one more thing to read before a payment can be judged. Before the circles and rooms were put in order it was 24 modules
and 75 changes, and at its longest 29 and 105.
"""

from __future__ import annotations

import gc
import sys
from itertools import count
from typing import Any

import httpx
import pytest
from by_kind import make_image

from muapi_client import MuAPI

BODY = {"status": "processing", "cost": {"amount_usd": 0.1}}
HEADERS = {"x-muapi-cost-usd": "0.1", "x-muapi-cost-credits": "1", "x-account-balance": "9.9"}


def path_of_a_warm_submit(headers: dict[str, str]) -> list[str]:
    """The modules of ours that a client's fourth submit passes through, each named when it is entered."""
    ids = count()
    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, json={**BODY, "request_id": f"abc-{next(ids)}"}, headers=headers)
    )
    path: list[str] = []

    def note(frame: Any, event: str, _: object) -> None:
        if frame.f_code.co_filename.startswith("<attrs generated"):
            return  # of a value that is made: nobody has to read that
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.partition(".")[0] == "muapi_client" and path[-1:] != [module]:
            path.append(module)

    with MuAPI("sk-live-0123456789abcdef", transport=transport) as mu:
        call = make_image(prompt="a fox")
        for _ in range(3):
            mu.submit(call)
        before = sys.getprofile()
        gc.disable()  # what an earlier test left behind is no part of the path
        sys.setprofile(note)
        try:
            mu.submit(call)
        finally:
            sys.setprofile(before)
            gc.enable()
    return path


@pytest.mark.parametrize(
    ("headers", "modules", "changes"),
    [({}, 15, 35), (HEADERS, 16, 40)],  # a balance is another number each time, so it is read anew
    ids=["its cost in the body", "cost and balance in the headers, too"],
)
def test_a_warm_submit_passes_through_few_modules(
    headers: dict[str, str], modules: int, changes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.trace", raising=False)  # which another test's tools may import
    path = path_of_a_warm_submit(headers)
    assert len(set(path)) <= modules, sorted(set(path))
    assert len(path) - 1 <= changes, path
