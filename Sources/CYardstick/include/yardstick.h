#pragma once
#include <stdint.h>

// Chains `count` Montgomery multiplications modulo a prime of four or six limbs and returns the lowest limb: what a C
// compiler makes of the same arithmetic on the same machine.
uint64_t kms_yardstick_bls12381(long count);
uint64_t kms_yardstick_bn254(long count);
