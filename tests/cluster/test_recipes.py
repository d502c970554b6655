"""The page on many machines is run: its dask program, and its tasks in Celery and procrastinate, without a broker."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gated import make_calls

import muapi_client
from muapi_client import errors
from muapi_client.emulator import Fault

if TYPE_CHECKING:
    from gated import GatedServer

pytest.importorskip("distributed")
PAGE = (Path(__file__).parents[2] / "docs/many-machines.md").read_text(encoding="utf-8")
DASK, CELERY, CELERY_USE, PROCRASTINATE, PROCRASTINATE_USE = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(autouse=True)
def _environment(server: GatedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MUAPI_API_KEY", "sk-live")
    monkeypatch.setenv("MUAPI_BASE_URL", server.url)
    monkeypatch.setenv("MUAPI_JOURNAL", str(tmp_path / "jobs.db"))


@pytest.mark.filterwarnings("ignore:Port")  # that of the dashboard is another cluster's
def test_the_program_of_dask_runs(server: GatedServer, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(DASK, "many-machines.md", "exec"), {"__name__": "__main__"})
    assert sorted(int(line.split()[0]) for line in capsys.readouterr().out.splitlines()) == list(range(100))
    assert server.emulator.accepted == 100


def test_a_task_of_celery_may_be_delivered_twice(server: GatedServer) -> None:
    pytest.importorskip("celery")
    names: dict[str, Any] = {"__name__": "tasks"}
    exec(compile(CELERY, "many-machines.md", "exec"), names)
    names["app"].conf.update(task_always_eager=True, task_store_eager_result=False)
    names["call"] = make_calls(1)[0]
    use = f"answer = {CELERY_USE}"
    exec(compile(use, "many-machines.md", "exec"), names)
    first = names["answer"].get()
    exec(compile(use, "many-machines.md", "exec"), names)
    assert names["answer"].get() == first
    assert first[0].startswith("http")
    assert server.accepted == {"fox 0": 1}


def test_a_task_of_celery_in_doubt_is_not_sent_again(server: GatedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("celery")
    names: dict[str, Any] = {"__name__": "tasks"}
    monkeypatch.setattr(muapi_client, "MuAPI", partial(muapi_client.MuAPI, transport=server.emulator.transport()))
    exec(compile(CELERY, "many-machines.md", "exec"), names)
    server.emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    for _ in range(2):
        with pytest.raises(errors.SubmitOutcomeUnknownError):
            names["draw"](make_calls(1)[0].to_json(), run="foxes", key="fox 1")
    assert server.emulator.accepted == 1


def test_a_task_of_procrastinate_may_be_begun_twice(server: GatedServer) -> None:
    procrastinate = pytest.importorskip("procrastinate")
    from procrastinate.testing import InMemoryConnector

    names: dict[str, Any] = {"__name__": "tasks"}
    exec(compile(PROCRASTINATE, "many-machines.md", "exec"), names)
    use = f"async def use(draw, call):\n    {PROCRASTINATE_USE}"
    exec(compile(use, "many-machines.md", "exec"), names)

    async def go() -> Any:
        app: procrastinate.App = names["app"]
        with app.replace_connector(InMemoryConnector()) as app:
            async with app.open_async():
                for _ in range(2):
                    await names["use"](app.tasks["draw"], make_calls(1)[0])
                await app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)
                return [job["status"] for job in app.connector.jobs.values()]

    assert asyncio.run(go()) == ["succeeded"] * 2
    assert server.accepted == {"fox 0": 1}
