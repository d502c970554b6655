"""What the control routes of a served emulator take and answer, as JSON Schema (draft 2020-12).

Lives here: the schemas, by which bodies are judged and which the emulator publishes (``GET /emulator/schema``). Does
not live here: what a route does (``control``).
"""

from __future__ import annotations

from typing import Any, Final, get_args

from muapi_client._runtime.clock import LONGEST_SLEEP
from muapi_client.emulator._http.faults import Fault
from muapi_client.emulator._state import outcomes

_USD: Final = {"type": ["number", "string"], "description": "US dollars; as text it is exact"}
_TIME: Final = {"type": "number", "minimum": 0, "maximum": LONGEST_SLEEP}
_SECONDS: Final = {**_TIME, "description": "emulated seconds"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_SHARE: Final = {"type": "number", "minimum": 0, "maximum": 1}
_FAULTS: Final = [fault.value for fault in Fault]


def _build_object(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_SHAPE: Final = _build_object(
    submit={"enum": list(get_args(outcomes.Submit))},
    outputs={"enum": list(get_args(outcomes.Outputs))},
    under={"enum": list(get_args(outcomes.Under))},
    failure={"enum": list(get_args(outcomes.Failure))},
    costs={"enum": list(get_args(outcomes.Costs))},
    stream={"enum": list(get_args(outcomes.Stream))},
    running={"type": "array", "items": {"type": "string"}, "minItems": 1},
    done={"type": "string"},
    extras={"type": "boolean"},
    inline_id={"type": "boolean"},
)

# What stands under `outcome`, and what it means.
OUTCOMES: Final = {
    "completed": "it yields outputs",
    "failed": "it fails; the charge is given back unless `refunded` is false",
    "moderated": "moderation refuses it; the charge is given back unless `refunded` is false",
    "cancelled": "it is cancelled; the charge is given back unless `refunded` is false",
    "refunded": "it yields outputs, and the charge is given back",
    "slow": "it yields outputs after half an hour, or `seconds`",
    "inline": "the submit already answers with the finished result",
    "without_cost": "it yields outputs, and no answer tells what it cost",
}

BODIES: Final[dict[str, dict[str, Any]]] = {
    "next": _build_object(
        ("outcome",),
        outcome={
            "enum": list(OUTCOMES),
            "description": "; ".join(f"{name}: {meaning}" for name, meaning in OUTCOMES.items()),
        },
        model={"type": "string", "description": "the slug of the model whose jobs are meant; all by default"},
        times={"type": "integer", "minimum": 1, "maximum": 10_000, "description": "of how many jobs (1)"},
        chance={
            **_SHARE,
            "description": "in place of `times`: the share of the jobs from now on until a reset; 0 takes it back",
        },
        error={"description": "what stands under `error`: a string or an object with a `message`"},
        status={"type": "string", "description": "the word its result carries"},
        outputs={"type": "array", "description": "what it yields; by default what suits its kind"},
        refunded={"type": "boolean"},
        seconds=_SECONDS,
        inline={"type": "boolean"},
        price_usd=_USD,
        bonus_credits=_COUNT,
        shape={**_SHAPE, "description": "how its answers are laid out; see `Shape`"},
    ),
    "faults": _build_object(
        next={
            "type": "array",
            "items": {"enum": [*_FAULTS, None]},
            "description": "what the next requests meet, in order, in place of those that wait; null is none",
        },
        rates={
            **_build_object(**dict.fromkeys(_FAULTS, _SHARE)),
            "description": "from now on, how often each strikes; those left out, never",
        },
        chaos={**_SHARE, "description": "in place of `rates`: every fault alike, together as often"},
        seconds={**_TIME, "description": "how long a delay and a slow body take (2)"},
        retry_after={**_TIME, "description": "what a 429 asks for, in seconds (1)"},
        cdn={"type": "boolean", "description": "whether outputs are struck, too (no)"},
        seed={"type": "integer", "description": "what is drawn from (0)"},
    ),
    "clock": _build_object(("advance",), advance={**_SECONDS, "description": "by how many emulated seconds"}),
    "deposit": _build_object(("usd",), usd=_USD),
    "reset": _build_object(),
}

_STATE: Final = _build_object(
    ("accepted", "charged_usd", "balance_usd", "now", "requests", "jobs"),
    accepted={**_COUNT, "description": "jobs accepted from live keys, ever: each was charged once"},
    charged_usd={"type": "string", "description": "US dollars, exact, less refunds by now"},
    balance_usd={"type": "string", "description": "US dollars, exact"},
    now={"type": "number", "description": "what the emulated clock reads"},
    requests={**_COUNT, "description": "requests to the API, ever"},
    jobs={
        "type": "array",
        "description": "of live keys, newest first, at most `limit` (100)",
        "items": _build_object(
            ("id", "model", "status", "cost_usd", "refunded", "created_at"),
            id={"type": "string"},
            model={"type": "string"},
            status={"type": "string"},
            cost_usd={"type": "string"},
            refunded={"type": "boolean"},
            created_at={"type": "string"},
        ),
    },
)
_REQUESTS: Final = _build_object(
    ("requests",),
    requests={
        "type": "array",
        "description": "newest last, at most `limit` (100)",
        "items": _build_object(
            ("method", "path", "query", "headers", "body", "status", "fault", "whole"),
            method={"type": "string"},
            path={"type": "string", "description": "as sent, without the query"},
            query={"type": "object"},
            headers={"type": "object", "description": "names in lower case; keys are masked"},
            body={"description": "parsed JSON; text where it is none; null without a body"},
            status={"type": ["integer", "null"], "description": "null where the request had no effect"},
            fault={"enum": [*_FAULTS, None]},
            whole={"type": "boolean", "description": "false where the body is no longer kept"},
        ),
    },
)

ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "GET /emulator/health": _build_object(("status", "version"), status={"const": "ok"}, version={"type": "string"}),
    "GET /emulator/state": _STATE,
    "GET /emulator/requests": _REQUESTS,
    "GET /emulator/schema": {"type": "object"},
    **{f"POST /emulator/{name}": _STATE for name in BODIES},
}


def build_schema() -> dict[str, Any]:
    """All of them, by route, as ``GET /emulator/schema`` answers."""
    routes = {
        route: {
            **({"body": BODIES[name]} if (name := route.rpartition("/")[2]) in BODIES else {}),
            "answer": answer,
        }
        for route, answer in ANSWERS.items()
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "routes": routes}
