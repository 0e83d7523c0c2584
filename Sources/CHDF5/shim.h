#pragma once

#include <hdf5.h>

// These names are macros that call H5open() first and then read a variable;
// Swift imports no such macro.
static inline hid_t parity_H5T_NATIVE_FLOAT(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t parity_H5T_NATIVE_DOUBLE(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t parity_H5T_NATIVE_INT32(void) { return H5T_NATIVE_INT32; }
static inline hid_t parity_H5T_NATIVE_INT64(void) { return H5T_NATIVE_INT64; }
static inline hid_t parity_H5T_IEEE_F32LE(void) { return H5T_IEEE_F32LE; }
static inline hid_t parity_H5T_IEEE_F64LE(void) { return H5T_IEEE_F64LE; }
static inline hid_t parity_H5T_STD_I32LE(void) { return H5T_STD_I32LE; }
static inline hid_t parity_H5T_STD_I64LE(void) { return H5T_STD_I64LE; }
static inline hid_t parity_H5T_C_S1(void) { return H5T_C_S1; }
static inline hid_t parity_H5P_FILE_CREATE(void) { return H5P_FILE_CREATE; }
static inline hid_t parity_H5P_FILE_ACCESS(void) { return H5P_FILE_ACCESS; }
static inline hid_t parity_H5P_GROUP_CREATE(void) { return H5P_GROUP_CREATE; }
static inline hid_t parity_H5P_DATASET_CREATE(void) { return H5P_DATASET_CREATE; }
static inline hid_t parity_H5P_LINK_CREATE(void) { return H5P_LINK_CREATE; }

// Macros with casts.
static inline unsigned parity_H5F_ACC_RDONLY(void) { return H5F_ACC_RDONLY; }
static inline unsigned parity_H5F_ACC_EXCL(void) { return H5F_ACC_EXCL; }
static inline size_t parity_H5T_VARIABLE(void) { return H5T_VARIABLE; }
static inline hid_t parity_H5P_DEFAULT(void) { return H5P_DEFAULT; }
static inline hid_t parity_H5S_ALL(void) { return H5S_ALL; }
static inline hid_t parity_H5E_DEFAULT(void) { return H5E_DEFAULT; }

// H5Lget_info is a macro over versions whose structures differ.
static inline H5L_type_t parity_link_type(hid_t group, const char *name) {
  H5L_info_t info;
  return H5Lget_info(group, name, &info, H5P_DEFAULT) < 0 ? H5L_TYPE_ERROR : info.type;
}

// Calls `name` for each link of a group, in the order of the names, until it returns
// anything but 0. H5Literate is a macro over versions whose structures differ.
typedef int (*parity_link_name)(const char *name, void *data);
struct parity_link_names {
  parity_link_name name;
  void *data;
};
static inline herr_t parity_link_visited(
    hid_t group, const char *name, const H5L_info_t *info, void *data) {
  const struct parity_link_names *names = (const struct parity_link_names *)data;
  (void)group, (void)info;
  return names->name(name, names->data);
}
static inline herr_t parity_links(hid_t group, parity_link_name name, void *data) {
  struct parity_link_names names = {name, data};
  return H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, parity_link_visited, &names);
}

// Where an object stands in its file, the same for all links to it. H5Oget_info
// is a macro over versions whose structures differ.
static inline haddr_t parity_object_address(hid_t object) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info1_t info;
  return H5Oget_info1(object, &info) < 0 ? HADDR_UNDEF : info.addr;
#else
  H5O_info_t info;
  return H5Oget_info(object, &info) < 0 ? HADDR_UNDEF : info.addr;
#endif
}
