"""What the live API refuses although the document allows it.

Lives here: the rules, and how FastAPI tells of them. Does not live here: what the document says.

Source: a public log of 244 models called on 2026-04-09. Both bodies had no ``images_list``, which is by default an
empty list; of the rest of each rule nothing is known but its words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from muapi_client.emulator._messages.messages import build_problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@frozen
class LiveRule:
    """How many items a list must have, given or not.

    Args:
        field: The list's name.
        least: Items.
        most: Items; None where nothing is known.
        message: What the server says where it has fewer or more.
    """

    field: str
    least: int
    most: int | None
    message: str

    def add_problem(
        self, body: Mapping[str, Any], fields: Sequence[str], problems: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """``problems`` of a body, and the one of this rule among them, in the order of the body's fields."""
        value = body.get(self.field, [])
        if self.field not in fields:  # of another document
            return problems
        known = any(problem["loc"][1:2] == [self.field] for problem in problems)
        if known or (self.least <= len(value) and (self.most is None or len(value) <= self.most)):
            return problems
        problem = build_problem("value_error", ("body", self.field), f"Value error, {self.message}", value, error={})
        order = {name: place for place, name in enumerate(fields)}
        return sorted([*problems, problem], key=lambda entry: order.get(entry["loc"][1], len(order)))


LIVE_RULES: Final = {
    "qwen-image-edit-plus": LiveRule("images_list", 1, 3, "You must provide between 1 to 3 image URLs"),
    "grok-imagine-image-to-image": LiveRule(
        "images_list", 1, None, "You must provide either `image_url` or `images_list`"
    ),
}
"""By slug."""
