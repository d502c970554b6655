"""A prediction as a card, outcomes as a contact sheet.

Lives here: what is said of them. Does not live here: pictures, video and sound (``players``), escaping (``markup``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from muapi_client._html.markup import Markup, badge, card, cut, element, join, link, muted, usd
from muapi_client._html.players import play
from muapi_client._runtime.exact import total

if TYPE_CHECKING:
    from collections.abc import Sequence

PROMPT: Final = 200  # characters
WORDS: Final = 400  # characters of an output that is text, of an error
OUTPUTS: Final = 20  # of one job
FEW: Final = 4  # of one job on a sheet
TILES: Final = 200  # of a sheet
APART: Final = "margin:.2em 0"
DOUBT: Final = "SubmitOutcomeUnknownError"  # the class of an error that stands in a room above
COLORS: Final = {"done": "#1a7f37", "running": "#0969da", "failed": "#cf222e", "cancelled": "#6e7781"}


def prediction_card(prediction: Any, *, playing: bool = False, width: int = 320) -> Markup:
    """A job in one frame: its model, how it stands, what it cost, its outputs.

    Args:
        prediction: The prediction.
        playing: Whether outputs are shown by players, for which the browser fetches them.
        width: Pixels of a picture or a video.
    """
    slug = _slug(prediction.call)
    facts = [_charge(prediction), *_times(prediction)]
    return card(
        element("b", cut(slug or "prediction", 80)),
        " ",
        badge(prediction.status or prediction.state.value, COLORS[prediction.state.value]),
        " ",
        muted(" · ".join(facts)),
        element("br"),
        muted(element("code", cut(prediction.id or "without an id", 80))),
        _prompt(prediction.call),
        _trouble(prediction.error),
        *(element("div", "⚠ ", cut(warning, WORDS)) for warning in prediction.warnings[:OUTPUTS]),
        outputs_list(prediction.outputs, playing=playing, width=width),
    )


def output_card(output: Any, *, playing: bool = False, width: int = 320) -> Markup:
    """One output."""
    return outputs_list([output], playing=playing, width=width)


def outputs_list(outputs: Sequence[Any], *, playing: bool = False, width: int = 320, brief: bool = False) -> Markup:
    """What a job made: links and texts, or players of them.

    Args:
        outputs: The outputs.
        playing: As for a card.
        width: As for a card.
        brief: Whether it is one of many on a sheet: a link says no more than what is behind it.
    """
    most = FEW if brief else OUTPUTS
    shown = [
        element("div", (play(output, width) if playing else None) or output_line(output, brief=brief), style=APART)
        for output in outputs[:most]
    ]
    if len(outputs) > most:
        shown.append(muted(f"and {len(outputs) - most} more"))
    return element("div", *shown, style="margin-top:.3em") if shown else Markup()


def output_line(output: Any, *, brief: bool = False) -> Markup:
    """One output: a link with its media type, a text, or data."""
    if output.url is not None and brief:
        return link(output.url, output.media_type or "output")
    if output.url is not None:
        return join([link(output.url), " ", muted(output.media_type or "")])
    text = output.text if output.text is not None else _as_json(output.data)
    return element(
        "div", cut(text, WORDS), style="white-space:pre-wrap;border-left:3px solid #8c959f55;padding-left:.6em"
    )


def contact_sheet(outcomes: Sequence[Any], *, playing: bool = False, width: int = 160) -> Markup:
    """Many outcomes side by side, with their sums.

    Args:
        outcomes: The outcomes.
        playing: As for a card.
        width: Pixels of a tile.
    """
    errors = [type(outcome.error).__name__ for outcome in outcomes if outcome.error is not None]
    doubtful = errors.count(DOUBT)
    told = [outcome.prediction.cost for outcome in outcomes if outcome.prediction is not None and not outcome.reused]
    charged = total(*(cost.charged_usd for cost in told if cost is not None))
    counts = [f"{len(outcomes)} call{'' if len(outcomes) == 1 else 's'}", f"{len(outcomes) - len(errors)} finished"]
    counts += [f"{len(errors) - doubtful} failed"] if len(errors) > doubtful else []
    counts += [f"{doubtful} in doubt"] if doubtful else []
    counts += [f"{usd(charged)} charged"]
    counts += [f"{told.count(None)} without a cost told"] if None in told else []
    style = "display:flex;flex-wrap:wrap;gap:.4em;margin:.3em 0"
    tiles = [_tile(outcome, playing=playing, width=width) for outcome in outcomes[:TILES]]
    rest = muted(f"and {len(outcomes) - TILES} more") if len(outcomes) > TILES else None
    return element("div", element("b", " · ".join(counts)), element("div", *tiles, style=style), rest)


def _tile(outcome: Any, *, playing: bool, width: int) -> Markup:
    error, prediction = outcome.error, outcome.prediction
    state = prediction.state.value if prediction is not None else "failed"
    word = "reused" if outcome.reused else prediction.status if prediction is not None else "no answer"
    word = type(error).__name__ if error is not None else word
    inside = [
        element("b", cut(outcome.key, 40)),
        " ",
        badge(word, COLORS["failed" if error is not None else state]),
        _prompt(outcome.call, 80),
    ]
    if error is not None:
        inside.append(_trouble(cut(error, 160)))
    if prediction is not None:
        inside += [element("div", muted(_charge(prediction)))]
        inside += [outputs_list(prediction.outputs, playing=playing, width=width, brief=True)]
    inside += [element("div", "saved as ", element("code", cut(file.name, 60))) for file in outcome.files[:OUTPUTS]]
    style = (
        f"border:1px solid #8c959f55;border-radius:6px;padding:.4em .6em;width:{int(width)}px;font-size:90%;"
        "overflow-wrap:anywhere"
    )
    return element("div", *inside, style=style)


def _slug(call: Any) -> str:
    return call.operation.slug if call is not None else ""


def _prompt(call: Any, most: int = PROMPT) -> Markup | None:
    prompt = call.body.get("prompt") if call is not None and isinstance(call.body, dict) else None
    return element("div", cut(prompt, most)) if isinstance(prompt, str) and prompt else None


def _trouble(error: str | None) -> Markup | None:
    return element("div", cut(error, WORDS), style=f"color:{COLORS['failed']}") if error else None


def _charge(prediction: Any) -> str:
    if prediction.reused:
        return "answered by an earlier job, nothing charged"
    cost = prediction.cost
    if cost is None:
        return "no cost told"
    return f"{usd(cost.amount_usd)} refunded" if cost.refunded else usd(cost.charged_usd)


def _times(prediction: Any) -> list[str]:
    return [] if prediction.seconds is None else [f"{prediction.seconds:.1f} s"]


def _as_json(data: Any) -> str:
    try:
        return json.dumps(data, ensure_ascii=False, indent=2, default=str)
    except (ValueError, RecursionError):  # it contains itself, or is nested too deeply
        return type(data).__name__
