#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

// prctl(2) is variadic, which Swift cannot call.
static inline int kms_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0); }
static inline int kms_get_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

// Not in the module of the C library.
static inline int kms_map_blocks_from(int length) { return mallopt(M_MMAP_THRESHOLD, length); }

// A handler may call only what is safe in one (signal-safety(7)), which nothing of Swift promises.
static volatile int kms_signal_descriptor = -1;
static void kms_note_signal(int number) {
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    if (write(kms_signal_descriptor, &byte, 1) < 0) { /* full: so many are waiting that one more says nothing */ }
    errno = saved;
}

// Each later signal `number` becomes one byte in `descriptor`, which must not block; one descriptor for the process.
static inline int kms_note_signals(int number, int descriptor) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = kms_note_signal;
    action.sa_flags = SA_RESTART;
    kms_signal_descriptor = descriptor;
    return sigaction(number, &action, NULL);
}

// Whether the process was started so that `number` does nothing, as nohup(1) does it.
static inline int kms_is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

// Ignores a signal that the C library keeps for itself, between the last ordinary one and SIGRTMIN; sigaction(3) refuses
// those. The library sets its own handler when it needs one: pthread_cancel(3) and setuid(2) in programs with threads.
// All zero behind the handler, which comes first in the kernel's structure on every machine that Swift runs on.
static inline int kms_ignore_reserved(int number) {
    unsigned long action[8] = {(unsigned long)SIG_IGN};
    return (int)syscall(SYS_rt_sigaction, number, action, (void *)0, (unsigned long)8);
}
