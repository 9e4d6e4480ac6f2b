#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_sys.h>

// A TCTI of our own: what the TSS calls, and whom it calls.
typedef struct {
    TSS2_TCTI_CONTEXT_COMMON_V1 common;
    void *owner;
} KMS_TCTI;

// Macros with a cast do not reach Swift; give them a typed constant.
static const TSS2_RC KMS_TPM2_RC_INITIALIZE = TPM2_RC_INITIALIZE;
static const TPM2_HANDLE KMS_TPM2_TRANSIENT_FIRST = TPM2_TRANSIENT_FIRST;
static const TPM2_HANDLE KMS_TPM2_LOADED_SESSION_FIRST = TPM2_LOADED_SESSION_FIRST;
static const TPM2_HANDLE KMS_TPM2_PERSISTENT_FIRST = TPM2_PERSISTENT_FIRST;
static const TPM2_HANDLE KMS_TPM2_PERSISTENT_LAST = TPM2_PLATFORM_PERSISTENT - 1;
static const TPM2_CAP KMS_TPM2_CAP_HANDLES = TPM2_CAP_HANDLES;
static const TPM2_CAP KMS_TPM2_CAP_TPM_PROPERTIES = TPM2_CAP_TPM_PROPERTIES;
static const TPM2_CAP KMS_TPM2_CAP_ECC_CURVES = TPM2_CAP_ECC_CURVES;
static const TPM2_PT KMS_TPM2_PT_MANUFACTURER = TPM2_PT_MANUFACTURER;
static const TPM2_PT KMS_TPM2_PT_VENDOR_STRING_1 = TPM2_PT_VENDOR_STRING_1;
static const TPM2_PT KMS_TPM2_PT_HR_TRANSIENT_MIN = TPM2_PT_HR_TRANSIENT_MIN;
static const TPM2_PT KMS_TPM2_PT_INPUT_BUFFER = TPM2_PT_INPUT_BUFFER;
static const TPM2_PT KMS_TPM2_PT_NV_BUFFER_MAX = TPM2_PT_NV_BUFFER_MAX;
static const TPM2_CAP KMS_TPM2_CAP_PCR_PROPERTIES = TPM2_CAP_PCR_PROPERTIES;
static const TPM2_PT_PCR KMS_TPM2_PT_PCR_RESET_L0 = TPM2_PT_PCR_RESET_L0;
static const TPM2_PT KMS_TPM2_PT_PERMANENT = TPM2_PT_PERMANENT;
static const TPM2_PT KMS_TPM2_PT_LOCKOUT_COUNTER = TPM2_PT_LOCKOUT_COUNTER;
static const TPM2_PT KMS_TPM2_PT_MAX_AUTH_FAIL = TPM2_PT_MAX_AUTH_FAIL;
static const TPM2_PT KMS_TPM2_PT_LOCKOUT_INTERVAL = TPM2_PT_LOCKOUT_INTERVAL;
static const uint32_t KMS_TPMA_PERMANENT_INLOCKOUT = TPMA_PERMANENT_INLOCKOUT;
static const TSS2_RC KMS_TCTI_RC_IO_ERROR = TSS2_TCTI_RC_IO_ERROR;
static const TSS2_RC KMS_TCTI_RC_BAD_REFERENCE = TSS2_TCTI_RC_BAD_REFERENCE;
static const TSS2_RC KMS_TCTI_RC_NOT_IMPLEMENTED = TSS2_TCTI_RC_NOT_IMPLEMENTED;
static const TSS2_RC KMS_TCTI_RC_INSUFFICIENT_BUFFER = TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
static const TSS2_RC KMS_TCTI_RC_MALFORMED_RESPONSE = TSS2_TCTI_RC_MALFORMED_RESPONSE;

