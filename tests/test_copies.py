"""Private copies: equal to NumPy's own, in memory that earlier ones have left."""

import gc
import threading
import tracemalloc
import types

import numpy as np
import pytest
from programs import run

import reactorrl as rr
from reactorrl.copies import LARGE, PrivateCopies

SIZE = 4 * LARGE  # bytes


def address(array):
    return array.__array_interface__["data"][0]


def large(value):
    return np.full(SIZE, value, np.uint8)


class Tensor:
    """As far as a copy looks."""

    def clone(self):
        return "cloned"


Tensor.__module__ = "torch"


def test_each_kind_is_copied_its_own_way():
    """Arrays, subclasses and tensors by their own method, the rest deeply; nothing is shared."""
    copies = PrivateCopies()
    array = np.arange(3)
    array.setflags(write=False)
    copied = copies.copy(array)
    assert copied.flags.writeable
    assert not np.shares_memory(copied, array)
    for size in (2, LARGE):
        masked = np.ma.masked_array(np.zeros(size), np.arange(size) == 1)
        assert type(copies.copy(masked)) is np.ma.MaskedArray
        assert copies.copy(masked).mask[:2].tolist() == [False, True]
    objects = np.array([[1], None], dtype=object)
    assert copies.copy(objects)[0] is not objects[0]
    assert copies.copy(Tensor()) == "cloned"
    nested = {"a": [array]}
    assert copies.copy(nested)["a"][0].flags.writeable
    with pytest.raises(TypeError):
        copies.copy(types.ModuleType("module"))


