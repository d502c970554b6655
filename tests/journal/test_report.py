"""What jobs cost together, told by the journal, equals the server's books; and how the journal is asked for them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE, OTHER_IMAGE, make_image, make_other_image

from muapi_client import AsyncMuAPI, Budget, Entry, MuAPI, MuAPIError, errors
from muapi_client._state.journal.base import BaseJournal
from muapi_client.emulator import Emulator, Fault, Outcome

if TYPE_CHECKING:
    from places import Place

FOX, WOLF = make_image(prompt="a fox"), make_other_image(prompt="a wolf")


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(job_seconds=5)


def open_client(emulator: Emulator, place: Place, **options: Any) -> MuAPI:
    return MuAPI("sk-live", transport=emulator.transport(), journal=place.location, **options)


def spend(emulator: Emulator, place: Place) -> None:
    """One job that ends well and one that fails, one refunded, one under way, one in doubt, another model's."""
    with open_client(emulator, place, tag="night", budget=Budget(5)) as mu:
        mu.run(FOX)
        for refunded in (False, True):
            emulator.next(Outcome.failed("no", refunded=refunded))
            with pytest.raises(errors.JobFailedError):
                mu.run(FOX)
        mu.submit(FOX)
        mu.with_options(tag=None).run(WOLF)
        emulator.next_fault(None, Fault.RESET_AFTER_ACCEPT)
        with pytest.raises(errors.SubmitOutcomeUnknownError):
            mu.run(FOX)


def test_it_is_grouped_by_columns_and_adds_up(emulator: Emulator, place: Place) -> None:
    spend(emulator, place)
    with open_client(emulator, place) as mu:
        rows = mu.spend_report(by=("model", "tag", "outcome"))
        (everything,) = mu.spend_report(by=())
    shown = {(row["model"], row["tag"], row["outcome"]): row for row in rows}
    assert shown.keys() == {
        (IMAGE.slug, "night", "accepted"),
        (IMAGE.slug, "night", "completed"),
        (IMAGE.slug, "night", "failed"),
        (IMAGE.slug, "night", "unknown"),
        (OTHER_IMAGE.slug, None, "completed"),
    }
    failed = shown[IMAGE.slug, "night", "failed"]
    assert (failed["jobs"], failed["charged_usd"], failed["refunded_usd"]) == (2, Decimal("0.015"), Decimal("0.015"))
    unknown = shown[IMAGE.slug, "night", "unknown"]
    assert (unknown["charged_usd"], unknown["in_doubt_usd"]) == (0, Decimal("0.015"))
    assert everything["jobs"] == 6
    assert everything["charged_usd"] + everything["in_doubt_usd"] == emulator.charged_usd
    assert all(type(value) is Decimal for name, value in everything.items() if name.endswith("_usd"))


def test_it_is_narrowed(emulator: Emulator, place: Place) -> None:
    spend(emulator, place)
    with open_client(emulator, place) as mu:
        assert [row["jobs"] for row in mu.spend_report(by="tag", tag="night")] == [5]
        assert mu.spend_report(since=datetime.now(UTC) + timedelta(hours=1)) == []
        assert mu.spend_report(run="none") == []


def test_a_day_is_told_as_a_date(emulator: Emulator, place: Place) -> None:
    with open_client(emulator, place) as mu:
        mu.run(FOX)
        emulator.clock.sleep(86_400)
        mu.run(FOX)
        days = [row["day"] for row in mu.spend_report(by="day")]
    assert days == sorted(days)
    assert (datetime.fromisoformat(days[1]) - datetime.fromisoformat(days[0])).days == 1


def test_days_and_months_are_those_of_the_time_zone_that_is_asked_for(emulator: Emulator, place: Place) -> None:
    with open_client(emulator, place) as mu:
        mu.run(FOX)
    place.change("UPDATE job SET intended_at = ?", "2026-03-31T22:30:00.000000+00:00")
    with open_client(emulator, place) as mu:
        (row,) = mu.spend_report(by=("day", "month"))
        assert (row["day"], row["month"]) == ("2026-03-31", "2026-03")
        (row,) = mu.spend_report(by=("day", "month"), timezone="Europe/Berlin")
        assert (row["day"], row["month"]) == ("2026-04-01", "2026-04")
        with pytest.raises(MuAPIError, match="timezone must be a name like 'Europe/Berlin'"):
            mu.spend_report(timezone="Berlin")


def test_a_client_without_a_journal_tells_its_own(emulator: Emulator) -> None:
    with MuAPI("sk-live", transport=emulator.transport()) as mu:
        mu.run(FOX)
        assert [(row["model"], row["charged_usd"]) for row in mu.spend_report()] == [(IMAGE.slug, mu.spend.total_usd)]


def test_the_awaiting_client_tells_the_same(emulator: Emulator, place: Place) -> None:
    spend(emulator, place)

    async def main() -> list[dict[str, Any]]:
        journal = place.location
        async with AsyncMuAPI("sk-live", transport=emulator.transport(), journal=journal) as mu:
            return await mu.spend_report(timezone="Asia/Tokyo")

    with open_client(emulator, place) as mu:
        assert asyncio.run(main()) == mu.spend_report(timezone="Asia/Tokyo")


@pytest.mark.parametrize("by", ["price", ("model", "price"), None, 3])
def test_what_is_no_column_is_refused(emulator: Emulator, by: Any) -> None:
    with (
        MuAPI("sk-live", transport=emulator.transport()) as mu,
        pytest.raises(MuAPIError, match="by must be of model, day, month, tag, run, outcome"),
    ):
        mu.spend_report(by=by)


def test_jobs_of_one_state_are_picked_by_the_journal_where_memory_knows_none(
    emulator: Emulator, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_client(emulator, place) as mu:
        for _ in range(5):
            mu.run(FOX)
        job = mu.submit(FOX)
        assert [entry.id for entry in mu.jobs(state="accepted")] == [job.id], "by memory's own word"
    asked: list[Any] = []
    read = BaseJournal.entries

    def note(*given: Any, **options: Any) -> list[Entry]:
        asked.append(options["states"])
        return read(*given, **options)

    monkeypatch.setattr(BaseJournal, "entries", note)
    with open_client(emulator, place) as mu:
        assert [entry.id for entry in mu.jobs(state="accepted")] == [job.id]
        assert len(list(mu.jobs(state="completed"))) == 5
        mu.wait(job)
        assert [entry.id for entry in mu.jobs(state="accepted")] == []
        assert len(list(mu.jobs(state="completed"))) == 6
    assert asked == [("accepted",), ("completed",)] * 2
