"""Small things with an id: tables of plain JSON records.

Lives here: keeping, finding and forgetting them. Does not live here: what a record means (``_handlers/storyboards``,
``_handlers/social``, ``_handlers/voices``, ``_handlers/topups``, ``_handlers/uploads``).
"""

from __future__ import annotations

from typing import Any, TypeAlias

from attrs import define, field

Record: TypeAlias = dict[str, Any]


@define(eq=False, repr=False)
class Records:
    """Tables by name, records by id; ids are counted over all tables, from 1."""

    _tables: dict[str, dict[int, Record]] = field(factory=dict[str, dict[int, Record]], init=False)
    _made: int = field(default=0, init=False)

    def add(self, table: str, **facts: Any) -> Record:
        """Keep a new record; the answer is the record itself, which may be changed in place."""
        self._made += 1
        record = {"id": self._made, **facts}
        self._tables.setdefault(table, {})[self._made] = record
        return record

    def get(self, table: str, number: int) -> Record | None:
        """The record of this id."""
        return self._tables.get(table, {}).get(number)

    def where(self, table: str, **facts: Any) -> list[Record]:
        """Every record that has these facts, oldest first."""
        return [record for record in self._tables.get(table, {}).values() if facts.items() <= record.items()]

    def delete(self, table: str, record: Record) -> None:
        """Forget ``record``."""
        del self._tables[table][record["id"]]

    def plain(self) -> dict[str, Any]:
        """Everything as JSON."""
        return {"made": self._made, "tables": {name: list(kept.values()) for name, kept in self._tables.items()}}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Records:
        """From what :meth:`plain` gave."""
        records = cls()
        records._made = plain["made"]
        records._tables = {name: {record["id"]: record for record in kept} for name, kept in plain["tables"].items()}
        return records
