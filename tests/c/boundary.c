/* The C half of the library by itself, with stand-ins for the managed half (tools/stand-ins.sh): every
   export in every state that the library can be in, and all that may fail on the way there. Each
   test runs in a process of its own, where nothing has been called before. */
#include "check.h"

#include "boundary.h"
#include <errno.h>
#include <fcntl.h>
#include <plue_session.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define ANSWER 7

int sessions_stand_in(const char *name, void (*function)(void));

/* ---- what the C half calls ------------------------------------------------------------------ */

enum failure { NOTHING, CALLOC, REALLOC, MMAP, ATFORK, KEY, SPECIFIC, BELL, ATTRIBUTES, THREAD };
static enum failure failing;      /* fails as long as it is set */
static void (*in_calloc)(void);   /* what another thread does meanwhile, once */
static void (*in_lock)(void);     /* likewise */
static void (*in_start)(void);    /* while the runtime starts */
static int has_more_rights;       /* than who started it */
static int interrupted;           /* waits that end by a signal */
static int32_t started_with;      /* what the start of the runtime answers */
static char *handles;             /* where they lie */
static size_t addresses = SIZE_MAX; /* of one mapping at most, the handles' apart */
static int started, called;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_mmap(void *at, size_t size, int access, int flags, int file, off_t offset);
void *__wrap_mmap(void *at, size_t size, int access, int flags, int file, off_t offset);
int __real_pthread_atfork(void (*before)(void), void (*parent)(void), void (*child)(void));
int __wrap_pthread_atfork(void (*before)(void), void (*parent)(void), void (*child)(void));
int __real_pthread_key_create(pthread_key_t *key, void (*end)(void *));
int __wrap_pthread_key_create(pthread_key_t *key, void (*end)(void *));
int __real_pthread_setspecific(pthread_key_t key, const void *value);
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_attr_init(pthread_attr_t *attributes);
int __wrap_pthread_attr_init(pthread_attr_t *attributes);
int __real_pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size);
int __wrap_pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size);
int __real_sem_init(sem_t *bell, int shared, unsigned value);
int __wrap_sem_init(sem_t *bell, int shared, unsigned value);
int __real_sem_wait(sem_t *bell);
int __wrap_sem_wait(sem_t *bell);
char *__real_secure_getenv(const char *name);
char *__wrap_secure_getenv(const char *name);
char *__wrap_getenv(const char *name); /* the library's */

static void once(void (**meanwhile)(void)) {
  void (*run)(void) = *meanwhile;
  *meanwhile = NULL;
  if (run != NULL) run();
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
  once(&in_lock);
  return __real_pthread_mutex_lock(mutex);
}

int __wrap_pthread_attr_init(pthread_attr_t *attributes) {
  return failing == ATTRIBUTES ? ENOMEM : __real_pthread_attr_init(attributes);
}

int __wrap_pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size) {
  return __real_pthread_attr_setstacksize(attributes, failing == THREAD ? (size_t)1 << 60 : size);
}

int __wrap_sem_init(sem_t *bell, int shared, unsigned value) {
  return failing == BELL ? -1 : __real_sem_init(bell, shared, value);
}

int __wrap_sem_wait(sem_t *bell) {
  return interrupted > 0 && interrupted-- > 0 ? -1 : __real_sem_wait(bell);
}

char *__wrap_secure_getenv(const char *name) {
  return has_more_rights ? NULL : __real_secure_getenv(name);
}

void *__wrap_calloc(size_t count, size_t size) {
  once(&in_calloc);
  return failing == CALLOC ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size) {
  return failing == REALLOC ? NULL : __real_realloc(memory, size);
}

void *__wrap_mmap(void *at, size_t size, int access, int flags, int file, off_t offset) {
  int fails = failing == MMAP || (size != SESSIONS_HANDLE_SPACE && size > addresses);
  return fails ? MAP_FAILED : __real_mmap(at, size, access, flags, file, offset);
}

int __wrap_pthread_atfork(void (*before)(void), void (*parent)(void), void (*child)(void)) {
  return failing == ATFORK ? ENOMEM : __real_pthread_atfork(before, parent, child);
}

int __wrap_pthread_key_create(pthread_key_t *key, void (*end)(void *)) {
  return failing == KEY ? EAGAIN : __real_pthread_key_create(key, end);
}

int __wrap_pthread_setspecific(pthread_key_t key, const void *value) {
  return failing == SPECIFIC ? ENOMEM : __real_pthread_setspecific(key, value);
}

static void *managed(void) {
  called++;
  return (void *)(intptr_t)ANSWER;
}

/* Does to signals what the runtime does, and on one of its two handlers better. */
static int32_t managed_start(void *space, size_t bytes) {
  struct sigaction handler;
  started++;
  CHECK(space != NULL && bytes == SESSIONS_HANDLE_SPACE);
  handles = (char *)space;
  once(&in_start);
  memset(&handler, 0, sizeof handler);
  handler.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &handler, NULL);
  sigaction(SIGSEGV, &handler, NULL);
  handler.sa_flags = SA_ONSTACK;
  sigaction(SIGFPE, &handler, NULL);
  return started_with;
}

/* ---- every call ----------------------------------------------------------------------------- */

static int outs_given;
static union {
  char *text;
  size_t length;
  session_store_t *store;
  session_t *session;
  session_stream_t *stream;
  session_job_t *job;
  uint64_t seq;
  uint32_t count;
  int32_t flag;
  int64_t time;
  intptr_t descriptor;
} outs[3];
static size_t out_sizes[3];
static int none; /* each byte of the first out where there is nothing */

