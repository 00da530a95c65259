/* Several programs on one store: locks, how soon one hears of another's change, many followers. */
#include "bench.h"

#include <sessions.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { HEARD_MAX = 10000, FOLLOWERS_MAX = 256 };

static void check(session_status_t status, const char *call)
{
  if (status == SESSION_OK) return;
  bench_die("together: %s: %s: %s", call, session_status_name(status),
            session_last_error()->message);
}

static session_store_t *open_store(const char *folder)
{
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  session_store_t *store;
  char *path = bench_path(folder, "store");
  options.busy_timeout_ms = 20000;
  check(session_store_open(path, &options, &store), "open");
  free(path);
  return store;
}

static session_watch_t *open_watch(session_store_t *store, struct pollfd *ready)
{
  session_watch_options_t options = SESSION_INIT(session_watch_options_t);
  session_watch_t *watch;
  intptr_t fd;
  options.kinds = "event_appended";
  check(session_watch_open(store, &options, &watch), "watch_open");
  check(session_watch_get_fd(watch, 0, &fd), "watch_get_fd");
  ready->fd = (int)fd;
  ready->events = POLLIN;
  return watch;
}

/* ---- locks ---------------------------------------------------------------------------------- */

typedef struct locker {
  session_store_t *store;
  session_t *session;
  char *path;
  int fd;
} locker_t;

static void *lock_setup(const char *folder, int thread)
{
  locker_t *self = calloc(1, sizeof *self);
  (void)thread;
  if (self == NULL) bench_die("no memory");
  self->store = open_store(folder);
  check(session_create(self->store, NULL, NULL, &self->session), "create");
  return self;
}

static void lock_pair(void *context)
{
  locker_t *self = context;
  check(session_lock(self->session, SESSION_LOCK_TRY, NULL), "lock");
  check(session_unlock(self->session), "unlock");
}

static void lock_finish(void *context)
{
  locker_t *self = context;
  session_destroy(self->session);
  check(session_store_close(self->store), "close");
  free(self);
}

