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

// Built from masks that do not reach Swift.
static const int KMS_EVP_PKEY_KEYPAIR = EVP_PKEY_KEYPAIR;
static const int KMS_EVP_PKEY_PUBLIC_KEY = EVP_PKEY_PUBLIC_KEY;
