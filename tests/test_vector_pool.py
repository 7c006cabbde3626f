"""The threads under a vector env: each task of a batch is done once, whoever does it."""

import random
import threading
import time

import pytest

from reactorrl.vector.exchange import Exchange
from reactorrl.vector.pool import Pool, TaskError

BOUND_S = 20


@pytest.fixture
def make_pool():
    """`make_pool(n_tasks, workers, limit_s=None)`, stopped afterwards."""
    pools = []

    def make(n_tasks, workers, limit_s=None):
        pools.append(Pool(n_tasks, workers, limit_s))
        return pools[-1]

    yield make
    for pool in pools:
        assert pool.stop() == []


@pytest.mark.parametrize("limit_s", [None, 60])
def test_each_task_is_done_once_in_each_batch(make_pool, workers, seed, is_long, limit_s):
    """Batches of short and of long tasks, some of them late, at a random pace."""
    rng = random.Random(seed)
    n_tasks = rng.randint(1, 12)
    pool = make_pool(n_tasks, workers, limit_s)
    done = [0] * n_tasks
    inside = [False] * n_tasks
    lengths_ns = [0] * n_tasks

    def job(seat, tasks):
        for task in tasks:
            assert not inside[task]
            inside[task] = True
            end_ns = time.perf_counter_ns() + lengths_ns[task]
            while time.perf_counter_ns() < end_ns:
                pass
            done[task] += 1
            inside[task] = False
            seat.found.append(task)

    for batch in range(4000 if is_long else 400):
        if batch % 20 == 0:
            longest = rng.choice([0, 0, 5_000, 60_000])
            lengths_ns = [rng.randint(0, longest) for _ in range(n_tasks)]
        if rng.random() < 0.1:
            end_ns = time.perf_counter_ns() + 80_000  # the helpers fall asleep
            while time.perf_counter_ns() < end_ns:
                pass
        assert sorted(pool.run(job)) == list(range(n_tasks))
        assert done == [batch + 1] * n_tasks


def test_what_one_thread_writes_in_a_batch_another_reads_in_the_next(make_pool, workers):
    """A task reads what its neighbour wrote in the batch before, wherever that was."""
    pool = make_pool(8, workers)
    values = [[0] * 8, [0] * 8]
    batch = 0

    def job(seat, tasks):
        for task in tasks:
            values[batch % 2][task] = values[(batch + 1) % 2][task - 1] + 1

    for batch in range(1, 501):
        pool.run(job)
        assert values[batch % 2] == [batch] * 8


def test_in_order_one_task_follows_the_other_each_at_home(make_pool, workers):
    pool = make_pool(8, workers)
    order, threads = [], {}

    def job(seat, tasks):
        for task in tasks:
            order.append(task)
            threads.setdefault(threading.get_ident(), []).append(task)

    pool.run_in_order(job)
    assert order == list(range(8))
    size = 8 // workers
    assert list(threads.values()) == [list(range(k, k + size)) for k in range(0, 8, size)]
    assert next(iter(threads)) == threading.get_ident()


def test_the_error_of_the_smallest_task_is_raised_and_others_go_on(make_pool, workers):
    """The same error for any number of workers; the pool can be used again."""
    pool = make_pool(8, workers)

    def job(seat, tasks):
        for task in tasks:
            seat.at = task
            if task in (3, 4, 7):
                raise ValueError(task)

    for _ in range(20):
        with pytest.raises(TaskError) as caught:
            pool.run(job)
        assert caught.value.task == 3
        assert caught.value.error.args == (3,)
    assert pool.run(lambda seat, tasks: seat.found.extend(tasks))


def test_a_stopped_pool_has_no_threads(workers):
    before = threading.active_count()
    pool = Pool(8, workers, None)
    assert threading.active_count() == before + workers - 1
    assert pool.stop() == []
    assert pool.stop() == []
    assert threading.active_count() == before


def test_an_exchange_returns_each_task_once(workers):
    """In the order in which they are done, however many are asked for at once."""
    exchange = Exchange(workers, 0)
    exchange.send(lambda seat, tasks: seat.found.extend(tasks), range(20))
    received = []
    while exchange.under_way:
        tasks, found = exchange.recv(min(3, len(exchange.under_way)), BOUND_S)
        assert tasks == sorted(found)
        received += tasks
    assert sorted(received) == list(range(20))
    assert exchange.stop() == []
