"""Worker processes that do one task after another, so that what takes seconds to import is imported once in each."""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from models.worker import begin_work

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Done(Generic[Task, Result]):
    """A task and its result, or the exit code of the process that ended instead."""

    task: Task
    result: Result | None
    exitcode: int | None = None


@dataclass(frozen=True, slots=True)
class _Worker:
    process: BaseProcess
    task: Any


def run_tasks(
    work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int
) -> Generator[Done[Task, Result], None, None]:
    """Yield each task as it is done, by so many processes; all end when the iterator is closed.

    A process that ends before its task is done, such as one that ran out of memory, loses this task alone.
    """
    waiting, busy = deque(tasks), dict[Connection, _Worker]()
    try:
        for _ in range(min(jobs, len(tasks))):
            _start(work, waiting.popleft(), busy)
        while busy:
            for connection in wait(list(busy)):
                yield _take(work, connection, waiting, busy)  # type: ignore[arg-type]
    finally:
        for worker in busy.values():
            worker.process.terminate()
        for worker in busy.values():
            worker.process.join()


def _start(work: Callable[[Any], Any], task: Any, busy: dict[Connection, _Worker]) -> None:
    processes = get_context("spawn")  # TensorFlow does not survive a fork
    connection, other = processes.Pipe()
    process = processes.Process(target=_work, args=(work, other), daemon=True)
    process.start()
    other.close()
    connection.send(task)
    busy[connection] = _Worker(process, task)


def _take(
    work: Callable[[Any], Any], connection: Connection, waiting: deque[Any], busy: dict[Connection, _Worker]
) -> Done[Any, Any]:
    """Take a worker's result and give it the next task; one that is gone is replaced while there are tasks."""
    worker = busy.pop(connection)
    try:
        done = Done(worker.task, connection.recv())
    except (EOFError, ConnectionError):
        worker.process.join()
        connection.close()
        if waiting:
            _start(work, waiting.popleft(), busy)
        return Done(worker.task, None, worker.process.exitcode)
    if waiting:
        task = waiting.popleft()
        connection.send(task)
        busy[connection] = _Worker(worker.process, task)
    else:
        connection.close()  # the worker's end of it says that there is no more
        worker.process.join()
    return done


def _work(work: Callable[[Any], Any], connection: Connection) -> None:
    """Do tasks until the other end is closed, also because its process is gone."""
    begin_work()
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        connection.send(work(task))
