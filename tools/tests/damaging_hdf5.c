// Loaded before libhdf5: crashes on files that are called so, loops on others, and hands
// all else on.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

// hid_t of HDF5 1.10 and later.
int64_t H5Fopen(const char *path, unsigned flags, int64_t access) {
  if (strstr(path, "crashes")) raise(SIGSEGV);
  while (strstr(path, "loops")) pause();
  int64_t (*open)(const char *, unsigned, int64_t) =
      (int64_t(*)(const char *, unsigned, int64_t))dlsym(RTLD_NEXT, "H5Fopen");
  return open(path, flags, access);
}
