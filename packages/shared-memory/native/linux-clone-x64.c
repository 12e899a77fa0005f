/*
 * Linux on x86-64: what C cannot say about threads. The one thing to know: a
 * signal frame starts with its return address, then comes the context that the handler is given;
 * rt_sigreturn(2) expects the stack pointer just behind the former, so at the latter.
 */
#include "linux-fork.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>

static bool is_wait(long number) {
  switch (number) {
    case SYS_futex:
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_poll:
    case SYS_ppoll:
    case SYS_select:
    case SYS_pselect6:
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
    case SYS_read:
    case SYS_recvmsg:
    case SYS_recvfrom:
    case SYS_accept4:
    case SYS_rt_sigtimedwait:
      return true;
    default:
      return false;
  }
}

bool mp_clone_is_waiting(const void *context) {
  static const unsigned char SYSCALL[] = {0x0f, 0x05};
  const ucontext_t *at = context;
  /* SAFETY: the code that it runs, mapped and readable; before a thread's first instruction there is other code. */
  const unsigned char *next = (const unsigned char *)at->uc_mcontext.gregs[REG_RIP];
  const long result = (long)at->uc_mcontext.gregs[REG_RAX];
  /* The kernel has set it back to begin again with the call, or says that it was interrupted. */
  if (memcmp(next, SYSCALL, sizeof SYSCALL) == 0) return is_wait(result);
  return result == -EINTR && memcmp(next - sizeof SYSCALL, SYSCALL, sizeof SYSCALL) == 0;
}

uintptr_t mp_clone_tls(void) {
  uintptr_t tls;
  __asm__("mov %%fs:0, %0" : "=r"(tls)); /* the first word there is its own address */
  return tls;
}

_Static_assert(SYS_rt_sigreturn == 15 && SYS_clone == 56, "the numbers below");

__asm__(
  ".text\n"
  ".type mp_clone_restorer,@function\n"
  ".hidden mp_clone_restorer\n"
  ".globl mp_clone_restorer\n"
  "mp_clone_restorer:\n"
  "  mov $15, %eax\n"
  "  syscall\n"
  ".type mp_clone_resume,@function\n"
  ".hidden mp_clone_resume\n"
  ".globl mp_clone_resume\n"
  "mp_clone_resume:\n"
  "  mov %rdi, %rsp\n"
  "  mov $15, %eax\n"
  "  syscall\n"
  "  ud2\n"
  /* rdi flags, rsi stack, rdx tid, rcx tls, r8 run, r9 argument */
  ".type mp_clone_thread,@function\n"
  ".hidden mp_clone_thread\n"
  ".globl mp_clone_thread\n"
  "mp_clone_thread:\n"
  "  sub $16, %rsi\n"
  "  mov %r9, (%rsi)\n"
  "  mov %r8, 8(%rsi)\n"
  "  mov %rcx, %r8\n" /* the fifth argument of the system call */
  "  mov %rdx, %r10\n"
  "  mov $56, %eax\n"
  "  syscall\n"
  "  test %rax, %rax\n"
  "  jz 1f\n"
  "  ret\n"
  "1:\n" /* the new thread */
  "  xor %ebp, %ebp\n"
  "  pop %rdi\n"
  "  pop %rax\n"
  "  call *%rax\n"
  "  ud2\n"
  ".section .note.GNU-stack,\"\",@progbits\n"
  ".text\n");
