"""Many flows side by side: some are carried on by a few threads or tasks, the others wait for their time in a heap.

A job is sent in a moment and waited for for minutes, so a thread or a task a job would mostly sleep. Here a flow takes
one up only while a step of it is carried out; a pause costs a place in a heap.

Lives here: which flow goes on next, and carrying it on until it pauses or ends, once blocking in threads, once awaiting
in tasks. Does not live here: one step (``driver``), what the flows are and how many there may be (``_client/mapping``).
"""

from __future__ import annotations

import heapq
import math
import threading
from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio

from muapi_client._protocol.steps import Sleep
from muapi_client._runtime.clock import SystemClock
from muapi_client._transport.driver import acarry_out, carry_out, find_closing, finish_step
from muapi_client._transport.event_loop import find_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from muapi_client._protocol.steps import Flow
    from muapi_client._runtime.clock import Clock
    from muapi_client._settings.api_key import APIKey
    from muapi_client._transport.connections import AsyncConnections, Connections

R = TypeVar("R")


class Abandoned(BaseException):
    """No error: nobody waits for a flow any more. Thrown into it where it pauses; it may still keep what it knows."""


class Task(Generic[R]):
    """A flow, and how it came to its end.

    Attributes:
        flow: What is carried out.
        on_end: Called once with the task, when the flow has returned or raised.
        answer: What it returned.
        error: What it raised, or None.
    """

    __slots__ = ("_thrown", "answer", "error", "flow", "is_paused", "on_end")

    def __init__(self, flow: Flow[R], on_end: Callable[[Task[R]], object]) -> None:
        self.flow = flow
        self.on_end = on_end
        self.answer: R | None = None
        self.error: BaseException | None = None
        self.is_paused = False  # else it is about to begin, and takes no reading
        self._thrown: BaseException | None = None

    def abandon(self) -> None:
        """Have the flow thrown :class:`Abandoned` when it goes on."""
        self._thrown = Abandoned()

    def advance(self, outcome: Any, error: BaseException | None) -> Any:
        """The flow's next step, or None once it has ended.

        Args:
            outcome: Of its last step.
            error: What that step raised, or None.
        """
        thrown, self._thrown = self._thrown or error, None
        try:
            return self.flow.send(outcome) if thrown is None else self.flow.throw(thrown)
        except StopIteration as end:
            self.answer = end.value
        except BaseException as raised:  # noqa: BLE001 - whoever waits for the task raises it
            self.error = raised
        finally:
            del thrown, error  # a traceback holds this frame
        return None


class Agenda(Generic[R]):
    """Which task goes on next. Pure, and not for several threads at once."""

    def __init__(self) -> None:
        self._ready: deque[Task[R]] = deque()
        self._later: list[tuple[float, int, Task[R]]] = []  # a heap, by reading; the number keeps the order of equals
        self._numbers = count()

    def add(self, task: Task[R]) -> None:
        """Have a task go on at once."""
        self._ready.append(task)

    def put_off(self, task: Task[R], until: float) -> None:
        """Have a task go on at a reading."""
        task.is_paused = True
        heapq.heappush(self._later, (until, next(self._numbers), task))

    def take(self, now: float) -> Task[R] | None:
        """The task that goes on now, or None."""
        self.wake(now)
        return self._ready.popleft() if self._ready else None

    def wake(self, now: float) -> None:
        """Make ready what is due."""
        while self._later and self._later[0][0] <= now:
            self._ready.append(heapq.heappop(self._later)[2])

    @property
    def due(self) -> float | None:
        """The reading at which the next task is to go on, where none is to at once."""
        return self._later[0][0] if self._later else None

    @property
    def has_ready(self) -> bool:
        """Whether a task is to go on at once."""
        return bool(self._ready)

    def abandon_all(self) -> None:
        """Have every task that pauses go on at once, abandoned."""
        for _, _, task in sorted(self._later, key=lambda entry: entry[:2]):
            task.abandon()
            self._ready.append(task)
        self._later.clear()


