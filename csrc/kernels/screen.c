#include "screen.h"

#include <string.h>

#define MAX_UNITS 65535 /* 255 times it is below 2^24, and no quotient comes to lie on a tie */
#define USUAL_TAPS 3

static uint32_t greatest_common_divisor(uint32_t a, uint32_t b) {
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint32_t taps_of(uint32_t length, uint32_t step) { return (length + step - 1) / step + 1; }

size_t rrl_screen_size_bytes(uint32_t in_rows, uint32_t in_columns, uint32_t out_rows,
                             uint32_t out_columns) {
    if (!out_rows || out_rows > in_rows || !out_columns || out_columns > in_columns) return 0;
    if (in_rows > MAX_UNITS || in_columns > MAX_UNITS) return 0;
    uint32_t divisor = greatest_common_divisor(in_columns, out_columns);
    uint32_t row_length = in_rows / greatest_common_divisor(in_rows, out_rows);
    if ((uint64_t)row_length * (in_columns / divisor) > MAX_UNITS) return 0;
    size_t n_taps = taps_of(in_columns / divisor, out_columns / divisor);
    size_t n_floats = out_columns * (n_taps + 2) + in_columns + n_taps;
    return n_floats * sizeof(float) + out_columns * sizeof(uint32_t) + in_columns;
}

void rrl_screen_init(rrl_screen_t *screen, uint32_t in_rows, uint32_t in_columns, uint32_t out_rows,
                     uint32_t out_columns, void *memory) {
    uint32_t rows = greatest_common_divisor(in_rows, out_rows);
    uint32_t columns = greatest_common_divisor(in_columns, out_columns);
    uint32_t length = in_columns / columns, step = out_columns / columns;
    uint32_t n_taps = taps_of(length, step);
    *screen = (rrl_screen_t){
        .in_rows = in_rows,
        .in_columns = in_columns,
        .out_rows = out_rows,
        .out_columns = out_columns,
        .row_length = in_rows / rows,
        .row_step = out_rows / rows,
        .column_length = length,
        .column_step = step,
        .n_taps = n_taps,
    };
    for (int index = 0; index < 256; index++) screen->grey[index] = RRL_GREY_UNKNOWN;
    memset(memory, 0, rrl_screen_size_bytes(in_rows, in_columns, out_rows, out_columns));
    screen->first = memory;
    screen->weights = (float *)(screen->first + out_columns);
    screen->line = screen->weights + (size_t)out_columns * n_taps;
    screen->reduced = screen->line + in_columns + n_taps;
    screen->sums = screen->reduced + out_columns;
    screen->brighter = (uint8_t *)(screen->sums + out_columns);
    for (uint32_t out = 0; out < out_columns; out++) {
        uint32_t begin = out * length, end = begin + length;
        screen->first[out] = begin / step;
        for (uint32_t at = begin, tap = 0; at < end; tap++) {
            uint32_t next = (at / step + 1) * step;
            if (next > end) next = end;
            screen->weights[(size_t)out * n_taps + tap] = (float)(next - at);
            at = next;
        }
    }
}

void rrl_screen_learn(rrl_screen_t *screen, const uint8_t *indices, const uint8_t *grey) {
    size_t n = (size_t)screen->in_rows * screen->in_columns;
    for (size_t i = 0; i < n; i++) screen->grey[indices[i]] = grey[i];
}

bool rrl_screen_look_up(const rrl_screen_t *screen, const uint8_t *indices, uint8_t *out_grey) {
    size_t width = screen->in_columns;
    unsigned all = 0;
    for (uint32_t y = 0; y < screen->in_rows; y++, indices += width, out_grey += width) {
        if (y && !memcmp(indices, indices - width, width)) {
            memcpy(out_grey, out_grey - width, width);
            continue;
        }
        for (size_t x = 0; x < width; x++) {
            unsigned grey = screen->grey[indices[x]];
            all |= grey;
            out_grey[x] = (uint8_t)grey;
        }
    }
    return !(all & RRL_GREY_UNKNOWN);
}

/* Two loops, as compilers vectorize each of them well, and not the two in one. */
static void take_brighter(uint32_t n, float *restrict line, uint8_t *restrict brighter,
                          const uint8_t *restrict a, const uint8_t *restrict b) {
    for (uint32_t x = 0; x < n; x++) brighter[x] = a[x] > b[x] ? a[x] : b[x];
    for (uint32_t x = 0; x < n; x++) line[x] = (float)brighter[x];
}

/* `line` to `reduced`. With a constant n_taps the inner loop is unrolled. */
static inline void reduce_columns(rrl_screen_t *screen, uint32_t n_taps) {
    const float *weights = screen->weights;
    for (uint32_t out = 0; out < screen->out_columns; out++, weights += n_taps) {
        const float *pixels = screen->line + screen->first[out];
        float sum = 0;
        for (uint32_t tap = 0; tap < n_taps; tap++) sum += weights[tap] * pixels[tap];
        screen->reduced[out] = sum;
    }
}

static void add_rows(uint32_t n, float *restrict sums, const float *restrict reduced,
                     float weight) {
    for (uint32_t i = 0; i < n; i++) sums[i] += weight * reduced[i];
}

/* Below 2^22, adding 1.5 * 2^23 leaves a number's nearest integer, ties to even, in the last bits. */
static void divide(uint32_t n, uint8_t *restrict out, float *restrict sums, float units) {
    for (uint32_t i = 0; i < n; i++) {
        float rounded = sums[i] / units + 0x1.8p23f;
        uint32_t bits;
        memcpy(&bits, &rounded, sizeof bits);
        out[i] = (uint8_t)bits;
        sums[i] = 0;
    }
}

void rrl_screen_reduce(rrl_screen_t *screen, const uint8_t *a, const uint8_t *b,
                       uint8_t *out_frame) {
    size_t width = screen->in_columns;
    uint32_t n = screen->out_columns;
    float units = (float)(screen->row_length * screen->column_length);
    uint32_t room = screen->row_length; /* units of the output row that are still to be filled */
    memset(screen->sums, 0, n * sizeof *screen->sums);
    for (uint32_t y = 0; y < screen->in_rows; y++, a += width, b += width) {
        if (!y || memcmp(a, a - width, width) || memcmp(b, b - width, width)) {
            take_brighter(screen->in_columns, screen->line, screen->brighter, a, b);
            if (screen->n_taps == USUAL_TAPS)
                reduce_columns(screen, USUAL_TAPS);
            else
                reduce_columns(screen, screen->n_taps);
        }
        for (uint32_t left = screen->row_step; left;) {
            uint32_t share = left < room ? left : room;
            add_rows(n, screen->sums, screen->reduced, (float)share);
            left -= share;
            room -= share;
            if (room) continue;
            divide(n, out_frame, screen->sums, units);
            out_frame += n;
            room = screen->row_length;
        }
    }
}
