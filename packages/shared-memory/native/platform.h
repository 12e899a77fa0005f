/*
 * Everything that this package asks of an operating system.
 *
 * One implementation per system (`linux-*.c`, `unsupported.c`), chosen by the build script, never
 * by the preprocessor. The one thing to know: every function returns 0 or a positive answer, or a
 * negative errno; none throws, none logs, and none knows of Node or of the layout of the memory.
 */
#ifndef MP_PLATFORM_H
#define MP_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Prepares this file set once per process; safe to call again from any thread.
 *
 * Returns NULL when this system can run a session, else what it lacks, as a phrase for an error.
 */
const char *mp_platform_init(void);

/* ---- segment: the memory of one session ---------------------------------------------------- */

/* A mapped session file. It stays mapped until the process ends: native threads look into it. */
struct mp_segment {
  uint8_t *base;        /* the whole file, shared and writable */
  uint64_t byte_length; /* fixed for ever by seals */
  int fd;               /* the descriptor that children inherit; close-on-exec */
  int lock_fd;          /* a private open file description: liveness locks live and die with it */
};

/*
 * Creates, seals and maps a zeroed file without a name.
 *
 * Pages cost nothing until touched. On failure `*step` names the system call that failed.
 */
int mp_segment_create(uint64_t byte_length, struct mp_segment *out, const char **step);

/*
 * Maps the session file that this process inherited as `fd`, and takes `fd` over.
 *
 * -EINVAL when it is not a sealed session file. On failure `fd` is left as it was, apart from
 * close-on-exec.
 */
int mp_segment_attach(int fd, struct mp_segment *out, const char **step);

/* The same for the file that process `pid`, of the same user, holds open as its descriptor `fd`. */
int mp_segment_attach_sibling(int pid, int fd, struct mp_segment *out, const char **step);

/* In a copy of the process that mapped it: gives it a description of its own for liveness locks. */
int mp_segment_renew(const struct mp_segment *segment);

/* Gives the pages wholly inside a range back to the system; the range then reads as zeros. */
int mp_segment_punch(const struct mp_segment *segment, uint64_t offset, uint64_t byte_length);

/* ---- parking: sleep on a word of the segment ----------------------------------------------- */

/* Who sleeps on a bell; the same bits say so in its `parked` word. */
enum { MP_MASK_SYNC = 1, MP_MASK_WAITER = 2, MP_MASK_ALL = 3 };

enum mp_park_result {
  MP_PARK_WOKEN = 0,
  MP_PARK_CHANGED = 1,
  MP_PARK_TIMED_OUT = 2,
  MP_PARK_INTERRUPTED = 3,
};

/*
 * Sleeps while `*word == expected`, until a wake whose mask meets `mask`.
 *
 * A negative `timeout_ms` means for ever. Returns an mp_park_result; waking without cause is legal.
 */
int mp_park(uint32_t *word, uint32_t expected, uint32_t mask, double timeout_ms);

/* Looks at `*word` for a while without sleeping; returns 1 once it is not `expected`, else 0. */
int mp_spin(const uint32_t *word, uint32_t expected, double timeout_ms);

/* Wakes every sleeper on `word`, in any process, whose mask meets `mask`; returns how many. */
int mp_wake(uint32_t *word, uint32_t mask);

/* ---- waiter: a thread that turns a bell into a callback ------------------------------------ */

struct mp_waiter;

/* Called on the waiter's thread; returns false when the thread must end. */
typedef bool (*mp_on_ring)(void *context);

/*
 * Starts a thread that calls `on_ring` when `*bell` leaves `seen` while MP_MASK_WAITER is set in
 * `*parked`; it clears that bit first, so there is one call for each time that it was set.
 */
int mp_waiter_start(uint32_t *bell, uint32_t *parked, uint32_t seen, mp_on_ring on_ring,
                    void *context, struct mp_waiter **out);

/* Ends and joins the thread and frees `waiter`; bumps the bell once. Never call it in `on_ring`. */
void mp_waiter_stop(struct mp_waiter *waiter);

/* ---- liveness: who is dead ----------------------------------------------------------------- */

/*
 * Locks the slot's byte on behalf of this process; -EBUSY when another process holds it.
 *
 * The system unlocks it when this process is dead and none of its threads can store any more.
 * Within one process the lock does not conflict: session.c keeps that account.
 */
int mp_live_lock(const struct mp_segment *segment, uint32_t slot);

/* Unlocks the slot's byte. */
int mp_live_unlock(const struct mp_segment *segment, uint32_t slot);

/* Returns 1 when no other process holds the slot's byte, else 0. Takes nothing. */
int mp_live_probe(const struct mp_segment *segment, uint32_t slot);

/* ---- death watch: hear of a death at once -------------------------------------------------- */

/*
 * Called on the watch thread when process `pid` has died. False: something of it is left that has
 * to be heard of when it goes; it is called again soon.
 */
typedef bool (*mp_on_death)(int pid);

/*
 * Calls `on_death` when process `pid` dies. Fills `out` with a number, below 2^48, that no other
 * watch of this process ever has; the watch ends when `on_death` has returned true.
 *
 * Returns 1, or 0 where the system cannot do this, or -ESRCH when `pid` is dead already.
 */
int mp_watch_add(int pid, mp_on_death on_death, uint64_t *out);

