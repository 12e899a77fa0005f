/*
 * Linux: the end of a copy without taking it down. exit(3) has Node wake its threads to join them, and free
 * what it has: pages that the copy shares until then. The one thing to know: what exit(3) would do for others is
 * done here (streams of C are flushed, the standard descriptors and the terminal are as they were), and where
 * somebody else's library may have asked for more, this refuses.
 */
#include "linux-fork.h"
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct standard {
  bool is_open;
  bool is_terminal;
  int flags;
  dev_t device;
  ino_t inode;
  struct termios modes;
};

static struct {
  unsigned long long loads; /* how many libraries had been loaded before anything of the program */
  struct standard standard[3];
} state;

static int read_loads(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  *(unsigned long long *)context = info->dlpi_adds;
  return 1;
}

static unsigned long long loads(void) {
  unsigned long long count = 0;
  (void)dl_iterate_phdr(read_loads, &count);
  return count;
}

void mp_quick_exit_begin(void) {
  state.loads = loads();
}

void mp_quick_exit_note(void) {
  for (int fd = 0; fd < 3; fd++) {
    struct standard *standard = &state.standard[fd];
    struct stat status;
    *standard = (struct standard){.flags = fcntl(fd, F_GETFL)};
    standard->is_open = standard->flags >= 0 && fstat(fd, &status) == 0;
    if (!standard->is_open) continue;
    standard->device = status.st_dev;
    standard->inode = status.st_ino;
    standard->is_terminal = S_ISCHR(status.st_mode) && tcgetattr(fd, &standard->modes) == 0;
  }
}

/* Others have the same file: a shell that read from a pipe which does not block would fail. */
static void restore(int fd, const struct standard *standard) {
  struct stat status;
  if (!standard->is_open || fstat(fd, &status) < 0) return;
  if (status.st_dev != standard->device || status.st_ino != standard->inode) return;
  const int flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && flags != standard->flags) (void)fcntl(fd, F_SETFL, standard->flags);
  if (!standard->is_terminal) return;
  struct termios modes;
  if (tcgetattr(fd, &modes) < 0 || modes.c_lflag == standard->modes.c_lflag) return;
  /* From the background that stops a process, unless it does not heed it. */
  sigset_t stop;
  (void)sigemptyset(&stop);
  (void)sigaddset(&stop, SIGTTOU);
  (void)sigprocmask(SIG_BLOCK, &stop, NULL);
  (void)tcsetattr(fd, TCSANOW, &standard->modes);
}

int mp_quick_exit(int code) {
  if (loads() != state.loads) return -EBUSY;
  (void)fflush(NULL);
  for (int fd = 0; fd < 3; fd++) restore(fd, &state.standard[fd]);
  _exit(code);
}
