"""The picture of the table: jobs a second over how many are in flight, by tasks and by threads.

Drawn with Okabe and Ito's colours, which are told apart by the colour-blind too, and with a marker a client besides.
"""

from __future__ import annotations

import re
from io import BytesIO
from statistics import median
from typing import TYPE_CHECKING

from table import OURS, Row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STYLES = {  # colour and marker
    OURS: ("#D55E00", "o"),
    "ours, with a journal": ("#E69F00", "s"),
    "httpx": ("#000000", "D"),
    "aiohttp": ("#0072B2", "^"),
    "fal-client": ("#009E73", "v"),
    "replicate": ("#CC79A7", "P"),
    "muapi-cli": ("#999999", "X"),
    "stock": ("#56B4E9", "<"),
}
IN_FLIGHT = re.compile(r"(tasks|threads), ([\d,]+) in flight(, with a journal)?")


def draw(rows: Sequence[Row], file: Path) -> None:
    """Write the picture of the rows of many jobs."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for panel, how in zip(panels, ("tasks", "threads"), strict=True):
        lines = _lines(rows, how)
        for client, (colour, marker) in STYLES.items():
            if points := lines.get(client):
                wide = 2.4 if client.startswith(OURS) else 1.2
                panel.plot(
                    *zip(*sorted(points), strict=True), color=colour, marker=marker, linewidth=wide, label=client
                )
        panel.set(xscale="log", yscale="log", xlabel=f"jobs in flight ({how})")
        ticks = sorted({number for points in lines.values() for number, _ in points})
        panel.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("jobs a second (submit + look)")
    panels[0].set_yticks([10, 100, 1_000], ["10", "100", "1,000"])
    named = {name: line for panel in panels for line, name in zip(*panel.get_legend_handles_labels(), strict=True)}
    figure.legend(
        [named[name] for name in STYLES if name in named],
        [name for name in STYLES if name in named],
        loc="center right",
        frameon=False,
    )
    figure.tight_layout(rect=(0, 0, 0.8, 1))
    drawn = BytesIO()
    figure.savefig(drawn, dpi=100)
    plt.close(figure)
    write_small(drawn, file)


def write_small(drawn: BytesIO, file: Path) -> None:
    """Write a picture with 64 colours, which is a third of its bytes."""
    from PIL import Image

    Image.open(drawn).convert("RGB").quantize(64).save(file, optimize=True)


def _lines(rows: Sequence[Row], how: str) -> dict[str, list[tuple[int, float]]]:
    lines: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        found = IN_FLIGHT.fullmatch(row.what)
        if found and found[1] == how:
            for client, seconds in row.numbers.items():
                name = f"{client}, with a journal" if found[3] else client
                lines.setdefault(name, []).append((int(found[2].replace(",", "")), 1 / median(seconds)))
    return lines
