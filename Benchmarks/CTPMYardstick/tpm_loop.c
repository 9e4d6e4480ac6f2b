#include "tpm_yardstick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

struct kms_tpm_loop {
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
    int operation;
    uint32_t persistent;
    ESYS_TR primary, key, session;
    TPM2B_MAX_BUFFER message;
    TPM2B_DIGEST digest;
    TPM2B_ECC_POINT point;
};

static const TPMA_OBJECT bound = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
    TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;

static TPM2B_PUBLIC storage_template(void) {
    TPM2B_PUBLIC t = {0};
    t.publicArea.type = TPM2_ALG_ECC;
    t.publicArea.nameAlg = TPM2_ALG_SHA256;
    t.publicArea.objectAttributes = bound | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
    t.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_AES;
    t.publicArea.parameters.eccDetail.symmetric.keyBits.aes = 128;
    t.publicArea.parameters.eccDetail.symmetric.mode.aes = TPM2_ALG_CFB;
    t.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
    t.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    t.publicArea.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    return t;
}

static TPM2B_PUBLIC key_template(int operation) {
    TPM2B_PUBLIC t = {0};
    t.publicArea.nameAlg = TPM2_ALG_SHA256;
    t.publicArea.objectAttributes =
        bound | (operation == KMS_TPM_ZGEN ? TPMA_OBJECT_DECRYPT : TPMA_OBJECT_SIGN_ENCRYPT);
    if (operation == KMS_TPM_HMAC) {
        t.publicArea.type = TPM2_ALG_KEYEDHASH;
        t.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_HMAC;
        t.publicArea.parameters.keyedHashDetail.scheme.details.hmac.hashAlg = TPM2_ALG_SHA256;
    } else {
        t.publicArea.type = TPM2_ALG_ECC;
        t.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
        t.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
        t.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
        t.publicArea.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    }
    return t;
}

static TSS2_RC make_key(kms_tpm_loop *loop) {
    TPM2B_SENSITIVE_CREATE sensitive = {0};
    TPM2B_PUBLIC template = storage_template();
    TPM2B_DATA outside = {0};
    TPML_PCR_SELECTION selection = {0};
    TPM2B_PRIVATE *private_part = NULL;
    TPM2B_PUBLIC *public_part = NULL;
    TSS2_RC code = Esys_CreatePrimary(
        loop->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &template, &outside,
        &selection, &loop->primary, NULL, NULL, NULL, NULL);
    if (code) return code;
    sensitive.sensitive.userAuth.size = 32;
    memset(sensitive.sensitive.userAuth.buffer, 0x5a, 32);
    template = key_template(loop->operation);
    code = Esys_Create(
        loop->esys, loop->primary, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &template, &outside,
        &selection, &private_part, &public_part, NULL, NULL, NULL);
    if (!code)
        code = Esys_Load(
            loop->esys, loop->primary, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, private_part, public_part,
            &loop->key);
    if (!code && loop->operation == KMS_TPM_ZGEN) loop->point.point = public_part->publicArea.unique.ecc;
    Esys_Free(private_part);
    Esys_Free(public_part);
    if (!code && loop->persistent) {
        ESYS_TR kept = ESYS_TR_NONE;
        code = Esys_EvictControl(
            loop->esys, ESYS_TR_RH_OWNER, loop->key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, loop->persistent,
            &kept);
        Esys_FlushContext(loop->esys, loop->key);
        loop->key = kept;
    }
    if (!code) code = Esys_TR_SetAuth(loop->esys, loop->key, &sensitive.sensitive.userAuth);
    return code;
}

static TSS2_RC start_session(kms_tpm_loop *loop) {
    TPMT_SYM_DEF cipher = {.algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB};
    TSS2_RC code = Esys_StartAuthSession(
        loop->esys, loop->primary, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_HMAC, &cipher,
        TPM2_ALG_SHA256, &loop->session);
    if (code) return code;
    // A signature has no parameter that could come back encrypted.
    TPMA_SESSION flags = TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT |
        (loop->operation == KMS_TPM_SIGN ? 0 : TPMA_SESSION_ENCRYPT);
    return Esys_TRSess_SetAttributes(loop->esys, loop->session, flags, 0xff);
}