@pytest.mark.parametrize(
    "value",
    [
        np.arange(SIZE, dtype=np.uint8).reshape(4, -1).T,
        np.arange(SIZE // 8, dtype=">f8")[::-1],
        np.broadcast_to(np.float32(3), (SIZE // 16, 4)),
        np.zeros(SIZE // 8, [("a", np.int32), ("b", "S4")]),
        np.arange(SIZE // 8).view("M8[s]"),
    ],
    ids=["transposed", "swapped and reversed", "broadcast", "structured", "times"],
)
def test_a_large_copy_is_like_numpys(value):
    """Values, type, layout and flags are those of `ndarray.copy`, but for whose memory it is."""
    value.setflags(write=False)
    copied, expected = PrivateCopies().copy(value), value.copy()
    assert copied.tobytes() == expected.tobytes()
    assert (copied.dtype, copied.shape, copied.strides) == (
        expected.dtype,
        expected.shape,
        expected.strides,
    )
    assert copied.flags.writeable
    assert copied.flags.aligned
    assert not np.shares_memory(copied, value)
    copied.setflags(write=False)
    copied.setflags(write=True)  # as `check=True` does


def test_memory_is_used_again_once_no_view_is_left():
    """A copy of the same size comes where the last one was, whatever its type; a view keeps it."""
    copies = PrivateCopies()
    first = copies.copy(large(1))
    place = address(first)
    view = first[7:9].view(np.int8)
    del first
    second = copies.copy(large(2))
    assert address(second) != place
    assert view.tolist() == [1, 1]
    del view
    third = copies.copy(np.full(SIZE // 8, 3.0))
    assert address(third) == place
    assert (third == 3.0).all()
    assert (second == 2).all()


def test_small_copies_own_their_memory():
    """Below the limit there is nothing to win."""
    copied = PrivateCopies().copy(np.zeros(LARGE - 1, np.uint8))
    assert copied.flags.owndata
    assert not PrivateCopies().copy(np.zeros(LARGE, np.uint8)).flags.owndata


def traced(base=0):
    return tracemalloc.get_traced_memory()[0] - base


@pytest.fixture
def tracing():
    tracemalloc.start()
    yield
    tracemalloc.stop()


def test_no_more_is_held_than_was_in_use_at_one_time(tracing):
    """Spare memory of another size goes, the oldest first, when new memory is needed."""
    copies, values = PrivateCopies(), [large(0), np.zeros(2 * SIZE, np.uint8)]
    base = traced()
    kept = [copies.copy(values[0]) for _ in range(3)]
    assert 3 * SIZE <= traced(base) < 3.2 * SIZE
    del kept
    assert traced(base) >= 3 * SIZE
    for _ in range(2):
        copied = copies.copy(values[1])
        assert 3 * SIZE <= traced(base) < 3.2 * SIZE
        del copied
    for _ in range(4):
        kept = [copies.copy(value) for value in values]
        assert traced(base) < 3.2 * SIZE
        del kept


def test_the_end_frees_what_is_spare_and_its_user_the_rest(tracing):
    """An array that outlives the program is whole, and takes its memory with it."""
    copies, value = PrivateCopies(), large(5)
    base = traced()
    kept, dropped = copies.copy(value), copies.copy(value)
    del dropped
    assert traced(base) >= 2 * SIZE
    copies.close()
    assert SIZE <= traced(base) < 1.2 * SIZE
    assert (kept == 5).all()
    del kept
    assert traced(base) < 0.2 * SIZE


def test_a_copy_that_fails_takes_no_memory_along(tracing, monkeypatch):
    """Its memory is spare again, once, and the next copy gets it."""
    copies, value = PrivateCopies(), large(1)
    base = traced()

    def fail(memory, lender):
        raise MemoryError

    with monkeypatch.context() as context:
        context.setattr("reactorrl.copies._Loan", fail)
        for _ in range(3):
            with pytest.raises(MemoryError):
                copies.copy(value)
    assert SIZE <= traced(base) < 1.2 * SIZE
    first, second = copies.copy(value), copies.copy(value)
    assert not np.shares_memory(first, second)
    del first, second
    copies.close()
    assert traced(base) < 0.2 * SIZE


def test_what_another_thread_drops_after_the_end_is_freed(tracing):
    """Nothing is kept for a program that is over."""
    copies, value = PrivateCopies(), large(1)
    base, kept = traced(), [copies.copy(value)]
    copies.close()
    thread = threading.Thread(target=kept.clear)
    thread.start()
    thread.join()
    copied = copies.copy(np.zeros(3))  # this thread runs on, and lets go of what it made
    assert copied.tolist() == [0.0] * 3
    assert traced(base) < 0.2 * SIZE


def test_threads_never_get_the_same_memory():
    """Each thread's copies keep what it wrote, though others drop and make some all the time."""
    copies, wrong = PrivateCopies(), []

    def make(number):
        value, kept = np.full(LARGE, number, np.uint8), []
        for i in range(200):
            kept.append(copies.copy(value))
            kept[-1][:] = 10 * number + len(kept)
            if i % 3 == 2:
                wrong.extend(
                    (number, i)
                    for i, array in enumerate(kept, 10 * number + 1)
                    if (array != i).any()
                )
                kept.clear()

    threads = [threading.Thread(target=make, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


class Source(rr.Reactor):
    """Sends a large array of ones, so many times."""

    out = rr.Output()
    again = rr.LogicalAction()

    def __init__(self, rounds):
        self.rounds = rounds

    @rr.reaction(rr.startup, again, effects=[out, again])
    def send(self):
        self.out.set(large(1))
        self.rounds -= 1
        if self.rounds:
            self.again.schedule(delay=1)


class Doubles(rr.Reactor):
    """Writes into its own copy and keeps every fourth."""

    inp = rr.Input(mutable=True)

    def __init__(self):
        self.factor = self.bank_index + 2
        self.places, self.kept, self.wrong = [], [], 0

    @rr.reaction(inp)
    def double(self):
        array = self.inp.value
        array *= self.factor
        self.wrong += not (array == self.factor).all()
        self.places.append(address(array))
        if len(self.places) % 4 == 0:
            self.kept.append(array)


class Star(rr.Reactor):
    def __init__(self, rounds):
        self.source = Source(rounds)
        self.readers = rr.Bank(3, Doubles)
        self.connect(self.source.out, self.readers.inp, broadcast=True)


@pytest.mark.parametrize("check", [False, True])
def test_a_program_copies_into_its_own_memory(workers, check, tracing):
    """Rounds share memory, readers do not, and the program leaves nothing but what is kept."""
    rounds = 40
    main = Star(rounds)
    base = traced()
    run(main, workers, check=check)
    kept = [array for reader in main.readers for array in reader.kept]
    assert len(kept) == 3 * rounds // 4
    assert [reader.wrong for reader in main.readers] == [0, 0, 0]
    for reader in main.readers:
        assert all((array == reader.factor).all() for array in reader.kept)
    places = {place for reader in main.readers for place in reader.places}
    assert len(places) <= len(kept) + 3 * (workers + 1)  # 3 a round; a sleeping maker's come late
    assert len(kept) * SIZE <= traced(base) < (len(kept) + 0.5) * SIZE
    del main, kept, reader
    gc.collect()
    assert traced(base) < 0.5 * SIZE
