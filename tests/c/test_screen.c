#include "check.h"
#include "kernels/screen.h"

typedef struct shape {
    uint32_t in_rows, in_columns, out_rows, out_columns;
} shape_t;

static uint8_t *random_bytes(size_t n, uint64_t *random) {
    uint8_t *bytes = malloc(n);
    CHECK(bytes);
    for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)check_random(random);
    return bytes;
}

static void *start(rrl_screen_t *screen, shape_t s) {
    size_t size = rrl_screen_size_bytes(s.in_rows, s.in_columns, s.out_rows, s.out_columns);
    CHECK(size);
    void *memory = malloc(size);
    CHECK(memory);
    rrl_screen_init(screen, s.in_rows, s.in_columns, s.out_rows, s.out_columns, memory);
    return memory;
}

/* How much of input pixel `in` lies in output pixel `out`, in units of 1/n_out of an input pixel. */
static uint64_t overlap(uint64_t n_in, uint64_t n_out, uint64_t in, uint64_t out) {
    uint64_t begin = in * n_out > out * n_in ? in * n_out : out * n_in;
    uint64_t in_end = (in + 1) * n_out, out_end = (out + 1) * n_in;
    uint64_t end = in_end < out_end ? in_end : out_end;
    return end > begin ? end - begin : 0;
}

static uint8_t average(shape_t s, const uint8_t *a, const uint8_t *b, uint64_t row,
                       uint64_t column) {
    uint64_t sum = 0, units = (uint64_t)s.in_rows * s.in_columns;
    for (uint64_t y = 0; y < s.in_rows; y++) {
        uint64_t rows = overlap(s.in_rows, s.out_rows, y, row);
        for (uint64_t x = 0; rows && x < s.in_columns; x++) {
            uint64_t i = y * s.in_columns + x;
            sum += rows * overlap(s.in_columns, s.out_columns, x, column) *
                   (a[i] > b[i] ? a[i] : b[i]);
        }
    }
    uint64_t quotient = sum / units, twice = sum % units * 2;
    return (uint8_t)(quotient + (twice > units || (twice == units && quotient % 2)));
}

static void check_average(shape_t s, uint64_t *random) {
    rrl_screen_t screen;
    void *memory = start(&screen, s);
    size_t n_in = (size_t)s.in_rows * s.in_columns, n_out = (size_t)s.out_rows * s.out_columns;
    uint8_t *a = random_bytes(n_in, random), *b = random_bytes(n_in, random);
    uint8_t *frame = malloc(n_out);
    CHECK(frame);
    if (s.in_rows > 2) { /* a row that repeats the one above it, in one screen and in both */
        memcpy(a + s.in_columns, a, s.in_columns);
        memcpy(a + 2 * s.in_columns, a, s.in_columns);
        memcpy(b + 2 * s.in_columns, b + s.in_columns, s.in_columns);
    }
    for (int repetition = 0; repetition < 2; repetition++) {
        rrl_screen_reduce(&screen, a, b, frame);
        for (uint32_t i = 0; i < n_out; i++)
            CHECK_EQ(frame[i], average(s, a, b, i / s.out_columns, i % s.out_columns));
    }
    free(frame);
    free(b);
    free(a);
    free(memory);
}

static void an_average_is_exact_and_rounded_to_even(void) {
    uint64_t random = 1;
    check_average((shape_t){30, 20, 12, 12}, &random);
    check_average((shape_t){1, 1, 1, 1}, &random);
    check_average((shape_t){16, 16, 1, 1}, &random);
    for (int i = 0; i < 200 / CHECK_SLOWDOWN; i++) {
        shape_t s = {1 + (uint32_t)(check_random(&random) % 25),
                     1 + (uint32_t)(check_random(&random) % 25), 0, 0};
        s.out_rows = 1 + (uint32_t)(check_random(&random) % s.in_rows);
        s.out_columns = 1 + (uint32_t)(check_random(&random) % s.in_columns);
        check_average(s, &random);
    }
}

static void a_tie_is_rounded_to_even(void) {
    shape_t s = {1, 2, 1, 1};
    rrl_screen_t screen;
    void *memory = start(&screen, s);
    for (int level = 0; level < 255; level++) {
        uint8_t pixels[2] = {(uint8_t)level, (uint8_t)(level + 1)}, frame;
        rrl_screen_reduce(&screen, pixels, pixels, &frame);
        CHECK_EQ(frame, level + level % 2);
    }
    free(memory);
}

static void the_largest_sums_are_exact(void) {
    shape_t s = {257, 255, 1, 1};
    rrl_screen_t screen;
    void *memory = start(&screen, s);
    size_t n = (size_t)s.in_rows * s.in_columns;
    uint8_t *pixels = malloc(n), frame;
    CHECK(pixels);
    memset(pixels, 255, n);
    rrl_screen_reduce(&screen, pixels, pixels, &frame);
    CHECK_EQ(frame, 255);
    memset(pixels, 0, n / 2); /* half of them, and one pixel's half more */
    rrl_screen_reduce(&screen, pixels, pixels, &frame);
    CHECK_EQ(frame, 128);
    free(pixels);
    free(memory);
}

static void sizes_that_cannot_be_exact_have_none(void) {
    CHECK_EQ(rrl_screen_size_bytes(210, 160, 0, 84), 0);
    CHECK_EQ(rrl_screen_size_bytes(210, 160, 84, 0), 0);
    CHECK_EQ(rrl_screen_size_bytes(210, 160, 211, 84), 0);
    CHECK_EQ(rrl_screen_size_bytes(210, 160, 84, 161), 0);
    CHECK_EQ(rrl_screen_size_bytes(256, 256, 1, 1), 0);
    CHECK_EQ(rrl_screen_size_bytes(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX), 0);
    CHECK(rrl_screen_size_bytes(257, 255, 1, 1));
    CHECK(rrl_screen_size_bytes(65535, 65535, 65535, 65535));
}

static void a_colour_is_known_once_it_was_learned(void) {
    rrl_screen_t screen;
    void *memory = start(&screen, (shape_t){3, 2, 1, 1});
    const uint8_t indices[6] = {7, 7, 7, 7, 255, 7}, grey[6] = {1, 1, 1, 1, 200, 1};
    uint8_t found[6];
    CHECK(!rrl_screen_look_up(&screen, indices, found));
    rrl_screen_learn(&screen, indices, grey);
    CHECK(rrl_screen_look_up(&screen, indices, found));
    CHECK_EQ(memcmp(found, grey, 6), 0);
    const uint8_t other[6] = {7, 7, 7, 7, 255, 0};
    CHECK(!rrl_screen_look_up(&screen, other, found));
    free(memory);
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(an_average_is_exact_and_rounded_to_even),
        CHECK_CASE(a_tie_is_rounded_to_even),
        CHECK_CASE(the_largest_sums_are_exact),
        CHECK_CASE(sizes_that_cannot_be_exact_have_none),
        CHECK_CASE(a_colour_is_known_once_it_was_learned),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
