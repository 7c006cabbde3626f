"""Gymnasium vector envs on threads: `make_vec`, `ReactorVectorEnv`."""

from ..ids import register_ids
from .env import ReactorVectorEnv
from .make import make_vec

__all__ = ["ReactorVectorEnv", "make_vec", "register_ids"]
