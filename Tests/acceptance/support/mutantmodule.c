/* A PKCS #11 module that hands every call to another one, and lets keys that are unwrapped arrive otherwise than they left,
 * with CKR_OK, as modules were seen to do. MUTANT says how: `word=HEX;word=HEX;…`
 *   wrap-as, unwrap-as   the number of the mechanism that is really used
 *   cut, longer          bytes that a secret key loses at its end, or gains as zeros
 *   other                another key of the same kind arrives
 *   lose                 an attribute of the template that is not obeyed
 *   open                 arrives SENSITIVE=false, EXTRACTABLE=true, whatever the template says
 *   landing              only token objects arrive otherwise: what is only tried is as it was, and nothing is copied
 *   kind                 only keys of this CKA_KEY_TYPE
 *   replace              a new key destroys the one that has its CKA_ID
 *   tokens               it makes no session objects
 *   wait                 milliseconds that each unwrapping takes longer */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static CK_FUNCTION_LIST mine, *theirs;

static int told(const char *word, CK_ULONG *value)
{
    size_t length = strlen(word);
    for (const char *at = getenv("MUTANT"); at && *at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL) {
        if (strncmp(at, word, length) || at[length] != '=') continue;
        *value = strtoul(at + length + 1, NULL, 16);
        return 1;
    }
    return 0;
}

static CK_ATTRIBUTE *find(CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG at = 0; at < count; at++)
        if (attributes[at].type == type) return &attributes[at];
    return NULL;
}

static CK_ULONG number(CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
    CK_ATTRIBUTE *found = find(attributes, count, type);
    CK_ULONG value = 0;
    if (found) memcpy(&value, found->pValue, found->ulValueLen < sizeof value ? found->ulValueLen : sizeof value);
    return value;
}

/* Whether the object would be a session object on a token that makes none. */
static int is_refused(CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    CK_ULONG value;
    return told("tokens", &value) && !number(attributes, count, CKA_TOKEN);
}

static CK_RV create_object(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *object)
{
    if (is_refused(attributes, count)) return CKR_TEMPLATE_INCONSISTENT;
    return theirs->C_CreateObject(session, attributes, count, object);
}

static CK_RV generate_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *attributes, CK_ULONG count,
                          CK_OBJECT_HANDLE *key)
{
    if (is_refused(attributes, count)) return CKR_TEMPLATE_INCONSISTENT;
    return theirs->C_GenerateKey(session, mechanism, attributes, count, key);
}

static CK_RV generate_pair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public_half,
                           CK_ULONG public_count, CK_ATTRIBUTE *private_half, CK_ULONG private_count,
                           CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    if (is_refused(private_half, private_count)) return CKR_TEMPLATE_INCONSISTENT;
    return theirs->C_GenerateKeyPair(session, mechanism, public_half, public_count, private_half, private_count,
                                     public_key, private_key);
}

static CK_RV copy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes, CK_ULONG count,
                         CK_OBJECT_HANDLE *copy)
{
    CK_ULONG value;
    if (told("landing", &value)) return CKR_FUNCTION_NOT_SUPPORTED;
    return theirs->C_CopyObject(session, object, attributes, count, copy);
}

static CK_RV derive_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE base, CK_ATTRIBUTE *attributes,
                        CK_ULONG count, CK_OBJECT_HANDLE *key)
{
    if (is_refused(attributes, count)) return CKR_TEMPLATE_INCONSISTENT;
    return theirs->C_DeriveKey(session, mechanism, base, attributes, count, key);
}

static CK_RV wrap_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key,
                      unsigned char *wrapped, CK_ULONG *length)
{
    CK_MECHANISM other = *mechanism;
    told("wrap-as", &other.mechanism);
    return theirs->C_WrapKey(session, &other, wrapping, key, wrapped, length);
}

/* A secret key with another value, from its own or at random. */
static CK_RV secret(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE readable, CK_ATTRIBUTE *attributes, CK_ULONG count,
                    CK_OBJECT_HANDLE *key)
{
    unsigned char value[512] = {0};
    CK_ULONG change = 0, length = 0;
    CK_ATTRIBUTE asked = {CKA_VALUE, value, 256}, made[40];
    CK_RV answer = theirs->C_GetAttributeValue(session, readable, &asked, 1);
    if (answer || count + 1 > 40) return answer ? answer : CKR_GENERAL_ERROR;
    length = asked.ulValueLen;
    if (told("cut", &change)) length -= change < length ? change : 0;
    if (told("longer", &change)) length += change;
    if (told("other", &change)) theirs->C_GenerateRandom(session, value, length);
    memcpy(made, attributes, count * sizeof *made);
    made[count] = (CK_ATTRIBUTE){CKA_VALUE, value, length};
    return theirs->C_CreateObject(session, made, count + 1, key);
}

