"""Looks at a job, and how late its end is seen: by learned durations, by 8 % of the time waited, at fixed intervals.

A simulation of 300-second jobs without I/O, by the rules of the client itself, and then the client on the emulator in
virtual time. "Best fixed" is the fixed interval that spends as many looks in the mean on the same jobs: it is late by
half of itself. Fixed 0.1, 1 and 3 s are late by half of that, and spend 3,000, 300 and 100 looks.
"""

from __future__ import annotations

import math
import random
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from muapi_client import MuAPI, Polling
from muapi_client._state.durations import Durations, Kind
from muapi_client.emulator import Emulator
from muapi_client.models import flux_dev_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from muapi_client._settings.schedule import Schedule

MEAN = 300.0  # seconds
JOBS = 3_000
KNOWN = 48  # jobs from which on the looks are counted: the durations that are kept of a model
FIRST = range(3, 24)  # the jobs of a new client that learns
ON_EMULATOR = 400
MODEL = Kind("a-model")
DRAWS = random.Random(11)  # for the jitter of the pauses
LEARNED = Polling(learn=True)
EIGHT_PERCENT = Polling()


class Told(NamedTuple):
    """What a way to look spends, and how late it is."""

    looks: float  # a job
    late: float  # seconds
    ratio: float  # to the lateness of the fixed interval with as many looks


def rows() -> Iterator[tuple[str, float, float | None, str]]:
    """For each way that durations fall: lateness against the best fixed interval, and the looks."""
    for name, draw, goal in WORLDS:
        durations = draw(random.Random(7), JOBS)
        for way, told, limit in (
            ("learned", learned(durations, range(KNOWN, JOBS)), goal),
            ("8 %", judged(durations, [look(EIGHT_PERCENT, each) for each in durations]), None),
        ):
            yield f"{name}, {way}: {told.late:.2f} s late / best fixed", told.ratio, limit, "x"
            yield f"{name}, {way}: looks a job", told.looks, 25 if limit else None, ""
        for seconds in (0.1, 1.0, 3.0):
            looks, late = fixed(durations, seconds)
            yield f"{name}, each {seconds:g} s: {late:.2f} s late; looks a job", looks, None, ""
    for name, draw, _ in WORLDS:
        starts = [learned_from_nothing(draw, seed) for seed in range(100)]
        told = judged([each for ended, _ in starts for each in ended], [each for _, seen in starts for each in seen])
        yield (
            f"{name}, jobs 4 to 24 of a client: {told.looks:.1f} looks, {told.late:.2f} s / best fixed",
            *told[2:],
            None,
            "x",
        )
    told = learned_by_input()
    yield (
        f"bimodal, 200 or 400 s by an input: {told.looks:.1f} looks, {told.late:.2f} s / best fixed",
        *told[2:],
        None,
        "x",
    )
    for name, draw, goal in WORLDS[:4]:
        told = on_emulator(draw)
        yield f"{name}, on the emulator: {told.late:.2f} s late / best fixed", told.ratio, goal, "x"
        yield f"{name}, on the emulator: looks a job", told.looks, 25, ""


def log_normal(sigma: float) -> Callable[[random.Random, int], list[float]]:
    """Durations around the mean, the wider the larger ``sigma``."""
    return lambda source, count: [MEAN * math.exp(source.gauss(-sigma * sigma / 2, sigma)) for _ in range(count)]


def bimodal(source: random.Random, count: int) -> list[float]:
    """Short and long ones, as of a model whose videos last 5 or 10 seconds."""
    return [(200 if source.random() < 0.5 else 400) * math.exp(source.gauss(0, 0.1)) for _ in range(count)]


def apart(source: random.Random, count: int) -> list[float]:
    """The same, far apart, as of a model that is warm or not."""
    return [(60 if source.random() < 0.5 else 540) * math.exp(source.gauss(0, 0.1)) for _ in range(count)]


def serial_queue(source: random.Random, count: int) -> list[float]:
    """Ten at a time that run one after another."""
    durations: list[float] = []
    while len(durations) < count:
        ended = 0.0
        for _ in range(10):
            ended += MEAN / 5.5 * math.exp(source.gauss(0, 0.1))
            durations.append(ended)
    return durations[:count]