// A storage key: the root of everything else. Elliptic curve P-256, AES-128-CFB, as TCG's default template but for the
// name's `noDA`: it has no authorization value to guess.
static inline TPM2B_PUBLIC kms_storage_template(void) {
    TPM2B_PUBLIC t;
    memset(&t, 0, sizeof t);
    t.publicArea.type = TPM2_ALG_ECC;
    t.publicArea.nameAlg = TPM2_ALG_SHA256;
    t.publicArea.objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT | TPMA_OBJECT_FIXEDTPM |
        TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;
    t.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_AES;
    t.publicArea.parameters.eccDetail.symmetric.keyBits.aes = 128;
    t.publicArea.parameters.eccDetail.symmetric.mode.aes = TPM2_ALG_CFB;
    t.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
    t.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    t.publicArea.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    return t;
}

// Plain memory, read and written with its authorization value only; a wrong one does not lock the TPM.
static inline TPM2B_NV_PUBLIC kms_memory_template(TPMI_RH_NV_INDEX index, UINT16 size) {
    TPM2B_NV_PUBLIC t;
    memset(&t, 0, sizeof t);
    t.nvPublic.nvIndex = index;
    t.nvPublic.nameAlg = TPM2_ALG_SHA256;
    t.nvPublic.attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA;
    t.nvPublic.dataSize = size;
    return t;
}

// A number of 64 bits that only grows; a new one begins above every other that the TPM ever had (part 1, 37.2.4).
static inline TPM2B_NV_PUBLIC kms_counter_template(TPMI_RH_NV_INDEX index) {
    TPM2B_NV_PUBLIC t = kms_memory_template(index, 8);
    t.nvPublic.attributes |= (TPMA_NV)TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT;
    return t;
}

// Used with a policy instead of the authorization value alone.
static inline void kms_bind_memory(TPM2B_NV_PUBLIC *t) {
    t->nvPublic.attributes &= ~(TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE);
    t->nvPublic.attributes |= TPMA_NV_POLICYREAD | TPMA_NV_POLICYWRITE;
}

// What all keys of ours share: made in this TPM, bound to it and to their parent, used with their authorization value.
static inline TPMA_OBJECT kms_leaf_attributes(int lockout) {
    return TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
        TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT | (lockout ? 0 : TPMA_OBJECT_NODA);
}

static inline TPM2B_PUBLIC kms_hmac_template(int lockout) {
    TPM2B_PUBLIC t;
    memset(&t, 0, sizeof t);
    t.publicArea.type = TPM2_ALG_KEYEDHASH;
    t.publicArea.nameAlg = TPM2_ALG_SHA256;
    t.publicArea.objectAttributes = kms_leaf_attributes(lockout);
    t.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_HMAC;
    t.publicArea.parameters.keyedHashDetail.scheme.details.hmac.hashAlg = TPM2_ALG_SHA256;
    return t;
}

static inline TPM2B_PUBLIC kms_signing_template(TPM2_ECC_CURVE curve, int lockout) {
    TPM2B_PUBLIC t;
    memset(&t, 0, sizeof t);
    t.publicArea.type = TPM2_ALG_ECC;
    t.publicArea.nameAlg = TPM2_ALG_SHA256;
    t.publicArea.objectAttributes = kms_leaf_attributes(lockout);
    t.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
    t.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
    t.publicArea.parameters.eccDetail.curveID = curve;
    t.publicArea.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    return t;
}

// A key that signs nothing but what its TPM made itself: the TPM hashes, and refuses messages that begin like its own
// structures.
static inline TPM2B_PUBLIC kms_attestation_template(int lockout) {
    TPM2B_PUBLIC t = kms_signing_template(TPM2_ECC_NIST_P256, lockout);
    t.publicArea.objectAttributes |= TPMA_OBJECT_RESTRICTED;
    t.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
    t.publicArea.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
    return t;
}

