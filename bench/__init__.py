"""Benchmarks of reactorrl and of what else can do the same work (see bench/README.md)."""

import sys
from pathlib import Path

# For `registries`, which knows the package registries and the cache.
sys.path.append(str(Path(__file__).resolve().parent.parent / "tools"))
