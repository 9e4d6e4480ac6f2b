#pragma once
#include <stddef.h>
#include <stdint.h>

// Asks one unary gRPC question again and again over one plain HTTP/2 connection, with as little work as can be: the bytes of
// the message are never copied, and of an answer only its length is looked at. One thread.
typedef struct {
    uint16_t port;           // on 127.0.0.1
    const char *path;        // "/package.Service/Method"
    const uint8_t *message;  // encoded protobuf
    size_t length;
    long id_offset;     // where the 32 bytes lie that are other ones in each question, within the first 200; -1 for none
    int streams;        // at once, 1 to 64
    double seconds;     // no question begins later
    uint64_t most;      // questions; 0 for no bound
    double rate;        // 0: the next question follows the answer. Otherwise so many a second, whatever becomes of them
} kms_grpc_plan;

typedef struct {
    uint64_t answered;
    double elapsed;         // seconds, to the last answer
    double cpu;             // seconds of this thread
    uint32_t *durations;    // nanoseconds, from when the question was due; the caller's
    size_t capacity;
    char failure[160];      // empty if every question was answered
} kms_grpc_report;

// 0, or -1 with `failure` set: the first question that fails ends the run.
int kms_grpc_load(const kms_grpc_plan *plan, kms_grpc_report *report);