/* The place of an out-parameter of that many bytes, or NULL. */
static void *out(int place, size_t size) {
  memset(&outs[place], 0x5A, sizeof outs[place]);
  out_sizes[place] = size;
  return outs_given ? &outs[place] : NULL;
}

static int outs_are_clear(void) {
  char expected[sizeof outs[0]];
  int place, clear = 1;
  for (place = 0; place < 3; ++place) {
    memset(expected, place == 0 ? none : 0, sizeof expected);
    clear = clear && memcmp(&outs[place], expected, out_sizes[place]) == 0;
  }
  return clear;
}

#define STORE ((session_store_t *)outs)
#define SESSION ((session_t *)outs)
#define STREAM ((session_stream_t *)outs)
#define JOB ((session_job_t *)outs)
#define OUT(type) ((type *)out(0, sizeof(type)))
#define JSON ((char **)out(0, sizeof(char *))), ((size_t *)out(1, sizeof(size_t)))
#define CURSOR ((char **)out(2, sizeof(char *)))
#define WATCH ((session_watch_t *)outs)
#define DESCRIPTOR (none = 0xFF, OUT(intptr_t)) /* -1, as 0 is one */

#define STATUS_CALLS(CALL) \
  CALL(session_abi_json, (JSON)) \
  CALL(session_log_read, (0, 0, JSON)) \
  CALL(session_get_error, (outs, -1, JSON)) \
  CALL(session_store_open, (NULL, NULL, OUT(session_store_t *))) \
  CALL(session_store_get_info, (STORE, JSON)) \
  CALL(session_store_configure, (STORE, NULL, "{}")) \
  CALL(session_store_flush, (STORE)) \
  CALL(session_store_verify, (STORE, JSON)) \
  CALL(session_store_verify_ex, (STORE, 0, JSON)) \
  CALL(session_store_purge, (STORE, 0, OUT(uint32_t))) \
  CALL(session_store_backup, (STORE, "b", JSON)) \
  CALL(session_store_salvage, (NULL, NULL, JSON)) \
  CALL(session_store_close, (STORE)) \
  CALL(session_job_start, (STORE, "flush", "{}", 2, OUT(session_job_t *))) \
  CALL(session_job_get_progress, (JOB, NULL)) \
  CALL(session_job_wait, (JOB, 0)) \
  CALL(session_job_result, (JOB, JSON)) \
  CALL(session_job_cancel, (JOB)) \
  CALL(session_create, (STORE, NULL, NULL, OUT(session_t *))) \
  CALL(session_open, (STORE, "session_1", OUT(session_t *))) \
  CALL(session_get_id, (SESSION, OUT(char *))) \
  CALL(session_get_path, (SESSION, OUT(char *))) \
  CALL(session_get_stat, (SESSION, NULL)) \
  CALL(session_get_info, (SESSION, JSON)) \
  CALL(session_get_infos, (STORE, "[]", NULL, JSON)) \
  CALL(session_list, (STORE, NULL, JSON, CURSOR)) \
  CALL(session_update_title, (SESSION, "t")) \
  CALL(session_suggest_title, (SESSION, "t", OUT(int32_t))) \
  CALL(session_update_metadata, (SESSION, "{}")) \
  CALL(session_update, (SESSION, "{}", 0, OUT(uint64_t))) \
  CALL(session_delete, (SESSION, 0)) \
  CALL(session_restore, (STORE, "session_1")) \
  CALL(session_abort, (SESSION, NULL)) \
  CALL(session_abort_ex, (SESSION, NULL, 0, OUT(uint32_t))) \
  CALL(session_is_aborted, (SESSION, OUT(int32_t))) \
  CALL(session_wait_abort, (SESSION, 0)) \
  CALL(session_clear_abort, (SESSION)) \
  CALL(session_create_share, (SESSION, NULL, JSON)) \
  CALL(session_list_shares, (SESSION, JSON)) \
  CALL(session_resolve_share, (STORE, "secret", OUT(session_t *))) \
  CALL(session_revoke_share, (SESSION, "sh_1")) \
  CALL(session_append_event, (SESSION, "t", "{}", 2, 0, OUT(uint64_t))) \
  CALL(session_append_event_ex, (SESSION, "t", "{}", 2, NULL, OUT(uint64_t))) \
  CALL(session_append_events, (SESSION, "[]", 2, 0, JSON)) \
  CALL(session_read_events, (SESSION, 0, 0, JSON)) \
  CALL(session_read_last_events, (SESSION, 0, 0, JSON)) \
  CALL(session_transcript, (SESSION, 0, NULL, JSON)) \
  CALL(session_repair, (SESSION, 0, JSON)) \
  CALL(session_fork, (SESSION, 0, NULL, OUT(session_t *))) \
  CALL(session_tree, (SESSION, JSON)) \
  CALL(session_rewind, (SESSION, 0)) \
  CALL(session_undo_rewind, (SESSION)) \
  CALL(session_prune, (SESSION, "{}", JSON)) \
  CALL(session_store_retain, (STORE, "{}", JSON)) \
  CALL(session_stream_begin, (SESSION, "t", NULL, OUT(session_stream_t *))) \
  CALL(session_stream_write, (STREAM, "t", 1)) \
  CALL(session_stream_end, (STREAM, NULL, OUT(uint64_t))) \
  CALL(session_read_streams, (SESSION, NULL, 0, JSON)) \
  CALL(session_read_turns, (SESSION, 0, 0, JSON)) \
  CALL(session_cursor_open, (SESSION, NULL, OUT(session_cursor_t *))) \
  CALL(session_cursor_next, ((session_cursor_t *)outs, 0, 0, JSON)) \
  CALL(session_cursor_previous, ((session_cursor_t *)outs, 0, JSON)) \
  CALL(session_cursor_seek, ((session_cursor_t *)outs, 0)) \
  CALL(session_cursor_seek_time, ((session_cursor_t *)outs, 0)) \
  CALL(session_put_file, (SESSION, "a", "x", 1, JSON)) \
  CALL(session_get_file_path, (SESSION, "f_0", OUT(char *))) \
  CALL(session_lock, (SESSION, 0, NULL)) \
  CALL(session_lock_answer, (SESSION, "lr_1", 1)) \
  CALL(session_lock_status, (SESSION, JSON)) \
  CALL(session_set_activity, (SESSION, "idle", NULL)) \
  CALL(session_unlock, (SESSION)) \
  CALL(session_release_all_locks, (STORE)) \
  CALL(session_active_lock_count, (STORE, OUT(uint32_t))) \
  CALL(session_watch_open, (STORE, NULL, OUT(session_watch_t *))) \
  CALL(session_watch_next, (WATCH, 0, 0, JSON)) \
  CALL(session_watch_get_fd, (WATCH, 0, DESCRIPTOR)) \
  CALL(session_queue_add, (SESSION, "{}", 2, JSON)) \
  CALL(session_queue_list, (SESSION, JSON)) \
  CALL(session_queue_update, (SESSION, "q", "{}")) \
  CALL(session_queue_move, (SESSION, "q", 1)) \
  CALL(session_queue_remove, (SESSION, "q")) \
  CALL(session_queue_clear, (SESSION, OUT(uint32_t))) \
  CALL(session_queue_claim, (SESSION, NULL, JSON)) \
  CALL(session_queue_settle, (SESSION, "q", 0, NULL, OUT(uint64_t))) \
  CALL(session_queue_next_due, (SESSION, OUT(int64_t))) \
  CALL(session_get_buttons, (SESSION, JSON)) \
  CALL(session_set_buttons, (SESSION, "[]", 0))

