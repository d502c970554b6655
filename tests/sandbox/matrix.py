"""The confusion matrix of sandbox detection: ``python tests/sandbox/matrix.py [answers] [seed]``.

Half of the answers come from live keys, most of those made to look like a sandbox's: free models, jobs discounted to
nothing, cached ones that are finished at once, refunds, answers without a word of cost, models that quote a sample's
URL. The other half come from test keys. Both in every layout that answers were met in. Each answer is judged thrice: by
itself; with what its client had seen before; with the key list.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from attrs import evolve

from muapi_client import MuAPI, SandboxWarning, catalog, errors
from muapi_client._sandbox.detection import QUOTING, count_keys, judge_answer
from muapi_client._spec.validation import check
from muapi_client._state.key_state import KeyFacts
from muapi_client.emulator import Emulator, Outcome, Shape
from muapi_client.emulator._spec.operations import read_operations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client import Call, Prediction

ANSWERS, SEED = 2_000, 20261122
SAMPLE = "https://d3adwkbyhxyrtq.cloudfront.net/webassets/imagemodels/flux-dev-image.png"
INPUT = "https://files.example/in.png"
FREE = Decimal(0)
SHAPES = (
    Shape(),
    Shape(costs="headers", submit="data", outputs="objects"),
    Shape(costs="none", submit="id", under="output"),
    Shape(costs="body", inline_id=False, outputs="typed_objects"),
    Shape(costs="none", submit="bare", failure="http_200"),
)
SILENT = [shape for shape in SHAPES if shape.costs == "none"]
VIEWS = ("alone", "client", "listed")


# How a live job ends, by what makes it hard to tell from a sandbox's.
FATES = {
    "ordinary": Outcome.completed(),
    "finished at once": Outcome.completed(inline=True),
    "discounted to nothing": Outcome.completed(price=FREE),
    "cached and discounted": Outcome.completed(price=FREE, inline=True),
    "paid by bonus credits": Outcome.completed(price=FREE, inline=True, bonus_credits=3),
    "without a word of cost": Outcome.completed(inline=True),
    "refunded": Outcome.failed("out of memory"),
    "failed for nothing": Outcome.failed("out of memory", price=FREE, refunded=False, inline=True),
    "stored elsewhere": Outcome.completed([f"{INPUT}?made"], price=FREE, inline=True),
    "text, cached": Outcome.completed(["This is a sample answer."], price=FREE, inline=True),
    "a free model": Outcome.completed(),
    "a free model, at once": Outcome.completed(inline=True),
}
ECHO = Outcome.completed([SAMPLE], price=FREE, inline=True)
KINDS = {model.kind for model in catalog.all()}
# Jobs that give back a sample's URL: out of their input, or because they quote what they come across.
ECHOES: dict[str, tuple[str, str]] = {
    "an edit that gives its input back": ("image_edit", SAMPLE),
    "a text that quotes its prompt": ("text", f"say {SAMPLE}"),
    "a text that knows the URL": ("text", "where do samples lie?"),
    "data about samples": ("data", "muapi.ai"),
}


class Judged(NamedTuple):
    """One answer and its verdicts."""

    truth: Literal["live", "sandbox"]
    case: str
    verdicts: dict[str, bool | None]
    evidence: tuple[str, ...]


def judged(answers: int = ANSWERS, seed: int = SEED) -> list[Judged]:
    """Answers of both kinds, judged."""
    dice = Random(seed)
    found: list[Judged] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SandboxWarning)
        for number, shape in enumerate(SHAPES):
            size = answers // 2 // len(SHAPES) + (number < answers // 2 % len(SHAPES))
            found += _live(dice, shape, size)
            found += _sandbox(dice, shape, size)
    return found


def _live(dice: Random, shape: Shape, size: int) -> Iterator[Judged]:
    emulator = Emulator(live_keys=["sk-live"], test_keys=[], balance=10**6, shape=shape)
    with MuAPI("sk-live", transport=emulator.transport()) as mu:
        listing = count_keys(mu.keys.list())
        for _ in range(size):
            case = dice.choice([*FATES, *ECHOES])
            call = _live_call(case, dice)
            shapes = SILENT if case == "without a word of cost" else SHAPES
            emulator.next(evolve(FATES.get(case, ECHO), shape=dice.choice(shapes)))
            yield _judge("live", case, _answer(mu, call), KeyFacts(listing=listing))


def _live_call(case: str, dice: Random) -> Call[Any]:
    if case in ECHOES:
        kind, given = ECHOES[case]
        return call_of(dice, {kind}, given)
    if case.startswith("a free model"):
        return call_of(dice, set(), INPUT)
    return call_of(dice, {"text"} if case.startswith("text") else KINDS, INPUT)


def _sandbox(dice: Random, shape: Shape, size: int) -> Iterator[Judged]:
    emulator = Emulator(live_keys=[], test_keys=["sk-test"], shape=shape)
    with MuAPI("sk-test", transport=emulator.transport()) as mu:
        listing = count_keys(mu.keys.list())
        for _ in range(size):
            said = _answer(mu, call_of(dice, KINDS, INPUT))
            yield _judge("sandbox", _made(said), said, KeyFacts(listing=listing))


def _made(said: Prediction) -> str:
    assert said.call is not None
    if not any(output.url for output in said.outputs):
        return "text and data"
    quoting = catalog.get(said.call.operation.slug).kind in QUOTING
    return "media of a model that quotes" if quoting else "media"


def call_of(dice: Random, kinds: set[str], given: str) -> Call[Any]:
    """A valid call of a random model of these kinds, or of none: a free one."""
    while True:
        model = dice.choice(catalog.all())
        fits = model.kind in kinds if kinds else model.price is not None and not model.price.cost_usd
        operation = read_operations().at(model.operation.path)["POST"]
        if model.streams or not fits or operation.needed:  # of the query, which has no place here
            continue
        ruled = operation.rule and operation.rule.field  # which the live API wants, whatever the document says
        sent = [field for field in model.fields if _sent(field, given) or field.name == ruled]
        call = model.call(**{field.name: _value(field.schema, given) for field in sent})
        try:
            check(call)
        except errors.ValidationError:
            continue
        if given == INPUT or given in str(call.body):
            return call


def _sent(field: catalog.Field, given: str) -> bool:
    return field.required or (given != INPUT and field.name in {"prompt", "image_url", "images_list", "query"})


def _value(schema: Any, given: str) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    match schema.get("type"):
        case "array":
            return [_value(schema.get("items", {}), given)]
        case "integer" | "number":
            return schema.get("default") or max(schema.get("minimum", 1), 1)
        case "boolean":
            return False
    return given


def _answer(mu: MuAPI, call: Call[Any]) -> Prediction:
    """What a job comes to, a failure included."""
    try:
        return mu.run(call)
    except errors.JobError as error:
        if error.prediction is None:
            raise
        return error.prediction


def _judge(truth: Literal["live", "sandbox"], case: str, said: Prediction, listed: KeyFacts) -> Judged:
    verdicts = [judge_answer(said), said.sandbox, judge_answer(said, listed)]
    told = {view: verdict.verdict for view, verdict in zip(VIEWS, verdicts, strict=True)}
    return Judged(truth, case, told, verdicts[0].evidence)


def table(found: list[Judged]) -> str:
    """The matrix as text: a line a case, and for each view how many were called sandbox, nothing and live."""
    head = f"{'answers':<46}" + "".join(f"{view:>8}: sandbox   None   live" for view in VIEWS)
    counts = Counter((one.truth, one.case, view, one.verdicts[view]) for one in found for view in VIEWS)
    lines = [head]
    for truth in ("live", "sandbox"):
        cases = sorted({one.case for one in found if one.truth == truth})
        for case in [*cases, "all"]:
            which = cases if case == "all" else [case]
            total = sum(one.truth == truth and one.case in which for one in found)
            cells = [
                f"{sum(counts[truth, each, view, verdict] for each in which):>{width}}"
                for view in VIEWS
                for verdict, width in ((True, 17), (None, 7), (False, 7))
            ]
            lines.append(f"{f'{truth}, {case}':<40}{total:>6}{''.join(cells)}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(judged(*map(int, sys.argv[1:]))))  # noqa: T201 - a table is its product
