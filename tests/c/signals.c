/* Signal handlers: what a call in one answers that interrupted a call, and session_signal_abort. */
#include "one_store.h"
#include "threads.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#if defined(__SANITIZE_THREAD__)
#define DELIVERED_LATER 1 /* ThreadSanitizer keeps signals until the next call of the C library */
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DELIVERED_LATER 1
#endif
#endif
#ifndef DELIVERED_LATER
#define DELIVERED_LATER 0
#endif

static session_t *session; /* what handlers know */

static void handle_with(void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  CHECK(sigaction(SIGINT, &action, NULL) == 0); /* waits in the system end by it: no SA_RESTART */
}

/* ---- somebody who presses Ctrl-C all the time ------------------------------------------------ */

static pthread_t pressed; /* the thread that is to have it */
static int is_over;       /* atomic */

static void *press(void *unused) {
  (void)unused;
  while (!__atomic_load_n(&is_over, __ATOMIC_ACQUIRE)) {
    MUST(pthread_kill(pressed, SIGINT) == 0);
    sched_yield();
  }
  return NULL;
}

static void begin_pressing(threads_t *threads, void (*handler)(int)) {
  handle_with(handler);
  pressed = pthread_self();
  __atomic_store_n(&is_over, 0, __ATOMIC_RELEASE);
  threads_start(threads, press, NULL);
}

static void end_pressing(threads_t *threads) {
  __atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
  threads_join(threads);
  handle_with(SIG_DFL);
}

/* ---- a call inside a call ------------------------------------------------------------------- */

static volatile sig_atomic_t about_to_call; /* nothing but the library is interrupted meanwhile */
static volatile sig_atomic_t inside, outside, wrong; /* counts */
static session_job_t *job;
static session_watch_t *watch;
static session_cursor_t *cursor;
static session_stream_t *stream;

static void expect(int right) { wrong = wrong + !right; }
static void expect_misuse(session_status_t status) { expect(status == SESSION_E_MISUSE); }

/* Between two instructions of this program a call is a call; inside one it is refused, and so is
   every other, whatever it would do to what the interrupted one works with. */
static void calls_of_all_kinds(int number) {
  session_stat_t stat;
  session_status_t status;
  session_t *made = (session_t *)&stat;
  session_store_t *opened = (session_store_t *)&stat;
  char *json = (char *)&stat;
  size_t length = 7;
  int before = errno;
  (void)number;
  if (!about_to_call) return;
  memset(&stat, 0, sizeof stat);
  stat.size = sizeof stat;
  status = session_get_stat(session, &stat);
  if (status == SESSION_OK) {
    outside = outside + 1;
    errno = before;
    return;
  }
  inside = inside + 1;
  expect_misuse(status);
  expect_misuse(session_last_error()->status);
  expect_misuse(session_abort(session, "Ctrl-C"));
  expect_misuse(session_wait_abort(session, SESSION_WAIT_FOREVER));
  expect_misuse(session_append_event(session, "note", "{}", 2, 0, NULL));
  expect_misuse(session_get_info(session, &json, &length));
  expect(json == NULL && length == 0);
  expect_misuse(session_create(store, NULL, NULL, &made));
  expect_misuse(session_store_open(folder, NULL, &opened));
  expect(made == NULL && opened == NULL);
  expect_misuse(session_store_flush(store));
  expect_misuse(session_job_destroy(job));
  expect_misuse(session_watch_destroy(watch));
  expect_misuse(session_cursor_destroy(cursor));
  expect_misuse(session_stream_destroy(stream));
  expect_misuse(session_destroy(session));
  expect_misuse(session_store_close(store));
  expect_misuse(session_shutdown(1000));
  errno = before;
}

