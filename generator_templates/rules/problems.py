"""Problems: what of a document no Python can say, with its place, so that all of them are told at once.

A reader goes on after a problem with whatever stands beside it, and ends its stage with all it found.

Lives here: a problem, the error that carries several, and collecting them. Does not live here: what is read of a
document without them, and what a person can do (``survey``).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import frozen

from .errors import CorrectionError, GenerationError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Steps from the document's root: ("paths", path, method), ("paths", path) or ("components", section, name).
Place = tuple[str, ...]


@frozen
class Problem:
    """Something that cannot be said.

    Attributes:
        place: What of the document cannot be said because of it: an operation, a path, or a component.
        reason: Why, in a sentence.
    """

    place: Place
    reason: str


class UnsayableError(GenerationError):
    """Parts of the document cannot be said; the others might be."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(" ".join(dict.fromkeys(problem.reason for problem in problems)))
        self.problems = problems


class Collector:
    """The problems of one stage."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    @contextmanager
    def about(self, *place: str) -> Iterator[None]:
        """Take whatever goes wrong within for a problem of this part of the document."""
        try:
            yield
        except UnsayableError as several:
            self.problems += several.problems
        except CorrectionError:
            raise  # the document has no part in it
        except GenerationError as problem:
            self.problems.append(Problem(place, str(problem)))

    def add(self, place: Place, reason: str) -> None:
        """Take down a problem that was found without an error."""
        self.problems.append(Problem(place, reason))

    def stop(self) -> None:
        """End the stage, if there was a problem.

        Raises:
            UnsayableError: There was; it has all of them.
        """
        if self.problems:
            raise UnsayableError(tuple(self.problems))