/* Another pair of the same kind, of which only the private key stays. */
static CK_RV private_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE readable, CK_ATTRIBUTE *attributes, CK_ULONG count,
                         CK_OBJECT_HANDLE *key)
{
    unsigned char curve[64];
    CK_ULONG bits = 2048;
    CK_BBOOL no = CK_FALSE;
    CK_OBJECT_HANDLE public_key;
    CK_ATTRIBUTE asked = {CKA_EC_PARAMS, curve, sizeof curve};
    int is_curve = number(attributes, count, CKA_KEY_TYPE) == CKK_EC;
    CK_MECHANISM mechanism = {is_curve ? CKM_EC_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    if (is_curve && theirs->C_GetAttributeValue(session, readable, &asked, 1)) return CKR_GENERAL_ERROR;
    CK_ATTRIBUTE made[] = {{CKA_TOKEN, &no, sizeof no}, {CKA_MODULUS_BITS, &bits, sizeof bits}};
    if (is_curve) made[1] = asked;
    CK_RV answer = theirs->C_GenerateKeyPair(session, &mechanism, made, 2, attributes, count, &public_key, key);
    return answer ? answer : theirs->C_DestroyObject(session, public_key);
}

static void replace(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    CK_ATTRIBUTE *id = find(attributes, count, CKA_ID), *class = find(attributes, count, CKA_CLASS);
    CK_OBJECT_HANDLE found[8];
    CK_ULONG many = 0;
    if (!id || !class) return;
    CK_ATTRIBUTE same[] = {*id, *class};
    theirs->C_FindObjectsInit(session, same, 2);
    theirs->C_FindObjects(session, found, 8, &many);
    theirs->C_FindObjectsFinal(session);
    while (many > 0) theirs->C_DestroyObject(session, found[--many]);
}

static CK_RV unwrap_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE unwrapping,
                        unsigned char *wrapped, CK_ULONG length, CK_ATTRIBUTE *attributes, CK_ULONG count,
                        CK_OBJECT_HANDLE *key)
{
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ULONG value;
    CK_MECHANISM other = *mechanism;
    CK_ATTRIBUTE made[40];
    CK_ULONG kept = 0;
    if (is_refused(attributes, count)) return CKR_TEMPLATE_INCONSISTENT;
    told("unwrap-as", &other.mechanism);
    if (told("wait", &value)) {
        struct timespec time = {value / 1000, value % 1000 * 1000000};
        nanosleep(&time, NULL);
    }
    if ((told("landing", &value) && !number(attributes, count, CKA_TOKEN)) || count > 38
        || (told("kind", &value) && number(attributes, count, CKA_KEY_TYPE) != value))
        return theirs->C_UnwrapKey(session, mechanism, unwrapping, wrapped, length, attributes, count, key);
    for (CK_ULONG at = 0; at < count; at++) {
        if (told("lose", &value) && attributes[at].type == value) continue;
        made[kept] = attributes[at];
        if (told("open", &value) && made[kept].type == CKA_SENSITIVE) made[kept].pValue = &no;
        if (told("open", &value) && made[kept].type == CKA_EXTRACTABLE) made[kept].pValue = &yes;
        kept++;
    }
    if (told("replace", &value)) replace(session, made, kept);
    if (!told("cut", &value) && !told("longer", &value) && !told("other", &value))
        return theirs->C_UnwrapKey(session, &other, unwrapping, wrapped, length, made, kept, key);
    CK_OBJECT_CLASS class = number(attributes, count, CKA_CLASS);
    CK_KEY_TYPE kind = number(attributes, count, CKA_KEY_TYPE);
    CK_ATTRIBUTE open[] = {
        {CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &kind, sizeof kind}, {CKA_TOKEN, &no, 1}, {CKA_PRIVATE, &yes, 1},
        {CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}};
    CK_OBJECT_HANDLE readable;
    CK_RV answer = theirs->C_UnwrapKey(session, &other, unwrapping, wrapped, length, open, 6, &readable);
    if (answer) return answer;
    answer = (class == CKO_SECRET_KEY ? secret : private_key)(session, readable, made, kept, key);
    theirs->C_DestroyObject(session, readable);
    return answer;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    if (!theirs) {
        void *library = dlopen(MUTANT_OVER, RTLD_NOW | RTLD_LOCAL);
        CK_RV (*get)(CK_FUNCTION_LIST **) = library ? (CK_RV (*)(CK_FUNCTION_LIST **))dlsym(library, "C_GetFunctionList") : NULL;
        if (!get || get(&theirs)) return CKR_GENERAL_ERROR;
        mine = *theirs;
        mine.C_CreateObject = create_object;
        mine.C_CopyObject = copy_object;
        mine.C_GenerateKey = generate_key;
        mine.C_GenerateKeyPair = generate_pair;
        mine.C_DeriveKey = derive_key;
        mine.C_WrapKey = wrap_key;
        mine.C_UnwrapKey = unwrap_key;
    }
    *list = &mine;
    return CKR_OK;
}
