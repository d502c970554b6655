"""Whether an answer came from a sandbox (test) key. Pure: evidence in, verdict out.

Nothing announces a sandbox key (observed): no prefix, header or field. So evidence is weighed, and without
evidence that settles it the verdict is None, never a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

# Observed by several public clients: where a test key's mock outputs lie, and where real ones do.
SAMPLE_HOSTS: Final = ("d3adwkbyhxyrtq.cloudfront.net",)
SAMPLE_PATHS: Final = ("/webassets/", "/muapi/homepage", "/muapi/demo")
LIVE_HOST: Final = "cdn.muapi.ai"
LIVE_PATH: Final = "/outputs/"


@frozen
class SandboxVerdict:
    """Whether answers come from a sandbox key.

    Attributes:
        verdict: True (sandbox), False (live), or None where the evidence does not settle it.
        evidence: What speaks for either, each a sentence.
    """

    verdict: bool | None
    evidence: tuple[str, ...] = ()


def weigh(*, urls: Sequence[str], amount_usd: Decimal | None, at_once: bool) -> SandboxVerdict:
    """Judge one answer.

    A charge settles it for live: a test key is never charged (API reference, "Sandbox Mode"). Zero cost alone
    settles nothing: free models and missing prices look alike. Zero cost together with an output on a sample host
    settles it for sandbox. What came at once only supports.

    Args:
        urls: The output URLs.
        amount_usd: What the server said the request cost, before any refund, or None where it said nothing.
        at_once: Whether the submit itself was answered with the finished job.
    """
    samples = [url for url in urls if _is_sample(url)]
    real = [url for url in urls if _is_live(url)]
    evidence: list[str] = []
    if amount_usd is not None:
        evidence.append(f"cost {amount_usd} USD")
    if samples:
        evidence.append(f"output on a sample host: {samples[0]}")
    if real:
        evidence.append(f"output where live ones lie: {real[0]}")
    if at_once:
        evidence.append("finished at once")
    return SandboxVerdict(_settle(amount_usd, samples=bool(samples), real=bool(real)), tuple(evidence))


def _settle(amount_usd: Decimal | None, *, samples: bool, real: bool) -> bool | None:
    if amount_usd is not None and amount_usd > 0:
        return False
    if real and not samples:
        return False
    if samples and not real and amount_usd is not None:
        return True
    return None


def _is_sample(url: str) -> bool:
    parts = _split(url)
    return parts[0] in SAMPLE_HOSTS or any(mark in parts[1] for mark in SAMPLE_PATHS)


def _is_live(url: str) -> bool:
    host, path = _split(url)
    return host == LIVE_HOST and path.startswith(LIVE_PATH)


def _split(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").lower(), parts.path
    except ValueError:  # urlsplit refuses malformed IPv6 hosts; such a URL is no evidence
        return "", ""
