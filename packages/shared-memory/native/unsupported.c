/*
 * Every system without an implementation of its own. The one thing to know: it exists so that the
 * package can be installed and imported there, and says what is missing when it is used.
 */
#include "named.h"
#include "platform.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

const char *mp_platform_init(void) {
  return "sealed memory files (memfd), cross-process futexes, open-file-description locks and "
         "pidfds, or their counterparts: they are implemented for Linux only";
}

int mp_segment_create(uint64_t byte_length, struct mp_segment *out, const char **step) {
  (void)byte_length, (void)out;
  *step = "memfd_create";
  return -ENOSYS;
}

int mp_segment_attach(int fd, struct mp_segment *out, const char **step) {
  (void)fd, (void)out;
  *step = "fcntl F_GET_SEALS";
  return -ENOSYS;
}

int mp_segment_attach_sibling(int pid, int fd, struct mp_segment *out, const char **step) {
  (void)pid, (void)fd, (void)out;
  *step = "open /proc/PID/fd/N";
  return -ENOSYS;
}

int mp_segment_renew(const struct mp_segment *segment) {
  (void)segment;
  return -ENOSYS;
}

int mp_segment_punch(const struct mp_segment *segment, uint64_t offset, uint64_t byte_length) {
  (void)segment, (void)offset, (void)byte_length;
  return -ENOSYS;
}

void mp_keep_freed_memory(void) {}

int mp_park(uint32_t *word, uint32_t expected, uint32_t mask, double timeout_ms) {
  (void)word, (void)expected, (void)mask, (void)timeout_ms;
  return -ENOSYS;
}

int mp_spin(const uint32_t *word, uint32_t expected, double timeout_ms) {
  (void)word, (void)expected, (void)timeout_ms;
  return -ENOSYS;
}

int mp_wake(uint32_t *word, uint32_t mask) {
  (void)word, (void)mask;
  return -ENOSYS;
}

int mp_waiter_start(uint32_t *bell, uint32_t *parked, uint32_t seen, mp_on_ring on_ring,
                    void *context, struct mp_waiter **out) {
  (void)bell, (void)parked, (void)seen, (void)on_ring, (void)context, (void)out;
  return -ENOSYS;
}

void mp_waiter_stop(struct mp_waiter *waiter) {
  (void)waiter; /* none can have been started */
}

int mp_live_lock(const struct mp_segment *segment, uint32_t slot) {
  (void)segment, (void)slot;
  return -ENOSYS;
}

int mp_live_unlock(const struct mp_segment *segment, uint32_t slot) {
  (void)segment, (void)slot;
  return -ENOSYS;
}

int mp_live_probe(const struct mp_segment *segment, uint32_t slot) {
  (void)segment, (void)slot;
  return -ENOSYS;
}

int mp_watch_add(int pid, mp_on_death on_death, uint64_t *out) {
  (void)pid, (void)on_death, (void)out;
  return -ENOSYS;
}

int mp_watch_remove(uint64_t id) {
  (void)id;
  return -ENOSYS;
}

int mp_die_with_parent(int pid, bool use_signal) {
  (void)pid, (void)use_signal;
  return -ENOSYS;
}

int mp_wait_exit(int pid, double timeout_ms, struct mp_exit *out) {
  (void)pid, (void)timeout_ms, (void)out;
  return -ENOSYS;
}

int mp_poll(int fd, uint32_t interest, double timeout_ms) {
  (void)fd, (void)interest, (void)timeout_ms;
  return -ENOSYS;
}

double mp_now(void) {
  struct timespec now;
  (void)timespec_get(&now, TIME_UTC);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int mp_pid(void) {
  return 0;
}

void mp_tell_interrupt(int change) {
  (void)change;
}

/* Named blocks: none can be made, so the functions that need one are never reached. */

int mp_named_create(const char *folder, const char *path, uint64_t byte_length,
                    struct mp_named **out, const char **step) {
  (void)folder, (void)path, (void)byte_length, (void)out;
  *step = "open O_TMPFILE";
  return -ENOSYS;
}

int mp_named_open(const char *path, struct mp_named **out, const char **step) {
  (void)path, (void)out;
  *step = "open";
  return -ENOSYS;
}

void *mp_named_base(const struct mp_named *named) {
  (void)named;
  return NULL;
}

uint64_t mp_named_byte_length(const struct mp_named *named) {
  (void)named;
  return 0;
}

uint64_t mp_named_identity(const struct mp_named *named) {
  (void)named;
  return 0;
}

void mp_named_keep(struct mp_named *named) {
  (void)named;
}

void mp_named_release(struct mp_named *named) {
  (void)named;
}

void mp_named_free(struct mp_named *named, bool unmap) {
  (void)named, (void)unmap;
}

int mp_named_unlink(const struct mp_named *named, const char **step) {
  (void)named;
  *step = "open";
  return -ENOSYS;
}

int mp_named_sweep(const char *path, const char **step) {
  (void)path;
  *step = "open";
  return -ENOSYS;
}

void *mp_symbol(const char *name) {
  (void)name;
  return NULL;
}
