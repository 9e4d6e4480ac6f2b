#pragma once
#include <stddef.h>
#include <stdint.h>

// What one turn of a loop does: HMAC-SHA-256, ECDSA or ECDH on P-256.
enum { KMS_TPM_HMAC = 0, KMS_TPM_SIGN = 1, KMS_TPM_ZGEN = 2 };

// A plain C program's use of a TPM: one ESAPI context, one key, one session, no recovery.
typedef struct kms_tpm_loop kms_tpm_loop;

// Connects through the TSS's own loader, such as "swtpm:path=/run/s", and makes a storage key and a key below it with an
// authorization value of 32 bytes, as the daemon's keys have. With `encrypted`, turns run in one HMAC session, salted under
// the storage key and encrypting parameters both ways; otherwise with the authorization value in the clear. With
// `persistent` the key is kept at that handle, as the daemon's role keys are; with 0 it stays loaded.
//
// Returns NULL after writing what failed to `error`.
kms_tpm_loop *kms_tpm_loop_open(
    const char *tcti, int operation, int encrypted, uint32_t persistent, char *error, size_t capacity);

// One operation; the TSS's return code.
uint32_t kms_tpm_loop_turn(kms_tpm_loop *loop);

// Removes what was made.
void kms_tpm_loop_close(kms_tpm_loop *loop);