#define PLUE_POINTER_CALLS(CALL) \
  CALL(plue_session_create, (NULL)) \
  CALL(plue_session_get_info, (SESSION)) \
  CALL(plue_session_list, ()) \
  CALL(plue_session_create_share, (SESSION))

#define PLUE_INT_CALLS(CALL) \
  CALL(plue_session_update_title, (SESSION, "t")) \
  CALL(plue_session_delete, (SESSION)) \
  CALL(plue_session_abort, (SESSION)) \
  CALL(plue_init, (NULL))

enum kind { STATUS, POINTER, INT };
static const struct call {
  const char *name;
  enum kind kind;
  intptr_t (*run)(void);
} *call; /* the one under test */

#define THUNK(name, arguments) \
  static intptr_t call_##name(void) { return (intptr_t)name arguments; }
STATUS_CALLS(THUNK)
PLUE_POINTER_CALLS(THUNK)
PLUE_INT_CALLS(THUNK)

#define STATUS_CALL(name, arguments) {#name, STATUS, call_##name},
#define POINTER_CALL(name, arguments) {#name, POINTER, call_##name},
#define INT_CALL(name, arguments) {#name, INT, call_##name},
static const struct call calls[] = {STATUS_CALLS(STATUS_CALL) PLUE_POINTER_CALLS(POINTER_CALL)
                                        PLUE_INT_CALLS(INT_CALL)};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static intptr_t run_call(int given) {
  memset(out_sizes, 0, sizeof out_sizes);
  none = 0;
  outs_given = given;
  return call->run();
}

/* Each call fails with that status and leaves nothing behind, be there outs or not. */
static void every_call_answers(session_status_t status) {
  int before = called;
  for (call = calls; call < calls + COUNT(calls); ++call) {
    intptr_t failed = call->kind == STATUS ? status : call->kind == POINTER ? 0 : -1;
    int fine = CHECK_INT(failed, run_call(1)) && CHECK(outs_are_clear()) &&
               CHECK_INT(failed, run_call(0)) && CHECK_INT(status, session_last_error()->status);
    if (!fine) {
      printf("    %s\n", call->name);
    }
  }
  CHECK_INT(before, called);
}

/* ---- tests ---------------------------------------------------------------------------------- */

/* Runs it in a child, whose failures, printed there, become one here. */
static void in_child(void (*run)(void)) {
  int status = -1;
  pid_t child;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    check_failed_ = 0;
    run();
    exit(check_failed_ == 0 ? 0 : 1);
  }
  CHECK(child > 0);
  CHECK(waitpid(child, &status, 0) == child);
  if (!CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
    printf("    the child's status is %d\n", status);
  }
}