static void a_handler_that_calls_inside_a_call_is_refused(void) {
  enum { WANTED = 2000, CALLS_MAX = 400000 };
  threads_t threads = {{0}, 0};
  uint64_t seq = 0;
  int i, made;
  session_stat_t stat = SESSION_INIT(session_stat_t);

  start();
  session = create(NULL, NULL);
  CHECK_OK(session_job_start(store, "verify", "{}", 2, &job));
  CHECK_OK(session_watch_open(store, NULL, &watch));
  CHECK_OK(session_cursor_open(session, NULL, &cursor));
  CHECK_OK(session_stream_begin(session, "agent_message", NULL, &stream));
  begin_pressing(&threads, calls_of_all_kinds);
  for (i = 0, made = 0; i < CALLS_MAX && inside < WANTED; ++i) {
    session_status_t status;
    uint32_t durable = i % 64 == 0 ? SESSION_APPEND_DURABLE : SESSION_APPEND_RELAXED;
    about_to_call = 1;
    status = i % 16 != 0 ? session_get_stat(session, &stat)
                         : session_append_event(session, "note", "{}", 2, durable, &seq);
    about_to_call = 0;
    MUST(status == SESSION_OK);
    made += i % 16 == 0;
    if (DELIVERED_LATER && i == 20000) break;
  }
  end_pressing(&threads);
  CHECK(inside >= WANTED || DELIVERED_LATER);
  CHECK_INT(0, wrong);
  CHECK_INT(made, seq);
  CHECK_OK(session_job_wait(job, GUARD_MS));
  CHECK_OK(session_job_destroy(job)); /* no handler has destroyed anything */
  CHECK_OK(session_watch_destroy(watch));
  CHECK_OK(session_cursor_destroy(cursor));
  CHECK_OK(session_stream_destroy(stream));
  CHECK_INFO(session, "\"is_aborted\":false");
  CHECK_OK(session_destroy(session));
  stop();
}

/* ---- session_signal_abort ------------------------------------------------------------------- */

static void signal_abort(int number) {
  int before = errno;
  (void)number;
  errno = ENOTTY;
  expect(session_signal_abort(session) == SESSION_OK);
  expect(errno == ENOTTY);
  errno = before;
}

/* Runs first: nothing has been called. */
static void before_the_first_store(void) {
  session_t *garbage = (session_t *)&garbage;
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_signal_abort(NULL));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_signal_abort(garbage));
  CHECK_INT(SESSION_OK, session_last_error()->status);
  CHECK(session_supports("signal_abort"));
}

static uint64_t abort_count_of(const char *id) {
  session_stat_t stat = SESSION_INIT(session_stat_t);
  session_t *again = NULL;
  CHECK_OK(session_open(store, id, &again));
  CHECK_OK(session_get_stat(again, &stat));
  CHECK_OK(session_destroy(again));
  return stat.abort_count;
}

/* The wait is what the handler interrupts; the abort is recorded before the store is closed. */
static void it_ends_the_wait_that_it_interrupts(void) {
  threads_t threads = {{0}, 0};
  char id[160];
  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  wrong = 0;
  begin_pressing(&threads, signal_abort);
  CHECK_OK(session_wait_abort(session, SESSION_WAIT_FOREVER));
  end_pressing(&threads);
  CHECK_INT(0, wrong);
  CHECK_OK(session_store_close(store));
  CHECK_OK(session_destroy(session));
  NEED(session_store_open(folder, NULL, &store));
  CHECK(abort_count_of(id) >= 1);
  stop();
}

/* A thread that is in no call asks, and lets go of everything at once. */
static void what_was_asked_for_is_not_lost(void) {
  enum { ROUNDS = 50 };
  char id[160];
  int i;
  start();
  for (i = 0; i < ROUNDS; ++i) {
    session = create(NULL, NULL);
    id_of(session, id, sizeof id);
    MUST(session_signal_abort(session) == SESSION_OK);
    MUST(session_destroy(session) == SESSION_OK);
    if (i % 2 == 0) {
      NEED(session_store_close(store));
      NEED(session_store_open(folder, NULL, &store));
      MUST(abort_count_of(id) == 1);
    }
  }
  stop();
}