// A key that was made outside and only multiplies points of its curve. Not bound to a TPM by its attributes, because it
// came from elsewhere; but without a policy nothing can authorise its duplication.
static inline TPM2B_PUBLIC kms_multiplier_template(TPM2_ECC_CURVE curve, int lockout) {
    TPM2B_PUBLIC t = kms_signing_template(curve, lockout);
    t.publicArea.objectAttributes = TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_DECRYPT | (lockout ? 0 : TPMA_OBJECT_NODA);
    return t;
}

// A key that was made in the TPM and only agrees.
static inline TPM2B_PUBLIC kms_agreement_template(TPM2_ECC_CURVE curve, int lockout) {
    TPM2B_PUBLIC t = kms_signing_template(curve, lockout);
    t.publicArea.objectAttributes = (kms_leaf_attributes(lockout) & ~TPMA_OBJECT_SIGN_ENCRYPT) | TPMA_OBJECT_DECRYPT;
    return t;
}

// How a key is wrapped for its import: inside, under a key that crosses in a session's encrypted parameter.
static inline TPMT_SYM_DEF_OBJECT kms_import_cipher(void) {
    TPMT_SYM_DEF_OBJECT d;
    memset(&d, 0, sizeof d);
    d.algorithm = TPM2_ALG_AES;
    d.keyBits.aes = 128;
    d.mode.aes = TPM2_ALG_CFB;
    return d;
}

// The name by which a policy digest marks an object as ours; no policy has this digest, so it allows nothing.
static inline void kms_set_label(TPM2B_PUBLIC *t, const uint8_t *digest, size_t count) {
    if (count > sizeof t->publicArea.authPolicy.buffer) return;
    memcpy(t->publicArea.authPolicy.buffer, digest, count);
    t->publicArea.authPolicy.size = (UINT16)count;
}

static inline TPMT_SYM_DEF kms_session_cipher(void) {
    TPMT_SYM_DEF d;
    memset(&d, 0, sizeof d);
    d.algorithm = TPM2_ALG_AES;
    d.keyBits.aes = 128;
    d.mode.aes = TPM2_ALG_CFB;
    return d;
}

// A secret from outside, kept by the TPM, used with a policy only.
static inline TPM2B_PUBLIC kms_sealed_template(int lockout) {
    TPM2B_PUBLIC t;
    memset(&t, 0, sizeof t);
    t.publicArea.type = TPM2_ALG_KEYEDHASH;
    t.publicArea.nameAlg = TPM2_ALG_SHA256;
    t.publicArea.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | (lockout ? 0 : TPMA_OBJECT_NODA);
    t.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
    return t;
}

// r and s, 32 bytes each, of ECDSA with SHA-256.
static inline TPMT_SIGNATURE kms_ecdsa_signature(const uint8_t *rs) {
    TPMT_SIGNATURE s;
    memset(&s, 0, sizeof s);
    s.sigAlg = TPM2_ALG_ECDSA;
    s.signature.ecdsa.hash = TPM2_ALG_SHA256;
    s.signature.ecdsa.signatureR.size = s.signature.ecdsa.signatureS.size = 32;
    memcpy(s.signature.ecdsa.signatureR.buffer, rs, 32);
    memcpy(s.signature.ecdsa.signatureS.buffer, rs + 32, 32);
    return s;
}

static inline TPMT_SIG_SCHEME kms_ecdsa(TPMI_ALG_HASH hash) {
    TPMT_SIG_SCHEME s;
    memset(&s, 0, sizeof s);
    s.scheme = TPM2_ALG_ECDSA;
    s.details.ecdsa.hashAlg = hash;
    return s;
}

// The ticket of a digest that was made outside the TPM; enough for keys that are not restricted.
static inline TPMT_TK_HASHCHECK kms_no_ticket(void) {
    TPMT_TK_HASHCHECK t;
    memset(&t, 0, sizeof t);
    t.tag = TPM2_ST_HASHCHECK;
    t.hierarchy = TPM2_RH_NULL;
    return t;
}
