"""What a webhook claims.

Lives here: the value. Does not live here: reading a webhook, and telling duplicates (``webhooks``).
"""

from attrs import frozen

from muapi_client._types.prediction import Prediction


@frozen
class Hint:
    """What a webhook claims.

    Attributes:
        id: The request id it names.
        claim: What it says of the job; not verified, so never act on it alone. It tells no cost (observed).
    """

    __module__ = "muapi_client.webhooks"

    id: str
    claim: Prediction
