/* session_last_error: one error a thread, in memory that goes with the thread. */
#include "boundary.h"
#include "sessions.h"

#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>
#else
#include <pthread.h>
#endif

struct thread_error {
  session_error_t error;
  char *text; /* message, NUL, details, NUL */
  size_t capacity;
};

static const session_error_t no_error = {sizeof(session_error_t), SESSION_OK, 0, 0,
                                         "No call has failed on this thread.", "{}", -1};
static const session_error_t forked = {
    sizeof(session_error_t), SESSION_E_FORKED, 0, 0,
    "This process was forked from one that used the library; call exec first.", "{}", -1};
static const session_error_t no_memory = {sizeof(session_error_t), SESSION_E_NO_MEMORY, 0, 0,
                                          "There is not enough memory.", "{}", -1};
static const session_error_t misuse = {
    sizeof(session_error_t), SESSION_E_MISUSE, 0, 0,
    "A signal handler called while its thread was inside a call; see session_signal_abort.",
    "{\"inside\":\"call\"}", -1};

static SESSIONS_THREAD struct thread_error *own;
static SESSIONS_THREAD const session_error_t *last;

#if defined(_WIN32)

static DWORD slot = FLS_OUT_OF_INDEXES;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;

static void NTAPI thread_ends(void *pointer)
{
  struct thread_error *error = pointer;
  own = NULL;
  last = NULL;
  free(error->text);
  free(error);
}

static BOOL CALLBACK make_slot(PINIT_ONCE unused, PVOID argument, PVOID *context)
{
  (void)unused, (void)argument, (void)context;
  slot = FlsAlloc(thread_ends);
  return TRUE;
}

static int free_with_thread(struct thread_error *error)
{
  InitOnceExecuteOnce(&once, make_slot, NULL, NULL);
  return slot != FLS_OUT_OF_INDEXES && FlsSetValue(slot, error);
}

#else

static pthread_key_t key;
static int key_made;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void thread_ends(void *pointer)
{
  struct thread_error *error = pointer;
  own = NULL;
  last = NULL;
  free(error->text);
  free(error);
}

static void make_key(void)
{
  key_made = pthread_key_create(&key, thread_ends) == 0;
}

static int free_with_thread(struct thread_error *error)
{
  pthread_once(&once, make_key);
  return key_made && pthread_setspecific(key, error) == 0;
}

#endif

static struct thread_error *errors_of_thread(void)
{
  if (own == NULL) {
    struct thread_error *made = calloc(1, sizeof *made);
    if (made == NULL)
      return NULL;
    if (!free_with_thread(made)) {
      free(made);
      return NULL;
    }
    own = made;
  }
  return own;
}

void sessions_set_error(int32_t status, int32_t os_error, int64_t offset, const char *message,
                        size_t message_length, const char *details, size_t details_length)
{
  struct thread_error *mine = errors_of_thread();
  size_t needed = message_length + details_length + 2;
  if (mine != NULL && mine->capacity < needed) {
    char *grown = realloc(mine->text, needed);
    if (grown == NULL) {
      mine = NULL;
    } else {
      mine->text = grown;
      mine->capacity = needed;
    }
  }
  if (mine == NULL) {
    sessions_set_fixed_error(SESSION_E_NO_MEMORY);
    return;
  }

  char *details_copy = mine->text + message_length + 1;
  memcpy(mine->text, message, message_length);
  mine->text[message_length] = '\0';
  memcpy(details_copy, details, details_length);
  details_copy[details_length] = '\0';
  mine->error.size = sizeof(session_error_t);
  mine->error.status = status;
  mine->error.os_error = os_error;
  mine->error.reserved = 0;
  mine->error.message = mine->text;
  mine->error.details_json = details_copy;
  mine->error.offset = offset;
  last = &mine->error;
}

void sessions_set_fixed_error(int32_t status)
{
  last = status == SESSION_E_FORKED ? &forked : status == SESSION_E_MISUSE ? &misuse : &no_memory;
}

SESSION_API const session_error_t *session_last_error(void)
{
  return last == NULL ? &no_error : last;
}
