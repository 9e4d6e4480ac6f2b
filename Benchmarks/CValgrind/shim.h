// Memcheck's client requests are macros of inline assembly, which Swift cannot call. Without the header (package
// valgrind) nothing is poisoned and kms_under_valgrind() says so.
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
static inline int kms_under_valgrind(void) { return (int)RUNNING_ON_VALGRIND; }
static inline void kms_poison(const void *bytes, long count) { (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, count); }
static inline void kms_unpoison(const void *bytes, long count) { (void)VALGRIND_MAKE_MEM_DEFINED(bytes, count); }
#else
static inline int kms_under_valgrind(void) { return 0; }
static inline void kms_poison(const void *bytes, long count) { (void)bytes, (void)count; }
static inline void kms_unpoison(const void *bytes, long count) { (void)bytes, (void)count; }
#endif
