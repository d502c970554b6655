"""A sample of the differential, on whatever FastAPI and pydantic stand here; ``nox -s differential`` sends many more.

Newer ones than those that the session pins do not name pydantic's pages, and read a body without a type as no JSON; on
all else that is sent here they agree.
"""

from __future__ import annotations

import asyncio

from differential import BODIES, send_all, show, sort_out


def test_bodies_are_read_and_refused_as_a_fastapi_of_the_document_does() -> None:
    answers = asyncio.run(send_all(500, seed=1, raw=False))
    by_rule, others = sort_out(answers, BODIES)
    assert not others, "\n".join(line for found in others.values() for one in found for line in show(one))
    assert by_rule.total() <= 0.01 * len(answers)
    taken = sum(one.theirs.accepts for one in answers)
    assert 50 < taken < 450, "a sample that is all taken or all refused shows nothing"
