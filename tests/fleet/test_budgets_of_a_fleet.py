"""Eight processes, each with 32 calls under way, share a budget and are killed at random: it holds."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from by_kind import IMAGE
from journal_writes import call_of

from muapi_client import MuAPI
from muapi_client._state.journal.limits import Limit
from muapi_client.emulator import Emulator, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from places import Place

    from muapi_client._state.journal.base import BaseJournal
    from muapi_client._state.journal.commits import Write
    from muapi_client._types.entry import Account

PROCESSES, IN_FLIGHT, CALLS = 8, 32, 48  # calls of each process's share
BUDGET, PRICE = Decimal("4.00"), Decimal("0.015")  # PRICE is IMAGE's, as the tests' emulator has it
KILLS = 5
PROGRAM = f"""
import asyncio, sys
from decimal import Decimal
from by_kind import make_image
from muapi_client import AsyncMuAPI, Budget, Polling, raw_call
url, journal, first, count = *sys.argv[1:3], *map(int, sys.argv[3:5])

def make(number):
    prompt = f"{{number}}"
    return raw_call("brand-new-model", {{"prompt": prompt}}) if number % 3 == 0 else make_image(prompt=prompt)

async def main():
    options = dict(journal=journal, budget=[Budget("{BUDGET}"), Budget("{BUDGET}", per="day")])
    polling, unpriced = Polling(minimum=0.1, maximum=0.5), Decimal("0.02")
    async with AsyncMuAPI("sk-live", url, polling=polling, unpriced=unpriced, **options) as mu:
        calls = [make(number) for number in range(first, first + count)]
        keys = lambda place, call: call.body["prompt"]
        async for outcome in mu.map(calls, run="fleet", key=keys, concurrency={IN_FLIGHT}):
            pass

asyncio.run(main())
"""


def price_of(number: int) -> Decimal:
    """What a job is charged: what was set aside for it, or less; of the unknown model's, anything up to it."""
    return PRICE if number % 3 == 1 else PRICE / 3 if number % 3 == 2 else Decimal(number % 20 + 1) / 1000


def test_it_holds_whoever_is_killed_and_the_report_equals_the_server_s_books(
    place: Place, environment: dict[str, str]
) -> None:
    accepted: dict[int, int] = {}

    def decide(_: str, body: Mapping[str, Any]) -> Outcome:
        number = int(body["prompt"])
        accepted[number] = accepted.get(number, 0) + 1
        fails = number % 7 == 0
        return Outcome(end="failed" if fails else "completed", price=price_of(number), refunded=fails)

    emulator, draw = Emulator(job_seconds=0.3, balance=1000, outcomes=decide), random.Random(7)
    place.open().close()
    with emulator.serve() as url:

        def begin(process: int) -> subprocess.Popen[str]:
            words = [url, str(place.location), str(process * CALLS), str(CALLS)]
            return subprocess.Popen([sys.executable, "-c", PROGRAM, *words], env=environment, text=True)

        running = {number: begin(number) for number in range(PROCESSES)}
        for kill in range(1, KILLS + 1):
            ends = time.monotonic() + 60
            while len(accepted) < 25 * kill and time.monotonic() < ends:
                time.sleep(0.01)
            victim = draw.randrange(PROCESSES)
            running[victim].send_signal(signal.SIGKILL)
            running[victim].wait()
            running[victim] = begin(victim)
        assert [program.wait(240) for program in running.values()] == [0] * PROCESSES

        assert max(accepted.values()) == 1  # none twice
        assert emulator.charged_usd <= BUDGET
        with MuAPI("sk-live", url, journal=place.location) as mu:
            for job in mu.resume():
                mu.look(job)
            doubtful = [entry for entry in mu.unknown() if entry.run_key is not None and int(entry.run_key) in accepted]
            (books,) = mu.spend_report(by=())
            entries = list(mu.jobs())
    assert len({entry.key for entry in entries}) == len(entries)
    # Of what was accepted and never answered only the server knows the price; a refund was given when the job ended.
    unseen = [int(entry.run_key or 0) for entry in doubtful]
    assert books["charged_usd"] + sum(price_of(each) for each in unseen if each % 7) == emulator.charged_usd
    ((spent,),) = place.ask("SELECT DISTINCT spent FROM budget")
    assert spent == 1_000_000 * (books["charged_usd"] + books["in_doubt_usd"])
    assert IMAGE.slug in {entry.slug for entry in entries}
    assert emulator.charged_usd > BUDGET / 4  # a full budget is charged half on the average, and a seventh given back


def test_groups_of_several_accounts_wait_in_no_circle(place: Place) -> None:
    """Each would hold the sums of one account and wait for the other's: the server ends one after a second."""
    accounts = [place.open().account("https://api.example", key) for key in ("sk-live-one", "sk-live-two")]
    limits = [Limit(BUDGET)]

    def begin(journal: BaseJournal, name: str, account: Account) -> Write:
        known: dict[str, Any] = {"intended_at": datetime.now(UTC), "set_aside_usd": PRICE, "limits": limits}
        return journal.commits.make_write(partial(journal.intend, name, call_of(name), account, **known))

    def write(machine: int) -> int:
        journal, alone = place.open(), 0
        for number in range(30):
            names = [f"{machine}-{number}-{which}" for which in range(8)]
            order = accounts if machine else accounts[::-1]
            group = [begin(journal, name, order[which % 2]) for which, name in enumerate(names)]
            journal.commits.carry_out(*group)
            assert [each.answer() for each in group] == [None] * 8
            alone += any(each.is_alone for each in group[1:])
        return alone

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(write, range(2))) == [1, 1]  # the sums are begun by the first of each
    assert place.ask("SELECT DISTINCT spent FROM budget") == [(2 * 30 * 4 * 15_000,)]