static void first_and_second(void) {
  struct sigaction action;
  CHECK_INT(ANSWER, run_call(1));
  CHECK(started == 1 && called == 1);
  CHECK_INT(ANSWER, run_call(0));
  CHECK(started == 1 && called == 2);
  CHECK_INT(SESSION_OK, session_last_error()->status);
  CHECK(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
  CHECK(sigaction(SIGSEGV, NULL, &action) == 0 && (action.sa_flags & SA_ONSTACK) != 0);
  CHECK(sigaction(SIGFPE, NULL, &action) == 0 && (action.sa_flags & SA_ONSTACK) != 0);
}

static void any_call_may_be_the_first(void) {
  for (call = calls; call < calls + COUNT(calls); ++call) {
    int before = check_failed_;
    in_child(first_and_second);
    if (check_failed_ != before) {
      printf("    %s\n", call->name);
    }
  }
}

static void start(void) {
  call = calls;
  CHECK_INT(ANSWER, run_call(1));
  called = 0;
}

static void in_a_fork(void) {
  every_call_answers(SESSION_E_FORKED);
  CHECK_INT(SESSION_E_FORKED, session_destroy(SESSION));
  CHECK_INT(SESSION_E_FORKED, session_cursor_destroy((session_cursor_t *)outs));
  CHECK_INT(SESSION_E_FORKED, session_watch_destroy(WATCH));
  CHECK_INT(SESSION_OK, session_destroy(NULL));
  CHECK_INT(SESSION_E_FORKED, session_stream_destroy(STREAM));
  CHECK_INT(SESSION_E_FORKED, session_job_destroy(JOB));
  CHECK_INT(SESSION_E_FORKED, session_signal_abort(SESSION));
  CHECK_INT(SESSION_OK, session_job_destroy(NULL));
  CHECK_INT(SESSION_OK, session_stream_destroy(NULL));
  CHECK_INT(SESSION_OK, session_cursor_destroy(NULL));
  CHECK_INT(SESSION_OK, session_watch_destroy(NULL));
  CHECK_INT(SESSION_E_FORKED, session_shutdown(0));
  plue_session_destroy(SESSION);
  plue_shutdown();
  CHECK_STR(session_last_error()->message, plue_get_last_error());
  CHECK_INT(0, called);
}

static void a_fork_never_enters_the_runtime(void) {
  start();
  in_child(in_a_fork);
  CHECK_INT(ANSWER, run_call(1)); /* here all is as before */
}

static void a_runtime_that_does_not_start_is_no_memory(void) {
  every_call_answers(SESSION_E_NO_MEMORY);
  failing = NOTHING;
  started_with = SESSION_OK;
  every_call_answers(SESSION_E_NO_MEMORY); /* it has been started, or never can be */
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_destroy(SESSION));
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_stream_destroy(STREAM));
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_job_destroy(JOB));
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_cursor_destroy((session_cursor_t *)outs));
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_watch_destroy(WATCH));
  CHECK_INT(SESSION_E_NO_MEMORY, session_shutdown(0));
  CHECK_INT(0, called);
}

static void is_a_fork(void) {
  CHECK_INT(SESSION_E_FORKED, session_shutdown(0));
  CHECK_INT(0, called);
}

static void fork_meanwhile(void) {
  in_child(is_a_fork);
}

/* What another thread is starting just then is nothing that a child could use. */
static void a_fork_in_the_start_is_a_fork(void) {
  in_start = fork_meanwhile;
  start();
}

static void start_in_a_child(void) {
  CHECK_INT(ANSWER, run_call(1));
  CHECK(started == 1 && called == 1);
}

/* The runtime would end the process. Nothing was started, so the next call may be luckier, and so may a child. */
static void a_start_without_room_is_tried_again(void) {
  every_call_answers(SESSION_E_NO_MEMORY);
  CHECK_INT(SESSION_OK, session_shutdown(0));
  CHECK(started == 0 && called == 0);
  failing = NOTHING;
  addresses = SIZE_MAX;
  call = calls;
  in_child(start_in_a_child);
  start();
  CHECK_INT(1, started);
  CHECK_STR("200000000", __wrap_getenv("DOTNET_GCRegionRange"));
}

static void a_heap_takes_what_addresses_there_are(void) {
  CHECK(__wrap_getenv("DOTNET_GCRegionRange") == NULL);
  addresses = (size_t)3 << 30;
  start();
  CHECK_STR("80000000", __wrap_getenv("DOTNET_GCRegionRange"));
}

static void each_failing_start(void) {
  failing = MMAP;
  in_child(a_start_without_room_is_tried_again);
  failing = ATTRIBUTES;
  in_child(a_start_without_room_is_tried_again);
  failing = THREAD;
  in_child(a_start_without_room_is_tried_again);
  failing = NOTHING;
  addresses = (size_t)1 << 20; /* nothing to write to */
  in_child(a_start_without_room_is_tried_again);
  addresses = (size_t)100 << 20; /* no heap */
  in_child(a_start_without_room_is_tried_again);
  addresses = SIZE_MAX;
  in_child(a_heap_takes_what_addresses_there_are);
  failing = ATFORK;
  in_child(a_runtime_that_does_not_start_is_no_memory);
  failing = NOTHING;
  started_with = SESSION_E_NO_MEMORY;
  in_child(a_runtime_that_does_not_start_is_no_memory);
  started_with = SESSION_OK;
}

static void *shut_down(void *unused) {
  (void)unused;
  return (void *)(intptr_t)session_shutdown(0);
}

static void *end_first(void *unused) {
  (void)unused;
  plue_shutdown();
  return shut_down(NULL);
}

/* What ends the library may be a thread's first call, where it was started by another one. */
static void the_end_may_be_the_first_call_of_a_thread(void) {
  pthread_t threads[2];
  void *answer = NULL;
  int i;
  start();
  CHECK(pthread_create(&threads[0], NULL, end_first, NULL) == 0);
  CHECK(pthread_create(&threads[1], NULL, shut_down, NULL) == 0);
  for (i = 0; i < 2; ++i) {
    CHECK(pthread_join(threads[i], &answer) == 0);
    CHECK_INT(ANSWER, (intptr_t)answer);
  }
  CHECK_INT(3, called);
}

