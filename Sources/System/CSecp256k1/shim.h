#include <secp256k1.h>
#include <secp256k1_recovery.h>

// The library declares the pointer as a variable.
static inline const secp256k1_context *kmsd_secp256k1_context(void) { return secp256k1_context_static; }
