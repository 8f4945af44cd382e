import os
import signal
from multiprocessing import active_children
from time import sleep

import pytest

from models.benchmark.workers import run_tasks

ENDS, WAITS = -1, -2


def work(task: int) -> int:
    if task == ENDS:
        os.kill(os.getpid(), signal.SIGKILL)
    if task == WAITS:
        sleep(600)
    return os.getpid()


@pytest.mark.timeout(120)
def test_a_process_does_one_task_after_another_and_a_lost_one_loses_its_task_alone() -> None:
    done = list(run_tasks(work, [1, 2, ENDS, 3], jobs=1))
    assert [each.task for each in done] == [1, 2, ENDS, 3]
    assert [each.exitcode for each in done] == [None, None, -signal.SIGKILL, None]
    assert done[0].result == done[1].result
    assert done[3].result not in (None, done[0].result)
    assert not active_children()


@pytest.mark.timeout(120)
def test_closing_ends_the_processes() -> None:
    tasks = run_tasks(work, [WAITS, 1], jobs=2)
    assert next(tasks).task == 1
    assert len(active_children()) == 1
    tasks.close()
    assert not active_children()


def test_no_tasks_need_no_process() -> None:
    assert list(run_tasks(work, [], jobs=2)) == []
