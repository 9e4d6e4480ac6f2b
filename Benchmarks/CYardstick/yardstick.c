#include "yardstick.h"

#include <malloc.h>
#include <string.h>

typedef unsigned __int128 wide;

// Coarsely integrated operand scanning, unrolled by the compiler.
#define MULTIPLY(name, limbs, inverse)                                                      \
    static inline __attribute__((always_inline)) void name(                                 \
        uint64_t *r, const uint64_t *x, const uint64_t *y, const uint64_t *p) {             \
        uint64_t t[limbs] = {0};                                                            \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < limbs; i++) {                \
            wide v = (wide)x[0] * y[i] + t[0];                                              \
            uint64_t a = (uint64_t)(v >> 64), m = (uint64_t)v * inverse;                    \
            v = (wide)m * p[0] + (uint64_t)v;                                               \
            uint64_t c = (uint64_t)(v >> 64);                                               \
            _Pragma("clang loop unroll(full)") for (int j = 1; j < limbs; j++) {            \
                v = (wide)x[j] * y[i] + t[j] + a;                                           \
                a = (uint64_t)(v >> 64);                                                    \
                v = (wide)m * p[j] + (uint64_t)v + c;                                       \
                c = (uint64_t)(v >> 64);                                                    \
                t[j - 1] = (uint64_t)v;                                                     \
            }                                                                               \
            t[limbs - 1] = c + a;                                                           \
        }                                                                                   \
        uint64_t s[limbs], borrow = 0;                                                      \
        for (int i = 0; i < limbs; i++) {                                                   \
            wide v = (wide)t[i] - p[i] - borrow;                                            \
            s[i] = (uint64_t)v;                                                             \
            borrow = (uint64_t)(v >> 64) & 1;                                               \
        }                                                                                   \
        uint64_t keep = -borrow;                                                            \
        for (int i = 0; i < limbs; i++) r[i] = (t[i] & keep) | (s[i] & ~keep);              \
    }

MULTIPLY(multiply6, 6, 0x89f3fffcfffcfffdULL)
MULTIPLY(multiply4, 4, 0x08435e50d79435e5ULL)

static const uint64_t bls[6] = {0xb9feffffffffaaabULL, 0x1eabfffeb153ffffULL, 0x6730d2a0f6b0f624ULL,
                                0x64774b84f38512bfULL, 0x4b1ba7b6434bacd7ULL, 0x1a0111ea397fe69aULL};
static const uint64_t bn[4] = {0xa700000000000013ULL, 0x6121000000000013ULL, 0xba344d8000000008ULL,
                               0x2523648240000001ULL};

// Not constant, or the compiler would specialise the multiplication for them.
static volatile uint64_t seed = 0x123456789abcdef1ULL;

uint64_t kms_yardstick_bls12381(long count) {
    uint64_t x[6] = {3, 1, 4, 1, 5, 9}, y[6];
    for (int i = 0; i < 6; i++) y[i] = seed >> i;
    for (long i = 0; i < count; i++) multiply6(x, x, y, bls);
    return x[0];
}

uint64_t kms_yardstick_bn254(long count) {
    uint64_t x[4] = {3, 1, 4, 1}, y[4];
    for (int i = 0; i < 4; i++) y[i] = seed >> (i + 3);
    for (long i = 0; i < count; i++) multiply4(x, x, y, bn);
    return x[0];
}

uint64_t kms_yardstick_lwe(const uint8_t *words, const uint8_t *key, size_t length) {
    uint64_t sum = 0, word;
    for (size_t i = 0; i < length; i++) {
        memcpy(&word, words + 8 * i, 8);
        sum += word & -(uint64_t)(key[i / 8] >> (i % 8) & 1);
    }
    memcpy(&word, words + 8 * length, 8);
    return word - sum;
}

size_t kms_heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
