"""The form of a journal in a server's database: its tables and functions, and who may make them.

Lives here: SQL that makes tables, functions and triggers. Does not live here: what columns hold (``values``),
the connection (``server``), what is written when (``base``).

The columns are those of a file (``file_form``) with the same contents, all text; what is JSON is read by functions
that answer nothing for damaged text, so that one damaged row stops no other. Times are the server's, in the words of a
file. Names begin with ``muapi_``, in the first schema of the connection's ``search_path``.

What is spent of budgets is kept as in a file, by triggers. Here many write at once, so whoever changes a sum, or holds
an intent against one, has the sums' lock until the end of the transaction: two never share one room. It is one lock for
all accounts, for a group that takes several in turn would wait in a circle with another one; and it is the table's, for
others may find that by another search path. A sum that is begun shuts everybody out for the moment in which it counts
what is there. Comparing texts is bytewise (``COLLATE "C"``); what may be long is indexed by its hash.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from muapi_client._state.journal.budget import counts_in
from muapi_client._state.journal.limits import LARGEST_JOB

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._state.journal.store import Db

FORM: Final = 2  # in muapi_meta; a later form migrates this one and never drops it
OLDEST: Final = 14  # of PostgreSQL; older ones are not maintained any more, and do not tell when a session has ended
MAKING: Final = 0x6D75_6150  # "muaP": the lock of whoever makes the tables

ITEMS: Final = """
CREATE TABLE muapi_item (
    run     text COLLATE "C" NOT NULL,
    run_key text COLLATE "C" NOT NULL,                  -- which item of the run another call's job has answered
    key     text COLLATE "C" NOT NULL                   -- of that job
);
CREATE UNIQUE INDEX muapi_item_run ON muapi_item (muapi_hash(run), muapi_hash(run_key));
"""

TABLES: Final = """
CREATE TABLE muapi_meta (name text PRIMARY KEY, value text NOT NULL);
CREATE TABLE muapi_job (
    rowid         bigint GENERATED ALWAYS AS IDENTITY,  -- tells what was written first
    key           text COLLATE "C" PRIMARY KEY,         -- ours, made before the submit
    request_id    text COLLATE "C",                     -- the server's, once accepted
    state         text COLLATE "C" NOT NULL,            -- intent, accepted, completed, failed, cancelled or unknown
    slug          text COLLATE "C" NOT NULL,
    call          text COLLATE "C",                     -- Call.to_json(), without secrets; NULL with local files
    intended_at   text COLLATE "C" NOT NULL,            -- UTC, ISO 8601, as every time here
    changed_at    text COLLATE "C" NOT NULL,
    cost          text COLLATE "C",                     -- as JSON; NULL where the server reported none
    said          text COLLATE "C",                     -- the last answer's body as JSON, without secrets
    owner         text COLLATE "C" NOT NULL,            -- the process that submits it or waits for it
    lease         text COLLATE "C",                     -- until when it has it in hand
    origin        text COLLATE "C",                     -- the API's; NULL with the account: everybody's
    account       text COLLATE "C",                     -- the API key's fingerprint, by this journal's salt
    key_kind      text COLLATE "C",                     -- live or sandbox, where that is known
    tag           text COLLATE "C",
    run           text COLLATE "C",
    run_key       text COLLATE "C",                     -- one of a kind in its run
    set_aside_usd text COLLATE "C",                     -- as decimal digits
    outputs       text COLLATE "C",                     -- as JSON, a list of Output's fields
    files         text COLLATE "C",                     -- as JSON, a list of absolute paths
    reason        text COLLATE "C",                     -- why it failed, or why its outcome is unknown
    digest        text COLLATE "C"                      -- what the call asks, as a SHA-256
);
CREATE TABLE muapi_budget (
    scope   text COLLATE "C" NOT NULL, -- the other columns but the sum, as JSON
    origin  text COLLATE "C" NOT NULL,
    account text COLLATE "C" NOT NULL,
    tag     text COLLATE "C",
    run     text COLLATE "C",
    starts  text COLLATE "C",
    ends    text COLLATE "C",
    spent   bigint NOT NULL            -- in millionths of a dollar
) WITH (fillfactor = 50);              -- a sum is written anew with each job, beside what it was
"""

FUNCTIONS: Final = rf"""
CREATE FUNCTION muapi_after(span interval) RETURNS text LANGUAGE sql VOLATILE STRICT AS $$
    SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC' + span, 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') $$;

