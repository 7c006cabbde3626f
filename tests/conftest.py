"""What every test gets: a worker count, a watchdog, checks that nothing is left behind."""

import faulthandler
import os
import random
import signal
import sys
import sysconfig
import threading
import zlib
from collections import Counter

# BLAS threads would look like workers that were left behind.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from leftovers import leftover_threads, os_threads

HANG_SECONDS = 120
LONG_SECONDS = 4 * 3600
IS_FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

_stderr = pytest.StashKey()
_gil_offender = pytest.StashKey()
_tried = pytest.StashKey()


def pytest_addoption(parser):
    parser.addoption(
        "--long", action="store_true", help="more programs, longer runs in the randomised tests"
    )
    parser.addoption(
        "--base-seed",
        type=int,
        default=None,
        help="repeat the random choices of an earlier session",
    )


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A shell's background job ignores it, and so would the scripts of these tests.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line(
        "markers", "leaves_threads: a library used here keeps threads of its own"
    )
    if config.option.base_seed is None:
        config.option.base_seed = random.SystemRandom().randrange(2**31)
    # Capturing is suspended now, so this is the terminal and not the captured file.
    config.stash[_stderr] = os.fdopen(os.dup(2), "w")
    config.stash[_gil_offender] = None
    config.stash[_tried] = Counter()


def pytest_report_header(config):
    gil = "off" if IS_FREE_THREADED and not sys._is_gil_enabled() else "on"
    return f"reactorrl: GIL {gil}, base seed {config.option.base_seed} (repeat with --base-seed)"


def pytest_collection_modifyitems(config, items):
    if config.option.long:
        for item in items:
            item.add_marker(pytest.mark.timeout(LONG_SECONDS), append=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """The last resort: pytest-timeout needs a thread that runs Python, this one does not."""
    marker = item.get_closest_marker("timeout")
    seconds = (marker.args[0] if marker else HANG_SECONDS) + 10
    faulthandler.dump_traceback_later(seconds, exit=True, file=item.config.stash[_stderr])
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(params=[1, 2, 4], ids=lambda n: f"workers{n}")
def workers(request):
    """The number of workers a program runs with."""
    return request.param


@pytest.fixture
def is_long(request):
    """Whether the session was asked to take its time."""
    return request.config.option.long


@pytest.fixture
def seed(request):
    """A number of this test's own; the same again with the same --base-seed."""
    value = zlib.crc32(f"{request.config.option.base_seed} {request.node.nodeid}".encode())
    print(f"seed {value} (base seed {request.config.option.base_seed})")
    return value


@pytest.fixture
def tried(request):
    """Counts what randomised tests have tried, to be said when the session ends: what, how many."""

    def count(what, n):
        request.config.stash[_tried][what] += n

    return count


def pytest_terminal_summary(terminalreporter, config):
    for what, n in config.stash[_tried].items():
        terminalreporter.write_line(f"tried: {n:,} {what}")


@pytest.fixture(autouse=True)
def gil_stays_off(request):
    """Fails the first test that turns the GIL on; nothing turns it off again."""
    yield
    if IS_FREE_THREADED and sys._is_gil_enabled() and request.config.stash[_gil_offender] is None:
        request.config.stash[_gil_offender] = request.node.nodeid
        pytest.fail(
            f"the GIL is on after {request.node.nodeid}: something it imported is not free-threaded"
        )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if session.config.stash[_gil_offender] is not None and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def no_thread_is_left(request):
    """Fails a test after which threads run that did not run before."""
    before = os_threads()
    yield
    if request.node.get_closest_marker("leaves_threads") is None:
        new = leftover_threads(before)
        assert not new, f"threads left behind: {new}; in Python's eyes: {threading.enumerate()}"
