"""Submit a job with what the stock generator renders, and look at it once: ``python with_stock.py URL``."""

import sys
from typing import Any

from stock_client import AuthenticatedClient
from stock_client.api.image_text_to_image import generate_flux_dev_image_api_v1_flux_dev_image_post as flux
from stock_client.api.predictions import get_prediction_result_api_v1_predictions_id_result_get as result
from stock_client.models import ImageRequest


def main(url: str) -> None:
    """Do it."""
    key = "sk-live-0123456789abcdef"
    with AuthenticatedClient(url, key, prefix="", auth_header_name="x-api-key") as client:
        job: Any = flux.sync(client=client, body=ImageRequest(prompt="a fox", width=1024))
        seen: Any = result.sync(job["request_id"], client=client)
        print(job["request_id"], seen["status"], seen["outputs"][0])


if __name__ == "__main__":
    main(sys.argv[1])