static void ending_does_not_start_the_runtime(void) {
  CHECK_INT(SESSION_OK, session_destroy(NULL));
  CHECK_INT(SESSION_OK, session_cursor_destroy(NULL));
  CHECK_INT(SESSION_OK, session_watch_destroy(NULL));
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_destroy(SESSION));
  CHECK_INT(SESSION_OK, session_stream_destroy(NULL));
  CHECK_INT(SESSION_OK, session_job_destroy(NULL));
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_stream_destroy(STREAM));
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_job_destroy(JOB));
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_cursor_destroy((session_cursor_t *)outs));
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_watch_destroy(WATCH));
  plue_session_destroy(NULL);
  plue_session_destroy(SESSION);
  plue_shutdown();
  CHECK_INT(SESSION_OK, session_shutdown(0));
  session_string_free(NULL);
  plue_free_string(NULL);
  CHECK_STR("", plue_get_last_error());
  CHECK(started == 0 && called == 0);
  start();
  CHECK_INT(ANSWER, session_destroy(SESSION));
  CHECK_INT(ANSWER, session_cursor_destroy((session_cursor_t *)outs));
  CHECK_INT(ANSWER, session_watch_destroy(WATCH));
  plue_session_destroy(NULL);
  CHECK_INT(3, called);
  plue_session_destroy(SESSION);
  CHECK_INT(4, called);
  CHECK_INT(ANSWER, session_stream_destroy(STREAM));
  CHECK_INT(5, called);
  CHECK_INT(ANSWER, session_job_destroy(JOB));
  CHECK_INT(6, called);
  plue_shutdown();
  CHECK_INT(7, called);
  CHECK_INT(ANSWER, session_shutdown(0));
}

static void set_error(const char *message, const char *details) {
  sessions_set_error(SESSION_E_IO, 5, 3, message, strlen(message), details, strlen(details));
}

static void *error_of_a_thread(void *unused) {
  sigset_t mask;
  (void)unused;
  CHECK_INT(SESSION_OK, session_last_error()->status);
  set_error("of a thread", "{}");
  CHECK_STR("of a thread", session_last_error()->message);
  CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
  CHECK(sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGSEGV) == 0);
  return NULL;
}

