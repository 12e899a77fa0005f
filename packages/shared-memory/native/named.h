/*
 * Named blocks: memory that unrelated processes of one user find by a name.
 *
 * One implementation per system. The one thing to know: a block is a file, and whoever uses it
 * holds a shared lock on it through a file description of its own, which the system drops when the
 * process dies. A file whose lock can be had exclusively is dead: nobody uses it, nobody ever will.
 */
#ifndef MP_NAMED_H
#define MP_NAMED_H

#include <stdbool.h>
#include <stdint.h>

/* One use of a block. */
struct mp_named;

/*
 * Makes a zeroed block of `byte_length` bytes, all of it backed by memory, and gives it the name
 * `path`; nobody sees it before it is whole. `folder` is the path's folder.
 *
 * -EEXIST when the name is taken. On failure `*step` names the system call that failed.
 */
int mp_named_create(const char *folder, const char *path, uint64_t byte_length,
                    struct mp_named **out, const char **step);

/* Opens a block that somebody uses; -ENOENT when there is none. */
int mp_named_open(const char *path, struct mp_named **out, const char **step);

/* Its memory, for as long as the use is not freed; what it shows after a release is zeros. */
void *mp_named_base(const struct mp_named *named);
uint64_t mp_named_byte_length(const struct mp_named *named);

/* Tells two blocks apart that had the same name one after the other. */
uint64_t mp_named_identity(const struct mp_named *named);

/* Makes this process a user until it ends or the name is gone, as it is of what it made itself. */
void mp_named_keep(struct mp_named *named);

/*
 * Ends the use: the block's memory is replaced by zeros, so that a stray access hurts nobody. The
 * last use to end takes the block's name away.
 */
void mp_named_release(struct mp_named *named);

/*
 * Releases it, if it was not, and frees it. `unmap` says that nothing can look at the memory any
 * more; otherwise the addresses stay reserved, without memory behind them.
 */
void mp_named_free(struct mp_named *named, bool unmap);

/* Takes the name of the very block away; -ENOENT when it has none any more. */
int mp_named_unlink(const struct mp_named *named, const char **step);

/* Removes the block of a path if nobody uses it; 1 if it did. -ENOENT when there is no file. */
int mp_named_sweep(const char *path, const char **step);

#endif
