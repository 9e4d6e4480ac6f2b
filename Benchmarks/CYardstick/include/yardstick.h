#pragma once
#include <stddef.h>
#include <stdint.h>

// Chains `count` Montgomery multiplications modulo a prime of four or six limbs and returns the lowest limb: what a C
// compiler makes of the same arithmetic on the same machine.
uint64_t kms_yardstick_bls12381(long count);
uint64_t kms_yardstick_bn254(long count);

// The body less the sum of those of `length` words where the packed key has a one, mod 2^64: a block of a lattice ciphertext,
// little-endian, at any alignment, the body last. Nothing depends on the key but the sum.
uint64_t kms_yardstick_lwe(const uint8_t *words, const uint8_t *key, size_t length);

// Bytes that the heap has given out and not got back.
size_t kms_heap_bytes(void);
