/* Start of the runtime, fork, signals. */
#define _GNU_SOURCE
#include "boundary.h"
#include "sessions.h"

#include <string.h>

#if defined(_WIN32)
#include <windows.h>
#else
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

/* The first call into managed code; it starts the runtime. */
int32_t managed_start(void *handle_space, size_t handle_space_bytes);

int32_t sessions_state = SESSIONS_NEW;
size_t sessions_handle_space;
SESSIONS_THREAD volatile int32_t sessions_gate;

/* So far below 0 that no number of calls which a handler's fork interrupted brings it up again. */
#define GATE_OF_CHILD (-1000000)

#if defined(_WIN32)

static INIT_ONCE once = INIT_ONCE_STATIC_INIT;

/* FALSE where nothing was started: the next call tries again. */
static BOOL CALLBACK start(PINIT_ONCE unused, PVOID argument, PVOID *context)
{
  void *space = VirtualAlloc(NULL, SESSIONS_HANDLE_SPACE, MEM_RESERVE, PAGE_NOACCESS);
  (void)unused, (void)argument, (void)context;
  if (space == NULL)
    return FALSE;
  if (!sessions_has_room()) {
    VirtualFree(space, 0, MEM_RELEASE);
    return FALSE;
  }
  sessions_handle_space = (size_t)space;
  if (managed_start(space, SESSIONS_HANDLE_SPACE) != SESSION_OK)
    SESSIONS_STORE(sessions_state, SESSIONS_FAILED);
  else
    SESSIONS_STORE(sessions_state, SESSIONS_READY);
  return TRUE;
}

static void start_once(void)
{
  InitOnceExecuteOnce(&once, start, NULL, NULL);
}

void sessions_descriptor_opened(int32_t descriptor) { (void)descriptor; }
void sessions_descriptor_closed(int32_t descriptor) { (void)descriptor; }

#else

/* Open lock descriptors, as descriptor + 1; 0 is a free place. The list only grows, so that the
 * child of a fork can walk it whatever another thread was doing to it. */
#define DESCRIPTORS_A_BLOCK 62
struct descriptor_block {
  struct descriptor_block *next;
  int32_t descriptors[DESCRIPTORS_A_BLOCK];
};
static struct descriptor_block first_block;

static int replace(int32_t from, int32_t to)
{
  struct descriptor_block *block = &first_block;
  for (; block != NULL; block = __atomic_load_n(&block->next, __ATOMIC_ACQUIRE)) {
    for (int i = 0; i < DESCRIPTORS_A_BLOCK; i++) {
      int32_t expected = from;
      if (__atomic_compare_exchange_n(&block->descriptors[i], &expected, to, 0, __ATOMIC_ACQ_REL,
                                      __ATOMIC_RELAXED))
        return 1;
    }
  }
  return 0;
}

void sessions_descriptor_opened(int32_t descriptor)
{
  if (replace(0, descriptor + 1))
    return;
  struct descriptor_block *head = __atomic_load_n(&first_block.next, __ATOMIC_ACQUIRE);
  struct descriptor_block *block = calloc(1, sizeof *block);
  if (block == NULL)
    return; /* the child then keeps the lock until it calls exec or ends; everything is O_CLOEXEC */
  block->descriptors[0] = descriptor + 1;
  do
    block->next = head;
  while (!__atomic_compare_exchange_n(&first_block.next, &head, block, 0, __ATOMIC_ACQ_REL,
                                      __ATOMIC_ACQUIRE));
}

void sessions_descriptor_closed(int32_t descriptor)
{
  replace(descriptor + 1, 0);
}

/* One thread starts the runtime. Where it has no room nothing was started, and the next call tries
 * again. */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
static int32_t is_starting;

static void after_fork_in_child(void)
{
  if (SESSIONS_LOAD(sessions_state) == SESSIONS_NEW && !SESSIONS_LOAD(is_starting)) {
    pthread_mutex_init(&starting, NULL); /* whoever had it is gone */
    return;
  }
  SESSIONS_STORE(sessions_state, SESSIONS_FORKED);
  sessions_gate = GATE_OF_CHILD;
  for (struct descriptor_block *block = &first_block; block != NULL; block = block->next) {
    for (int i = 0; i < DESCRIPTORS_A_BLOCK; i++) {
      if (block->descriptors[i] != 0)
        close(block->descriptors[i] - 1);
      block->descriptors[i] = 0;
    }
  }
}

