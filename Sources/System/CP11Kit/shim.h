// p11-kit.h uses size_t without including a header that defines it.
#include <stddef.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/p11-kit.h>

// Macros with a cast do not reach Swift; give them a typed constant.
static const CK_ULONG KMS_CK_UNAVAILABLE_INFORMATION = CK_UNAVAILABLE_INFORMATION;
static const CK_ULONG KMS_CKR_VENDOR_DEFINED = CKR_VENDOR_DEFINED;
