# cython: language_level=3, freethreading_compatible=True, boundscheck=False, wraparound=False
# cython: embedsignature=False, binding=False
"""The border between Python and csrc/kernels/n_step.c: memory and conversions."""

cimport cython
from libc.stdint cimport int64_t, uint8_t

import numpy as np

cdef extern from "kernels/n_step.h" nogil:
    ctypedef struct rrl_step_t:
        pass

    ctypedef struct rrl_n_step_t:
        int64_t per_lane
        int64_t n_lanes
        const rrl_step_t *steps
        const int64_t *written
        int64_t n
        double gamma

    ctypedef struct rrl_n_step_returns_t:
        float *rewards
        float *discounts
        int64_t *lanes
        int64_t *indices
        int64_t *rows
        int64_t *next_rows

    void rrl_n_step_gather(
        const rrl_n_step_t *of, int64_t n_slots, const int64_t *slots, rrl_n_step_returns_t out
    )
    int64_t rrl_n_step_first(
        const rrl_n_step_t *of, int64_t lane, int64_t first, int64_t oldest
    )


# rrl_step_t, as NumPy has it.
STEP = np.dtype([
    ("row", np.int64), ("reward", np.float32), ("row_step", np.uint8),
    ("terminated", np.bool_), ("ended", np.bool_), ("unused", np.uint8),
])
assert STEP.itemsize == sizeof(rrl_step_t)


@cython.final
cdef class NStep:
    cdef rrl_n_step_t _c_steps
    # What is read: alive as long as this.
    cdef const uint8_t[::1] _steps
    cdef const int64_t[::1] _written

    def __cinit__(self, steps, const int64_t[::1] written, int64_t n, double gamma):
        if steps.dtype != STEP:
            raise TypeError(f"steps are {steps.dtype}, not STEP")
        self._steps = steps.view(np.uint8)
        self._written = written
        self._c_steps.n_lanes = written.shape[0]
        self._c_steps.per_lane = len(steps) // self._c_steps.n_lanes
        self._c_steps.steps = <const rrl_step_t *>&self._steps[0]
        self._c_steps.written = &written[0]
        self._c_steps.n = n
        self._c_steps.gamma = gamma

    def gather(self, const int64_t[::1] slots):
        cdef int64_t n = slots.shape[0]
        floats, integers = np.empty((2, n), np.float32), np.empty((4, n), np.int64)
        cdef float[:, ::1] to_floats = floats
        cdef int64_t[:, ::1] to_integers = integers
        cdef rrl_n_step_returns_t out
        if n:
            out.rewards, out.discounts = &to_floats[0, 0], &to_floats[1, 0]
            out.lanes, out.indices = &to_integers[0, 0], &to_integers[1, 0]
            out.rows, out.next_rows = &to_integers[2, 0], &to_integers[3, 0]
            with nogil:
                rrl_n_step_gather(&self._c_steps, n, &slots[0], out)
        return (*floats, *integers)

    def advance(self, int64_t[::1] first, const int64_t[::1] lanes, const int64_t[::1] oldest):
        cdef int64_t i, lane
        with nogil:
            for i in range(lanes.shape[0]):
                lane = lanes[i]
                first[lane] = rrl_n_step_first(&self._c_steps, lane, first[lane], oldest[i])
