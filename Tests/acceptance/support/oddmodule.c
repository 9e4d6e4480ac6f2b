/* A PKCS #11 module that hands every call to another one, and does otherwise what ODD_MODULE says: `rule;rule;…`, each
 *   CALL=VALUE            the call returns VALUE
 *   CALL@NUMBER=VALUE     only with that mechanism, or with that attribute in a template
 *   C_DestroyObject@CLASS=VALUE  of the token's objects, not of a session's
 *   CALL~MILLISECONDS     the call takes that much longer
 *   pipe=1                a session's start writes to somebody who is gone, as modules do whose device is another process
 *   C_GetMechanismList@NUMBER=1  the mechanism is not in the list
 *   exit=VALUE            what the module left for the end of the process ends it by a signal
 * VALUE and NUMBER are hexadecimal. Of C_GetAttributeValue, `@` is an attribute that is asked for: its length is then
 * CK_UNAVAILABLE_INFORMATION, as the standard wants it. */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static CK_FUNCTION_LIST mine, *theirs;

/* What becomes of a call: 0 to hand it on. */
static CK_RV rule(const char *call, int is_told, CK_ULONG number)
{
    const char *at = getenv("ODD_MODULE");
    size_t length = strlen(call);
    for (; at && *at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL) {
        if (strncmp(at, call, length)) continue;
        const char *rest = at + length;
        if (*rest == '~') {
            long wait = strtol(rest + 1, NULL, 10);
            struct timespec time = {wait / 1000, wait % 1000 * 1000000};
            nanosleep(&time, NULL);
        } else if (*rest == '@' && is_told) {
            char *end;
            if (strtoul(rest + 1, &end, 16) == number && *end == '=') return strtoul(end + 1, NULL, 16);
        } else if (*rest == '=' && !is_told) {
            return strtoul(rest + 1, NULL, 16);
        }
    }
    return CKR_OK;
}

static CK_RV of_template(const char *call, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    CK_RV value = CKR_OK;
    for (CK_ULONG at = 0; at < count && !value; at++) value = rule(call, 1, attributes[at].type);
    return value;
}

#define ASK(call)                                                                                                          \
    do {                                                                                                                   \
        CK_RV value = rule(call, 0, 0);                                                                                    \
        if (value) return value;                                                                                           \
    } while (0)
#define ASK_OF(call, number)                                                                                               \
    do {                                                                                                                   \
        CK_RV value = rule(call, 1, number);                                                                               \
        if (value) return value;                                                                                           \
    } while (0)
#define ASK_TEMPLATE(call, attributes, count)                                                                              \
    do {                                                                                                                   \
        CK_RV value = of_template(call, attributes, count);                                                                \
        if (value) return value;                                                                                           \
    } while (0)

static void at_exit(int status, void *nothing)
{
    (void)status, (void)nothing;
    abort();
}

static CK_RV initialize(void *arguments)
{
    ASK("C_Initialize");
    if (rule("exit", 0, 0)) on_exit(at_exit, NULL);
    return theirs->C_Initialize(arguments);
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *own, CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
    int ends[2];
    ASK("C_OpenSession");
    if (rule("pipe", 0, 0) && pipe(ends) == 0) {
        close(ends[0]);
        if (write(ends[1], "", 1) >= 0) return CKR_GENERAL_ERROR;
        close(ends[1]);
    }
    return theirs->C_OpenSession(slot, flags, own, notify, session);
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG length)
{
    ASK("C_Login");
    return theirs->C_Login(session, user, pin, length);
}

static CK_RV get_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    CK_RV own = CKR_OK;
    for (CK_ULONG at = 0; at < count; at++) {
        CK_RV value = rule("C_GetAttributeValue", 1, attributes[at].type);
        if (!value) continue;
        attributes[at].ulValueLen = (CK_ULONG)-1;
        own = value;
    }
    if (own) return own;
    return theirs->C_GetAttributeValue(session, object, attributes, count);
}

static CK_RV create_object(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *object)
{
    ASK("C_CreateObject");
    ASK_TEMPLATE("C_CreateObject", attributes, count);
    return theirs->C_CreateObject(session, attributes, count, object);
}

static CK_RV generate_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *attributes, CK_ULONG count,
                          CK_OBJECT_HANDLE *key)
{
    ASK("C_GenerateKey");
    ASK_OF("C_GenerateKey", mechanism->mechanism);
    ASK_TEMPLATE("C_GenerateKey", attributes, count);
    return theirs->C_GenerateKey(session, mechanism, attributes, count, key);
}

