"""The statements of a journal as PostgreSQL has them: most are those of a file, word for word.

Lives here: what PostgreSQL says in other words. Does not live here: the statements (``statements``,
``budget``), the functions they call (``server_form``).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from muapi_client._state.journal.budget import FULL
from muapi_client._state.journal.statements import (
    COST,
    DURATIONS,
    HAS_WORDS,
    OF_ACCOUNT,
    OF_ITEM,
    WITH_FILES,
    WITHOUT_WORDS,
)

ACCOUNT: Final = "(CAST(:origin AS text) IS NULL OR origin IS NULL OR (origin = :origin AND account = :account))"
WHOLE: Final = {
    DURATIONS: f"""SELECT slug, intended_at, changed_at, COALESCE((
        SELECT json_object_agg(field, muapi_input(call, field))::text
        FROM json_array_elements_text(CAST(:fields AS json)) AS field
    ), '{{}}') AS inputs
    FROM (SELECT * FROM job WHERE state IN ('completed', 'failed') ORDER BY rowid DESC LIMIT :latest) AS ended
    WHERE request_id IS NOT NULL AND {ACCOUNT} ORDER BY changed_at DESC""",  # noqa: S608 - our own words
    FULL: "SELECT scope, spent FROM muapi_full(:limits, :needed)",
}
PARTS: Final = (
    (HAS_WORDS, "muapi_has_words(outputs)"),
    (WITHOUT_WORDS, "muapi_without_words(outputs)"),
    (
        WITH_FILES,
        """(
        SELECT json_agg(path)::text FROM (
            SELECT path FROM json_array_elements_text(muapi_list(files)) AS path
            UNION SELECT path FROM json_array_elements_text(CAST(:files AS json)) AS path
        ) AS paths
    )""",
    ),
    (OF_ACCOUNT, ACCOUNT),
    (COST, "muapi_cost(:cost, cost)"),
    (f"NOT EXISTS ({FULL})", "muapi_has_room(:limits, :needed)"),
    (
        OF_ITEM,
        f"{OF_ITEM} AND muapi_hash(run) = muapi_hash(:run) AND muapi_hash(run_key) = muapi_hash(:run_key)",
    ),
)
TABLE: Final = re.compile(r"\b(FROM|INTO|UPDATE) (job|item|meta|budget)\b")
MOMENT: Final = re.compile(r"(?<!:):(now|lease|stale)\b")  # told as how long from now it is
PARAMETER: Final = re.compile(r"(?<!:):([a-z]\w*)")


@cache
def translate(statement: str) -> bytes:
    """A statement in PostgreSQL's words, with its parameters as psycopg has them."""
    text = WHOLE.get(statement, statement)
    for words, here in PARTS:
        text = text.replace(words, here)
    text = TABLE.sub(r"\1 muapi_\2", text)
    text = MOMENT.sub(r"muapi_after(:\1)", text.replace("%", "%%"))
    return PARAMETER.sub(r"%(\1)s", text).encode()
