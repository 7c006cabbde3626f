"""Benchmarks of reactorrl and of what else can do the same work (see bench/README.md).

In the tree `bench`, installed `reactorrl.bench`. Measured processes always know it as `bench`, as
the interpreters of peers have no reactorrl; so it imports its own modules relatively.
"""