static CK_RV generate_pair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public_half,
                           CK_ULONG public_count, CK_ATTRIBUTE *private_half, CK_ULONG private_count,
                           CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    ASK("C_GenerateKeyPair");
    ASK_OF("C_GenerateKeyPair", mechanism->mechanism);
    ASK_TEMPLATE("C_GenerateKeyPair", private_half, private_count);
    return theirs->C_GenerateKeyPair(session, mechanism, public_half, public_count, private_half, private_count,
                                     public_key, private_key);
}

static CK_RV encrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    ASK("C_EncryptInit");
    ASK_OF("C_EncryptInit", mechanism->mechanism);
    return theirs->C_EncryptInit(session, mechanism, key);
}

static CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    ASK("C_DecryptInit");
    ASK_OF("C_DecryptInit", mechanism->mechanism);
    return theirs->C_DecryptInit(session, mechanism, key);
}

static CK_RV digest_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism)
{
    ASK("C_DigestInit");
    return theirs->C_DigestInit(session, mechanism);
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    ASK("C_SignInit");
    ASK_OF("C_SignInit", mechanism->mechanism);
    return theirs->C_SignInit(session, mechanism, key);
}

static CK_RV sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG length, unsigned char *signature,
                  CK_ULONG *signature_length)
{
    ASK("C_Sign");
    return theirs->C_Sign(session, data, length, signature, signature_length);
}

static CK_RV wrap_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key,
                      unsigned char *wrapped, CK_ULONG *length)
{
    ASK("C_WrapKey");
    ASK_OF("C_WrapKey", mechanism->mechanism);
    return theirs->C_WrapKey(session, mechanism, wrapping, key, wrapped, length);
}

static CK_RV unwrap_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE unwrapping,
                        unsigned char *wrapped, CK_ULONG length, CK_ATTRIBUTE *attributes, CK_ULONG count,
                        CK_OBJECT_HANDLE *key)
{
    ASK("C_UnwrapKey");
    ASK_TEMPLATE("C_UnwrapKey", attributes, count);
    return theirs->C_UnwrapKey(session, mechanism, unwrapping, wrapped, length, attributes, count, key);
}

static CK_RV derive_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE base, CK_ATTRIBUTE *attributes,
                        CK_ULONG count, CK_OBJECT_HANDLE *key)
{
    ASK("C_DeriveKey");
    ASK_OF("C_DeriveKey", mechanism->mechanism);
    return theirs->C_DeriveKey(session, mechanism, base, attributes, count, key);
}

static CK_RV get_mechanisms(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
    CK_RV value = theirs->C_GetMechanismList(slot, list, count);
    if (value || !list) return value;
    CK_ULONG kept = 0;
    for (CK_ULONG at = 0; at < *count; at++)
        if (!rule("C_GetMechanismList", 1, list[at])) list[kept++] = list[at];
    *count = kept;
    return CKR_OK;
}

static CK_RV destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    CK_OBJECT_CLASS class = 0;
    CK_BBOOL is_kept = 0;
    CK_ATTRIBUTE asked[] = {{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &is_kept, sizeof is_kept}};
    ASK("C_DestroyObject");
    if (theirs->C_GetAttributeValue(session, object, asked, 2) == CKR_OK && is_kept) ASK_OF("C_DestroyObject", class);
    return theirs->C_DestroyObject(session, object);
}

static CK_RV random_bytes(CK_SESSION_HANDLE session, unsigned char *bytes, CK_ULONG count)
{
    ASK("C_GenerateRandom");
    return theirs->C_GenerateRandom(session, bytes, count);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    if (!theirs) {
        void *library = dlopen(ODD_OVER, RTLD_NOW | RTLD_LOCAL);
        CK_RV (*get)(CK_FUNCTION_LIST **) = library ? (CK_RV (*)(CK_FUNCTION_LIST **))dlsym(library, "C_GetFunctionList") : NULL;
        if (!get || get(&theirs)) return CKR_GENERAL_ERROR;
        mine = *theirs;
        mine.C_Initialize = initialize;
        mine.C_OpenSession = open_session;
        mine.C_Login = login;
        mine.C_GetAttributeValue = get_attributes;
        mine.C_CreateObject = create_object;
        mine.C_GenerateKey = generate_key;
        mine.C_GenerateKeyPair = generate_pair;
        mine.C_EncryptInit = encrypt_init;
        mine.C_DecryptInit = decrypt_init;
        mine.C_DigestInit = digest_init;
        mine.C_SignInit = sign_init;
        mine.C_Sign = sign;
        mine.C_WrapKey = wrap_key;
        mine.C_UnwrapKey = unwrap_key;
        mine.C_DeriveKey = derive_key;
        mine.C_GetMechanismList = get_mechanisms;
        mine.C_DestroyObject = destroy;
        mine.C_GenerateRandom = random_bytes;
    }
    *list = &mine;
    return CKR_OK;
}
