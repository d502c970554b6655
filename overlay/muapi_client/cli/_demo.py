"""``muapi-client demo``: the whole line from a typed call to a cost, on the embedded emulator or for real.

Lives here: which jobs are run, of models chosen by kind from the catalogue, and what came of them. Does not
live here: anything a user of the client would not write in the same way.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import anyio
from attrs import evolve, frozen

from muapi_client import AsyncMuAPI, MuAPI, catalog
from muapi_client._spec.validation import check
from muapi_client.cli._exit import DONE
from muapi_client.cli._formats import format_usd, prediction_form, render_table, to_json_number
from muapi_client.cli._run import carry_out
from muapi_client.errors import JobFailedError, MuAPIError, ValidationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from muapi_client import Call, Prediction
    from muapi_client.catalog import Model
    from muapi_client.cli._console import Console
    from muapi_client.emulator import Emulator

PHOTO: Final = "https://example.com/fox.png"
LIVE_KEY: Final = "sk-live"  # the emulator's own, not a secret
TEST_KEY: Final = "sk-test"
WIDTH: Final = 48  # characters of an output in the table
HEADS: Final = ("client", "model", "status", "seconds", "charged", "balance", "outputs")


@frozen
class Kind:
    """A kind of job, and what a job of it may be given: which models there are changes with the document.

    Attributes:
        group: The group of its models.
        favourite: The slug of the model that is run while the document has it.
        values: What any model of the group may be asked with; each is given those that it takes.
    """

    group: str
    favourite: str
    values: Mapping[str, Any]


KINDS: Final = (
    Kind("text_to_image", "flux-schnell-image", {"prompt": "a red fox in snow", "num_images": 2}),
    Kind("image_edit", "nano-banana-edit", {"prompt": "make it night", "images_list": [PHOTO], "image_url": PHOTO}),
    Kind("text_to_video", "seedance-lite-t2v", {"prompt": "the fox runs", "duration": 5}),
    Kind("audio", "suno-create-music", {"style": "quiet piano", "prompt": "quiet piano"}),
    Kind("three_d", "meshy-6-text-to-3d", {"prompt": "a fox of clay", "image_url": PHOTO}),
    Kind("language", "gpt-5-mini", {"prompt": "Why are foxes red?"}),
)


@frozen(kw_only=True)
class Row:
    """One job that was run."""

    client: str
    model: str
    prediction: Prediction

    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        prediction = self.prediction
        outputs = [output.url or output.text or "data" for output in prediction.outputs]
        text = ", ".join(outputs) or prediction.error or ""
        return (
            self.client,
            self.model,
            prediction.status,
            f"{prediction.seconds or 0:.1f}",
            format_usd(prediction.cost.charged_usd if prediction.cost else None),
            format_usd(prediction.balance),
            text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}...",
        )

    def form(self) -> dict[str, Any]:
        """The row as JSON."""
        return {"client": self.client, "model": self.model, **prediction_form(self.prediction)}


def demo(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``demo``.

    Raises:
        MuAPIError: A job did not end as it should, or the sums of the clients and the emulator differ.
        ImportError: The emulator's extra is not installed; the message tells how to.
    """
    if options.live:
        _live(console, asked=options.yes)
        return DONE
    from muapi_client.emulator import Emulator  # noqa: PLC0415 - an extra: the rest works without it

    emulator = Emulator(live_keys=(LIVE_KEY,), test_keys=(TEST_KEY,))
    rows, spent = _scenes(emulator)
    console.result(_form(rows, spent, emulator), _render_sheet(rows, spent, emulator))
    if spent != emulator.charged_usd:
        raise MuAPIError(
            f"the clients counted {format_usd(spent)} USD, the emulator charged {format_usd(emulator.charged_usd)} USD"
        )
    return DONE


def _calls() -> tuple[Call[Any], ...]:
    """One job of each kind that the document has a model for.

    Raises:
        MuAPIError: It has none for any.
    """
    calls = tuple(call for kind in KINDS if (call := _choose(kind)) is not None)
    if not calls:
        raise MuAPIError("the pinned document has no model that the demo could run: `muapi-client models` lists all")
    return calls


def _choose(kind: Kind) -> Call[Any] | None:
    """A job of the favourite model, or else of the cheapest of its group that the values are enough for."""
    models = [model for model in catalog.all() if model.group == kind.group and not model.streams]
    for model in sorted(models, key=lambda model: (model.slug != kind.favourite, _price(model), model.slug)):
        known = {field.name for field in model.fields}
        call = model.call(**{name: value for name, value in kind.values.items() if name in known})
        try:
            check(call)
        except ValidationError:  # it asks for more, or takes other values
            continue
        return call
    return None


