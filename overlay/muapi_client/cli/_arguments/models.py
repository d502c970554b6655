"""The words of ``models``.

Lives here: its options. Does not live here: what it does.
"""

from __future__ import annotations

from typing import Any

from muapi_client.cli._arguments.options import add_command


def add_models(commands: Any) -> None:
    """Add ``models``."""
    models = add_command(
        commands, "models", "list the models of the pinned document, or show some: models show SLUG ..."
    )
    models.add_argument("words", metavar="WORD", nargs="*", help="list only models that hold every word")
    models.add_argument("--group", help="list only this group, such as text_to_image")
    models.add_argument("--kind", help="list only this kind, such as image, video, audio, 3d, text, data")
