/* screen.h: screens of palette indices to small grey frames.
 *
 *     screen (index) --look_up--> grey --\
 *                                         brighter of the two --area average--> frame      (all uint8)
 *     screen (index) --look_up--> grey --/
 *
 * The area average is exact: with in/out = I/O in lowest terms, an input pixel is O units long, an output
 * pixel I units, and weights are overlaps in whole units. All sums are integers below 2^24, so binary32
 * holds them exactly and in any order; the quotient by I_rows * I_columns is rounded once, ties to even.
 *
 * Both steps do a row that repeats the row above it only once.
 *
 * The memory is the caller's. One thread at a time. */
#ifndef RRL_SCREEN_H
#define RRL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RRL_GREY_UNKNOWN 0x100

typedef struct rrl_screen {
    uint32_t in_rows, in_columns, out_rows, out_columns;
    uint32_t row_length, row_step;       /* I and O of the rows, in units */
    uint32_t column_length, column_step; /* I and O of the columns */
    uint32_t n_taps;                     /* input columns that one output column may touch */
    uint16_t grey[256];                  /* of each palette index; RRL_GREY_UNKNOWN until learned */
    uint32_t *first;                     /* out_columns: the first input column that it touches */
    float *weights;    /* out_columns * n_taps, in units; 0 behind its last input column */
    float *line;       /* in_columns + n_taps: the brighter of two rows, zeros behind it */
    float *reduced;    /* out_columns: that row, summed by output column */
    float *sums;       /* out_columns: the output row under work */
    uint8_t *brighter; /* in_columns: `line` before it became float */
} rrl_screen_t;

/* Bytes of the memory that a screen needs, aligned for float; 0 where the sizes cannot be served: an
 * output that is empty or larger than the input, or sums that binary32 could not hold. */
size_t rrl_screen_size_bytes(uint32_t in_rows, uint32_t in_columns, uint32_t out_rows,
                             uint32_t out_columns);

/* For sizes that rrl_screen_size_bytes accepts; `memory` outlives the screen. Knows no colour yet. */
void rrl_screen_init(rrl_screen_t *screen, uint32_t in_rows, uint32_t in_columns, uint32_t out_rows,
                     uint32_t out_columns, void *memory);

/* Learns the grey of every index that occurs in a screen. */
void rrl_screen_learn(rrl_screen_t *screen, const uint8_t *indices, const uint8_t *grey);

/* False, with out_grey half written, where the screen has an index whose grey is not known. */
bool rrl_screen_look_up(const rrl_screen_t *screen, const uint8_t *indices, uint8_t *out_grey);

/* The brighter of two grey screens, which may be the same one, by area to (out_rows, out_columns). */
void rrl_screen_reduce(rrl_screen_t *screen, const uint8_t *a, const uint8_t *b,
                       uint8_t *out_frame);

#endif