def _price(model: Model) -> Decimal:
    return model.price.cost_usd if model.price else Decimal("Infinity")


def _scenes(emulator: Emulator) -> tuple[list[Row], Decimal]:
    """Run every job, and answer them with what the clients say they cost together."""
    transport = emulator.transport()
    with MuAPI(LIVE_KEY, transport=transport) as mu, MuAPI(TEST_KEY, transport=transport) as test:
        rows = [_row("sync", call, mu.run(call)) for call in _calls()]
        side_by_side, spent = anyio.run(_side_by_side, transport)
        rows += [*side_by_side, *_failing(mu, emulator)]
        rows += [_row("test key", call, test.run(call)) for call in _calls()[:1]]
        return rows, mu.spend.total_usd + spent + test.spend.total_usd


async def _side_by_side(transport: Any) -> tuple[list[Row], Decimal]:
    """The same jobs by the awaited twin, all at once."""
    calls = _calls()
    done: dict[int, Row] = {}
    async with AsyncMuAPI(LIVE_KEY, transport=transport) as mu:

        async def run(place: int) -> None:
            done[place] = _row("async", calls[place], await mu.run(calls[place]))

        async with anyio.create_task_group() as group:
            for place in range(len(calls)):
                group.start_soon(run, place)
        return [done[place] for place in sorted(done)], mu.spend.total_usd


def _failing(mu: MuAPI, emulator: Emulator) -> Iterator[Row]:
    """Two jobs that fail: one is charged all the same, one is refunded."""
    from muapi_client.emulator import Outcome  # noqa: PLC0415 - as above

    call = _choose(evolve(KINDS[0], values={"prompt": "a fox that will not be"})) or _calls()[0]
    emulator.next(Outcome.failed("out of memory", refunded=False), Outcome.failed("the prompt was refused"))
    for _ in range(2):
        try:
            prediction: Prediction | None = mu.run(call)
        except JobFailedError as error:
            prediction = error.prediction
        if prediction is not None:  # a job that failed has said so
            yield _row("sync", call, prediction)


def _row(client: str, call: Call[Any], prediction: Prediction) -> Row:
    return Row(client=client, model=call.operation.slug, prediction=prediction)


def _render_sheet(rows: Sequence[Row], spent: Decimal, emulator: Emulator) -> str:
    costs = [row.prediction.cost for row in rows if row.prediction.cost]
    refunded = sum((cost.amount_usd - cost.charged_usd for cost in costs), Decimal(0))
    jobs = render_table(HEADS, [row.cells() for row in rows], right={"seconds", "charged", "balance"})
    return (
        f"{jobs}\n\nseconds are virtual, amounts in USD\n"
        f"total spend {format_usd(spent)} USD of {len(rows)} jobs, {format_usd(refunded)} USD refunded;"
        f" the emulator charged {format_usd(emulator.charged_usd)} USD for {emulator.accepted} jobs"
        " (test keys cost nothing)"
    )


def _form(rows: Sequence[Row], spent: Decimal, emulator: Emulator) -> dict[str, Any]:
    return {
        "jobs": [row.form() for row in rows],
        "total_spend_usd": to_json_number(spent),
        "emulator": {
            "accepted": emulator.accepted,
            "charged_usd": to_json_number(emulator.charged_usd),
            "balance_usd": to_json_number(emulator.balance),
        },
    }


def _live(console: Console, *, asked: bool) -> None:
    """One cheap job on the real API, for real money.

    Raises:
        AuthenticationError: There is no key.
        MuAPIError: Nobody agreed to the price, or the job came to nothing.
    """
    call = _choose(evolve(KINDS[0], values={**KINDS[0].values, "num_images": 1}))
    if call is None:
        raise MuAPIError("the pinned document has no text-to-image model that a prompt is enough for: use `run`")
    with MuAPI(transport=console.transport) as mu:
        estimate = mu.estimate(call)
        price = f"{call.operation.slug} is estimated at {format_usd(estimate.cost_usd)} USD"
        console.say(
            f"{price}, charged to the account of MUAPI_API_KEY",
            {"event": "estimated", "model": estimate.model, "cost_usd": to_json_number(estimate.cost_usd)},
        )
        if not asked and not console.agrees("Run it?"):
            raise MuAPIError("nobody agreed, so nothing was sent; --yes agrees beforehand")
        carry_out(mu, call, console)
        console.say(
            f"total spend {format_usd(mu.spend.total_usd)} USD",
            {"event": "spent", "total_usd": to_json_number(mu.spend.total_usd)},
        )