static void *wait_for_it(void *unused) {
  (void)unused;
  CHECK_OK(session_wait_abort(session, GUARD_MS));
  return NULL;
}

static void it_ends_waits_of_other_threads(void) {
  threads_t threads = {{0}, 0};
  start();
  session = create(NULL, NULL);
  threads_start(&threads, wait_for_it, NULL);
  threads_start(&threads, wait_for_it, NULL);
  CHECK_OK(session_signal_abort(session));
  threads_join(&threads);
  CHECK_OK(session_destroy(session));
  stop();
}

static void what_is_no_session(void) {
  session_t *stale;
  session_t *other_type;
  start();
  stale = create(NULL, NULL);
  session = create(NULL, NULL);
  CHECK_OK(session_destroy(stale));
  other_type = (session_t *)(void *)store;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_id(session, NULL));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_signal_abort(stale));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_signal_abort(other_type));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE,
               session_signal_abort((session_t *)((char *)session + 1)));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_signal_abort((session_t *)((char *)session + 16)));
  CHECK_INT(SESSION_E_INVALID_ARGUMENT, session_last_error()->status); /* as it was */
  CHECK_INFO(session, "\"abort_count\":0");
  CHECK_OK(session_destroy(session));
  stop();
}

/* Nobody is there to be told, so a note says it. */
static void what_cannot_be_done_is_noted(void) {
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  session_store_t *reading = NULL;
  char id[160];
  char *notes = NULL;
  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  CHECK_OK(session_destroy(session));
  options.flags = SESSION_STORE_READ_ONLY;
  NEED(session_store_open(folder, &options, &reading));
  NEED(session_open(reading, id, &session));
  CHECK_OK(session_signal_abort(session));
  CHECK_OK(session_store_close(reading)); /* it is done, or refused, by now */
  CHECK_OK(session_log_read(0, 0, &notes, NULL));
  CHECK_HAS(notes, "An abort that a signal handler asked for was not signalled: ");
  session_string_free(notes);
  CHECK_STATUS(SESSION_E_CLOSED, session_abort(session, NULL));
  CHECK_OK(session_destroy(session));
  CHECK_INT(0, abort_count_of(id));
  stop();
}

static void in_a_forked_child(void) {
  pid_t child;
  int status = -1;
  start();
  session = create(NULL, NULL);
  fflush(stdout);
  child = fork();
  if (child == 0) _exit(session_signal_abort(session) == SESSION_E_FORKED ? 0 : 1);
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK_INFO(session, "\"abort_count\":0");
  CHECK_OK(session_destroy(session));
  stop();
}

static void it_ends_with_the_library_and_begins_again(void) {
  char id[160];
  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  CHECK_OK(session_signal_abort(session));
  CHECK_OK(session_shutdown(SESSION_WAIT_FOREVER));
  CHECK_STATUS(SESSION_E_CLOSED, session_signal_abort(session));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  NEED(session_store_open(folder, NULL, &store));
  CHECK_INT(1, abort_count_of(id));
  NEED(session_open(store, id, &session));
  CHECK_OK(session_clear_abort(session));
  CHECK_OK(session_signal_abort(session));
  CHECK_OK(session_wait_abort(session, GUARD_MS));
  CHECK_OK(session_destroy(session));
  stop();
}

int main(void) {
  RUN(before_the_first_store);
  RUN(a_handler_that_calls_inside_a_call_is_refused);
  RUN(it_ends_the_wait_that_it_interrupts);
  RUN(what_was_asked_for_is_not_lost);
  RUN(it_ends_waits_of_other_threads);
  RUN(what_is_no_session);
  RUN(what_cannot_be_done_is_noted);
  RUN(in_a_forked_child);
  RUN(it_ends_with_the_library_and_begins_again);
  return check_done("signals");
}
