"""How many different results the same learning program has, run after run."""
