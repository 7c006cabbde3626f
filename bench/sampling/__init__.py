"""Sampling benchmarks: how fast experience is gathered and drawn again."""
