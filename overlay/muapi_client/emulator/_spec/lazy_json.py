"""A pinned document's members, found without reading all of it as JSON.

Lives here: where a path or a schema stands in the bytes, and reading it. Does not live here: what they mean
(``operations``). The pin is written in one form only (``pinning._canonical``: a space of indent a level, one line
a value), so that lines tell where a member begins and ends; reading 3 MB as JSON would be a third of an
emulator's start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any


class Section(Mapping[str, Any]):
    """One object of the document whose members are objects: by name, each read when it is first asked for.

    Args:
        content: The whole document.
        start: Where the object's brace stands.
        depth: How deep its members are indented, in spaces.
    """

    def __init__(self, content: bytes, start: int, depth: int) -> None:
        self._content = content
        self._start = start
        self._line = b"\n" + b" " * depth
        self._read: dict[str, Any] = {}
        self._names: dict[str, None] | None = None  # in their order, once all were asked for

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) if self._names is None else name in self._names

    def __getitem__(self, name: str) -> Any:
        if name not in self._read:
            opening = self._line + json.dumps(name, ensure_ascii=False).encode() + b": "
            found = self._content.find(opening, self._start, self._end)
            if found < 0:
                raise KeyError(name)
            begin = found + len(opening)
            empty = self._content.startswith(b"{}", begin)
            end = begin + 2 if empty else self._content.find(self._line + b"}", begin) + len(self._line) + 1
            self._read[name] = json.loads(self._content[begin:end])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        if self._names is None:
            self._names = dict.fromkeys(self._found())
        return iter(self._names)

    def _found(self) -> Iterator[str]:
        opening = self._line + b'"'
        found = self._content.find(opening, self._start, self._end)
        while found >= 0:
            begin = found + len(self._line)
            end = self._content.find(b": {", begin)
            yield json.loads(self._content[begin:end])
            found = self._content.find(opening, end, self._end)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @cached_property
    def _end(self) -> int:
        return self._content.find(self._line[:-1] + b"}", self._start)


def find_section(content: bytes, *names: str) -> Section:
    """The object that stands under ``names``, one inside the other.

    Raises:
        ValueError: There is none, or the document is not in the pinned form.
    """
    start = 0
    for depth, name in enumerate(names, 1):
        opening = f'\n{" " * depth}"{name}": {{\n'.encode()
        start = content.find(opening, start)
        if start < 0:
            raise ValueError(f"the pinned document has no {'.'.join(names)} where its form puts it")
        start += len(opening) - 2
    return Section(content, start, len(names) + 1)
