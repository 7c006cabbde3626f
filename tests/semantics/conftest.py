"""Every semantics test that takes `workers` runs for 1, 2 and 4 of them, and under each clock."""

import programs
import pytest

CLOCKS = ("fast", "virtual")
"""`programs.run` runs a program under each of these; "virtual" is a `VirtualClock` of its own."""


_skipped = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if call.when == "call":
        item.stash[_skipped] = report.skipped


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "own_clock(reason): the test runs under the clock that it chooses, once"
    )


def pytest_generate_tests(metafunc):
    if "clock" in metafunc.fixturenames:
        is_fixed = metafunc.definition.get_closest_marker("own_clock") is not None
        metafunc.parametrize("clock", CLOCKS[:1] if is_fixed else CLOCKS, indirect=True)


@pytest.fixture
def clock(request):
    """How `programs.run` waits in this test."""
    with programs.clocked(request.param) as leg:
        yield request.param
    was_skipped = request.node.stash.get(_skipped, False)
    assert leg.n_runs or request.param == "fast" or was_skipped, (
        "no program took the clock: mark it own_clock"
    )


@pytest.fixture(params=[1, 2, 4], ids=lambda n: f"workers{n}")
def workers(request, clock):
    """The number of workers a program runs with."""
    return request.param
