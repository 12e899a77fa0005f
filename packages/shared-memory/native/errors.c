/*
 * Names of errno values. The one thing to know: a table of our own, because strerrorname_np() is
 * not in every libc; it lists what the system calls used here are documented to return.
 */
#include "errors.h"

#include <errno.h>
#include <stddef.h>

#define ENTRY(name) {name, #name}

static const struct {
  int value;
  const char *name;
} table[] = {
  ENTRY(EACCES),   ENTRY(EAGAIN),    ENTRY(EALREADY), ENTRY(EBADF),  ENTRY(EBUSY),
  ENTRY(ECHILD),   ENTRY(ECONNRESET), ENTRY(EDEADLK),   ENTRY(EEXIST),   ENTRY(EFAULT), ENTRY(EFBIG),
  ENTRY(EINTR),    ENTRY(EINVAL),    ENTRY(EIO),      ENTRY(EISDIR), ENTRY(ELOOP),
  ENTRY(EMFILE),   ENTRY(EMSGSIZE), ENTRY(ENAMETOOLONG), ENTRY(ENFILE), ENTRY(ENODEV), ENTRY(ENOENT),
  ENTRY(ENOLCK),   ENTRY(ENOMEM),    ENTRY(ENOSPC),   ENTRY(ENOSYS), ENTRY(ENOTCONN),
  ENTRY(ENOTDIR),  ENTRY(ENOTSUP),   ENTRY(ENXIO),    ENTRY(EOVERFLOW), ENTRY(EPERM),
  ENTRY(EPIPE),    ENTRY(ERANGE),   ENTRY(EROFS),     ENTRY(ESPIPE),   ENTRY(ESRCH),  ENTRY(ETIMEDOUT),
  ENTRY(ETXTBSY),
};

const char *mp_errno_name(int error) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    if (table[i].value == error) return table[i].name;
  }
  return NULL;
}
