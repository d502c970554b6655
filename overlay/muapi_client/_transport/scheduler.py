"""Many flows side by side: some are carried on by a few threads or tasks, the others wait for their time in a heap.

A job is sent in a moment and waited for for minutes, so a thread or a task a job would mostly sleep. Here a flow takes
one up only while a step of it is carried out; a pause costs a place in a heap.

Lives here: which flow goes on next, and carrying it on until it pauses or ends, once blocking in threads, once awaiting
in tasks. Does not live here: one step (``driver``), what the flows are and how many there may be (``_client/mapping``).
"""

from __future__ import annotations

import heapq
import math
import sys
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio

from muapi_client._protocol.steps import Send, Sleep
from muapi_client._runtime.clock import SystemClock, VirtualClock
from muapi_client._runtime.locks import ForkLock
from muapi_client._transport.driver import acarry_out, carry_out, find_closing, finish_step
from muapi_client._transport.event_loop import find_call_soon, find_loop
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from muapi_client._protocol.steps import Flow
    from muapi_client._runtime.clock import Clock
    from muapi_client._settings.api_key import APIKey
    from muapi_client._transport.connections import AsyncConnections, Connections

R = TypeVar("R")

SLICE = 0.1  # seconds: on a clock of a user's own nobody can be woken while it sleeps


class Abandoned(BaseException):
    """No error: nobody waits for a flow any more.

    Thrown into it before it begins, where it pauses, and where it is about to send anything but a file: so no job
    leaves any more, and what is on its way is seen to its end. It may still keep what it knows.
    """


class Task(Generic[R]):
    """A flow, and how it came to its end.

    Attributes:
        flow: What is carried out.
        on_end: Called once with the task, when the flow has returned or raised.
        answer: What it returned.
        error: What it raised, or None.
    """

    __slots__ = ("answer", "error", "flow", "is_paused", "on_end")

    def __init__(self, flow: Flow[R], on_end: Callable[[Task[R]], object]) -> None:
        self.flow = flow
        self.on_end = on_end
        self.answer: R | None = None
        self.error: BaseException | None = None
        self.is_paused = False  # else it is about to begin, and takes no reading

    def advance(self, outcome: Any, error: BaseException | None) -> Any:
        """The flow's next step, or None once it has ended.

        Args:
            outcome: Of its last step.
            error: What that step raised, or None.
        """
        try:
            return self.flow.send(outcome) if error is None else self.flow.throw(error)
        except StopIteration as end:
            self.answer = end.value
        except BaseException as raised:  # noqa: BLE001 - whoever waits for the task raises it
            self.error = raised
        finally:
            del error  # its traceback holds this frame
        return None


class Place(Generic[R]):
    """A task's place among those that pause, until its time has come or it was woken.

    Attributes:
        task: The task; None once it goes on.
    """

    __slots__ = ("task",)

    def __init__(self, task: Task[R]) -> None:
        self.task: Task[R] | None = task

    def leave(self) -> list[Task[R]]:
        """The task, which goes on now; nothing where it has left before."""
        tasks = [] if self.task is None else [self.task]
        self.task = None
        return tasks


class Agenda(Generic[R]):
    """Which task goes on next. Pure, and not for several threads at once."""

    def __init__(self) -> None:
        self._ready: deque[Task[R]] = deque()
        self._later: list[tuple[float, int, Place[R]]] = []  # a heap, by reading; the number keeps the order of equals
        self._numbers = count()

    def add(self, task: Task[R]) -> None:
        """Have a task go on at once."""
        self._ready.append(task)

    def put_off(self, task: Task[R], until: float) -> Place[R]:
        """Have a task go on at a reading, or when its place is given to :meth:`wake_one`."""
        task.is_paused = True
        place = Place(task)
        heapq.heappush(self._later, (until, next(self._numbers), place))
        return place

    def take(self, now: float) -> Task[R] | None:
        """The task that goes on now, or None."""
        self.wake(now)
        return self._ready.popleft() if self._ready else None

    def wake(self, now: float) -> None:
        """Make ready what is due."""
        while self._later and self._later[0][0] <= now:
            self._ready.extend(heapq.heappop(self._later)[2].leave())

    @property
    def due(self) -> float | None:
        """The reading at which the next task is to go on, where none is to at once."""
        while self._later and self._later[0][2].task is None:
            heapq.heappop(self._later)
        return self._later[0][0] if self._later else None

    @property
    def has_ready(self) -> bool:
        """Whether a task is to go on at once."""
        return bool(self._ready)

    def wake_one(self, place: Place[R]) -> None:
        """Have a task go on at once, if it pauses there still."""
        self._ready.extend(place.leave())

    def wake_all(self) -> None:
        """Have every task that pauses go on at once."""
        for _, _, place in sorted(self._later, key=lambda entry: entry[:2]):
            self._ready.extend(place.leave())
        self._later.clear()


