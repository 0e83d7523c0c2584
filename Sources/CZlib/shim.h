#pragma once

#include <zlib.h>

/// `inflateInit2` and `deflateInit2` are macros, because they pass the version and
/// the size of the structure that the caller was compiled with; Swift imports no
/// such macro.
static inline int parity_inflateInit2(z_stream *stream, int windowBits) {
  return inflateInit2(stream, windowBits);
}

static inline int parity_deflateInit2(z_stream *stream, int windowBits) {
  return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, windowBits, 8,
                      Z_DEFAULT_STRATEGY);
}
