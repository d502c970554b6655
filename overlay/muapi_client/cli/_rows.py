"""The rows of a batch: a file of CSV or JSON lines, read whole before anything is sent.

Lives here: reading them, each with the line it stands in. Does not live here: what a row means to a model (``_batch``).
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from muapi_client.cli._config import read_path
from muapi_client.cli._field_values import Unfit, read_whole_json
from muapi_client.cli._local_files import take_standard_input
from muapi_client.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMS: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
NO_HEADER: Final[list[str]] = []
csv.field_size_limit(2**24)  # characters of one cell: a prompt may be long


class Row(NamedTuple):
    """One row.

    Attributes:
        line: Where it begins in the file, from 1.
        values: By column: text in CSV, where an empty cell is left out; any JSON in JSON lines.
    """

    line: int
    values: dict[str, Any]


class Table(NamedTuple):
    """The rows of a file.

    Attributes:
        name: What the file is called.
        folder: The one from which paths in it are meant, and in which they stay; by default its own.
        is_text: Whether values are text that a person typed, as in CSV.
        columns: All there are, in order.
        rows: The rows.
    """

    name: str
    folder: Path
    is_text: bool
    columns: tuple[str, ...]
    rows: list[Row]


def read_table(place: str, form: str | None) -> Table:
    """Read a file, or standard input where ``place`` is ``-``.

    Args:
        form: ``csv`` or ``jsonl``; by default as the file's name ends.

    Raises:
        ValidationError: It is neither, or a line of it cannot be read; the message names the line. Or standard input
            was read already.
        OSError: The file cannot be read.
    """
    path = read_path(place)
    form = form or FORMS.get(path.suffix.lower())
    if form is None:
        raise ValidationError(
            f"{place} ends neither with .csv nor with .jsonl: --format says which it is (nothing was sent)"
        )
    name = "standard input" if place == "-" else path.name
    try:
        content = take_standard_input() if place == "-" else path.read_bytes()
    except Unfit as problem:
        raise ValidationError(f"{problem} (nothing was sent)") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValidationError(f"{name}, line {line}: no text in UTF-8 (nothing was sent)") from None
    rows = list(_read_csv(text, name) if form == "csv" else _read_json_lines(text, name))
    if not rows:
        raise ValidationError(f"{name} has no rows (nothing was sent)")
    columns = tuple(dict.fromkeys(column for row in rows for column in row.values))
    if form == "csv":
        columns = tuple(next(csv.reader(io.StringIO(text, newline=""))))
    return Table(name, Path() if place == "-" else path.parent, form == "csv", columns, rows)


def _read_csv(text: str, name: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, NO_HEADER)
        _check_header(header, name)
        after = reader.line_num
        for cells in reader:
            line, after = after + 1, reader.line_num
            if not cells:  # an empty line
                continue
            if len(cells) != len(header):
                raise ValidationError(
                    f"{name}, line {line}: {len(cells)} cells, and the header has {len(header)} columns; a cell with a"
                    ' comma in it stands in "quotes" (nothing was sent)'
                )
            yield Row(line, {column: cell for column, cell in zip(header, cells, strict=True) if cell})
    except csv.Error as error:
        raise ValidationError(f"{name}, line {reader.line_num}: no CSV: {error} (nothing was sent)") from None


def _check_header(header: list[str], name: str) -> None:
    twice = sorted({column for column in header if header.count(column) > 1})
    if not all(column.strip() for column in header) or twice:
        what = f"has {twice[0]!r} twice" if twice else "has a column without a name"
        raise ValidationError(f"{name}: its first line, which names the columns, {what} (nothing was sent)")


def _read_json_lines(text: str, name: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = read_whole_json(line)
            if "\\u" in line:  # half a character can be written so, and be sent to nobody
                json.dumps(value, ensure_ascii=False).encode()
        except ValueError as error:
            raise ValidationError(f"{name}, line {number}: no JSON: {error} (nothing was sent)") from None
        if not isinstance(value, dict):
            raise ValidationError(f'{name}, line {number}: no JSON object such as {{"prompt": "…"}} (nothing was sent)')
        yield Row(number, value)