class Threads(Generic[R]):
    """Carries tasks on in threads, each started when it is first needed. Threads may share it.

    On a clock of another kind than the system's time passes by sleeping alone, for all at once; so there nobody sleeps
    while a step is carried out.

    Args:
        most: How many threads there may be.
    """

    def __init__(self, connections: Connections, clock: Clock, origin: str, api_key: APIKey, *, most: int) -> None:
        self._world = (connections, clock, origin, api_key)
        self._clock = clock
        self._is_real = isinstance(clock, SystemClock)
        self._most = most
        self._agenda: Agenda[R] = Agenda()
        lock = threading.Lock()
        self._work_came = threading.Condition(lock)
        self._time_changed = threading.Condition(lock)  # for the one thread that waits for the next pause to end
        self._has_keeper = False
        self._threads = self._idle = self._busy = 0
        self._abandoned = self._closed = False

    def start(self, task: Task[R]) -> None:
        """Carry a task on, beside the calling thread."""
        with self._work_came:
            self._agenda.add(task)
            self._call_worker()

    def abandon(self) -> None:
        """Carry every task on to its next pause only, and those that pause now to their end."""
        with self._work_came:
            self._abandoned = True
            self._agenda.abandon_all()
            self._time_changed.notify()
            self._work_came.notify_all()

    def close(self) -> None:
        """Let the threads end, once there is nothing to carry on."""
        with self._work_came:
            self._closed = True
            self._time_changed.notify()
            self._work_came.notify_all()

    def _call_worker(self) -> None:
        if self._idle:
            self._work_came.notify()
        elif self._has_keeper:
            self._time_changed.notify()
        elif self._threads < self._most:
            thread = threading.Thread(target=self._work, name=f"muapi-map-{self._threads}", daemon=True)
            self._threads += 1
            try:
                thread.start()
            except RuntimeError:  # the system has no more, or the program ends
                self._threads -= 1
                if not self._threads:
                    raise

    def _work(self) -> None:
        while (task := self._take()) is not None:
            pause = self._carry_on(task)
            with self._work_came:
                self._busy -= 1
                if pause is not None:
                    self._put_off(task, self._clock.now() + pause)
                elif not self._is_real:
                    self._time_changed.notify()
            if pause is None:
                task.on_end(task)

    def _put_off(self, task: Task[R], until: float) -> None:
        if self._abandoned:
            task.abandon()
            until = -math.inf
        due = self._agenda.due
        self._agenda.put_off(task, until)
        if due is None or until < due or not self._is_real:
            self._time_changed.notify()

    def _take(self) -> Task[R] | None:
        """Wait for a task; None once there will be none."""
        with self._work_came:
            while True:
                task = self._agenda.take(self._clock.now())
                if task is not None:
                    self._busy += 1
                    if self._agenda.has_ready or self._agenda.due is not None:
                        self._call_worker()  # for the next one, or to keep the time
                    return task
                if self._closed and self._agenda.due is None:
                    self._threads -= 1
                    self._work_came.notify()
                    return None
                if self._has_keeper or self._agenda.due is None:
                    self._idle += 1
                    self._work_came.wait()
                    self._idle -= 1
                else:
                    self._keep_time(self._agenda.due)

    def _keep_time(self, due: float) -> None:
        """Wait until a reading, or until anything changes."""
        self._has_keeper = True
        try:
            if self._is_real:
                self._time_changed.wait(max(due - self._clock.now(), 0.0))
            elif self._busy:
                self._time_changed.wait()
            else:
                self._clock.sleep(due - self._clock.now())
        finally:
            self._has_keeper = False

    def _carry_on(self, task: Task[R]) -> float | None:
        """Carry a task on; answers for how many seconds it pauses, or None once it has ended."""
        outcome: Any = self._clock.now() if task.is_paused else None
        error: BaseException | None = None
        while (step := task.advance(outcome, error)) is not None:
            if isinstance(step, Sleep) and step.seconds > 0:
                return step.seconds
            outcome = error = None
            try:
                outcome = carry_out(step, *self._world)
            except BaseException as raised:  # noqa: BLE001 - the flow decides
                error = raised
        return None


