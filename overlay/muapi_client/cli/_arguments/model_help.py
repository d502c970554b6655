"""``--help`` with what the catalogue knows behind the command's own: a model's fields, or what narrows a list.

Lives here: what argparse does when it is asked for. Does not live here: what is shown of the catalogue (``_models``).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from muapi_client.cli._console import Console


class ModelHelp(argparse.Action):
    """Print the help, and the model's fields where one is named before; that ends the program."""

    def __init__(self, option_strings: Sequence[str], dest: str, **given: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **given)

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: Any) -> None:
        """Carry it out."""
        slug = getattr(namespace, "slug", None)
        parser.print_help()
        if slug is None:
            parser.exit()
        from muapi_client.cli._models import show_fields  # noqa: PLC0415 - a help without a model loads nothing

        _end(parser, lambda console: show_fields(slug, console))


class CatalogHelp(argparse.Action):
    """Print the help, and what there is to narrow a list of models by; that ends the program."""

    def __init__(self, option_strings: Sequence[str], dest: str, **given: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **given)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Carry it out."""
        parser.print_help()
        from muapi_client.cli._models import show_filters  # noqa: PLC0415 - no other help loads the catalogue

        _end(parser, show_filters)


def _end(parser: argparse.ArgumentParser, show: Callable[[Console], int]) -> None:
    """Show what the catalogue knows, and end the program."""
    from muapi_client.cli._console import Console  # noqa: PLC0415 - as above
    from muapi_client.cli._exit import guard  # noqa: PLC0415 - as above

    console = Console()
    parser.exit(guard(lambda: show(console), console))