kms_tpm_loop *kms_tpm_loop_open(
    const char *tcti, int operation, int encrypted, uint32_t persistent, char *error, size_t capacity) {
    kms_tpm_loop *loop = calloc(1, sizeof *loop);
    const char *step = "Tss2_TctiLdr_Initialize";
    if (!loop) return NULL;
    loop->operation = operation;
    loop->persistent = persistent;
    loop->primary = loop->key = ESYS_TR_NONE;
    loop->session = ESYS_TR_PASSWORD;
    // As long as what the daemon has its TPM compute a record's key from.
    loop->message.size = 100;
    loop->digest.size = 32;
    memset(loop->message.buffer, 0x5a, loop->message.size);
    memset(loop->digest.buffer, 0x5a, loop->digest.size);
    TSS2_RC code = Tss2_TctiLdr_Initialize(tcti, &loop->tcti);
    if (!code) {
        step = "Esys_Initialize";
        code = Esys_Initialize(&loop->esys, loop->tcti, NULL);
    }
    if (!code) {
        step = "making a key";
        code = make_key(loop);
    }
    if (!code && encrypted) {
        step = "Esys_StartAuthSession";
        code = start_session(loop);
    }
    if (!code && loop->primary != ESYS_TR_NONE) {
        code = Esys_FlushContext(loop->esys, loop->primary);
        loop->primary = ESYS_TR_NONE;
    }
    if (!code) return loop;
    snprintf(error, capacity, "%s failed with 0x%x", step, code);
    kms_tpm_loop_close(loop);
    return NULL;
}

uint32_t kms_tpm_loop_turn(kms_tpm_loop *loop) {
    TSS2_RC code;
    if (loop->operation == KMS_TPM_HMAC) {
        TPM2B_DIGEST *result = NULL;
        code = Esys_HMAC(
            loop->esys, loop->key, loop->session, ESYS_TR_NONE, ESYS_TR_NONE, &loop->message, TPM2_ALG_SHA256, &result);
        Esys_Free(result);
    } else if (loop->operation == KMS_TPM_SIGN) {
        TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256};
        TPMT_TK_HASHCHECK ticket = {.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL};
        TPMT_SIGNATURE *result = NULL;
        code = Esys_Sign(
            loop->esys, loop->key, loop->session, ESYS_TR_NONE, ESYS_TR_NONE, &loop->digest, &scheme, &ticket, &result);
        Esys_Free(result);
    } else {
        TPM2B_ECC_POINT *result = NULL;
        code = Esys_ECDH_ZGen(
            loop->esys, loop->key, loop->session, ESYS_TR_NONE, ESYS_TR_NONE, &loop->point, &result);
        Esys_Free(result);
    }
    return code;
}

void kms_tpm_loop_close(kms_tpm_loop *loop) {
    if (!loop) return;
    if (loop->esys) {
        if (loop->session != ESYS_TR_PASSWORD) Esys_FlushContext(loop->esys, loop->session);
        if (loop->key != ESYS_TR_NONE && loop->persistent) {
            ESYS_TR gone = ESYS_TR_NONE;
            Esys_EvictControl(
                loop->esys, ESYS_TR_RH_OWNER, loop->key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, loop->persistent,
                &gone);
        } else if (loop->key != ESYS_TR_NONE) {
            Esys_FlushContext(loop->esys, loop->key);
        }
        if (loop->primary != ESYS_TR_NONE) Esys_FlushContext(loop->esys, loop->primary);
        Esys_Finalize(&loop->esys);
    }
    if (loop->tcti) Tss2_TctiLdr_Finalize(&loop->tcti);
    free(loop);
}
