"""Work on all cores: results in order, what is taken from a source and when, and shared seconds."""

from __future__ import annotations

import threading
import time

import pytest

from nngp_dag.support.cores import SharedClock, in_order, on_all_cores


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_the_order_of_their_items(threads):
    def work(item):
        time.sleep(0.02 if item % 3 == 0 else 0.0)
        return item * item

    assert list(in_order(work, range(20), threads)) == [i * i for i in range(20)]
    assert list(in_order(work, [], threads)) == []
    assert on_all_cores(work, range(5)) == [0, 1, 4, 9, 16]


def test_two_items_are_worked_on_at_a_time():
    both = threading.Barrier(2, timeout=30)  # one thread alone would wait in vain
    assert list(in_order(lambda item: (both.wait(), item)[1], range(4), 2)) == [0, 1, 2, 3]


@pytest.mark.parametrize(("threads", "most"), [(1, 1), (2, 4)])
def test_few_items_are_taken_ahead(threads, most):
    taken = []

    def source():
        for item in range(50):
            taken.append(item)
            yield item

    results = in_order(lambda item: item, source(), threads)
    for number in range(10):
        assert next(results) == number
        assert len(taken) <= number + most
    results.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_errors_come_in_their_place(threads):
    def source():
        yield from (1, 2, 3)
        raise OSError("the source")

    results = in_order(lambda item: 6 // item, source(), threads)
    assert [next(results) for _ in range(3)] == [6, 3, 2]
    with pytest.raises(OSError, match="the source"):
        next(results)
    results = in_order(lambda item: 6 // item, [3, 0, 2], threads)
    assert next(results) == 2
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_tasks_at_the_same_time_share_its_seconds(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    clock = SharedClock()
    with clock.task() as first:
        now[0] = 3.0  # alone
        with clock.task() as second:
            now[0] = 7.0  # two of them
        now[0] = 8.0
    now[0] = 20.0
    with clock.task() as third:
        now[0] = 21.0
    assert (first(), second(), third()) == (3.0 + 2.0 + 1.0, 2.0, 1.0)
