/* What stands between a host's call and the managed code.
 *
 * The exported functions are C for three reasons. A forked child must be answered without entering
 * the runtime, whose other threads are gone and may have been in the middle of a collection. The
 * signal settings of the host must be read before the runtime first starts. And the memory of
 * session_last_error must go with its thread, whatever language the thread was made by.
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
#define SESSIONS_THREAD __thread
#define SESSIONS_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define SESSIONS_LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_ACQUIRE)
#define SESSIONS_STORE(variable, value) __atomic_store_n(&(variable), (value), __ATOMIC_RELEASE)
#endif

/* Address space that handles point into. It is never mapped, so no handle can be dereferenced. */
#define SESSIONS_HANDLE_SPACE ((size_t)1 << 30)

enum sessions_states {
  SESSIONS_NEW = 0,    /* nothing has been called that needs the runtime */
  SESSIONS_READY = 1,
  SESSIONS_FORKED = 2, /* this process is a child of one that used the library */
  SESSIONS_FAILED = 3  /* the runtime or the handle space could not be had */
};

extern int32_t sessions_state;

/* The slow path of every call: starts the runtime or says why there is none. Sets the thread's
 * error unless it answers SESSION_OK. */
int32_t sessions_enter(void);

/* The thread's error. Texts are copied; lengths are without a closing NUL. */
void sessions_set_error(int32_t status, int32_t os_error, int64_t offset, const char *message,
                        size_t message_length, const char *details, size_t details_length);

/* One of the fixed errors that need no memory: FORKED, NO_MEMORY. */
void sessions_set_fixed_error(int32_t status);

/* Descriptors that a forked child must close at once, because they carry locks. */
void sessions_descriptor_opened(int32_t descriptor);
void sessions_descriptor_closed(int32_t descriptor);

#endif