CREATE FUNCTION muapi_hash(words text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
    BEGIN RETURN sha256(convert_to(words, 'UTF8')); END $$;

CREATE FUNCTION muapi_json(words text) RETURNS json LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    BEGIN -- in which no field can be looked up where one holds a NUL
        RETURN replace(words, '\u0000', '\ufffd')::json;
    EXCEPTION WHEN others THEN RETURN NULL;
    END $$;

CREATE FUNCTION muapi_list(words text) RETURNS json LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE whole json := muapi_json(words);
    BEGIN RETURN CASE WHEN json_typeof(whole) = 'array' THEN whole ELSE '[]' END; END $$;

CREATE FUNCTION muapi_input(call text, field text) RETURNS json LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    BEGIN RETURN muapi_json(call) -> 'body' -> field; EXCEPTION WHEN others THEN RETURN NULL; END $$;

CREATE FUNCTION muapi_cost(told text, known text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN -- a refund is never taken back
        IF told IS NOT NULL AND json_typeof(muapi_json(known)) = 'object' AND known::json ->> 'refunded' = 'true' THEN
            RETURN jsonb_set(told::jsonb, '{{refunded}}', 'true')::text;
        END IF;
        RETURN COALESCE(told, known);
    EXCEPTION WHEN others THEN RETURN COALESCE(told, known);
    END $$;

CREATE FUNCTION muapi_has_words(outputs text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN RETURN outputs IS NOT NULL AND (muapi_json(outputs) IS NULL OR EXISTS (
        SELECT 1 FROM json_array_elements(muapi_json(outputs)) AS output WHERE json_typeof(output) <> 'object'
        OR COALESCE(json_typeof(output -> 'text'), 'null') <> 'null'
        OR COALESCE(json_typeof(output -> 'data'), 'null') <> 'null'
    ));
    EXCEPTION WHEN others THEN RETURN true;
    END $$;

CREATE FUNCTION muapi_without_words(outputs text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN RETURN COALESCE((
        SELECT json_agg(json_build_object('url', output -> 'url', 'media_type', output -> 'media_type'))
        FROM json_array_elements(muapi_list(outputs)) AS output WHERE json_typeof(output) = 'object'
    )::text, '[]');
    EXCEPTION WHEN others THEN RETURN '[]';
    END $$;

CREATE FUNCTION muapi_counted(cost text, set_aside_usd text) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE told json := muapi_json(cost);
    BEGIN -- in millionths: its cost where that is known, else what was set aside for it
        IF json_typeof(told) <> 'object' THEN told := NULL; END IF;
        RETURN CASE WHEN told ->> 'refunded' = 'true' THEN 0
            ELSE LEAST(round(1000000 * COALESCE(told ->> 'amount_usd', set_aside_usd, '0')::numeric), {LARGEST_JOB})
        END;
    EXCEPTION WHEN others THEN RETURN 0;
    END $$;

CREATE FUNCTION muapi_lock() RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('muapi_budget', 'muapi_budget'::regclass::oid::bigint)) $$;

CREATE FUNCTION muapi_full(limits json, needed numeric) RETURNS TABLE (scope text, spent bigint)
    LANGUAGE plpgsql VOLATILE AS $$
    BEGIN RETURN QUERY
        SELECT asked.value ->> 0, known.spent FROM json_array_elements(limits) AS asked
        LEFT JOIN muapi_budget AS known ON muapi_hash(known.scope) = muapi_hash(asked.value ->> 0)
        WHERE known.spent IS NULL OR known.spent >= (asked.value ->> 1)::bigint
        OR known.spent + needed > (asked.value ->> 1)::bigint;
    END $$;

CREATE FUNCTION muapi_has_room(limits json, needed numeric) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
    BEGIN -- each statement sees what is committed when it begins: the sums as they are once the lock is had
        PERFORM muapi_lock();
        RETURN NOT EXISTS (SELECT 1 FROM muapi_full(limits, needed));
    END $$;

CREATE FUNCTION muapi_count() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        job muapi_job;
        change bigint := 0;
    BEGIN
        IF TG_OP <> 'DELETE' THEN
            job := NEW;
            change := muapi_counted(NEW.cost, NEW.set_aside_usd);
        END IF;
        IF TG_OP <> 'INSERT' THEN
            job := OLD; -- which account, tag, run and time it is of never changes
            change := change - muapi_counted(OLD.cost, OLD.set_aside_usd);
        END IF;
        IF change = 0 OR NOT EXISTS (SELECT 1 FROM muapi_budget) THEN
            RETURN NULL;
        END IF;
        PERFORM muapi_lock();
        UPDATE muapi_budget AS budget SET spent = spent + change WHERE {counts_in("job", "budget")};
        RETURN NULL;
    END $$;
"""  # noqa: S608 - our own words, as below

REST: Final = """
CREATE INDEX muapi_job_rowid ON muapi_job (rowid);
CREATE INDEX muapi_job_request_id ON muapi_job USING hash (request_id);
CREATE INDEX muapi_job_state ON muapi_job (state);
CREATE INDEX muapi_job_digest ON muapi_job (digest) WHERE digest IS NOT NULL;
CREATE UNIQUE INDEX muapi_job_run ON muapi_job (muapi_hash(run), muapi_hash(run_key)) WHERE run IS NOT NULL;
CREATE UNIQUE INDEX muapi_budget_scope ON muapi_budget (muapi_hash(scope));
CREATE TRIGGER muapi_job_written AFTER INSERT OR DELETE OR UPDATE OF cost, set_aside_usd ON muapi_job
    FOR EACH ROW EXECUTE FUNCTION muapi_count();
"""

MIGRATIONS: Final = {2: ITEMS}  # by the form that brought them

BEGIN_BUDGET: Final = f"""INSERT INTO muapi_budget (scope, origin, account, tag, run, starts, ends, spent)
    SELECT budget.*, (
        SELECT COALESCE(SUM(muapi_counted(job.cost, job.set_aside_usd)), 0) FROM muapi_job AS job
        WHERE {counts_in("job", "budget")}
    ) FROM (
        SELECT CAST(:scope AS text) AS scope, CAST(:origin AS text) AS origin, CAST(:account AS text) AS account,
            CAST(:tag AS text) AS tag, CAST(:run AS text) AS run, CAST(:starts AS text) AS starts,
            CAST(:ends AS text) AS ends
    ) AS budget ON CONFLICT DO NOTHING"""  # noqa: S608

# Not ``to_regclass``, which goes by what the session knew of tables before it waited for the lock.
HAS_TABLES: Final = """SELECT EXISTS (
    SELECT 1 FROM pg_class JOIN pg_namespace AS schema ON schema.oid = relnamespace
    WHERE relname = 'muapi_meta' AND nspname = ANY (current_schemas(false))
) AS found"""

# What a later form adds stands beside the rest, whatever else this client's ``search_path`` names first.
GO_TO_TABLES: Final = """SELECT set_config('search_path', quote_ident(nspname), true)
    FROM pg_class JOIN pg_namespace AS schema ON schema.oid = relnamespace
    WHERE pg_class.oid = 'muapi_meta'::regclass"""


def claim(db: Db, run_script: Callable[[str], None], salt: str | None) -> str:
    """Make sure that the database holds a journal of this form; answers the journal's salt, which tells it from others.

    Args:
        db: The connection.
        run_script: Carries out several statements that take no values, on it.
        salt: Of the journal that was open before, which is looked for and not made anew; None makes it where there is
            none.

    Raises:
        OSError: The tables are of a later form, or another journal's than before, or something else's.
    """
    if salt is None and not _has_tables(db):
        db.carry_out_whole(partial(_make, run_script=run_script))
    if not _has_tables(db):
        raise OSError("its tables are gone since it was opened first: open it anew")
    known = _read_meta(db)
    if not str(known.get("form")).isdecimal() or "salt" not in known:
        raise OSError("its table muapi_meta is something else's")
    if int(known["form"]) > FORM:
        raise OSError(
            f"it is of form {known['form']}, which a later version of muapi-client wrote; this one knows {FORM} at"
            " most: upgrade"
        )
    if salt is not None and known["salt"] != salt:
        raise OSError("it was replaced by another journal since it was opened first: open it anew")
    if int(known["form"]) < FORM:
        db.carry_out_whole(partial(_migrate, run_script=run_script))
    return str(known["salt"])


def _make(db: Db, run_script: Callable[[str], None]) -> None:
    """Make the tables."""
    _shut_out_others(db)
    if not _has_tables(db):  # else another process was faster
        run_script(TABLES + FUNCTIONS + REST + ITEMS)
        values = {"form": str(FORM), "salt": os.urandom(16).hex()}
        db.execute("INSERT INTO muapi_meta VALUES ('form', :form), ('salt', :salt)", values)


def _migrate(db: Db, run_script: Callable[[str], None]) -> None:
    """Bring the tables to the latest form."""
    db.execute(GO_TO_TABLES)
    _shut_out_others(db)
    form = int(_read_meta(db)["form"])  # by now another process may have brought it further
    for later in range(form + 1, FORM + 1):
        run_script(MIGRATIONS[later])
    db.execute("UPDATE muapi_meta SET value = :form WHERE name = 'form'", {"form": str(max(form, FORM))})


def _shut_out_others(db: Db) -> None:
    """Let nobody else change the tables until the end of the transaction."""
    db.execute("SELECT pg_advisory_xact_lock(:lock, hashtext(current_schema()))", {"lock": MAKING})


def _read_meta(db: Db) -> dict[str, Any]:
    return {row["name"]: row["value"] for row in db.execute("SELECT name, value FROM muapi_meta").fetchall()}


def _has_tables(db: Db) -> bool:
    return bool(db.execute(HAS_TABLES).fetchone()["found"])
