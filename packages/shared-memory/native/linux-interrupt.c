/*
 * Linux: says once that Ctrl-C ended the program. Its children, which the terminal interrupts as well,
 * end without a word. The one thing to know: a listener in JavaScript would keep a busy or blocked thread
 * from ending, so it is a handler of one signal that then does what would have been done without it.
 */
#include "platform.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static const char TEXT[] = "MainProcess was interrupted (SIGINT): it and its children end\n";

static struct {
  atomic_int children;
  atomic_bool is_installed;
  struct sigaction previous;
} state;

/* The disposition has been reset when this runs (SA_RESETHAND): the next signal ends the process. */
static void tell(int signal, siginfo_t *info, void *context) {
  const int saved_errno = errno;
  if (atomic_load(&state.children) > 0) (void)!write(STDERR_FILENO, TEXT, sizeof TEXT - 1);
  errno = saved_errno;
  /* Node's own gives the terminal back as it was, and raises the signal again. */
  if ((state.previous.sa_flags & SA_SIGINFO) != 0) {
    state.previous.sa_sigaction(signal, info, context);
  } else if (state.previous.sa_handler != SIG_DFL) {
    state.previous.sa_handler(signal);
  } else {
    (void)raise(signal); /* blocked until this returns */
  }
}

void mp_tell_interrupt(int change) {
  (void)atomic_fetch_add(&state.children, change);
  if (change < 0 || atomic_exchange(&state.is_installed, true)) return;
  struct sigaction current;
  if (sigaction(SIGINT, NULL, &current) < 0) return;
  /*
   * Only where the signal ends the process: by default, or by a handler that is for one signal, as Node's is.
   * A listener of the program is libuv's handler, which is for many; it replaces ours when it comes later.
   */
  const bool is_ending = current.sa_handler == SIG_DFL || (current.sa_flags & (int)SA_RESETHAND) != 0;
  if (!is_ending || current.sa_handler == SIG_IGN) return;
  state.previous = current;
  struct sigaction ours = {.sa_sigaction = tell, .sa_flags = (int)(SA_SIGINFO | SA_RESETHAND)};
  (void)sigemptyset(&ours.sa_mask);
  (void)sigaction(SIGINT, &ours, NULL);
}
