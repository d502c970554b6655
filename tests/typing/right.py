# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
# ruff: noqa: T201 - it shows what users show
"""User code that is right: no checker may complain about a line of it. Never executed."""

from __future__ import annotations

import pickle
from contextlib import aclosing, closing
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type

from muapi_client import (
    UNSET,
    AsyncJob,
    AsyncMuAPI,
    AsyncPrediction,
    Call,
    Cost,
    Estimate,
    Job,
    JobEvent,
    MuAPI,
    MuAPIError,
    Output,
    Polling,
    Prediction,
    Retry,
    SandboxVerdict,
    StreamEvent,
    catalog,
    errors,
    models,
    raw_call,
)
from muapi_client.models import flux_dev_image, gpt_5_2_stream, vidu_v2_0_t2v
from muapi_client.models.text_to_image import flux_dev_image as by_group
from muapi_generated.models import AccountBalance, ApiKey, Submission


def calls() -> list[Call[Any]]:
    fox = flux_dev_image(prompt="a red fox", width=1024, num_images=2, sync=True)
    assert_type(fox, Call[Submission])
    assert_type(raw_call("any/new-slug", {"prompt": "a fox"}), Call[Any])
    assert_type(Call.from_json(fox.to_json()), Call[Any])
    return [
        fox,
        by_group(),
        models.flux_dev_image(prompt="a fox"),
        flux_dev_image(prompt="a fox", width=UNSET),
        flux_dev_image(webhook_url=None, model_id=[{"model": "owner/lora", "weight": 1.0}]),
        flux_dev_image(model_id=()),
        vidu_v2_0_t2v(prompt="a fox", aspect_ratio="9:16"),
        catalog.get("flux-dev").call(prompt="a fox"),
    ]


def blocking() -> None:
    def store(job: Job) -> None:
        print(job.id, job.to_json())

    with MuAPI(
        "sk-1",
        timeout=30,
        wait_timeout=600.0,
        retry=Retry(attempts=3),
        polling=Polling(minimum=1.0, learn=True),
        max_spend=Decimal(5),
        expect="live",
        strict=False,
        webhook="https://me.example/hook",
    ) as mu:
        done = mu.run(
            flux_dev_image(prompt="a fox"), timeout=60, on_accept=store, on_look=lambda said: print(said.status)
        )
        assert_type(done, Prediction)
        assert_type(done.outputs, tuple[Output, ...])
        assert_type(done.save("out"), list[Path])
        assert_type(done.outputs[0].save(Path("fox.png")), Path)
        assert_type(done.outputs[0].read(), bytes)
        assert_type(done.outputs[0].url, str | None)
        assert_type(done.cost, Cost | None)
        assert_type(done.sandbox, SandboxVerdict)
        if done.cost is not None:
            assert_type(done.cost.charged_usd, Decimal)

        outcome = mu.submit(flux_dev_image(prompt="a fox"))
        assert_type(outcome, Job | Prediction)
        if isinstance(outcome, Job):
            assert_type(outcome.wait(timeout=10), Prediction)
            assert_type(mu.look(outcome), Prediction)
            assert_type(mu.wait(outcome.id), Prediction)

        assert_type(mu.send(flux_dev_image(prompt="a fox")), Submission)
        for event in mu.stream(gpt_5_2_stream(prompt="a fox")):
            assert_type(event, StreamEvent)
            assert_type(event.text, str)
            assert_type(event.cost, Cost | None)
            print(event.sandbox, event.done)
        with closing(mu.stream(gpt_5_2_stream(prompt="a fox"))) as events:
            assert_type(next(events).balance, Decimal | None)

        for step in mu.events("abc", timeout=60):
            assert_type(step, JobEvent[Prediction])
            assert_type(step.prediction, Prediction | None)
            assert_type(step.error, MuAPIError | None)
        assert_type(mu.estimate(flux_dev_image(prompt="a fox")), Estimate)
        assert_type(mu.account.balance(), AccountBalance)
        assert_type(mu.keys.list(), list[ApiKey])
        assert_type(mu.spend.total_usd, Decimal)
        assert_type(mu.account_balance, Decimal | None)
        assert_type(mu.with_options(timeout=5, expect=None), MuAPI)
        assert_type(mu.with_options(max_spend=None, retry=Retry(attempts=1), strict=False, tag="night"), MuAPI)
        assert_type(mu.sandbox(), SandboxVerdict)
        assert_type(mu.sandbox(probe=flux_dev_image(prompt="a fox")).verdict, bool | None)
        assert_type(mu.sandbox(probe=(flux_dev_image(prompt="a fox"), flux_dev_image(prompt="a cat"))), SandboxVerdict)
        for item in mu.history(limit=5):
            print(item)


async def awaiting() -> None:
    async def store(job: AsyncJob) -> None:
        print(await job.look())

    def plain(said: Prediction) -> None:
        print(said.status)

    async with AsyncMuAPI() as mu:
        done = await mu.run(flux_dev_image(prompt="a fox"), on_accept=store, on_look=plain)
        assert_type(done, AsyncPrediction)
        assert_type(await done.save("out"), list[Path])
        assert_type(await done.outputs[0].save("fox.png"), Path)
        assert_type(await done.outputs[0].read(), bytes)
        async for made in mu.map([flux_dev_image(prompt="a fox")]):
            assert_type(made.prediction, AsyncPrediction | None)
            assert_type(made.result(), AsyncPrediction)
        outcome = await mu.submit(flux_dev_image(prompt="a fox"))
        assert_type(outcome, AsyncJob | AsyncPrediction)
        if isinstance(outcome, AsyncJob):
            assert_type(await outcome.wait(), AsyncPrediction)
            assert_type(await mu.wait(outcome), AsyncPrediction)
        async with aclosing(mu.events("abc")) as steps:
            assert_type((await anext(steps)).prediction, AsyncPrediction | None)
        assert_type(await mu.send(flux_dev_image(prompt="a fox")), Submission)
        assert_type(await mu.account.balance(), AccountBalance)
        assert_type(await mu.keys.list(), list[ApiKey])
        assert_type(mu.with_options(timeout=5), AsyncMuAPI)
        assert_type((await mu.sandbox()).evidence, tuple[str, ...])
        async for event in mu.stream(gpt_5_2_stream(prompt="a fox")):
            assert_type(event.prediction, Prediction | None)
        async with aclosing(mu.stream(gpt_5_2_stream(prompt="a fox"))) as events:
            assert_type((await anext(events)).request_id, str | None)
        async for item in mu.history(limit=5):
            print(item)


def failing(mu: MuAPI) -> None:
    try:
        mu.run(flux_dev_image(prompt="a fox"))
    except errors.ValidationError as error:
        assert_type(error.errors, list[dict[str, Any]])
    except errors.SubmitOutcomeUnknownError as error:
        assert_type(error.call, Call[Any] | None)
    except errors.StreamBrokenError as error:
        assert_type(error.text, str)
    except errors.WaitTimeoutError as error:
        assert_type(error.job, Job | None)
        print(pickle.dumps(error))
    except errors.SandboxMismatchError as error:
        assert_type(error.job, Job | None)
        assert_type(error.prediction, Prediction | None)
        assert_type(error.verdict, SandboxVerdict | None)
    except MuAPIError as error:
        assert_type(error.request_id, str | None)
        assert_type(error.cost, Cost | None)
