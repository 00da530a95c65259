/* Linked into the programs built with ThreadSanitizer, and only there.

   ThreadSanitizer puts its own handler before every other and delivers a signal later, at the
   thread's next call into libc, with the registers of the moment when it came. The .NET runtime
   stops threads for its collector by a real-time signal and changes the return address that those
   registers lead to; some time later that is somebody else's stack. Without this file one run in
   four ends in a crash. So handlers of real-time signals go straight to the kernel. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <signal.h>
#include <string.h>

int __interceptor_sigaction(int number, const struct sigaction *action, struct sigaction *before);

int sigaction(int number, const struct sigaction *action, struct sigaction *before) {
  int (*real)(int, const struct sigaction *, struct sigaction *);
  void *symbol;
  if (number < SIGRTMIN) {
    return __interceptor_sigaction(number, action, before);
  }
  symbol = dlsym(RTLD_NEXT, "sigaction");
  memcpy(&real, &symbol, sizeof real);
  return real(number, action, before);
}
