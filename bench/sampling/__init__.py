"""Sampling: env steps per second of batched envs, next to those of other vector envs."""
