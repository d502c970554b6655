"""``muapi-client batch``: a file of rows, a job each; the same command again goes on where it stopped.

Lives here: a job of each row, all of them checked before anything is sent, and what they cost together. Does not live
here: reading the file (``_rows``), carrying the jobs out (``_many``).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from muapi_client import catalog
from muapi_client._types.money import total
from muapi_client.cli._call_arguments import check_whole, find_files, list_schemas, read_words
from muapi_client.cli._client import find_journal, open_client, remark_without_journal
from muapi_client.cli._config import read_path
from muapi_client.cli._exit import DONE
from muapi_client.cli._field_values import read_fields
from muapi_client.cli._formats import format_usd, to_json_number
from muapi_client.cli._many import carry_out
from muapi_client.cli._prices import group_by_price, tell_price
from muapi_client.cli._rows import read_table
from muapi_client.cli._saving import read_saving
from muapi_client.cli._task import Many, Task
from muapi_client.errors import ValidationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from muapi_client import MuAPI
    from muapi_client.catalog import Model
    from muapi_client.cli._console import Console
    from muapi_client.cli._names import Pattern
    from muapi_client.cli._rows import Row, Table
    from muapi_generated.types import Call

SHOWN: Final = 10  # rows that a message complains of; who mends them finds the others then
REFUSED: Final = " (refused here; nothing was sent)"  # which is said once, of all
AT_A_TIME: Final = 16  # prices asked for


def batch(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``batch``.

    Raises:
        ValidationError: A row does not fit; nothing was sent, of no row.
        MuAPIError: See ``MuAPI.map``.
    """
    model = catalog.get(options.slug)
    table = read_table(options.file, options.format)
    if options.files is not None:
        table = table._replace(folder=read_path(options.files))
    run = _name_run(options, table, model)
    saving = read_saving(options, model.slug, "{key}-{index}")
    _check_columns(table, model, options.key, saving.pattern if saving else None)
    tasks = _make_tasks(table, model, options, console)
    if saving is not None:
        saving.refuse_clashes((task.place, task.key, task.row) for task in tasks)
    if options.dry_run:
        form = [{"key": task.key, "line": row.line} for task, row in zip(tasks, table.rows, strict=True)]
        console.result({"run": run, "rows": form}, f"{len(tasks)} rows fit {model.slug}")
        return DONE
    if saving is not None and not options.estimate:
        saving.open()
    with open_client(options, console) as mu:
        if options.estimate:
            _show_estimate(mu, tasks, list_schemas(model), console)
            return DONE
        remark_without_journal(options, console)
        left = [task.call for task in _leave_out_known(mu, run, tasks, retry_unknown=options.retry_unknown)]
        if len(left) < len(tasks):
            console.remark(f"{len(tasks) - len(left)} of {len(tasks)} rows were submitted before, and are not again")
        tell_price(left, options, console, list_schemas(model))
        many = Many(
            title=run or f"{table.name} {model.slug}",
            tasks=tasks,
            run=run,
            again="the same command again",
            goes_on=run is not None,
            saving=saving,
            shows_keys=True,
            concurrency=options.concurrency,
            retry_unknown=options.retry_unknown,
        )
        return carry_out(mu, many, console)


def _name_run(options: argparse.Namespace, table: Table, model: Model) -> str | None:
    """The name by which the same command finds its jobs again; None without a journal.

    Raises:
        ValidationError: What comes on standard input has no name of its own, or a name has no journal to be kept in.
    """
    if find_journal(options) is None:
        if options.run is not None or options.retry_unknown:
            option = "--run" if options.run is not None else "--retry-unknown"
            raise ValidationError(f"{option} is about what the journal keeps, and there is none (nothing was sent)")
        return None
    if options.run is None and options.file == "-":
        raise ValidationError(
            "rows on standard input need --run NAME, by which the same command goes on where it stopped (nothing was"
            " sent)"
        )
    return options.run or f"{table.name} {model.slug}"


def _leave_out_known(mu: MuAPI, run: str | None, tasks: Sequence[Task], *, retry_unknown: bool) -> Sequence[Task]:
    """The jobs that the run has not submitted before, of which alone something is to be paid.

    Raises:
        JournalError: The journal cannot be read.
    """
    if run is None:
        return tasks
    submitted = {entry.run_key for entry in mu.jobs(run=run) if not (retry_unknown and entry.request_id is None)}
    return [task for task in tasks if task.key not in submitted]


