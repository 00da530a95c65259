/* What stands between a host's call and the managed code.
 *
 * The exported functions are C for four reasons. A forked child must be answered without entering
 * the runtime, whose other threads are gone and may have been in the middle of a collection. A
 * signal handler that interrupted a call must be, too: the runtime ends a process in which it is
 * entered a second time. The signal settings of the host must be read before the runtime first
 * starts. And the memory of session_last_error must go with its thread, whatever language the
 * thread was made by.
 */
#ifndef SESSIONS_BOUNDARY_H
#define SESSIONS_BOUNDARY_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define SESSION_API __declspec(dllexport)
#define PLUE_API SESSION_API
#define SESSIONS_THREAD __declspec(thread)
#define SESSIONS_LIKELY(condition) (condition)
#define SESSIONS_LOAD(variable) (*(const volatile int32_t *)&(variable))
#define SESSIONS_STORE(variable, value) (*(volatile int32_t *)&(variable) = (value))
#else
#define SESSION_API __attribute__((visibility("default")))
#define PLUE_API SESSION_API
#if defined(__GLIBC__)
/* One load, and never memory from malloc, which a signal handler may have interrupted. Other C
 * libraries refuse to load such a library late. */
#define SESSIONS_THREAD __thread __attribute__((tls_model("initial-exec")))
#else
#define SESSIONS_THREAD __thread
#endif
#define SESSIONS_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define SESSIONS_LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_ACQUIRE)
#define SESSIONS_STORE(variable, value) __atomic_store_n(&(variable), (value), __ATOMIC_RELEASE)
#endif

/* Address space that handles point into. It is never mapped, so no handle can be dereferenced. */
#define SESSIONS_HANDLE_SPACE ((size_t)1 << 30)

enum sessions_states {
  SESSIONS_NEW = 0,    /* nothing has been called that needs the runtime, or it had no room */
  SESSIONS_READY = 1,
  SESSIONS_FORKED = 2, /* this process is a child of one that used the library */
  SESSIONS_FAILED = 3  /* the runtime can never work here */
};

extern int32_t sessions_state;

/* Where the handles lie; set before SESSIONS_READY. */
extern size_t sessions_handle_space;

enum sessions_gates {
  SESSIONS_SHUT = 0, /* ask sessions_enter first */
  SESSIONS_OPEN = 1, /* the runtime is there, and this thread is in no call */
  SESSIONS_INSIDE = 2
};

/* What this thread may do. A signal handler may come between any two instructions, so a call sets
 * it before all else and takes one off at its end: in a forked child it stays far below 0. */
extern SESSIONS_THREAD volatile int32_t sessions_gate;

/* The slow path of every call: starts the runtime, or says why this thread may not enter it. Sets
 * the thread's error unless it answers SESSION_OK, which leaves the gate open. */
int32_t sessions_enter(void);

/* Whether the runtime can have what it takes when it starts (room.c). */
int sessions_has_room(void);

/* The addresses for its heap that there are, in hexadecimal; NULL before sessions_has_room. */
const char *sessions_heap_range(void);

/* Begins a call; `refused` is what happens where it may not, with `status` saying why. */
#define SESSIONS_BEGIN(refused)                                                                   \
  if (!SESSIONS_LIKELY(sessions_gate == SESSIONS_OPEN)) {                                         \
    int32_t status = sessions_enter();                                                            \
    if (status != SESSION_OK) {                                                                   \
      refused;                                                                                    \
    }                                                                                             \
  }                                                                                               \
  sessions_gate = SESSIONS_INSIDE

#define SESSIONS_END() (sessions_gate = sessions_gate - 1)

/* Calls the host back. It may call the library from there. */
void sessions_wake(void (*wake)(void *user), void *user);

/* The thread's error. Texts are copied; lengths are without a closing NUL. */
void sessions_set_error(int32_t status, int32_t os_error, int64_t offset, const char *message,
                        size_t message_length, const char *details, size_t details_length);

/* One of the fixed errors that need no memory: FORKED, NO_MEMORY, MISUSE. */
void sessions_set_fixed_error(int32_t status);

/* Descriptors that a forked child must close at once, because they carry locks. */
void sessions_descriptor_opened(int32_t descriptor);
void sessions_descriptor_closed(int32_t descriptor);

/* The aborts that signal handlers ask for (aborts.c). A session is made and destroyed, */
struct session_s;
void sessions_aborts_allow(struct session_s *session);
void sessions_aborts_forbid(struct session_s *session);
/* those asked for until now get their signal, without I/O, */
void sessions_aborts_take(void);
/* and are recorded; */
void sessions_aborts_finish(void);
/* the thread for them ends, until the next session is made. */
void sessions_aborts_end(void);

#endif