static void errors_are_kept_by_their_thread(void) {
  pthread_t thread;
  sigset_t mask;
  set_error("short", "{}");
  set_error("longer than the one before", "{\"and\":\"more\"}");
  set_error("shorter", "{}");
  CHECK(pthread_create(&thread, NULL, error_of_a_thread, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0 && sigismember(&mask, SIGINT) == 0);
  CHECK_STR("shorter", session_last_error()->message);
  CHECK_STR("{}", session_last_error()->details_json);
  CHECK(session_last_error()->os_error == 5 && session_last_error()->offset == 3);
  failing = REALLOC;
  set_error("what there is no memory for, so that it cannot be said", "{}");
  CHECK_INT(SESSION_E_NO_MEMORY, session_last_error()->status);
  set_error("shorter", "{}"); /* has its place */
  CHECK_INT(SESSION_E_IO, session_last_error()->status);
}

static void an_error_without_a_place_is_no_memory(void) {
  set_error("first", "{}");
  CHECK_INT(SESSION_E_NO_MEMORY, session_last_error()->status);
  set_error("second", "{}");
  CHECK_INT(SESSION_E_NO_MEMORY, session_last_error()->status);
  CHECK_STR(session_last_error()->message, plue_get_last_error());
}

static void each_failing_error(void) {
  pthread_key_t first; /* so that a key that was not made is somebody else's */
  CHECK(pthread_key_create(&first, NULL) == 0);
  failing = CALLOC;
  in_child(an_error_without_a_place_is_no_memory);
  failing = KEY;
  in_child(an_error_without_a_place_is_no_memory);
  failing = SPECIFIC;
  in_child(an_error_without_a_place_is_no_memory);
  failing = NOTHING;
}

#define DESCRIPTORS 200 /* more than three blocks hold */
static int descriptors[DESCRIPTORS];
static int other, unlisted;

static void open_another(void) {
  other = dup(0);
  sessions_descriptor_opened(other);
}

static int is_open(int descriptor) { return fcntl(descriptor, F_GETFD) != -1; }

static void the_listed_are_closed(void) {
  int i;
  for (i = 0; i < DESCRIPTORS; ++i) {
    MUST(is_open(descriptors[i]) == (i % 2 == 0));
  }
  CHECK(!is_open(other));
  CHECK(is_open(unlisted));
}

static void a_fork_closes_what_carries_locks(void) {
  int i;
  start();
  for (i = 0; i < DESCRIPTORS; ++i) {
    descriptors[i] = dup(0);
    /* Between looking for a place and making one, another thread makes one too. */
    in_calloc = i == 0 ? open_another : in_calloc;
    sessions_descriptor_opened(descriptors[i]);
  }
  CHECK(in_calloc == NULL);
  for (i = 0; i < DESCRIPTORS; i += 2) {
    sessions_descriptor_closed(descriptors[i]);
    sessions_descriptor_closed(descriptors[i]);
  }
  for (i = 0; i < DESCRIPTORS; i += 2) {
    sessions_descriptor_opened(1000); /* fills what was given up, with what is no descriptor */
  }
  failing = CALLOC;
  unlisted = dup(0);
  for (i = 0; i < DESCRIPTORS; ++i) {
    sessions_descriptor_opened(unlisted + 1000);
  }
  sessions_descriptor_opened(unlisted);
  failing = NOTHING;
  in_child(the_listed_are_closed);
  CHECK(is_open(descriptors[1]) && is_open(other));
}

/* ---- failures ------------------------------------------------------------------------------- */

static const void *failed_on;
static int failures;
static session_status_t fails_with;

static void keep(const void *handle) {
  failed_on = handle;
  ++failures;
}

static session_status_t fail(void) { return fails_with; }

/* What a call on a handle fails with is kept for that handle; the end of a wait is no failure. */
static void a_failure_is_kept_for_its_handle(void) {
  session_t *session = NULL;
  sessions_stand_in("managed_keep_error", (void (*)(void))keep);
  sessions_stand_in("managed_session_store_flush", (void (*)(void))fail);
  sessions_stand_in("managed_session_open", (void (*)(void))fail);
  sessions_stand_in("managed_session_get_error", (void (*)(void))fail);
  sessions_stand_in("managed_session_store_open", (void (*)(void))fail);
  sessions_stand_in("managed_session_job_destroy", (void (*)(void))fail);
  start();
  CHECK_INT(SESSION_OK, session_store_flush(STORE));
  fails_with = SESSION_E_TIMEOUT;
  CHECK_INT(SESSION_E_TIMEOUT, session_store_flush(STORE));
  CHECK_INT(0, failures);
  fails_with = SESSION_E_BUSY;
  CHECK_INT(SESSION_E_BUSY, session_store_flush(STORE));
  CHECK(failures == 1 && failed_on == (const void *)STORE);
  CHECK_INT(SESSION_E_BUSY, session_open((session_store_t *)handles, "session_1", &session));
  CHECK(failures == 2 && failed_on == (const void *)handles);
  CHECK_INT(SESSION_E_BUSY, session_get_error(SESSION, -1, NULL, NULL));
  CHECK_INT(SESSION_E_BUSY, session_store_open(NULL, NULL, NULL));
  CHECK_INT(SESSION_E_BUSY, session_job_destroy(JOB));
  CHECK_INT(2, failures);
}

/* ---- inside a call -------------------------------------------------------------------------- */

static void handler_in(const char *name, void *(*run)(void)) {
  CHECK(sessions_stand_in(name, (void (*)(void))run) == 0);
}

static void every_call_is_refused(void) {
  const struct call *before = call;
  every_call_answers(SESSION_E_MISUSE);
  CHECK_HAS(session_last_error()->message, "session_signal_abort");
  CHECK_INT(SESSION_E_MISUSE, session_shutdown(0));
  set_error("of the call", "{}");
  CHECK_INT(SESSION_E_MISUSE, session_destroy(SESSION));
  CHECK_INT(SESSION_E_MISUSE, session_stream_destroy(STREAM));
  CHECK_INT(SESSION_E_MISUSE, session_job_destroy(JOB));
  CHECK_INT(SESSION_E_MISUSE, session_cursor_destroy((session_cursor_t *)outs));
  CHECK_INT(SESSION_E_MISUSE, session_watch_destroy(WATCH));
  plue_session_destroy(SESSION);
  CHECK_STR("of the call", session_last_error()->message);
  plue_shutdown();
  CHECK_INT(SESSION_OK, session_destroy(NULL));
  call = before;
}

static void *a_handler_comes(void) {
  int before = called;
  every_call_is_refused();
  CHECK_INT(before, called);
  return (void *)(intptr_t)ANSWER;
}

static void a_handler_in_a_call_is_refused(void) {
  handler_in("managed_session_store_flush", a_handler_comes);
  handler_in("managed_session_job_destroy", a_handler_comes);
  handler_in("managed_session_shutdown", a_handler_comes);
  handler_in("managed_session_store_close", a_handler_comes);
  handler_in("managed_plue_session_destroy", a_handler_comes);
  handler_in("managed_plue_shutdown", a_handler_comes);
  start();
  CHECK_INT(ANSWER, session_store_flush(STORE));
  CHECK_INT(ANSWER, session_job_destroy(JOB));
  CHECK_INT(ANSWER, session_shutdown(0));
  CHECK_INT(ANSWER, session_store_close(STORE));
  plue_session_destroy(SESSION);
  plue_shutdown();
  CHECK_INT(ANSWER, run_call(1)); /* and afterwards all is as before */
}

/* The destroys have not been asked for: nothing can be destroyed before the runtime has started. */
static void a_handler_comes_early(void) {
  every_call_answers(SESSION_E_MISUSE);
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_destroy(SESSION));
}

static void a_handler_in_the_start_is_refused(void) {
  in_start = a_handler_comes_early;
  CHECK_INT(ANSWER, session_store_flush(STORE));
  CHECK(started == 1 && called == 1);
}

static pid_t child_of_handler;

static void *a_handler_forks(void) {
  child_of_handler = fork();
  if (child_of_handler == 0) every_call_answers(SESSION_E_FORKED);
  return (void *)(intptr_t)ANSWER;
}

/* The child of such a fork returns into the call that was interrupted, and comes again. */
static void a_fork_in_a_handler_is_a_fork(void) {
  int status = -1;
  handler_in("managed_session_store_flush", a_handler_forks);
  start();
  CHECK_INT(ANSWER, session_store_flush(STORE));
  if (child_of_handler == 0) {
    every_call_answers(SESSION_E_FORKED);
    return;
  }
  CHECK(waitpid(child_of_handler, &status, 0) == child_of_handler);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK_INT(ANSWER, run_call(1));
}

static void woken(void *user) {
  ++*(int *)user;
  CHECK_INT(ANSWER, session_watch_destroy(WATCH));
  CHECK_INT(ANSWER, session_watch_next(WATCH, 0, 0, JSON));
}

static int wakes;

static void *close_wakes(void) {
  sessions_wake(woken, &wakes);
  CHECK_INT(SESSION_E_MISUSE, session_watch_destroy(WATCH));
  return (void *)(intptr_t)ANSWER;
}

