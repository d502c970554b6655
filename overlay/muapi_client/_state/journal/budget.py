"""What is spent of budgets, kept in the journal's file by the file itself.

Lives here: a table with one row a budget and period, the triggers that keep its sums, and the condition under which an
intent may be written. Does not live here: limits as values (``limits``), what a budget is (``_types/budget``),
which there are (``_jobs/budget``).

A sum over all jobs would be read before every submit, in a file of twenty thousand. So each row holds its sum, in
millionths of a dollar, and triggers change it in the very statement that writes a job, whichever process and version
of this package writes. An intent is one statement, too: it is written where every budget has room, or not at all, so
that two processes never share one room. The table is made when the first budget asks for it, and counts what was
written before.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from muapi_client._state.journal.limits import as_row

if TYPE_CHECKING:
    from muapi_client._state.journal.limits import Limit
    from muapi_client._state.journal.store import Db
    from muapi_client._types.entry import Account


def _counted(row: str) -> str:
    """What a row of jobs counts as, in millionths: its cost where that is known, else what was set aside for it."""
    cost = f"CASE WHEN json_valid({row}.cost) THEN {row}.cost END"
    return f"""CAST(ROUND(1000000 * CASE
        WHEN json_extract({cost}, '$.refunded') THEN 0
        ELSE CAST(COALESCE(json_extract({cost}, '$.amount_usd'), {row}.set_aside_usd, 0) AS REAL)
    END) AS INTEGER)"""


def counts_in(row: str, budget: str) -> str:
    """Whether a row of jobs counts in a row of budgets."""
    return f"""({row}.origin IS NULL OR ({row}.origin = {budget}.origin AND {row}.account = {budget}.account))
        AND ({budget}.tag IS NULL OR {row}.tag = {budget}.tag) AND ({budget}.run IS NULL OR {row}.run = {budget}.run)
        AND ({budget}.starts IS NULL OR {row}.intended_at >= {budget}.starts)
        AND ({budget}.ends IS NULL OR {row}.intended_at < {budget}.ends)"""


TABLE: Final = (
    """CREATE TABLE IF NOT EXISTS budget (
    scope   TEXT PRIMARY KEY, -- the other columns but the sum, as JSON
    origin  TEXT NOT NULL,
    account TEXT NOT NULL,
    tag     TEXT,
    run     TEXT,
    starts  TEXT,
    ends    TEXT,
    spent   INTEGER NOT NULL  -- in millionths of a dollar
)""",
    f"""CREATE TRIGGER IF NOT EXISTS job_written AFTER INSERT ON job BEGIN
    UPDATE budget SET spent = spent + {_counted("NEW")} WHERE {counts_in("NEW", "budget")}; END""",  # noqa: S608 - our own words, as below
    f"""CREATE TRIGGER IF NOT EXISTS job_changed AFTER UPDATE OF cost, set_aside_usd ON job
    WHEN {_counted("NEW")} <> {_counted("OLD")} BEGIN
    UPDATE budget SET spent = spent + {_counted("NEW")} - {_counted("OLD")} WHERE {counts_in("NEW", "budget")}; END""",  # noqa: S608
    f"""CREATE TRIGGER IF NOT EXISTS job_withdrawn AFTER DELETE ON job BEGIN
    UPDATE budget SET spent = spent - {_counted("OLD")} WHERE {counts_in("OLD", "budget")}; END""",  # noqa: S608
)
BEGIN: Final = f"""INSERT OR IGNORE INTO budget (scope, origin, account, tag, run, starts, ends, spent)
    SELECT new.*, (SELECT COALESCE(SUM({_counted("job")}), 0) FROM job WHERE {counts_in("job", "new")}) FROM (
        SELECT :scope AS scope, :origin AS origin, :account AS account, :tag AS tag, :run AS run, :starts AS starts,
            :ends AS ends
    ) AS new"""  # noqa: S608
FULL: Final = """SELECT json_extract("limit".value, '$[0]') AS scope, budget.spent FROM json_each(:limits) AS "limit"
    LEFT JOIN budget ON budget.scope = json_extract("limit".value, '$[0]')
    WHERE budget.spent IS NULL OR budget.spent >= json_extract("limit".value, '$[1]')
    OR budget.spent + :needed > json_extract("limit".value, '$[1]')"""
PRUNE: Final = "DELETE FROM budget WHERE ends < :before"
KEPT: Final = timedelta(days=40)  # for which the sum of a period that is over stays: clocks are set, jobs are refunded


def has_budgets(db: Db) -> bool:
    """Whether the file keeps sums at all."""
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'budget'").fetchone() is not None


def begin_budget(db: Db, limit: Limit, account: Account) -> None:
    """Have the file keep the sum of a limit from now on; jobs that are in it count. Twice does no harm."""
    for statement in TABLE:
        db.execute(statement)
    db.execute(BEGIN, as_row(limit, account))
    prune(db, limit)


def prune(db: Db, limit: Limit) -> None:
    """Drop sums of periods that were over long before a limit's begins."""
    if limit.starts is not None:
        db.execute(PRUNE, {"before": (limit.starts - KEPT).isoformat()})
