#pragma once

#include <zlib.h>

/// `inflateInit2` is a macro, because it passes the version and the size of the
/// structure that the caller was compiled with; Swift imports no such macro.
static inline int parity_inflateInit2(z_stream *stream, int windowBits) {
  return inflateInit2(stream, windowBits);
}