static void *flock_setup(const char *folder, int thread)
{
  locker_t *self = calloc(1, sizeof *self);
  (void)thread;
  if (self == NULL) bench_die("no memory");
  self->path = bench_path(folder, "lock");
  self->fd = open(self->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (self->fd < 0) bench_die("no %s", self->path);
  return self;
}

static void flock_pair(void *context)
{
  locker_t *self = context;
  if (flock(self->fd, LOCK_EX | LOCK_NB) != 0 || flock(self->fd, LOCK_UN) != 0)
    bench_die("flock failed");
}

static void flock_finish(void *context)
{
  locker_t *self = context;
  close(self->fd);
  unlink(self->path);
  free(self->path);
  free(self);
}

const bench_work_t bench_together[] = {
  { "ours.lock", lock_setup, NULL, lock_pair, lock_finish, 1 },
  { "plain.flock", flock_setup, NULL, flock_pair, flock_finish, 1 },
  { NULL, NULL, NULL, NULL, NULL, 0 },
};

/* ---- hearing of a change -------------------------------------------------------------------- */

static int by_value(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Says "ready", hears so many events whose turn is the time their append began, and prints the median
 * and the 99th percentile of how long ago that was, in nanoseconds. */
void bench_hear(const char *folder, long count)
{
  static double waits[HEARD_MAX];
  static const char mark[] = "\"turn_id\":\"";
  struct pollfd ready;
  session_store_t *store = open_store(folder);
  session_watch_t *watch = open_watch(store, &ready);
  long heard = 0;

  if (count > HEARD_MAX) bench_die("at most %d changes", HEARD_MAX);
  puts("ready");
  fflush(stdout);
  while (heard < count) {
    char *page;
    if (poll(&ready, 1, 30000) != 1) bench_die("heard %ld changes of %ld", heard, count);
    check(session_watch_next(watch, 0, 0, &page, NULL), "watch_next");
    int64_t now = bench_now();
    for (char *at = page; heard < count && (at = strstr(at, mark)) != NULL;)
      waits[heard++] = (double)(now - strtoll(at += sizeof mark - 1, NULL, 10));
    session_string_free(page);
  }
  qsort(waits, (size_t)count, sizeof *waits, by_value);
  printf("%.9g %.9g\n", waits[count / 2], waits[count * 99 / 100]);
  session_watch_destroy(watch);
  check(session_store_close(store), "close");
}

/* Appends so many events, some milliseconds apart, each with the time its append began as its turn. */
void bench_say(const char *folder, long count)
{
  session_store_t *store = open_store(folder);
  session_t *session;
  check(session_create(store, NULL, NULL, &session), "create");
  for (long i = 0; i < count; i++) {
    session_append_options_t options = SESSION_INIT(session_append_options_t);
    struct timespec pause = { 0, (10 + i % 7) * 1000000 };
    char turn[32];
    nanosleep(&pause, NULL);
    snprintf(turn, sizeof turn, "%lld", (long long)bench_now());
    options.turn_id = turn;
    check(session_append_event_ex(session, "agent_message", bench_event, strlen(bench_event),
                                  &options, NULL), "append");
  }
  session_destroy(session);
  check(session_store_close(store), "close");
}

/* ---- many followers ------------------------------------------------------------------------- */

static long events_in(session_store_t *store)
{
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  char *list;
  long events = 0;
  options.fields = "event_count";
  check(session_list(store, &options, &list, NULL, NULL), "list");
  for (char *at = list; (at = strstr(at, "\"event_count\":")) != NULL;)
    events += atol(at += strlen("\"event_count\":"));
  session_string_free(list);
  return events;
}

/* Takes what one watch has; true where it was told of a gap. */
static int take(session_watch_t *watch, long *heard)
{
  char *page;
  int gap;
  check(session_watch_next(watch, 0, 0, &page, NULL), "watch_next");
  gap = strstr(page, "\"kind\":\"gap\"") != NULL;
  for (char *at = page; (at = strstr(at, "\"kind\":\"event_appended\"")) != NULL; at++) ++*heard;
  session_string_free(page);
  return gap;
}

/* Says "ready", follows with so many watches until its input ends, and prints how many events were
 * appended meanwhile, how many the watch that heard least was given, how many watches were told of a
 * gap, and how many missed something without being told. */
void bench_follow(const char *folder, long count)
{
  static struct pollfd ready[FOLLOWERS_MAX + 1];
  static session_watch_t *watches[FOLLOWERS_MAX];
  static long heard[FOLLOWERS_MAX];
  static int gaps[FOLLOWERS_MAX];
  session_store_t *store = open_store(folder);
  long before = events_in(store), least = -1, told = 0, missed = 0;

  if (count > FOLLOWERS_MAX) bench_die("at most %d followers", FOLLOWERS_MAX);
  for (long i = 0; i < count; i++) watches[i] = open_watch(store, &ready[i]);
  ready[count].fd = STDIN_FILENO;
  ready[count].events = POLLIN;
  puts("ready");
  fflush(stdout);
  while (poll(ready, (nfds_t)count + 1, -1) > 0 && !(ready[count].revents & (POLLIN | POLLHUP)))
    for (long i = 0; i < count; i++)
      if (ready[i].revents != 0) gaps[i] |= take(watches[i], &heard[i]);

  long appended = events_in(store) - before;
  for (long i = 0; i < count; i++) {
    while (heard[i] < appended && !gaps[i] && poll(&ready[i], 1, 5000) == 1)
      gaps[i] |= take(watches[i], &heard[i]);
    told += gaps[i];
    missed += heard[i] != appended && !gaps[i];
    least = least < 0 || heard[i] < least ? heard[i] : least;
    session_watch_destroy(watches[i]);
  }
  printf("%ld %ld %ld %ld\n", appended, least, told, missed);
  check(session_store_close(store), "close");
}

/* ---- neighbours that are killed ------------------------------------------------------------- */

static void *hammer(void *argument)
{
  session_t *session;
  check(session_create(argument, NULL, NULL, &session), "create");
  for (;;)
    check(session_append_event(session, "agent_message", bench_event, strlen(bench_event), 0, NULL),
          "append");
  return NULL;
}

/* Appends with so many threads until it is killed. */
void bench_hammer(const char *folder, long threads)
{
  session_store_t *store = open_store(folder);
  pthread_t thread;
  for (long i = 1; i < threads; i++)
    if (pthread_create(&thread, NULL, hammer, store) != 0) bench_die("no thread");
  hammer(store);
}

/* Appends for that long and prints how many nanoseconds the longest append took. */
void bench_longest(const char *folder, long milliseconds)
{
  session_store_t *store = open_store(folder);
  session_t *session;
  int64_t longest = 0, until = bench_now() + milliseconds * 1000000;
  check(session_create(store, NULL, NULL, &session), "create");
  while (bench_now() < until) {
    int64_t before = bench_now();
    check(session_append_event(session, "agent_message", bench_event, strlen(bench_event), 0, NULL),
          "append");
    int64_t took = bench_now() - before;
    longest = took > longest ? took : longest;
  }
  printf("%.9g\n", (double)longest);
  session_destroy(session);
  check(session_store_close(store), "close");
}
