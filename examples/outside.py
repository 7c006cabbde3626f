"""Events from a thread in a page: a sensor that knows nothing of reactors, recorded and replayed.

A physical action takes events from any thread; their tags are the times at which they came, and so
differ from run to run. The recording brings them back: the replay has the first run's trace hash,
with another number of workers too.
"""

import tempfile
import threading
from pathlib import Path

import reactorrl as rr


class Station(rr.Reactor):
    """Keeps the highest reading."""

    reading = rr.PhysicalAction[int]()

    def __init__(self):
        self.highest, self.n_readings = 0, 0

    @rr.reaction(reading)
    def take(self):
        self.highest = max(self.highest, self.reading.value)
        self.n_readings += 1


def sensor(station):
    """What somebody else's library calls in a thread of its own."""
    for value in (20, 23, 21, 25, 24):
        station.reading.schedule(value)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sensor.rec"
        program = rr.Program(station := Station(), workers=1, record=path)
        with station.reading.producer():  # the program goes on while this is open
            program.start()
            thread = threading.Thread(target=sensor, args=(station,))
            thread.start()
            thread.join()
        first = program.join()
        print(f"{station.n_readings} readings, the highest {station.highest}")

        again = rr.run(replayed := Station(), workers=2, replay=path)
        print(f"replayed: {replayed.n_readings} readings, the highest {replayed.highest}")
        print("the same trace:", first.trace_hash == again.trace_hash)
