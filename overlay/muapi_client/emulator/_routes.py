"""Which operation is answered by what.

Lives here: the table. Does not live here: finding the operation a request means (``_document``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from muapi_client.emulator import _account, _models, _predictions
from muapi_client.emulator._exchanges import Refusal
from muapi_client.emulator._submissions import submit

if TYPE_CHECKING:
    from muapi_client.emulator._document import Operation
    from muapi_client.emulator._exchanges import Reply
    from muapi_client.emulator._world import Handler, Visit, World

_HANDLERS: Final[dict[tuple[str, str], Handler]] = {
    ("GET", "account/balance"): _account.balance,
    ("POST", "account/topup"): _account.top_up,
    ("GET", "history"): _predictions.history,
    ("GET", "keys"): _account.list_keys,
    ("POST", "keys"): _account.create_key,
    ("DELETE", "keys/{key_id}"): _account.delete_key,
    ("GET", "models"): _models.list_models,
    ("GET", "models/{name}"): _models.get_model,
    ("POST", "models/{name}/estimate-cost"): _models.estimate_cost,
    ("DELETE", "predictions/{id}/media"): _predictions.delete_media,
    ("GET", "predictions/{id}/result"): _predictions.look,
    ("POST", "upload_file"): _account.upload,
}


def handler_of(operation: Operation) -> Handler:
    """What answers ``operation``."""
    return submit if operation.is_job else _HANDLERS.get((operation.method, operation.slug), _unanswered)


def _unanswered(_world: World, visit: Visit) -> Reply:
    """An operation the document has and the emulator has not; saying so beats an invented answer."""
    operation = visit.operation
    raise Refusal(501, f"The emulator does not answer {operation.method} {operation.path}; the real API does")