static void a_wake_may_call_the_library(void) {
  handler_in("managed_session_store_close", close_wakes);
  start();
  CHECK_INT(ANSWER, session_store_close(STORE)); /* on the thread of a call */
  sessions_wake(woken, &wakes);                  /* and on one of the library's */
  CHECK_INT(2, wakes);
}

/* ---- session_signal_abort ------------------------------------------------------------------- */

static session_t *handle_of(int serial) { return (session_t *)(handles + 16 * (size_t)serial); }

static int next_serial;
static session_status_t made_with;

static session_status_t make(session_t **out) {
  *out = made_with == SESSION_OK ? handle_of(next_serial++) : NULL;
  return made_with;
}
static session_status_t fake_create(session_store_t *store, const char *parent,
                                    const session_create_options_t *options, session_t **out) {
  (void)store, (void)parent, (void)options;
  return make(out);
}
static session_status_t fake_open(session_store_t *store, const char *id, session_t **out) {
  (void)store, (void)id;
  return make(out);
}
static session_status_t fake_fork(session_t *session, uint64_t at,
                                  const session_create_options_t *options, session_t **out) {
  (void)session, (void)at, (void)options;
  return make(out);
}
static session_status_t fake_destroy(session_t *session) {
  (void)session;
  return SESSION_OK;
}

static session_status_t fake_times_out(uint32_t timeout_ms) {
  (void)timeout_ms;
  return SESSION_E_TIMEOUT;
}

static sem_t may_take, has_taken; /* the thread takes when it may */
static int taken, recorded, left_out, is_held;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

static int32_t fake_take(session_t **sessions, int32_t count) {
  CHECK(count > 0 && sessions[count - 1] != NULL);
  taken += count;
  return left_out;
}
static int32_t fake_record(void) {
  int32_t now;
  if (is_held) {
    sem_post(&has_taken);
    sem_wait(&may_take);
  }
  __real_pthread_mutex_lock(&counting);
  now = taken - left_out - recorded;
  recorded += now;
  pthread_mutex_unlock(&counting);
  return now;
}

static session_t *created(void) {
  session_t *session = NULL;
  CHECK_INT(SESSION_OK, session_create(STORE, NULL, NULL, &session));
  return session;
}

static void begin_aborts(void) {
  sessions_stand_in("managed_session_create", (void (*)(void))fake_create);
  sessions_stand_in("managed_session_open", (void (*)(void))fake_open);
  sessions_stand_in("managed_session_resolve_share", (void (*)(void))fake_open);
  sessions_stand_in("managed_session_fork", (void (*)(void))fake_fork);
  sessions_stand_in("managed_session_destroy", (void (*)(void))fake_destroy);
  sessions_stand_in("managed_take_aborts", (void (*)(void))fake_take);
  sessions_stand_in("managed_record_aborts", (void (*)(void))fake_record);
  CHECK(sem_init(&may_take, 0, 0) == 0 && sem_init(&has_taken, 0, 0) == 0);
}

static void only_sessions_are_aborted(void) {
  session_t *sessions[4];
  int i;
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_signal_abort(NULL));
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_signal_abort(SESSION));
  CHECK_INT(0, started);
  begin_aborts();
  start();
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_signal_abort(handle_of(0)));
  sessions[0] = created();
  CHECK_INT(SESSION_OK, session_open(STORE, "session_1", &sessions[1]));
  CHECK_INT(SESSION_OK, session_resolve_share(STORE, "secret", &sessions[2]));
  CHECK_INT(SESSION_OK, session_fork(SESSION, 0, NULL, &sessions[3]));
  for (i = 0; i < 4; ++i) {
    CHECK_INT(SESSION_E_INVALID_HANDLE,
              session_signal_abort((session_t *)((char *)sessions[i] + 8)));
    CHECK_INT(SESSION_OK, session_signal_abort(sessions[i]));
    CHECK_INT(SESSION_OK, session_destroy(sessions[i]));
    CHECK_INT(SESSION_E_INVALID_HANDLE, session_signal_abort(sessions[i]));
  }
  CHECK_INT(4, taken); /* by whomever */
  CHECK_INT(SESSION_E_INVALID_HANDLE,
            session_signal_abort((session_t *)(handles + SESSIONS_HANDLE_SPACE)));
  CHECK_INT(SESSION_OK, session_last_error()->status);
  CHECK_INT(ANSWER, session_store_close(STORE));
  CHECK_INT(4, recorded);
  made_with = SESSION_E_BUSY;
  CHECK_INT(SESSION_E_BUSY, session_open(STORE, "session_1", &sessions[0]));
}

