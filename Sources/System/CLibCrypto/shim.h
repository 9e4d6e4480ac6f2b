#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

// Overwrites what the calls before it left on the stack below its caller. OpenSSL's ChaCha20 for processors with SSSE3 or AVX2 and
// without AVX-512 puts the key there and leaves it; a thread that waits for work keeps it for as long as it likes.
__attribute__((noinline)) static void kms_wipe_stack(void) {
    unsigned char below[8192];
    OPENSSL_cleanse(below, sizeof below);
}

// Built from masks that do not reach Swift.
static const int KMS_EVP_PKEY_KEYPAIR = EVP_PKEY_KEYPAIR;
static const int KMS_EVP_PKEY_PUBLIC_KEY = EVP_PKEY_PUBLIC_KEY;
