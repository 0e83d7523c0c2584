// Loaded before libhdf5: crashes on files that are called so, loops on others, waits for ever on
// a third kind, crashes after a fourth on whatever file comes next, as a damaged heap does, and
// hands all else on.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

// hid_t of HDF5 1.10 and later.
int64_t H5Fopen(const char *path, unsigned flags, int64_t access) {
  static int damaged = 0;
  if (damaged || strstr(path, "crashes")) raise(SIGSEGV);
  damaged = strstr(path, "damages") != NULL;
  while (strstr(path, "loops")) continue;
  while (strstr(path, "waits")) pause();
  int64_t (*open)(const char *, unsigned, int64_t) =
      (int64_t(*)(const char *, unsigned, int64_t))dlsym(RTLD_NEXT, "H5Fopen");
  return open(path, flags, access);
}
