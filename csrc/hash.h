/* hash.h: the words that trace_hash is made of.
 *
 * What happens at a tag is a multiset of mixed words, summed: the sum does not depend on the order in
 * which they arrive, hence not on the number of workers (I12). */
#ifndef RRL_HASH_H
#define RRL_HASH_H

#include "rrl.h"

/* A strong 64-bit mixer: the finaliser of splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t rrl__mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15ull;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
}

static inline uint64_t rrl__mix_tag(uint64_t seed, rrl_tag_t tag) {
    return rrl__mix(rrl__mix(seed ^ (uint64_t)tag.time_ns) + tag.microstep);
}

/* Kinds of happenings, so that port 3 and action 3 differ. */
#define RRL__HASH_PORT 0x706F727400000000ull
#define RRL__HASH_ACTION 0x6163746E00000000ull
#define RRL__HASH_MISS 0x6D69737300000000ull
#define RRL__HASH_MODE 0x6D6F646500000000ull

#endif
