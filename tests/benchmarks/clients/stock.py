"""What the stock generator renders of the same document, as it comes: ``stock_client``, rendered by ``rendering``."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from stock_client import AuthenticatedClient
from stock_client.api.image_text_to_image import generate_flux_dev_image_api_v1_flux_dev_image_post as flux
from stock_client.api.predictions import get_prediction_result_api_v1_predictions_id_result_get as result
from stock_client.models import ImageRequest, ImageRequestNumImages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from clients import Async, Blocking

KEY = "sk-live-0123456789abcdef0123456789abcdef"


def _client(url: str) -> AuthenticatedClient:
    return AuthenticatedClient(url, KEY, prefix="", auth_header_name="x-api-key")


@contextmanager
def blocking(url: str) -> Iterator[Blocking]:
    with _client(url) as client:
        yield (
            lambda: flux.sync(client=client, body=ImageRequest(prompt="a fox", width=1024)),
            lambda job: result.sync(job["request_id"], client=client),
        )


@asynccontextmanager
async def awaiting(url: str) -> AsyncIterator[Async]:
    async with _client(url) as client:
        yield (
            lambda: flux.asyncio(client=client, body=ImageRequest(prompt="a fox", width=1024)),
            lambda job: result.asyncio(job["request_id"], client=client),
        )


def build() -> None:
    ImageRequest(prompt="a fox", width=1024, height=768, num_images=ImageRequestNumImages.VALUE_2).to_dict()
