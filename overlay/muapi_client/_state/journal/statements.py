"""The statements of a journal: one a write, and so one transaction that no interrupt can leave half done.

Lives here: SQL that changes and reads jobs, in SQLite's words. Does not live here: PostgreSQL's
(``server_statements``), a file's tables (``file_form``), what is spent of budgets (``budget``), when
a statement runs, and with what (``base``).
"""

from __future__ import annotations

from typing import Final

from muapi_client._state.journal.budget import FULL
from muapi_client._types.entry_state import ENDED

ENDED_SQL: Final = str(ENDED)
COST: Final = """CASE WHEN :cost IS NOT NULL AND json_extract(CASE WHEN json_valid(cost) THEN cost END, '$.refunded')
    THEN json_set(:cost, '$.refunded', json('true')) ELSE COALESCE(:cost, cost) END"""  # a refund is never taken back
OF_ACCOUNT: Final = "(:origin IS NULL OR origin IS NULL OR (origin = :origin AND account = :account))"
OF_ITEM: Final = "run = :run AND run_key = :run_key"

INTEND: Final = """INSERT INTO job (key, state, slug, call, intended_at, changed_at, owner, lease, origin, account, tag,
    run, run_key, set_aside_usd, digest) SELECT :key, 'intent', :slug, :call, :intended_at, :now, :owner, :lease,
    :origin, :account, :tag, :run, :run_key, :set_aside_usd, :digest WHERE true ON CONFLICT (key) DO NOTHING"""
INTEND_WITHIN: Final = INTEND.replace("WHERE true", f"WHERE NOT EXISTS ({FULL})")
WITHDRAW: Final = "DELETE FROM job WHERE key = :key AND state IN ('intent', 'unknown')"
MARK_UNKNOWN: Final = """UPDATE job SET state = 'unknown', changed_at = :now, reason = :reason, lease = NULL
    WHERE key = :key AND (state IN ('intent', 'unknown') OR (state = 'accepted' AND request_id IS NULL))"""
ACCEPT: Final = f"""UPDATE job SET state = CASE WHEN state IN {ENDED_SQL} THEN state ELSE 'accepted' END,
    changed_at = :now, request_id = COALESCE(:request_id, request_id), cost = {COST}, reason = NULL,
    owner = :owner, lease = :lease WHERE key = :key"""  # noqa: S608 - our own words
FAIL: Final = """UPDATE job SET state = 'failed', changed_at = :now, cost = :cost, reason = :reason, lease = NULL
    WHERE key = :key"""
FINISH: Final = f"""UPDATE job SET state = :state, changed_at = :now, request_id = COALESCE(:request_id, request_id),
    cost = {COST}, said = :body, outputs = :outputs, reason = :reason,
    key_kind = COALESCE(:key_kind, key_kind), lease = NULL WHERE"""  # noqa: S608 - our own words
WITH_FILES: Final = """(
        SELECT json_group_array(path) FROM (
            SELECT value AS path FROM json_each(CASE WHEN json_valid(files) THEN files ELSE '[]' END)
            UNION SELECT value FROM json_each(:files)
        )
    )"""
SAVED: Final = f"UPDATE job SET changed_at = :now, files = {WITH_FILES} WHERE request_id = :request_id"  # noqa: S608
BEGIN_WAIT: Final = """UPDATE job SET owner = :owner, lease = :lease WHERE request_id = :request_id
    AND state = 'accepted' AND (owner <> :owner OR lease IS NULL OR lease < :stale)"""
END_WAIT: Final = "UPDATE job SET lease = NULL WHERE request_id = :request_id AND state = 'accepted' AND owner = :owner"
SETTLE: Final = """UPDATE job SET state = 'accepted', changed_at = :now, request_id = :request_id, reason = NULL,
    lease = NULL WHERE key = :key AND (state IN ('intent', 'unknown') OR (state = 'accepted' AND request_id IS NULL))"""
RELEASE_ITEM: Final = "UPDATE job SET run_key = NULL WHERE key = :key AND state IN ('intent', 'unknown')"
RETAKE_ITEM: Final = f"""UPDATE job SET run_key = :run_key WHERE key = :key AND state IN ('intent', 'unknown')
    AND NOT EXISTS (SELECT 1 FROM job WHERE {OF_ITEM})"""  # noqa: S608 - our own words
REUSE: Final = "INSERT INTO item (run, run_key, key) VALUES (:run, :run_key, :key) ON CONFLICT DO NOTHING"
FIND_ITEM: Final = f"""SELECT *, :now AS now, {OF_ACCOUNT} AS is_ours, 0 AS is_reused FROM job WHERE {OF_ITEM}
    UNION ALL SELECT *, :now AS now, {OF_ACCOUNT} AS is_ours, 1 AS is_reused FROM job
    WHERE key = (SELECT key FROM item WHERE {OF_ITEM}) AND state = 'completed' ORDER BY is_reused"""  # noqa: S608 - our own words
ANSWERS: Final = """SELECT * FROM job WHERE digest = :digest AND state = 'completed' AND said IS NOT NULL
    AND (outputs IS NULL OR outputs <> '[]') AND (key_kind IS NULL OR key_kind = COALESCE(:kind, key_kind))
    AND origin = :origin AND account = :account ORDER BY changed_at DESC, rowid DESC LIMIT :latest"""
LATEST: Final = f"""SELECT * FROM job WHERE state IN {ENDED_SQL} AND origin = :origin AND account = :account
    ORDER BY rowid DESC LIMIT :latest"""  # noqa: S608 - our own words
OPEN_ENDS: Final = """SELECT *, :now AS now FROM job
    WHERE digest = :digest AND state IN ('unknown', 'intent', 'accepted')
    AND origin = :origin AND account = :account ORDER BY rowid DESC"""
DURATIONS: Final = f"""SELECT slug, intended_at, changed_at,
    (SELECT json_group_object(value, json_extract(CASE WHEN json_valid(call) THEN call END, '$.body.' || value))
        FROM json_each(:fields)) AS inputs
    FROM (SELECT * FROM job WHERE +state IN ('completed', 'failed') ORDER BY rowid DESC LIMIT :latest)
    WHERE request_id IS NOT NULL AND {OF_ACCOUNT} ORDER BY changed_at DESC"""  # noqa: S608 - our own words
HAS_WORDS: Final = """EXISTS (
        SELECT 1 FROM json_each(
            CASE WHEN outputs IS NULL THEN '[]' WHEN json_valid(outputs) THEN outputs ELSE '[0]' END
        )
        WHERE type <> 'object' OR json_extract(value, '$.text') IS NOT NULL OR json_extract(value, '$.data') IS NOT NULL
    )"""  # of its outputs any has: a text, or data
WITHOUT_WORDS: Final = """(
        SELECT json_group_array(json_object(
            'url', json_extract(value, '$.url'), 'media_type', json_extract(value, '$.media_type')
        )) FROM json_each(CASE WHEN json_valid(outputs) THEN outputs ELSE '[]' END) WHERE type = 'object'
    )"""
FORGETTABLE: Final = f"""state IN {ENDED_SQL} AND changed_at < :before AND {OF_ACCOUNT} AND (call IS NOT NULL
    OR said IS NOT NULL OR reason IS NOT NULL OR digest IS NOT NULL OR {HAS_WORDS})"""
FORGET: Final = f"""UPDATE job SET call = NULL, said = NULL, reason = NULL, digest = NULL, outputs = {WITHOUT_WORDS}
    WHERE {FORGETTABLE}"""  # noqa: S608 - our own words