#if defined(__linux__)

/* Signals meant for the host must not land on a thread of the library, where they would not
 * interrupt what the host waits in. The linker sends every pthread_create of the library here, the
 * runtime's own as well (--wrap), and a new thread inherits its creator's mask. */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *argument)
{
  sigset_t blocked, before;
  sigfillset(&blocked);
  sigdelset(&blocked, SIGSEGV); /* these speak of the thread itself */
  sigdelset(&blocked, SIGBUS);
  sigdelset(&blocked, SIGFPE);
  sigdelset(&blocked, SIGILL);
  sigdelset(&blocked, SIGTRAP);
  sigdelset(&blocked, SIGABRT);
  sigdelset(&blocked, SIGSYS);
  sigdelset(&blocked, SIGRTMIN); /* the runtime stops its threads with it */
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  int error = __real_pthread_create(thread, attributes, run, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

#endif

/* The runtime's handlers pass on what is not theirs. On the alternate stack, where the host has
 * one, the host's own handlers work as before: for an exhausted stack, and on the small stacks of
 * goroutines. */
static void use_alternate_stack(int signal)
{
  struct sigaction action;
  sigaction(signal, NULL, &action);
  if ((action.sa_flags & SA_ONSTACK) == 0) {
    action.sa_flags |= SA_ONSTACK;
    sigaction(signal, &action, NULL);
  }
}

/* The handles' addresses, where the runtime has room beside them. */
static void *find_room(void)
{
  void *space = mmap(NULL, SESSIONS_HANDLE_SPACE, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (space == MAP_FAILED)
    return NULL;
  if (sessions_has_room())
    return space;
  munmap(space, SESSIONS_HANDLE_SPACE);
  return NULL;
}

static void start(void)
{
  struct sigaction broken_pipe;
  SESSIONS_STORE(is_starting, 1);
  void *space = find_room();
  if (space == NULL) {
    SESSIONS_STORE(is_starting, 0);
    return;
  }

  sessions_handle_space = (size_t)space;
  sigaction(SIGPIPE, NULL, &broken_pipe);
  int32_t status = managed_start(space, SESSIONS_HANDLE_SPACE);
  sigaction(SIGPIPE, &broken_pipe, NULL); /* the runtime ignores it; that is the host's to decide */
  use_alternate_stack(SIGSEGV);
  use_alternate_stack(SIGFPE);
  SESSIONS_STORE(sessions_state, status == SESSION_OK ? SESSIONS_READY : SESSIONS_FAILED);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void watch_forks(void)
{
  if (pthread_atfork(NULL, NULL, after_fork_in_child) != 0)
    SESSIONS_STORE(sessions_state, SESSIONS_FAILED);
}

static void start_once(void)
{
  pthread_once(&once, watch_forks);
  pthread_mutex_lock(&starting);
  if (SESSIONS_LOAD(sessions_state) == SESSIONS_NEW)
    start();
  pthread_mutex_unlock(&starting);
}

#endif

int32_t sessions_enter(void)
{
  int32_t state = SESSIONS_LOAD(sessions_state);
  if (state != SESSIONS_FORKED && sessions_gate == SESSIONS_INSIDE) {
    sessions_set_fixed_error(SESSION_E_MISUSE);
    return SESSION_E_MISUSE;
  }
  if (state == SESSIONS_NEW) {
    sessions_gate = SESSIONS_INSIDE; /* a handler must not wait for the start that it interrupted */
    start_once();
    sessions_gate = sessions_gate - SESSIONS_INSIDE;
    state = SESSIONS_LOAD(sessions_state);
  }
  if (state == SESSIONS_READY) {
    sessions_gate = SESSIONS_OPEN;
    return SESSION_OK;
  }
  int32_t status = state == SESSIONS_FORKED ? SESSION_E_FORKED : SESSION_E_NO_MEMORY;
  sessions_set_fixed_error(status);
  return status;
}

void sessions_wake(void (*wake)(void *user), void *user)
{
  int32_t inside = sessions_gate == SESSIONS_INSIDE; /* a close tells of itself on its own thread */
  sessions_gate = sessions_gate - inside;
  wake(user);
  sessions_gate = sessions_gate + inside;
}
