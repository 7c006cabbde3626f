# cython: language_level=3, freethreading_compatible=True, boundscheck=False, wraparound=False
# cython: embedsignature=False, binding=False
"""The border between Python and csrc/kernels/sum_tree.c: memory and conversions."""

cimport cython
from libc.stdint cimport int64_t, uintptr_t

import numpy as np

cdef extern from "kernels/sum_tree.h" nogil:
    int64_t RRL_SUM_TREE_MAX_LEAVES
    double RRL_SUM_TREE_MIN_VALUE
    double RRL_SUM_TREE_MAX_VALUE

    ctypedef struct rrl_sum_tree_t:
        pass

    void rrl_sum_tree_sizes(int64_t n_leaves, int64_t *out_n_sums, int64_t *out_n_minima)
    void rrl_sum_tree_init(rrl_sum_tree_t *tree, int64_t n_leaves, double *sums, double *minima)
    int64_t rrl_sum_tree_set(
        rrl_sum_tree_t *tree, int64_t n, const int64_t *leaves, const double *values
    )
    double rrl_sum_tree_total(const rrl_sum_tree_t *tree)
    double rrl_sum_tree_minimum(const rrl_sum_tree_t *tree)
    void rrl_sum_tree_sample(
        const rrl_sum_tree_t *tree, int64_t n, const double *uniforms,
        int64_t *out_leaves, double *out_values
    )

cdef enum:
    CACHE_LINE = 64

MIN_VALUE = RRL_SUM_TREE_MIN_VALUE
MAX_VALUE = RRL_SUM_TREE_MAX_VALUE


@cython.final
cdef class SumTree:
    cdef rrl_sum_tree_t _c_tree
    cdef readonly int64_t n_leaves
    # What the tree lies in: alive as long as the tree.
    cdef double[::1] _sums
    cdef double[::1] _minima

    def __cinit__(self, int64_t n_leaves):
        if not 1 <= n_leaves <= RRL_SUM_TREE_MAX_LEAVES:
            raise ValueError(f"n_leaves={n_leaves}: from 1 to {RRL_SUM_TREE_MAX_LEAVES}")
        cdef int64_t n_sums, n_minima
        rrl_sum_tree_sizes(n_leaves, &n_sums, &n_minima)
        cdef int64_t n_spare = CACHE_LINE // <int64_t>sizeof(double)
        cdef double[::1] cells = np.zeros(n_sums + n_spare)
        cdef int64_t begin = (
            (CACHE_LINE - <uintptr_t>&cells[0] % CACHE_LINE) % CACHE_LINE // sizeof(double)
        )
        self._sums = cells[begin:begin + n_sums]
        self._minima = np.empty(n_minima)
        self.n_leaves = n_leaves
        rrl_sum_tree_init(&self._c_tree, n_leaves, &self._sums[0], &self._minima[0])

    @property
    def total(self):
        return rrl_sum_tree_total(&self._c_tree)

    @property
    def minimum(self):
        return rrl_sum_tree_minimum(&self._c_tree)

    @property
    def leaves(self):
        return np.asarray(self._sums[:self.n_leaves])

    def set(self, const int64_t[::1] leaves, const double[::1] values):
        cdef int64_t n = leaves.shape[0], n_right = 0
        if values.shape[0] != n:
            raise ValueError(f"{n} leaves, but {values.shape[0]} values")
        if n:
            with nogil:
                n_right = rrl_sum_tree_set(&self._c_tree, n, &leaves[0], &values[0])
        if n_right < n:
            raise ValueError(
                f"leaf {leaves[n_right]} = {values[n_right]}: leaves go from 0 to"
                f" {self.n_leaves - 1}, values are 0 or from {MIN_VALUE:.3g} to {MAX_VALUE:.3g}"
            )

    def sample(self, const double[::1] uniforms):
        cdef int64_t n = uniforms.shape[0]
        leaves, values = np.empty(n, np.int64), np.empty(n)
        cdef int64_t[::1] to_leaves = leaves
        cdef double[::1] to_values = values
        if n:
            if rrl_sum_tree_total(&self._c_tree) == 0:
                raise ValueError("all leaves are 0: there is nothing to sample")
            with nogil:
                rrl_sum_tree_sample(&self._c_tree, n, &uniforms[0], &to_leaves[0], &to_values[0])
        return leaves, values