/* While the thread is at the first, the others wait; a close takes and records them all the same. */
static void requests_wait_in_a_table(void) {
  session_t *sessions[66];
  int i;
  begin_aborts();
  start();
  for (i = 0; i < 66; ++i) sessions[i] = created();
  is_held = 1;
  CHECK_INT(SESSION_OK, session_signal_abort(sessions[0]));
  CHECK(__real_sem_wait(&has_taken) == 0);
  is_held = 0;
  errno = ENOTTY;
  for (i = 1; i < 65; ++i) MUST(session_signal_abort(sessions[i]) == SESSION_OK);
  CHECK_INT(SESSION_OK, session_signal_abort(sessions[64])); /* is there already */
  CHECK_INT(SESSION_E_LIMIT, session_signal_abort(sessions[65]));
  CHECK_INT(ENOTTY, errno);
  CHECK_INT(1, taken);
  CHECK_INT(SESSION_OK, session_destroy(sessions[64])); /* takes them */
  CHECK_INT(65, taken);
  CHECK_INT(SESSION_OK, session_destroy(sessions[65])); /* finds none */
  CHECK_INT(65, taken);
  CHECK_INT(ANSWER, session_store_close(STORE));
  CHECK_INT(65, recorded);
  sem_post(&may_take);
  CHECK_INT(ANSWER, session_shutdown(0)); /* waits for the thread */
  CHECK_INT(SESSION_E_CLOSED, session_signal_abort(sessions[0]));
  left_out = 1; /* one that cannot be aborted has nothing to be recorded */
  taken = recorded = 0;
  interrupted = 3;
  CHECK(created() != NULL);
  CHECK_INT(SESSION_OK, session_signal_abort(sessions[0]));
  CHECK_INT(SESSION_OK, session_destroy(sessions[1]));
  CHECK_INT(ANSWER, session_store_close(STORE));
  CHECK(taken == 1 && recorded == 0);
  sessions_stand_in("managed_session_shutdown", (void (*)(void))fake_times_out);
  CHECK_INT(SESSION_E_TIMEOUT, session_shutdown(0));
  CHECK_INT(SESSION_OK, session_signal_abort(sessions[0])); /* the thread is still there */
  sessions_aborts_end();
  sessions_aborts_end(); /* another one did */
}

static void a_thread_that_cannot_be_had(void) {
  static const enum failure failures[] = {BELL, ATTRIBUTES, THREAD};
  session_t *session = NULL;
  size_t i;
  begin_aborts();
  start();
  for (i = 0; i < COUNT(failures); ++i) {
    failing = failures[i];
    session = created();
    CHECK_INT(SESSION_E_NO_MEMORY, session_signal_abort(session));
  }
  failing = NOTHING;
  created(); /* tries again */
  CHECK_INT(SESSION_OK, session_signal_abort(session));
}

static void *make_one(void *unused) {
  (void)unused;
  created();
  return NULL;
}

static void another_is_first(void) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, make_one, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
}

static void two_threads_make_the_first_session(void) {
  begin_aborts();
  start();
  in_lock = another_is_first;
  CHECK_INT(SESSION_OK, session_signal_abort(created()));
}

/* ---- the rest ------------------------------------------------------------------------------- */

static void the_environment(void) {
  CHECK(setenv("DOTNET_GCHeapHardLimit", "1", 1) == 0 && setenv("COMPlus_X", "1", 1) == 0);
  CHECK(setenv("CORECLR_X", "1", 1) == 0 && setenv("SESSIONS_HOME", "/here", 1) == 0);
  CHECK(__wrap_getenv("DOTNET_GCHeapHardLimit") == NULL && __wrap_getenv("COMPlus_X") == NULL);
  CHECK(__wrap_getenv("CORECLR_X") == NULL && __wrap_getenv("SESSIONS_NOTHING") == NULL);
  CHECK_STR("/here", __wrap_getenv("SESSIONS_HOME"));
  has_more_rights = 1;
  CHECK(__wrap_getenv("SESSIONS_HOME") == NULL && __wrap_getenv("HOME") == NULL);
}

static void what_needs_no_runtime(void) {
  int status, known = 0;
  uint32_t words[2] = {7, 7};
  CHECK_STR(SESSION_VERSION_STRING, session_version());
  CHECK_INT(SESSION_ABI_VERSION, session_abi_version());
  CHECK(session_supports("plue") == 1 && session_supports("?") == 0 && session_supports(NULL) == 0);
  for (status = -100; status <= 1; ++status) {
    const char *name = session_status_name(status);
    known += strncmp(name, "SESSION_", 8) == 0;
    MUST(strncmp(name, "SESSION_", 8) == 0 || strcmp(name, "unknown") == 0);
  }
  CHECK_INT(35, known);
  session_options_init(NULL, 8);
  session_options_init(words, 3);
  CHECK(words[0] == 7 && words[1] == 7);
  session_options_init(words, 8);
  CHECK(words[0] == 8 && words[1] == 0);
  CHECK_INT(0, started);
}

static void stand_ins_are_complete(void) {
  CHECK(sessions_stand_in(NULL, (void (*)(void))managed) == 0);
  CHECK(sessions_stand_in("managed_start", (void (*)(void))managed_start) == 0);
  CHECK(sessions_stand_in("managed_nothing", (void (*)(void))managed) == -1);
}

int main(void) {
  RUN(stand_ins_are_complete);
  RUN(any_call_may_be_the_first);
  RUN(each_failing_start);
  RUN(each_failing_error);
  printf("- the others, each in a child\n");
  in_child(a_fork_never_enters_the_runtime);
  in_child(ending_does_not_start_the_runtime);
  in_child(the_end_may_be_the_first_call_of_a_thread);
  in_child(errors_are_kept_by_their_thread);
  in_child(a_fork_closes_what_carries_locks);
  in_child(a_failure_is_kept_for_its_handle);
  in_child(a_handler_in_a_call_is_refused);
  in_child(a_handler_in_the_start_is_refused);
  in_child(a_fork_in_the_start_is_a_fork);
  in_child(a_fork_in_a_handler_is_a_fork);
  in_child(a_wake_may_call_the_library);
  in_child(only_sessions_are_aborted);
  in_child(requests_wait_in_a_table);
  in_child(a_thread_that_cannot_be_had);
  in_child(two_threads_make_the_first_session);
  in_child(the_environment);
  in_child(what_needs_no_runtime);
  return check_done("boundary");
}
