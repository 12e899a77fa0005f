/*
 * What the files of the fork server share. The one thing to know: from the first freeze on, nothing
 * here may allocate or take a lock of the C library, whose owner may be frozen: raw system calls
 * and static buffers only.
 */
#ifndef MP_LINUX_FORK_H
#define MP_LINUX_FORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- linux-clone-x64.c: what C cannot say about threads ---- */

/* Where a signal handler returns to. */
void mp_clone_restorer(void);

/* Goes on where the thread was interrupted whose handler got `context`. */
_Noreturn void mp_clone_resume(void *context);

/* Whether the thread was interrupted in a system call that waits for something. */
bool mp_clone_is_waiting(const void *context);

/* The calling thread's TLS, as clone(2) takes it. */
uintptr_t mp_clone_tls(void);

/* clone(2) of a thread that calls run(argument), which does not return. */
long mp_clone_thread(unsigned long flags, void *stack, int *tid, uintptr_t tls,
                     void (*run)(void *), void *argument);

/* ---- linux-freeze.c: the other threads of this process ---- */

/*
 * Stops all of them, in a moment when all wait if one comes soon, else wherever they are. Returns NULL, or why that
 * did not work; then all go on.
 */
const char *mp_freeze(void);

/* Lets them go on: for when what follows does not work. */
void mp_thaw(void);

/* Where the kernel and the C library keep the id of the calling thread; NULL where that is unknown. */
int *mp_freeze_tid_address(void);

/* In a copy of the process: lets all go on in it, as its own threads, soon. Returns 0 or -errno. */
int mp_freeze_revive(void);

/* ---- linux-renew.c: descriptors that a copy must not share ---- */

/* Notes those that this process was started with: a child has whatever leads elsewhere of them in any case. */
void mp_renew_begin(void);

/* Looks at all of them. Returns NULL, or why this process cannot be copied. `control` and 0–2 are passed over. */
const char *mp_renew_prepare(int control);

/* In a copy: replaces what it has in common with the original. Returns 0 or -errno. */
int mp_renew(void);

/* ---- linux-rings.c: what libuv shares with the kernel ---- */

/* Makes libuv do without. Returns NULL, or why not; then it goes on as before. */
const char *mp_rings_take(void);

/* ---- linux-quick-exit.c: the end of a copy ---- */

/* Before anything of the program is loaded. */
void mp_quick_exit_begin(void);

/* In a copy that has its standard descriptors: notes how they are. */
void mp_quick_exit_note(void);

/* ---- linux-touched.c: the pages that a copy touches first ---- */

/* In the original, before there are copies. */
void mp_touched_begin(void);

/* In a copy that has time: has the kernel give it the pages that mp_forkserver_learn() has noted. */
void mp_touched_fetch(void);

/* ---- reading /proc without allocating ---- */

/* Calls back for each number that names an entry of the directory; false ends it. Returns 0 or -errno. */
int mp_list_numbers(const char *directory, int (*each)(int number, void *context), void *context);

/* A line of /proc/self/maps. */
struct mp_mapping {
  uintptr_t from, to;
  const char *line;
};

/* Calls back for each mapping of this process. Returns 0 or -errno. */
int mp_each_mapping(void (*each)(const struct mp_mapping *mapping));

/* Reads a small file; the text is terminated, and cut to fit. Returns its length or -errno. */
ssize_t mp_read_text(const char *path, char *text, size_t size);

#endif
