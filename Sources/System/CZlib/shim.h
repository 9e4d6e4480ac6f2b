#include <zlib.h>

// The init functions are macros, which Swift cannot see. 15 + 16 selects the gzip wrapper (zlib.h, deflateInit2).
static inline int kms_gzip_init(z_stream *stream) {
    return deflateInit2(stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
static inline int kms_gunzip_init(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
