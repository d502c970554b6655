"""The address of a database tells its password to nobody, however it is spelt or misspelt."""

from __future__ import annotations

import pickle
import sys
from typing import TYPE_CHECKING

import pytest

from muapi_client import Journal, MuAPI, PostgresJournal
from muapi_client._settings.database import DatabaseAddress, is_address, means_server
from muapi_client.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "p%40ss" + "w0rd!"  # which no line of this file holds in one piece


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"postgresql://me:{SECRET}@db.example:5432/jobs", "postgresql://me@db.example:5432/jobs"),
        (f"postgres://me:{SECRET}@db.example/jobs?sslmode=require", "postgresql://me@db.example/jobs"),
        (f"postgresql://me:{SECRET}@a:1,b:2/jobs", "postgresql://me@a:1,b:2/jobs"),
        (f"postgresql:///jobs?password={SECRET}&host=/run", "postgresql:///jobs"),
        (f"postgresql://db/jobs?sslpassword={SECRET}", "postgresql://db/jobs"),
        (f"postgresql://me:{SECRET}/x?y#z@db.example/jobs", "postgresql://me@db.example/jobs"),
        (f"postgresql://me:{SECRET}", "postgresql://me:…"),  # the host was forgotten
        (f"postgresql://db/jobs?password={SECRET}&user=me@company", "postgresql://db/jobs"),
        (f"postgresql:///jobs?password={SECRET}&host=/run&user=me@company", "postgresql:///jobs"),
        (f"postgresql://db?password={SECRET}&user=me@company", "postgresql://db"),
        ("postgresql://[::1]:5432/jobs", "postgresql://[::1]:5432/jobs"),
    ],
)
def test_its_name_holds_user_host_port_and_database_alone(url: str, name: str) -> None:
    address = DatabaseAddress(url)
    assert address.name == name
    assert address.reveal() == url
    assert SECRET not in repr(address)
    assert SECRET not in repr(address.reveal)


def test_a_message_that_repeats_the_password_is_cleaned() -> None:
    address = DatabaseAddress(f"postgresql://me:{SECRET}@db/jobs")
    assert address.hide(f"bad {SECRET} and p@ssw0rd!") == "bad [hidden] and [hidden]"
    assert DatabaseAddress("postgresql://me:a@db/jobs").hide("a bad thing") == "a bad thing"


@pytest.mark.parametrize("place", ["db/jobs", "db:5432/jobs", "me:other-word@db/jobs"])
@pytest.mark.parametrize("name", ["password", "sslpassword", "oauth_client_secret"])
def test_a_parameter_s_password_is_hidden_though_an_at_sign_follows(place: str, name: str) -> None:
    address = DatabaseAddress(f"postgresql://{place}?{name}={SECRET}&user=me@company")
    assert SECRET not in address.name
    assert address.hide(f"bad {SECRET} and p@ssw0rd!") == "bad [hidden] and [hidden]"


def test_it_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="open the journal anew"):
        pickle.dumps(DatabaseAddress("postgresql://db/jobs"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [("postgresql://x", True), (" POSTGRES://x", True), ("jobs.db", False), ("mysql://x", False), (None, False)],
)
def test_what_is_an_address(given: object, expected: bool) -> None:
    assert is_address(given) is expected


def test_each_journal_refuses_the_other_s_place_by_name(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="is a server's database, and no file: PostgresJournal"):
        Journal(f"postgresql://me:{SECRET}@db/jobs")
    with pytest.raises(JournalError, match=r"begins with postgresql://; a file's journal is Journal\(path\)"):
        PostgresJournal(str(tmp_path / "jobs.db"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["mysql", "postgresql+psycopg", "file"])
def test_an_address_of_another_scheme_is_refused_and_its_password_not_shown(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JournalError, match=r"begins with postgresql://") as caught:
        MuAPI("sk-live", journal=f"{scheme}://me:{SECRET}@db/jobs")
    assert f"{scheme}://me@db/jobs" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "given",
    [
        f"host=db dbname=jobs password={SECRET}",
        f"user=me password = '{SECRET}://x' host=db",
        f"postgresql:/me:{SECRET}@db/jobs",
        f"mysql://me:{SECRET}@db/jobs",
    ],
)
@pytest.mark.parametrize("open_place", [Journal, lambda place: MuAPI("sk-live", journal=place)])
def test_a_server_that_is_named_in_another_way_never_becomes_a_file(
    given: str, open_place: Callable[[str], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of which each machine of a fleet would have its own, with the password in its name."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JournalError, match="postgresql://") as caught:
        open_place(given)
    assert SECRET not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["jobs.db", "a=b.db", "C:/jobs.db", "run=7/postgres.db", "hosts.db"])
def test_a_file_is_a_file(given: str) -> None:
    assert not means_server(given)


def test_without_psycopg_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "muapi_client._state.journal.server", None)
    with pytest.raises(JournalError, match=r"postgresql://me@db/jobs: .*pip install 'muapi-client\[postgres\]'"):
        MuAPI("sk-live", journal=f"postgresql://me:{SECRET}@db/jobs")
