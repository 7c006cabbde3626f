"""Micro-benchmarks: what the runtime itself costs, `python -m bench.micro`."""
