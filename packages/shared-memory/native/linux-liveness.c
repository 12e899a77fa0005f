/*
 * Linux: a slot is alive while its byte is write-locked on some process's private description
 * (fcntl(2), "Open file description locks"). The one thing to know: the kernel drops the lock when
 * the last reference to that description goes, which for a dying process is after every one of its
 * threads has left user mode. A zombie is dead; a pid says nothing.
 */
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Locks need no real bytes; the first page is left for locks of other kinds. */
static const off_t SLOT_BYTES_AT = 4096;

static struct flock slot_lock(uint32_t slot, short type) {
  return (struct flock){
    .l_type = type, .l_whence = SEEK_SET, .l_start = SLOT_BYTES_AT + (off_t)slot, .l_len = 1};
}

int mp_live_lock(const struct mp_segment *segment, uint32_t slot) {
  struct flock lock = slot_lock(slot, F_WRLCK);
  if (fcntl(segment->lock_fd, F_OFD_SETLK, &lock) == 0) return 0;
  return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

int mp_live_unlock(const struct mp_segment *segment, uint32_t slot) {
  struct flock lock = slot_lock(slot, F_UNLCK);
  return fcntl(segment->lock_fd, F_OFD_SETLK, &lock) == 0 ? 0 : -errno;
}

int mp_live_probe(const struct mp_segment *segment, uint32_t slot) {
  struct flock lock = slot_lock(slot, F_WRLCK);
  if (fcntl(segment->lock_fd, F_OFD_GETLK, &lock) < 0) return -errno;
  return lock.l_type == F_UNLCK;
}
