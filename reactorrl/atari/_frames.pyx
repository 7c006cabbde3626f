# cython: language_level=3, freethreading_compatible=True, boundscheck=False, wraparound=False
# cython: embedsignature=False, binding=False
"""The border between Python and csrc/kernels/screen.c: memory, and the stack of frames."""

cimport cython
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memmove

import numpy as np

cdef extern from "kernels/screen.h" nogil:
    ctypedef struct rrl_screen_t:
        pass

    size_t rrl_screen_size_bytes(
        uint32_t in_rows, uint32_t in_columns, uint32_t out_rows, uint32_t out_columns
    )
    void rrl_screen_init(
        rrl_screen_t *screen, uint32_t in_rows, uint32_t in_columns, uint32_t out_rows,
        uint32_t out_columns, void *memory
    )
    void rrl_screen_learn(rrl_screen_t *screen, const uint8_t *indices, const uint8_t *grey)
    bint rrl_screen_look_up(
        const rrl_screen_t *screen, const uint8_t *indices, uint8_t *out_grey
    )
    void rrl_screen_reduce(
        rrl_screen_t *screen, const uint8_t *a, const uint8_t *b, uint8_t *out_frame
    )


@cython.final
cdef class FrameStack:
    cdef readonly object screen
    cdef readonly object frames
    cdef rrl_screen_t _c_screen
    cdef uint8_t[:, ::1] _screen  # the memory of `screen`
    cdef uint8_t[:, :, ::1] _frames  # the memory of `frames`
    cdef uint8_t[:, :, ::1] _grey  # the last two screens that were seen
    cdef int _newer  # which of them is the newer one
    cdef float[::1] _work  # what _c_screen works in

    def __cinit__(self, screen_shape, frame_shape, Py_ssize_t n_frames):
        cdef uint32_t in_rows, in_columns, out_rows, out_columns
        in_rows, in_columns = screen_shape
        out_rows, out_columns = frame_shape
        cdef size_t size = rrl_screen_size_bytes(in_rows, in_columns, out_rows, out_columns)
        if not size:
            raise ValueError(
                f"a screen of {in_rows} x {in_columns} cannot be averaged to frames of "
                f"{out_rows} x {out_columns}: choose smaller ones, or a size that divides better"
            )
        if n_frames < 1:
            raise ValueError(f"n_frames={n_frames}: a stack has 1 or more")
        self.screen = np.zeros((in_rows, in_columns), np.uint8)
        self.frames = np.zeros((n_frames, out_rows, out_columns), np.uint8)
        self._screen = self.screen
        self._frames = self.frames
        self._grey = np.zeros((2, in_rows, in_columns), np.uint8)
        self._work = np.empty((size + sizeof(float) - 1) // sizeof(float), np.float32)
        rrl_screen_init(
            &self._c_screen, in_rows, in_columns, out_rows, out_columns, &self._work[0]
        )

    def learn(self, const uint8_t[:, ::1] grey not None):
        if grey.shape[0] != self._screen.shape[0] or grey.shape[1] != self._screen.shape[1]:
            raise ValueError(f"grey has shape {grey.shape[0]} x {grey.shape[1]}, not a screen's")
        rrl_screen_learn(&self._c_screen, &self._screen[0, 0], &grey[0, 0])

    def see(self):
        cdef int older = 1 - self._newer
        cdef bint known
        with nogil:
            known = rrl_screen_look_up(
                &self._c_screen, &self._screen[0, 0], &self._grey[older, 0, 0]
            )
        if known:
            self._newer = older
        return known

    def push(self, bint newest_only=False):
        cdef Py_ssize_t last = self._frames.shape[0] - 1
        cdef size_t size = self._frames.shape[1] * self._frames.shape[2]
        cdef uint8_t *frames = &self._frames[0, 0, 0]
        cdef const uint8_t *newer = &self._grey[self._newer, 0, 0]
        cdef const uint8_t *other = newer if newest_only else &self._grey[1 - self._newer, 0, 0]
        with nogil:
            memmove(frames, frames + size, last * size)
            rrl_screen_reduce(&self._c_screen, newer, other, frames + last * size)
