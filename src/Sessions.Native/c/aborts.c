/* session_signal_abort: aborts that a signal handler may ask for.
 *
 * A handler may have interrupted anything, malloc or the runtime, so it only notes the handle in a
 * table and wakes a thread, which does the rest. The thread is there from the first session on. */
#include "boundary.h"
#include "sessions.h"

#include <errno.h>

#if defined(_WIN32)
#include <windows.h>
#else
#include <pthread.h>
#if defined(__APPLE__)
#include <mach/mach.h>
#else
#include <semaphore.h>
#endif
#endif

#define REQUESTS_MAX 64 /* limits.signal_aborts_waiting_max; more sessions are refused */
#define SERIALS (SESSIONS_HANDLE_SPACE / 16) /* a handle is 16 bytes from the next */
#define STACK_BYTES ((size_t)512 * 1024) /* twice what a call needs */

/* Gives the sessions their signal; answers how many of the handles are none any more, or cannot be
 * aborted. */
int32_t managed_take_aborts(session_t **sessions, int32_t count);

/* Records all that were taken; answers how many. */
int32_t managed_record_aborts(void);

enum keepers { KEEPER_NONE, KEEPER_RUNS, KEEPER_FAILED, KEEPER_ENDED };
static int32_t keeper;    /* changed under `life` */
static int32_t is_ending; /* for the thread */

static uint32_t live[SERIALS / 32];       /* a bit for each handle of a session; mostly no memory */
static session_t *requests[REQUESTS_MAX]; /* NULL: a free place */
static int32_t unrecorded;                /* requests that are not done yet */

/* ---- what the systems call differently ------------------------------------------------------ */

#if defined(_WIN32)

static SRWLOCK life = SRWLOCK_INIT, taking = SRWLOCK_INIT;
static HANDLE thread, bell;

static session_t *take_place(session_t **place)
{
  return InterlockedExchangePointer((void **)place, NULL);
}
static session_t *fill_place(session_t **place, session_t *session)
{
  return InterlockedCompareExchangePointer((void **)place, session, NULL);
}
static void count_request(int32_t change)
{
  InterlockedExchangeAdd((volatile LONG *)&unrecorded, change);
}
static void set_bits(uint32_t *word, uint32_t bits)
{
  InterlockedOr((volatile LONG *)word, bits);
}
static void keep_bits(uint32_t *word, uint32_t bits)
{
  InterlockedAnd((volatile LONG *)word, bits);
}

static void lock(SRWLOCK *of) { AcquireSRWLockExclusive(of); }
static void unlock(SRWLOCK *of) { ReleaseSRWLockExclusive(of); }
static void ring(void) { ReleaseSemaphore(bell, 1, NULL); }
static void wait_for_ring(void) { WaitForSingleObject(bell, INFINITE); }

static void carry_out(void);
static DWORD WINAPI run(LPVOID unused)
{
  (void)unused;
  carry_out();
  return 0;
}

