"""The words of ``models``.

Lives here: its options. Does not live here: what it does.
"""

from __future__ import annotations

from typing import Any, Final

from muapi_client.cli._arguments.model_help import CatalogHelp
from muapi_client.cli._arguments.options import add_command
from muapi_client.cli._arguments.values import read_usd, read_whole

MODELS: Final = """\
The models that answer a question in plain words come best first, the 20 best:

  muapi-client models image to video 1080p --takes last_frame
  muapi-client models upscale a photo --max-price 0.05 --sort price

models show SLUG tells all of one model; with --output json-schema its input as
JSON Schema (2020-12), with python or curl a program that submits one job.
"""


def add_models(commands: Any) -> None:
    """Add ``models``."""
    models = add_command(
        commands,
        "models",
        "search the models of the pinned document, or show some: models show SLUG",
        MODELS,
        ("plain", "json", "json-schema", "python", "curl"),
        on_help=CatalogHelp,
    )
    models.add_argument("words", metavar="WORD", nargs="*", help="what is asked for, in plain words; none lists all")
    models.add_argument("--group", help="list only this group, such as text_to_image; all are named below")
    models.add_argument("--kind", help="list only this kind, such as video, or what makes it; all are named below")
    models.add_argument("--tier", help="list only this tier: best, balanced, fast, budget")
    models.add_argument(
        "--takes",
        metavar="INPUT",
        help="list only models with this input, such as last_frame; all are named below",
    )
    models.add_argument(
        "--max-price", metavar="USD", type=read_usd, help="list only models known to cost no more than this"
    )
    models.add_argument(
        "--sort",
        choices=("match", "price", "name"),
        default="match",
        help="best answer first, cheapest first, or by slug (default: match)",
    )
    models.add_argument(
        "--limit",
        metavar="N",
        type=read_whole,
        help="list at most N; 0 lists all (default: 20 where words are given, else all)",
    )