/* Ends a watch, if it has not ended by itself. */
int mp_watch_remove(uint64_t id);

/*
 * Kills this process with SIGKILL as soon as its parent `pid` is dead, however busy it is;
 * at once if `pid` is not its parent (any more). `use_signal` also asks the kernel to do it, which
 * is faster but fires when the parent's *thread* that started us ends.
 */
int mp_die_with_parent(int pid, bool use_signal);

/*
 * Counts the children of this process up (1) or down (-1). While there are some, SIGINT writes one line to
 * stderr before it ends the process; not where the program handles or ignores it.
 */
void mp_tell_interrupt(int change);

/* How a child ended: by an exit code, or by a signal; the other is -1. */
struct mp_exit {
  int code;
  int signal;
};

/*
 * Waits up to `timeout_ms` for the child `pid` to end, without reaping it: that is libuv's.
 *
 * Returns 1 and fills `out`, or 0 when it still runs (or a signal came), or -ECHILD.
 */
int mp_wait_exit(int pid, double timeout_ms, struct mp_exit *out);

/* ---- fork server: a process that makes copies of itself --------------------------------------- */

enum {
  MP_START_BYTES = 4096,   /* of the text of a request, its end included */
  MP_READY_BYTES = 65536,  /* of what a server says when it is ready, its end included */
  MP_START_FDS = 32,       /* with a request; a server keeps its own descriptors above these numbers */
  MP_START_SESSION_FD = 3, /* where a copy finds the session's file */
};

/* Binds this process's life to its parent's, which is `parent`, as far as the kernel does it. */
void mp_forkserver_begin(int parent);

/*
 * Stops all other threads of this process, for ever, and makes ready to copy it. `control` is the
 * descriptor by which requests come.
 *
 * Returns NULL: then nothing but mp_forkserver_serve() may be called, as others may have been stopped with a
 * lock in their hands. Or why this process cannot be copied; then everything goes on as before.
 */
const char *mp_forkserver_prepare(int control);

/*
 * Says that it is ready, answers requests until nobody is left who could send one, and ends the process. Copies in
 * stock wait for theirs at the descriptor `stock`.
 *
 * In each copy it returns 0, with the request's text: the copy is a child of this process's parent, and shares no
 * descriptor with anybody but those that it was given. It has all threads of this process: one of them at once, the
 * others after some milliseconds or mp_forkserver_revive(); many copies have ended by then.
 * Otherwise it returns -errno.
 */
int mp_forkserver_serve(int control, int stock, const char *ready, size_t ready_length,
                        char text[MP_START_BYTES]);

/* In a copy that has done what all will do: notes what memory that took, so that others have it before they are asked. */
void mp_forkserver_learn(void);

/* In a copy: whoever waits for its other threads need not wait any longer. */
void mp_forkserver_revive(void);

/* A pair of connected sockets: of streams, or for control. */
int mp_forkserver_pair(bool is_stream, int out[2]);

/* Closes one of them. */
int mp_forkserver_close(int fd);

/*
 * Asks a server by its `control`, or a copy that it has in stock, for a copy. Descriptors: where it answers with -errno,
 * 32 bits, or closes it when all is well; the session's file; then its own, from 0 on, without MP_START_SESSION_FD.
 * Its pid is in the word at `pid_offset` of the session's file before it does anything.
 */
int mp_forkserver_ask(int socket, uint64_t pid_offset, const char *text, const int *fds,
                      uint32_t fd_count);

/*
 * Has the server make a copy in advance, which then waits to be asked by the server's `stock`. The kernel writes its pid
 * into the word at `pid_offset` of the session's file before it runs.
 */
int mp_forkserver_stock(int control, uint64_t pid_offset, int session);

/*
 * In a copy: ends the process at once, as `_exit` does, but leaves streams and terminal in order. Returns
 * -EBUSY where libraries were loaded that may have asked to be told of the end.
 */
int mp_quick_exit(int code);

/* Lets go of a child that has ended and that nobody else waits for. */
int mp_reap(int pid);

/* ---- descriptors: wait for what somebody else reads and writes ------------------------------- */

/* What to wait for, and what there is; MP_POLL_HUNG_UP: the other end is closed, or an error is there. */
enum { MP_POLL_READABLE = 1, MP_POLL_WRITABLE = 2, MP_POLL_HUNG_UP = 4 };

/*
 * Waits up to `timeout_ms` until `fd` is in one of the states of `interest`.
 *
 * Returns the states that it is in; 0 when the time passed or a signal came. MP_POLL_HUNG_UP may
 * come unasked.
 */
int mp_poll(int fd, uint32_t interest, double timeout_ms);

/* ---- memory of this process -------------------------------------------------------------------- */

/*
 * Has the allocator keep some of what is freed: up to 64 MiB, in blocks of up to 32 MiB. Else each
 * large block costs page faults from its first byte to its last, which is ten times a copy of it.
 *
 * Does nothing where the allocator has no such limits, or MALLOC_* or GLIBC_TUNABLES set them.
 */
void mp_keep_freed_memory(void);

/* ---- misc ---------------------------------------------------------------------------------- */

/* Milliseconds on the clock that no one sets. */
double mp_now(void);

/* This process's id. */
int mp_pid(void);

/* The address of a function that the program may or may not export, or NULL. */
void *mp_symbol(const char *name);

#endif
