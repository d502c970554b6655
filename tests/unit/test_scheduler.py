"""Which of many tasks goes on next, and that each comes to one end whatever its flow does."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, cast

from hypothesis import given
from hypothesis import strategies as st

from muapi_client._protocol.steps import Do, Sleep
from muapi_client._runtime.clock import SystemClock, VirtualClock
from muapi_client._transport.scheduler import Abandoned, Agenda, Task, Threads

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Flow


def make_threads(clock: Any, most: int = 4) -> Threads[Any]:
    return Threads(cast("Any", None), clock, "", cast("Any", None), most=most)


def idle() -> Flow[None]:
    yield Sleep(1.0)


@given(st.lists(st.floats(0, 100) | st.none(), max_size=30), st.floats(0, 100))
def test_what_is_due_comes_first_and_nothing_comes_early(pauses: list[float | None], now: float) -> None:
    agenda: Agenda[None] = Agenda()
    due: dict[int, float] = {}
    for pause in pauses:
        task = Task(idle(), lambda _: None)
        due[id(task)] = 0.0 if pause is None else pause
        if pause is None:
            agenda.add(task)
        else:
            agenda.put_off(task, pause)
        due["kept", id(task)] = task  # type: ignore[index, assignment]  # so that no two have one id
    taken = []
    while (task_or_none := agenda.take(now)) is not None:
        taken.append(due[id(task_or_none)])
    assert all(at <= now for at in taken)
    assert len(taken) == sum(pause is None or pause <= now for pause in pauses)
    later = [pause for pause in pauses if pause is not None and pause > now]
    assert agenda.due == (min(later) if later else None)


def test_a_task_that_is_woken_goes_on_once_and_the_others_at_their_time() -> None:
    agenda: Agenda[None] = Agenda()
    tasks = [Task(idle(), lambda _: None) for _ in range(3)]
    places = [agenda.put_off(task, until) for task, until in zip(tasks, (10.0, 20.0, 30.0), strict=True)]
    for _ in range(3):
        agenda.wake_one(places[0])
    assert agenda.due == 20.0
    assert [agenda.take(0.0), agenda.take(0.0)] == [tasks[0], None]
    again = agenda.put_off(tasks[0], 25.0)
    agenda.wake_one(places[0])
    assert agenda.take(0.0) is None, "a call that comes late wakes no later pause"
    agenda.wake_one(again)
    assert [agenda.take(20.0), agenda.take(20.0), agenda.take(20.0)] == [tasks[0], tasks[1], None]
    agenda.wake_all()
    assert [agenda.take(20.0), agenda.take(20.0), agenda.due] == [tasks[2], None, None]


@given(st.lists(st.lists(st.floats(0, 1000), max_size=5), max_size=20), st.integers(1, 5))
def test_every_flow_wakes_at_the_reading_it_asked_for(pauses: list[list[float]], most: int) -> None:
    clock = VirtualClock()
    ended: SimpleQueue[Task[float]] = SimpleQueue()

    def flow(own: list[float]) -> Flow[float]:
        begun = yield Sleep(0.0)
        for pause in own:
            woken = yield Sleep(pause)
            assert woken >= begun + pause - 1e-6
            begun = woken
        return sum(own)

    threads = make_threads(clock, most)
    for own in pauses:
        threads.start(Task(flow(own), ended.put))
    tasks = [ended.get(timeout=30) for _ in pauses]
    threads.close()
    assert [task.error for task in tasks] == [None] * len(pauses)
    assert sorted(task.answer or 0.0 for task in tasks) == sorted(sum(own) for own in pauses)


def test_a_flow_that_fails_ends_its_own_task_only() -> None:
    ended: SimpleQueue[Task[Any]] = SimpleQueue()

    def fails() -> Flow[None]:
        yield Sleep(1.0)
        raise LookupError("lost")

    def raises_in_a_step() -> Flow[str]:
        try:
            yield Do(lambda: 1 / 0)
        except ZeroDivisionError:
            return "known"
        raise AssertionError

    threads = make_threads(VirtualClock())
    for flow in (fails(), raises_in_a_step(), idle()):
        threads.start(Task(flow, ended.put))
    tasks = [ended.get(timeout=30) for _ in range(3)]
    threads.close()
    assert sorted(repr(task.error) for task in tasks) == ["LookupError('lost')", "None", "None"]
    assert "known" in [task.answer for task in tasks]


def test_what_is_abandoned_is_told_where_it_pauses_and_may_keep_what_it_knows() -> None:
    ended: SimpleQueue[Task[Any]] = SimpleQueue()
    kept: list[str] = []
    sleeping = threading.Event()

    def flow() -> Flow[None]:
        try:
            yield Do(sleeping.set)
            yield Sleep(3600.0)
        except Abandoned:
            yield Do(lambda: kept.append("kept"))
            raise

    threads = make_threads(SystemClock())
    threads.start(Task(flow(), ended.put))
    sleeping.wait(30)
    threads.abandon()
    task = ended.get(timeout=30)
    threads.close()
    assert isinstance(task.error, Abandoned)
    assert kept == ["kept"]


def test_its_threads_end_with_it() -> None:
    ended: SimpleQueue[Task[Any]] = SimpleQueue()
    threads = make_threads(VirtualClock())
    for _ in range(20):
        threads.start(Task(idle(), ended.put))
    for _ in range(20):
        ended.get(timeout=30)
    threads.close()
    for thread in threading.enumerate():
        if thread.name.startswith("muapi-map-"):
            thread.join(30)
            assert not thread.is_alive()
