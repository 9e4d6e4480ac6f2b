#define _GNU_SOURCE
#include "grpc_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// HTTP/2 (RFC 9113) and HPACK (RFC 7541), as far as one kind of question needs them.
enum { DATA = 0, HEADERS = 1, RESET = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW = 8 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8 };
enum { FRAME = 16384, HEAD = 256, STREAMS = 64, CONTROL = 65536 };

typedef struct {
    uint32_t id;  // 0: idle
    int64_t window;
    size_t sent, received;
    int64_t due;
    uint8_t head[HEAD];  // the message's prefix and first bytes, with an id of its own
} stream;

typedef struct {
    const kms_grpc_plan *plan;
    kms_grpc_report *report;
    int socket;
    stream streams[STREAMS];
    size_t total, head;  // prefix and message; how much of it lies in `head`
    int64_t window, initial;
    size_t longest;  // frame that the server takes
    uint32_t next_id;
    int turn;
    uint8_t control[CONTROL];
    size_t control_length, control_sent;
    // The frame that is being written.
    stream *writing;
    uint8_t frame[9];
    size_t frame_from, frame_to, frame_sent;
    uint8_t input[9 + FRAME];
    size_t input_length;
    uint64_t id[4];
} load;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double thread_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(load *l, const char *what) {
    if (l->report->failure[0] == 0) snprintf(l->report->failure, sizeof l->report->failure, "%s", what);
    return -1;
}

static void frame_header(uint8_t *out, size_t length, int type, int flags, uint32_t id) {
    out[0] = (uint8_t)(length >> 16), out[1] = (uint8_t)(length >> 8), out[2] = (uint8_t)length;
    out[3] = (uint8_t)type, out[4] = (uint8_t)flags;
    out[5] = (uint8_t)(id >> 24), out[6] = (uint8_t)(id >> 16), out[7] = (uint8_t)(id >> 8), out[8] = (uint8_t)id;
}