def drifting(source: random.Random, count: int) -> list[float]:
    """The median goes from half to double and back every 400 jobs."""
    tide = [2 ** math.sin(2 * math.pi * number / 400) / 1.124 for number in range(count)]
    return [MEAN * each * math.exp(source.gauss(0, 0.1)) for each in tide]


def exponential(source: random.Random, count: int) -> list[float]:
    """No time is likelier than another: nothing beats a fixed interval."""
    return [source.expovariate(1 / MEAN) for _ in range(count)]


WORLDS = (
    ("log-normal, sigma 0.1", log_normal(0.1), 0.4),
    ("log-normal, sigma 0.25", log_normal(0.25), 1.0),
    ("log-normal, sigma 0.5", log_normal(0.5), 1.0),
    ("bimodal, 200 or 400 s", bimodal, 1.0),
    ("bimodal, 60 or 540 s", apart, 1.0),
    ("serial queue of ten", serial_queue, 1.0),
    ("drifting, 130 to 530 s", drifting, 1.0),
    ("exponential", exponential, None),
)


class Seen(NamedTuple):
    """How one job was looked at."""

    looks: int
    after: float  # the last look at which it ran
    until: float  # the look that found it done


def look(pace: Polling | Schedule, duration: float) -> Seen:
    """Look at a job until it is done."""
    looks, after, until = 0, 0.0, 0.0
    while until < duration:
        after = until
        until += pace.pause(after, draw=DRAWS.random())
        looks += 1
    return Seen(looks, after, until)


def learned(durations: Sequence[float], counted: range) -> Told:
    """Looks that are learned as the jobs end, one after another."""
    seen = look_and_learn(durations)
    return judged(durations[counted.start : counted.stop], seen[counted.start : counted.stop])


def look_and_learn(durations: Sequence[float]) -> list[Seen]:
    """How a new client looks at job after job."""
    known, seen = Durations(), []
    for duration in durations:
        seen.append(look(known.schedule(MODEL, LEARNED) or LEARNED, duration))
        known.teach(MODEL, after=seen[-1].after, until=seen[-1].until)
    return seen


def learned_from_nothing(
    draw: Callable[[random.Random, int], list[float]], seed: int
) -> tuple[list[float], list[Seen]]:
    """The first jobs of a client, once it has learnt anything."""
    durations = draw(random.Random(seed), FIRST.stop)
    seen = look_and_learn(durations)
    return durations[FIRST.start :], seen[FIRST.start :]


def learned_by_input() -> Told:
    """Where the length hangs on a main input, each of its values is learned for itself; both are judged together."""
    source = random.Random(7)
    of_input = [[mean * math.exp(source.gauss(0, 0.1)) for _ in range(JOBS)] for mean in (200, 400)]
    seen = [each for durations in of_input for each in look_and_learn(durations)[KNOWN:]]
    return judged([each for durations in of_input for each in durations[KNOWN:]], seen)


def on_emulator(draw: Callable[[random.Random, int], list[float]]) -> Told:
    """``MuAPI.run`` on the emulator, in virtual time."""
    durations = draw(random.Random(7), ON_EMULATOR)
    left = iter(durations)
    emulator = Emulator(balance=10**6, job_seconds=lambda _: next(left))
    seen = []
    with MuAPI("sk-live", transport=emulator.transport(), wait_timeout=10**5) as mu:
        for _ in durations:
            done = mu.run(flux_dev_image(prompt="a fox"))
            seen.append(Seen(done.looks, 0.0, done.seconds or 0.0))
    return judged(durations[KNOWN:], seen[KNOWN:])


def judged(durations: Sequence[float], seen: Sequence[Seen]) -> Told:
    """Hold looks against the fixed interval that spends as many."""
    looks = fmean(each.looks for each in seen)
    late = fmean(each.until - duration for each, duration in zip(seen, durations, strict=True))
    short, long = 1e-3, 1e5
    for _ in range(50):
        seconds = math.sqrt(short * long)
        short, long = (seconds, long) if fixed(durations, seconds)[0] > looks else (short, seconds)
    return Told(looks, late, late / fixed(durations, long)[1])


def fixed(durations: Sequence[float], seconds: float) -> tuple[float, float]:
    """Looks a job, and seconds late, of a fixed interval."""
    looks = [math.ceil(duration / seconds) for duration in durations]
    return fmean(looks), fmean(each * seconds - duration for each, duration in zip(looks, durations, strict=True))