class Threads(Generic[R]):
    """Carries tasks on in threads, each started when it is first needed. Threads may share it.

    Args:
        most: How many threads there may be.
    """

    def __init__(self, connections: Connections, clock: Clock, origin: str, api_key: APIKey, *, most: int) -> None:
        self._world = (connections, clock, origin, api_key)
        self._clock = clock
        self._most = most
        self._agenda: Agenda[R] = Agenda()
        self._lock = ForkLock()  # a signal may strike where the caller holds it
        lock: Any = self._lock  # an RLock, which typeshed calls final
        self._work_came = threading.Condition(lock)
        self._time_changed = threading.Condition(lock)  # for the one thread that waits for the next pause to end
        self._has_keeper = False
        self._threads = self._idle = self._busy = 0
        self._is_left = self._is_closed = False

    def start(self, task: Task[R]) -> None:
        """Carry a task on, beside the calling thread.

        Raises:
            MuAPIError: The system starts no thread for it.
        """
        with self._lock:
            self._agenda.add(task)
            self._call_worker()

    def abandon(self) -> None:
        """Send nothing more: see what is on its way to its end, and every task with it."""
        with self._lock:
            self._is_left = True
            self._agenda.wake_all()
            self._time_changed.notify()
            self._work_came.notify_all()

    def close(self) -> None:
        """Let the threads end, once there is nothing to carry on."""
        with self._lock:
            self._is_closed = True
            self._time_changed.notify()
            self._work_came.notify_all()

    def _call_worker(self) -> None:
        if self._idle:
            self._work_came.notify()
        elif self._has_keeper:
            self._time_changed.notify()
        elif self._threads < self._most:
            thread = threading.Thread(target=self._work, name=f"muapi-map-{self._threads}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the system has no more, or the program ends
                if not self._threads:
                    raise MuAPIError(f"map needs a thread, and the system starts none: {error}") from error
            else:
                self._threads += 1

    def _work(self) -> None:
        while (task := self._take()) is not None:
            pause = self._carry_on(task)
            with self._lock:
                self._busy -= 1
                if pause is not None:
                    self._put_off(task, pause)
                else:
                    self._time_changed.notify()
            if pause is None:
                task.on_end(task)

    def _put_off(self, task: Task[R], pause: Sleep) -> None:
        due, until = self._agenda.due, self._clock.now() + pause.seconds
        place = self._agenda.put_off(task, -math.inf if self._is_left else until)
        if pause.waiter is not None:
            pause.waiter.listen(partial(self._wake, place))
        if due is None or until < due or isinstance(self._clock, VirtualClock):
            self._time_changed.notify()

    def _wake(self, place: Place[R]) -> None:
        """Have a task go on at once; called by any thread."""
        with self._lock:
            self._agenda.wake_one(place)
            self._call_worker()

    def _take(self) -> Task[R] | None:
        """Wait for a task; None once there will be none."""
        while True:
            with self._lock:
                task = self._agenda.take(self._clock.now())
                if task is not None:
                    self._busy += 1
                    if self._agenda.has_ready or self._agenda.due is not None:
                        with suppress(MuAPIError):  # this thread goes on alone
                            self._call_worker()  # for the next one, or to keep the time
                    return task
                if self._is_closed and self._agenda.due is None:
                    self._threads -= 1
                    self._work_came.notify()
                    return None
                if self._has_keeper or self._agenda.due is None:
                    self._idle += 1
                    self._work_came.wait()
                    self._idle -= 1
                    continue
                left = max(self._agenda.due - self._clock.now(), 0.0)
                self._has_keeper = True
                if isinstance(self._clock, SystemClock):
                    self._time_changed.wait(left)
                elif isinstance(self._clock, VirtualClock):
                    self._pass_virtual_time(left)
                else:
                    self._lock.release()  # nobody can be woken while it sleeps, and others go on
                    try:
                        self._clock.sleep(min(left, SLICE))
                    finally:
                        self._lock.acquire()
                self._has_keeper = False

    def _pass_virtual_time(self, seconds: float) -> None:
        """Let time pass that passes by sleeping alone, for all at once: not while a step is carried out."""
        if self._busy:
            self._time_changed.wait()
        else:
            self._clock.sleep(seconds)

    def _carry_on(self, task: Task[R]) -> Sleep | None:
        """Carry a task on; answers its next pause, or None once it has ended."""
        outcome: Any = self._clock.now() if task.is_paused else None
        error: BaseException | None = Abandoned() if self._is_left else None
        while (step := task.advance(outcome, error)) is not None:
            outcome = error = None
            if isinstance(step, Sleep) and step.seconds > 0:
                return step
            if self._is_left and isinstance(step, Send):
                error = Abandoned()
                continue
            try:
                outcome = carry_out(step, *self._world)
            except BaseException as raised:  # noqa: BLE001 - the flow decides
                error = raised
        return None


class Tasks(Generic[R]):
    """The twin of :class:`Threads`: carries tasks on in tasks of the event loop that runs.

    Args:
        on_trouble: Called with what ends a task of its own from outside, such as a cancellation of all there are.
    """

    def __init__(
        self,
        connections: AsyncConnections,
        clock: Clock,
        origin: str,
        api_key: APIKey,
        *,
        most: int,
        on_trouble: Callable[[BaseException], object],
    ) -> None:
        connections.enter()
        self._world = (connections, clock, origin, api_key)
        self._clock = clock
        self._most = most
        self._agenda: Agenda[R] = Agenda()
        self._changed = anyio.Event()  # for the keeper of the time
        self._has_keeper = False
        self._workers = 0
        self._is_left = self._is_closed = False
        self._on_trouble = on_trouble
        self._call_soon = find_call_soon()
        self.spawn = find_spawn()

    def start(self, task: Task[R]) -> None:
        """Carry a task on, beside the calling task."""
        self._agenda.add(task)
        self._call_worker()

    def abandon(self) -> None:
        """Send nothing more: see what is on its way to its end, and every task with it."""
        self._is_left = True
        self._agenda.wake_all()
        self._call_worker()
        self._changed.set()

    def close(self) -> None:
        """Let the tasks end, once there is nothing to carry on."""
        self._is_closed = True
        self._changed.set()

    def _call_worker(self) -> None:
        if self._agenda.has_ready and self._workers < self._most:
            self._workers += 1
            self.spawn(self._work)

    async def _work(self) -> None:
        try:
            while (task := self._agenda.take(self._clock.now())) is not None:
                self._call_worker()  # for the next one
                pause = await self._carry_on(task)
                if pause is not None:
                    self._put_off(task, pause)
                    continue
                task.on_end(task)
                if isinstance(task.error, anyio.get_cancelled_exc_class() | GeneratorExit):  # the event loop ends
                    return
        finally:
            self._workers -= 1
            self._changed.set()
            if not self._has_keeper and self._agenda.due is not None and not self._is_closed:
                self._has_keeper = True
                self.spawn(self._keep_time)

    def _put_off(self, task: Task[R], pause: Sleep) -> None:
        due, until = self._agenda.due, self._clock.now() + pause.seconds
        place = self._agenda.put_off(task, -math.inf if self._is_left else until)
        if pause.waiter is not None:
            pause.waiter.listen(partial(self._call_soon, partial(self._wake, place)))
        if due is None or until < due or self._is_left:
            self._changed.set()

    def _wake(self, place: Place[R]) -> None:
        """Have a task go on at once."""
        self._agenda.wake_one(place)
        self._call_worker()

    async def _keep_time(self) -> None:
        """Call a worker whenever a pause ends."""
        try:
            while (due := self._agenda.due) is not None and not self._is_closed:
                self._changed = anyio.Event()
                left = due - self._clock.now()
                if left <= 0:
                    self._agenda.wake(self._clock.now())
                    self._call_worker()
                elif isinstance(self._clock, SystemClock):
                    with anyio.move_on_after(left):
                        await self._changed.wait()
                elif not isinstance(self._clock, VirtualClock):
                    await self._clock.asleep(min(left, SLICE))
                elif self._workers:  # as in Threads
                    await self._changed.wait()
                else:
                    await self._clock.asleep(left)
        except BaseException as error:
            self._on_trouble(error)
            raise
        finally:
            self._has_keeper = False

    async def _carry_on(self, task: Task[R]) -> Sleep | None:
        """Carry a task on; answers its next pause, or None once it has ended."""
        outcome: Any = self._clock.now() if task.is_paused else None
        error: BaseException | None = Abandoned() if self._is_left else None
        closing: BaseException | None = None
        while (step := task.advance(outcome, error)) is not None:
            outcome = error = None
            if closing is None and isinstance(step, Sleep) and step.seconds > 0:
                return step
            if self._is_left and isinstance(step, Send):
                error = Abandoned()
                continue
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
        trio: Any = sys.modules["trio"]  # its event loop runs
        spawn_system_task: Callable[..., object] = trio.lowlevel.spawn_system_task
        return spawn_system_task
    tasks = set()

    def spawn(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = loop.create_task(work())
        tasks.add(task)  # the event loop itself holds it weakly
        task.add_done_callback(tasks.discard)

    return spawn