static uint32_t number(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int queue(load *l, int type, int flags, uint32_t id, const uint8_t *payload, size_t length) {
    if (l->control_sent == l->control_length) l->control_sent = l->control_length = 0;
    if (l->control_length + 9 + length > CONTROL) return fail(l, "too many frames wait to be written");
    frame_header(l->control + l->control_length, length, type, flags, id);
    memcpy(l->control + l->control_length + 9, payload, length);
    l->control_length += 9 + length;
    return 0;
}

static size_t text(uint8_t *out, const char *value) {
    size_t length = strlen(value);
    out[0] = (uint8_t)length;  // below 127, and no Huffman code
    memcpy(out + 1, value, length);
    return length + 1;
}

static int begin(load *l, stream *s, int64_t due) {
    uint8_t block[512];
    size_t n = 0;
    block[n++] = 0x83, block[n++] = 0x86;  // :method POST, :scheme http
    block[n++] = 0x04, n += text(block + n, l->plan->path);
    block[n++] = 0x01, n += text(block + n, "127.0.0.1");
    block[n++] = 0x0f, block[n++] = 0x10, n += text(block + n, "application/grpc");
    block[n++] = 0x00, n += text(block + n, "te"), n += text(block + n, "trailers");
    s->id = l->next_id, l->next_id += 2;
    s->window = l->initial, s->sent = s->received = 0, s->due = due;
    s->head[0] = 0;
    for (int i = 0; i < 4; i++) s->head[1 + i] = (uint8_t)(l->plan->length >> (24 - 8 * i));
    memcpy(s->head + 5, l->plan->message, l->head - 5);
    if (l->plan->id_offset >= 0) {
        l->id[0]++;
        memcpy(s->head + 5 + l->plan->id_offset, l->id, sizeof l->id);
    }
    return queue(l, HEADERS, END_HEADERS, s->id, block, n);
}

// The next frame of a stream that has something to send and may.
static int choose(load *l) {
    for (int i = 0; i < l->plan->streams && l->window > 0; i++) {
        stream *s = &l->streams[(l->turn + i) % l->plan->streams];
        if (s->id == 0 || s->sent == l->total || s->window <= 0) continue;
        size_t length = l->total - s->sent;
        if (length > l->longest) length = l->longest;
        if ((int64_t)length > s->window) length = (size_t)s->window;
        if ((int64_t)length > l->window) length = (size_t)l->window;
        l->writing = s, l->frame_from = s->sent, l->frame_to = s->sent + length, l->frame_sent = 0;
        frame_header(l->frame, length, DATA, l->frame_to == l->total ? END_STREAM : 0, s->id);
        s->window -= (int64_t)length, l->window -= (int64_t)length;
        l->turn = (l->turn + i + 1) % l->plan->streams;
        return 1;
    }
    return 0;
}

static ssize_t write_frame(load *l) {
    struct iovec parts[3];
    int count = 0;
    size_t skip = l->frame_sent;
    if (skip < 9) parts[count++] = (struct iovec){l->frame + skip, 9 - skip}, skip = 0;
    else skip -= 9;
    size_t from = l->frame_from + skip;
    if (from < l->head) {
        size_t end = l->frame_to < l->head ? l->frame_to : l->head;
        parts[count++] = (struct iovec){l->writing->head + from, end - from};
        from = end;
    }
    if (from < l->frame_to)
        parts[count++] = (struct iovec){(void *)(l->plan->message + from - 5), l->frame_to - from};
    return writev(l->socket, parts, count);
}

// 1 if the socket takes no more, 0 if there is nothing to write.
static int write_all(load *l) {
    for (;;) {
        ssize_t n;
        if (l->writing) {
            n = write_frame(l);
            if (n > 0) {
                l->frame_sent += (size_t)n;
                if (l->frame_sent == 9 + l->frame_to - l->frame_from) {
                    l->writing->sent = l->frame_to;
                    l->writing = NULL;
                }
            }
        } else if (l->control_sent < l->control_length) {
            n = write(l->socket, l->control + l->control_sent, l->control_length - l->control_sent);
            if (n > 0) l->control_sent += (size_t)n;
        } else if (choose(l)) {
            continue;
        } else {
            return 0;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 1;
        if (n < 0 && errno != EINTR) return fail(l, "the connection broke while writing");
    }
}

static stream *find(load *l, uint32_t id) {
    for (int i = 0; i < l->plan->streams; i++)
        if (l->streams[i].id == id) return &l->streams[i];
    return NULL;
}

static int finish(load *l, stream *s) {
    if (s->received <= 5) return fail(l, "a question was refused");
    if (s->sent != l->total) return fail(l, "a question was answered before it was asked");
    kms_grpc_report *r = l->report;
    int64_t passed = now() - s->due;
    if (r->answered < r->capacity) r->durations[r->answered] = passed > UINT32_MAX ? UINT32_MAX : (uint32_t)passed;
    r->answered++;
    s->id = 0;
    return 0;
}

static int settings(load *l, const uint8_t *p, size_t length) {
    for (size_t i = 0; i + 6 <= length; i += 6) {
        if (p[i] == 0 && p[i + 1] == 5) l->longest = number(p + i + 2);
        if (p[i] != 0 || p[i + 1] != 4) continue;
        int64_t initial = number(p + i + 2);
        for (int k = 0; k < l->plan->streams; k++) l->streams[k].window += initial - l->initial;
        l->initial = initial;
    }
    return queue(l, SETTINGS, ACK, 0, p, 0);
}

static int take(load *l, const uint8_t *f, size_t length) {
    int type = f[3], flags = f[4];
    uint32_t id = number(f + 5) & 0x7fffffff;
    const uint8_t *p = f + 9;
    stream *s = id == 0 ? NULL : find(l, id);
    switch (type) {
    case DATA:
        if (s) s->received += flags & PADDED ? 0 : length;
        return s && flags & END_STREAM ? finish(l, s) : 0;
    case HEADERS: return s && flags & END_STREAM ? finish(l, s) : 0;
    case RESET: return fail(l, "a question was cut off");
    case SETTINGS: return flags & ACK ? 0 : settings(l, p, length);
    case PING: return flags & ACK ? 0 : queue(l, PING, ACK, 0, p, length);
    case GOAWAY: return fail(l, "the server sends everybody away");
    case WINDOW:
        if (id == 0) l->window += number(p) & 0x7fffffff;
        else if (s) s->window += number(p) & 0x7fffffff;
        return 0;
    default: return 0;
    }
}

static int read_all(load *l) {
    for (;;) {
        ssize_t n = read(l->socket, l->input + l->input_length, sizeof l->input - l->input_length);
        if (n == 0) return fail(l, "the server closed the connection");
        if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : fail(l, "the connection broke");
        l->input_length += (size_t)n;
        size_t at = 0;
        while (l->input_length - at >= 9) {
            const uint8_t *f = l->input + at;
            size_t length = (size_t)f[0] << 16 | (size_t)f[1] << 8 | f[2];
            if (length > FRAME) return fail(l, "a frame is longer than was agreed");
            if (l->input_length - at < 9 + length) break;
            if (take(l, f, length) != 0) return -1;
            at += 9 + length;
        }
        memmove(l->input, l->input + at, l->input_length - at);
        l->input_length -= at;
    }
}

static int open_connection(load *l) {
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    // No push, and windows that no run's answers fill.
    static const uint8_t wanted[] = {0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff};
    static const uint8_t more[] = {0x7f, 0xfe, 0, 0};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(l->plan->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->socket < 0 || connect(l->socket, (struct sockaddr *)&address, sizeof address) != 0)
        return fail(l, "nobody listens");
    int one = 1;
    setsockopt(l->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (write(l->socket, preface, sizeof preface - 1) != sizeof preface - 1) return fail(l, "the connection broke");
    if (fcntl(l->socket, F_SETFL, O_NONBLOCK) != 0) return fail(l, "the connection broke");
    if (queue(l, SETTINGS, 0, 0, wanted, sizeof wanted) != 0) return -1;
    return queue(l, WINDOW, 0, 0, more, sizeof more);
}

static int turn(load *l, int64_t start, int64_t end, uint64_t *begun) {
    int busy = 0, idle = 0;
    int64_t moment = now(), wake = end;
    for (int i = 0; i < l->plan->streams; i++) {
        stream *s = &l->streams[i];
        if (s->id != 0) {
            busy++;
            continue;
        }
        int64_t due = l->plan->rate > 0 ? start + (int64_t)((double)*begun * 1e9 / l->plan->rate) : moment;
        if (due >= end || moment >= end + 2000000000 || (l->plan->most && *begun >= l->plan->most)) continue;
        idle = 1;
        if (due > moment) {
            wake = due;
            break;
        }
        if (begin(l, s, due) != 0) return -1;
        (*begun)++, busy++;
    }
    if (!busy && !idle) return 1;
    int blocked = write_all(l);
    if (blocked < 0) return -1;
    struct pollfd file = {l->socket, POLLIN | (blocked ? POLLOUT : 0), 0};
    struct timespec wait = {30, 0};
    if (idle && wake > moment) {
        int64_t left = wake - moment;
        wait = (struct timespec){left / 1000000000, left % 1000000000};
    }
    int ready = ppoll(&file, 1, &wait, NULL);
    if (ready == 0 && !(idle && wake > moment)) return fail(l, "no answer came for 30 seconds");
    return ready > 0 ? read_all(l) : 0;
}

int kms_grpc_load(const kms_grpc_plan *plan, kms_grpc_report *report) {
    static _Thread_local load l;
    memset(&l, 0, sizeof l);
    l.plan = plan, l.report = report;
    report->answered = 0, report->elapsed = 0, report->failure[0] = 0;
    l.total = plan->length + 5, l.head = l.total < HEAD ? l.total : HEAD;
    l.window = l.initial = 65535, l.longest = FRAME, l.next_id = 1;
    if (plan->streams < 1 || plan->streams > STREAMS) return fail(&l, "1 to 64 streams");
    if (strlen(plan->path) > 126) return fail(&l, "a path of at most 126 bytes");
    if (plan->id_offset >= 0 && (size_t)plan->id_offset + 32 > l.head - 5) return fail(&l, "an id nearer to the start");
    if (getrandom(l.id, sizeof l.id, 0) != sizeof l.id) return fail(&l, "no random bytes");
    if (open_connection(&l) == 0) {
        double cpu = thread_time();
        int64_t start = now(), end = start + (int64_t)(plan->seconds * 1e9);
        uint64_t begun = 0;
        int result = 0;
        while (result == 0) result = turn(&l, start, end, &begun);
        report->elapsed = (double)(now() - start) / 1e9;
        report->cpu = thread_time() - cpu;
    }
    if (l.socket >= 0) close(l.socket);
    return report->failure[0] ? -1 : 0;
}