static int start_thread(void)
{
  if (bell == NULL)
    bell = CreateSemaphoreW(NULL, 0, LONG_MAX, NULL);
  thread = bell == NULL ? NULL
                        : CreateThread(NULL, STACK_BYTES, run, NULL,
                                       STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
  return thread != NULL;
}

static void join_thread(void)
{
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
}

#else

static pthread_mutex_t life = PTHREAD_MUTEX_INITIALIZER, taking = PTHREAD_MUTEX_INITIALIZER;
static pthread_t thread;

static session_t *take_place(session_t **place)
{
  return __atomic_exchange_n(place, NULL, __ATOMIC_ACQ_REL);
}
/* Answers what is there already; NULL: now the session is. */
static session_t *fill_place(session_t **place, session_t *session)
{
  session_t *there = NULL;
  __atomic_compare_exchange_n(place, &there, session, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  return there;
}
static void count_request(int32_t change)
{
  __atomic_add_fetch(&unrecorded, change, __ATOMIC_ACQ_REL);
}
static void set_bits(uint32_t *word, uint32_t bits)
{
  __atomic_or_fetch(word, bits, __ATOMIC_RELEASE);
}
static void keep_bits(uint32_t *word, uint32_t bits)
{
  __atomic_and_fetch(word, bits, __ATOMIC_RELEASE);
}

static void lock(pthread_mutex_t *of) { pthread_mutex_lock(of); }
static void unlock(pthread_mutex_t *of) { pthread_mutex_unlock(of); }

#if defined(__APPLE__)

static semaphore_t bell;
static int has_bell;

static int make_bell(void)
{
  return semaphore_create(mach_task_self(), &bell, SYNC_POLICY_FIFO, 0) == KERN_SUCCESS;
}
static void ring(void) { semaphore_signal(bell); }
static void wait_for_ring(void)
{
  while (semaphore_wait(bell) == KERN_ABORTED)
    continue;
}

#else

static sem_t bell;
static int has_bell;

static int make_bell(void) { return sem_init(&bell, 0, 0) == 0; }
static void ring(void) { sem_post(&bell); }
static void wait_for_ring(void)
{
  while (sem_wait(&bell) != 0) /* the runtime stops its threads by a signal */
    continue;
}

#endif

static void carry_out(void);
static void *run(void *unused)
{
  (void)unused;
  carry_out();
  return NULL;
}

static int start_thread(void)
{
  pthread_attr_t attributes;
  has_bell = has_bell || make_bell();
  if (!has_bell || pthread_attr_init(&attributes) != 0)
    return 0;
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  int error = pthread_create(&thread, &attributes, run, NULL);
  pthread_attr_destroy(&attributes);
  return error == 0;
}

static void join_thread(void) { pthread_join(thread, NULL); }

#endif

/* ---- which handles are sessions ------------------------------------------------------------- */

/* The place of a handle's bit; 0 where it can be no handle. */
static int find_bit(const session_t *session, size_t *word, uint32_t *bit)
{
  size_t place = (size_t)session - sessions_handle_space;
  *word = place / 16 / 32;
  *bit = (uint32_t)1 << (place / 16 % 32);
  return place < SESSIONS_HANDLE_SPACE && place % 16 == 0;
}

static void start_keeper(void)
{
  if (SESSIONS_LIKELY(SESSIONS_LOAD(keeper) == KEEPER_RUNS))
    return;
  lock(&life);
  if (keeper != KEEPER_RUNS) {
    SESSIONS_STORE(is_ending, 0);
    SESSIONS_STORE(keeper, start_thread() ? KEEPER_RUNS : KEEPER_FAILED);
  }
  unlock(&life);
}

void sessions_aborts_allow(session_t *session)
{
  size_t word;
  uint32_t bit;
  find_bit(session, &word, &bit);
  set_bits(&live[word], bit);
  start_keeper();
}

void sessions_aborts_forbid(session_t *session)
{
  size_t word;
  uint32_t bit;
  find_bit(session, &word, &bit);
  keep_bits(&live[word], ~bit);
}

/* ---- the request ---------------------------------------------------------------------------- */

static session_status_t note(session_t *session)
{
  count_request(1); /* first: who finds nothing to do must not overlook a place that is filled */
  for (int i = 0; i < REQUESTS_MAX; i++) {
    session_t *there = fill_place(&requests[i], session);
    if (there == NULL)
      return SESSION_OK;
    if (there == session) {
      count_request(-1);
      return SESSION_OK; /* nobody has come to it yet */
    }
  }
  count_request(-1);
  return SESSION_E_LIMIT;
}

/* For handlers: no lock, no memory, no error of the thread, and errno as it was. */
SESSION_API session_status_t session_signal_abort(session_t *session)
{
  int32_t state = SESSIONS_LOAD(sessions_state);
  size_t word;
  uint32_t bit;
  if (state == SESSIONS_FORKED)
    return SESSION_E_FORKED;
  if (state != SESSIONS_READY || !find_bit(session, &word, &bit) ||
      (SESSIONS_LOAD(live[word]) & bit) == 0)
    return SESSION_E_INVALID_HANDLE;
  int32_t who = SESSIONS_LOAD(keeper);
  if (who != KEEPER_RUNS)
    return who == KEEPER_ENDED ? SESSION_E_CLOSED : SESSION_E_NO_MEMORY;
  int before = errno;
  session_status_t status = note(session);
  ring();
  errno = before;
  return status;
}

/* ---- what becomes of it --------------------------------------------------------------------- */

void sessions_aborts_take(void)
{
  session_t *taken[REQUESTS_MAX];
  int32_t count = 0;
  if (SESSIONS_LIKELY(SESSIONS_LOAD(unrecorded) == 0))
    return;
  lock(&taking); /* who destroys a handle does not overtake one who has taken the request only */
  for (int i = 0; i < REQUESTS_MAX; i++) {
    taken[count] = take_place(&requests[i]);
    count += taken[count] != NULL;
  }
  if (count != 0)
    count_request(-managed_take_aborts(taken, count));
  unlock(&taking);
}

void sessions_aborts_finish(void)
{
  sessions_aborts_take();
  if (!SESSIONS_LIKELY(SESSIONS_LOAD(unrecorded) == 0))
    count_request(-managed_record_aborts());
}

static void carry_out(void)
{
  for (;;) {
    wait_for_ring();
    if (SESSIONS_LOAD(is_ending))
      return;
    sessions_aborts_finish();
  }
}

void sessions_aborts_end(void)
{
  lock(&life); /* and keeps it: a next thread begins when this one has ended */
  if (keeper == KEEPER_RUNS) {
    SESSIONS_STORE(keeper, KEEPER_ENDED);
    SESSIONS_STORE(is_ending, 1);
    ring();
    join_thread();
  }
  unlock(&life);
}
