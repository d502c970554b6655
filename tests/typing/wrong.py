# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
# ruff: noqa: T201 - it shows what users show
"""User code that is wrong: every line marked here must be an error in both checkers. Never executed.

A mark that silences nothing is itself an error: of mypy by ``warn_unused_ignores``, of pyright by the comment above.
"""

from __future__ import annotations

from decimal import Decimal

from muapi_client import AsyncJob, AsyncMuAPI, Job, MuAPI, Prediction, models, raw_call
from muapi_client.models import flux_dev_image, flux_kontext_dev_i2i, vidu_v2_0_t2v


def wrong_values() -> None:
    flux_dev_image(num_images=5)  # type: ignore[arg-type]
    flux_dev_image(num_images="2")  # type: ignore[arg-type]
    flux_dev_image(width="1024")  # type: ignore[arg-type]
    flux_dev_image(width=10.5)  # type: ignore[arg-type]
    flux_dev_image(width=None)  # type: ignore[arg-type]
    flux_dev_image(prompt=None)  # type: ignore[arg-type]
    flux_dev_image(sync="yes")  # type: ignore[arg-type]
    flux_dev_image(model_id=7)  # type: ignore[arg-type]
    vidu_v2_0_t2v(prompt="a fox", aspect_ratio="16:9")  # type: ignore[arg-type]


def wrong_fields() -> None:
    flux_dev_image(promt="a fox")  # type: ignore[call-arg]
    flux_dev_image(prompt="a fox", no_such_field=1)  # type: ignore[call-arg]
    flux_dev_image("a fox")  # type: ignore[call-arg]
    vidu_v2_0_t2v()  # type: ignore[call-arg]
    flux_kontext_dev_i2i(images_list=[])  # type: ignore[call-arg]
    flux_kontext_dev_i2i(prompt="a fox", images_list="https://x.example/1.png", num_images=True)  # type: ignore[arg-type]
    models.flux_dev_imag(prompt="a fox")  # type: ignore[attr-defined]


def wrong_blocking(mu: MuAPI) -> None:
    mu.run("flux-dev-image")  # type: ignore[arg-type]
    mu.run(flux_dev_image(prompt="a fox"), 60)  # type: ignore[call-arg]
    mu.run(flux_dev_image(prompt="a fox"), on_look=wants_job)  # type: ignore[arg-type]
    mu.run(flux_dev_image(prompt="a fox"), on_accept=wants_prediction)  # type: ignore[arg-type]
    mu.run(flux_dev_image(prompt="a fox"), timeout="60")  # type: ignore[arg-type]
    mu.submit(flux_dev_image(prompt="a fox")).wait()  # type: ignore[union-attr]
    mu.wait(5)  # type: ignore[arg-type]
    mu.stream("gpt-5-2/stream")  # type: ignore[arg-type]
    print(next(mu.stream(raw_call("any/stream"))).cost.charged_usd)  # type: ignore[union-attr]
    print(mu.run(raw_call("any/model")).cost.charged_usd)  # type: ignore[union-attr]
    MuAPI(tiemout=5)  # type: ignore[call-arg]
    MuAPI("sk-1", "https://api.muapi.ai", 60.0)  # type: ignore[call-arg]
    MuAPI(max_spend=Decimal(5), retry=3)  # type: ignore[arg-type]
    MuAPI(expect="test")  # type: ignore[arg-type]
    mu.with_options(timeout="5")  # type: ignore[arg-type]
    mu.with_options(tiemout=5)  # type: ignore[call-arg]
    mu.with_options(api_key="sk-2")  # type: ignore[call-arg]
    mu.with_options(retry=3)  # type: ignore[arg-type]
    mu.with_options(expect="test")  # type: ignore[arg-type]
    mu.sandbox(flux_dev_image(prompt="a fox"))  # type: ignore[call-arg]
    mu.sandbox(probe="flux-dev-image")  # type: ignore[arg-type]
    mu.sandbox(probe=(flux_dev_image(prompt="a fox"),))  # type: ignore[arg-type]
    raw_call("any/model", ["prompt"])  # type: ignore[arg-type]


async def wrong_awaiting(mu: AsyncMuAPI, blocking: MuAPI) -> None:
    await blocking.look("abc")  # type: ignore[misc]
    print((mu.run(raw_call("any/model"))).outputs)  # type: ignore[attr-defined]
    await mu.stream(raw_call("any/stream"))  # type: ignore[misc]
    async with blocking as client:  # type: ignore[attr-defined]
        assert client
    with mu as client:  # type: ignore[attr-defined]
        assert client


def wants_job(job: Job) -> None:
    print(job.id)


def wants_prediction(said: Prediction) -> None:
    print(said.id)


def wants_the_other_job(job: AsyncJob) -> None:
    print(job.id)