def _check_columns(table: Table, model: Model, key: str | None, pattern: Pattern | None) -> None:
    """Hold the columns against the model's fields.

    Raises:
        ValidationError: One is no field, and nothing else names it; or something names what is no column.
    """
    asked = {*(pattern.columns if pattern else ()), *([key] if key else [])}
    if missing := sorted(asked - set(table.columns)):
        raise ValidationError(
            f"{table.name} has no column {missing[0]!r}, which --name or --key asks for; it has"
            f" {', '.join(table.columns)} (nothing was sent)"
        )
    fields = [field.name for field in model.fields]
    problems: list[str] = []
    for column in table.columns:
        if column in fields or column in asked:
            continue
        near = get_close_matches(column, fields, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(fields)}"
        problems.append(f"{column!r} is no field of {model.slug}: {hint}")
    if problems:
        if len(table.columns) == 1 and (signs := set(table.columns[0]) & {";", "\t"}):
            problems.append(f"columns are separated by commas here, not by {signs.pop()!r}")
        told = "; ".join(problems)
        raise ValidationError(
            f"{table.name}: {told}{'.' * (not told.endswith('?'))} A column for names alone is named by --name"
            " '{row.COLUMN}-{index}' or --key COLUMN (nothing was sent)"
        )


def _make_tasks(table: Table, model: Model, options: argparse.Namespace, console: Console) -> list[Task]:
    """A job of each row, checked.

    Raises:
        ValidationError: Some do not fit; the first of them are told, each with its line.
    """
    schemas = list_schemas(model)
    words = read_fields(read_words(options.fields, schemas, model.slug), schemas, about=model.slug)
    given = find_files(words, schemas, model.slug, Path())
    tasks: list[Task] = []
    problems: list[tuple[int, str]] = []
    lines: dict[str, int] = {}
    for number, row in enumerate(table.rows, 1):
        cell = row.values.get(options.key) if options.key else number
        key = "" if cell is None else str(cell)
        if not key or key in lines:
            why = f"is {key!r}, as in line {lines[key]}: keys differ" if key else "is empty, and is the row's key"
            problems.append((row.line, f"{options.key} {why}"))
            continue
        lines[key] = row.line
        try:
            tasks.append(Task(key, _make_call(row, model, schemas, table, given), f"line {row.line}", row.values))
        except ValidationError as error:
            said = str(error).removesuffix(REFUSED)
            for name in (model.slug, model.function):  # which is the same of all rows
                said = said.removeprefix(f"{name}: ")
            problems.append((row.line, said))
    for line, problem in problems[:SHOWN]:
        console.say(f"{table.name}, line {line}: {problem}", {"event": "unfit", "line": line, "error": problem})
    if problems:
        count = "a row does not fit" if len(problems) == 1 else f"{len(problems)} rows do not fit"
        shown = f", of which {SHOWN} are named here" if len(problems) > SHOWN else ""
        raise ValidationError(f"{table.name}: {count}{shown}; nothing was sent")
    return tasks


def _make_call(row: Row, model: Model, schemas: Mapping[str, Any], table: Table, given: Mapping[str, Any]) -> Call[Any]:
    values = {name: value for name, value in row.values.items() if name in schemas}
    if table.is_text:
        values = read_fields([f"{name}={text}" for name, text in values.items()], schemas, about=model.slug)
    files = find_files(values, schemas, model.slug, table.folder, stays_inside=True)
    call = model.call(**{**given, **files})
    check_whole(call)
    return call


def _show_estimate(mu: MuAPI, tasks: Sequence[Task], schemas: Mapping[str, Any], console: Console) -> None:
    """Print what all rows cost together; rows that differ in free text and files alone are asked for once."""
    groups = group_by_price((task.call for task in tasks), schemas)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        estimates = list(pool.map(mu.estimate, (group[0] for group in groups)))
    costs = [estimate.cost_usd for estimate in estimates]
    sums = [cost * len(group) for cost, group in zip(costs, groups, strict=True)]
    cost = total(*sums)
    form = {"rows": len(tasks), "prices_asked": len(groups), "cost_usd": to_json_number(cost)}
    console.result(form, f"{format_usd(cost)} USD")
    console.remark(
        f"{len(tasks)} rows, {len(groups)} prices: rows that differ in free text or files alone are taken to cost the"
        " same"
    )