class Tasks(Generic[R]):
    """The twin of :class:`Threads`: carries tasks on in tasks of the event loop that runs."""

    def __init__(self, connections: AsyncConnections, clock: Clock, origin: str, api_key: APIKey, *, most: int) -> None:
        connections.enter()
        self._world = (connections, clock, origin, api_key)
        self._clock = clock
        self._is_real = isinstance(clock, SystemClock)
        self._most = most
        self._agenda: Agenda[R] = Agenda()
        self._changed = anyio.Event()  # for the keeper of the time
        self._has_keeper = False
        self._workers = 0
        self._abandoned = self._closed = False
        self._spawn = find_spawn()

    def start(self, task: Task[R]) -> None:
        """Carry a task on, beside the calling task."""
        self._agenda.add(task)
        self._call_worker()

    def abandon(self) -> None:
        """Carry every task on to its next pause only, and those that pause now to their end."""
        self._abandoned = True
        self._agenda.abandon_all()
        self._call_worker()
        self._changed.set()

    def close(self) -> None:
        """Let the tasks end, once there is nothing to carry on."""
        self._closed = True
        self._changed.set()

    def _call_worker(self) -> None:
        if self._agenda.has_ready and self._workers < self._most:
            self._workers += 1
            self._spawn(self._work)

    async def _work(self) -> None:
        try:
            while (task := self._agenda.take(self._clock.now())) is not None:
                self._call_worker()  # for the next one
                pause = await self._carry_on(task)
                if pause is not None:
                    self._put_off(task, self._clock.now() + pause)
                    continue
                task.on_end(task)
                if isinstance(task.error, anyio.get_cancelled_exc_class() | GeneratorExit):  # the event loop ends
                    return
        finally:
            self._workers -= 1
            self._changed.set()
            if not self._has_keeper and self._agenda.due is not None and not self._closed:
                self._has_keeper = True
                self._spawn(self._keep_time)

    def _put_off(self, task: Task[R], until: float) -> None:
        if self._abandoned:
            task.abandon()
            until = -math.inf
        due = self._agenda.due
        self._agenda.put_off(task, until)
        if due is None or until < due:
            self._changed.set()

    async def _keep_time(self) -> None:
        """Call a worker whenever a pause ends."""
        try:
            while (due := self._agenda.due) is not None and not self._closed:
                self._changed = anyio.Event()
                left = due - self._clock.now()
                if left <= 0:
                    self._agenda.wake(self._clock.now())
                    self._call_worker()
                elif self._is_real:
                    with anyio.move_on_after(left):
                        await self._changed.wait()
                elif self._workers:
                    await self._changed.wait()
                else:
                    await self._clock.asleep(left)
        finally:
            self._has_keeper = False

    async def _carry_on(self, task: Task[R]) -> float | None:
        """Carry a task on; answers for how many seconds it pauses, or None once it has ended."""
        outcome: Any = self._clock.now() if task.is_paused else None
        error: BaseException | None = None
        closing: BaseException | None = None
        while (step := task.advance(outcome, error)) is not None:
            if closing is None and isinstance(step, Sleep) and step.seconds > 0:
                return step.seconds
            outcome = error = None
            try:
                if closing is None:
                    outcome = await acarry_out(step, *self._world)
                else:
                    outcome = finish_step(step, closing)
            except BaseException as raised:  # noqa: BLE001 - the flow decides
                closing = closing or find_closing(raised, step)
                error = closing or raised
        return None


def find_spawn() -> Callable[[Callable[[], Coroutine[Any, Any, None]]], object]:
    """What starts a task that outlives the one that starts it, in the event loop that runs.

    A task group would not do: a user's ``async for`` is left by ``break``, perhaps never closed, and what is finalised
    later is finalised in another task, where no group may be left.
    """
    loop = find_loop()
    if not hasattr(loop, "create_task"):
        from trio.lowlevel import spawn_system_task  # noqa: PLC0415 - its event loop runs

        return spawn_system_task
    tasks = set()

    def spawn(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = loop.create_task(work())
        tasks.add(task)  # the event loop itself holds it weakly
        task.add_done_callback(tasks.discard)

    return spawn
