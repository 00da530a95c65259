/* Our side, through the C interface as any program uses it. Threads of a process share one store,
 * as SQLite's guide has each of them open a connection. */
#include "bench.h"

#include <sessions.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ours {
  session_store_t *store;
  session_t *session;
  session_stream_t *stream;
  session_t **all;
  char **ids;
  long count;
  const char *folder;
  unsigned random;
  unsigned long turn;
} ours_t;

static session_store_t *shared;  /* setup and finish run on one thread */
static int shared_by;

static void check(session_status_t status, const char *call)
{
  if (status == SESSION_OK) return;
  bench_die("ours: %s: %s: %s", call, session_status_name(status), session_last_error()->message);
}

static session_store_t *open_store(const char *folder, int32_t durability)
{
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  session_store_t *store;
  char *path = bench_path(folder, "store");
  options.durability = durability;
  options.busy_timeout_ms = 20000;
  check(session_store_open(path, &options, &store), "open");
  free(path);
  return store;
}

static ours_t *join_store(const char *folder)
{
  ours_t *self = calloc(1, sizeof *self);
  if (self == NULL) bench_die("no memory");
  if (shared_by++ == 0) shared = open_store(folder, SESSION_DURABILITY_FULL);
  self->store = shared;
  self->folder = folder;
  self->random = 12345;
  return self;
}

static void finish(void *context)
{
  ours_t *self = context;
  for (long i = 0; i < self->count; i++) {
    session_destroy(self->all[i]);
    free(self->ids[i]);
  }
  free(self->all);
  free(self->ids);
  session_stream_destroy(self->stream);
  session_destroy(self->session);
  if (--shared_by == 0) check(session_store_close(shared), "close");
  free(self);
}

/* Sets metadata and facts, so that each side hands out the same JSON. */
static session_t *create(session_store_t *store)
{
  session_create_options_t options = SESSION_INIT(session_create_options_t);
  session_t *session;
  options.metadata_json = "{\"com.example.app\":{\"pinned\":true}}";
  options.facts_json = "{\"agent_id\":\"coder\",\"type\":\"user\"}";
  check(session_create(store, NULL, &options, &session), "create");
  return session;
}

/* The ids of a store in the order they were made; the array ends with NULL. */
static char **ids_of(session_store_t *store, long *count)
{
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  char *list, **ids = NULL;
  long found = 0;
  options.order = SESSION_ORDER_CREATED_ASC;
  options.fields = "id";
  check(session_list(store, &options, &list, NULL, NULL), "list");
  for (char *at = list; (at = strstr(at, "{\"id\":\"")) != NULL; found++) {
    at += strlen("{\"id\":\"");
    ids = realloc(ids, sizeof *ids * (size_t)(found + 2));
    ids[found] = strndup(at, strcspn(at, "\""));
    ids[found + 1] = NULL;
  }
  session_string_free(list);
  *count = found;
  return ids;
}

void bench_ours_fill(const char *folder, long sessions, long events)
{
  session_store_t *store = open_store(folder, SESSION_DURABILITY_RELAXED);
  enum { BATCH = 1000 };
  for (long i = 0; i < sessions; i++) session_destroy(create(store));
  if (events > 0) {
    session_t *session = create(store);
    size_t length = 0, room = BATCH * (strlen(bench_event) + 64);
    char *batch = malloc(room);
    for (int i = 0; i < BATCH; i++)
      length += (size_t)snprintf(batch + length, room - length,
                                 "%c{\"type\":\"agent_message\",\"data\":%s}", i ? ',' : '[',
                                 bench_event);
    batch[length++] = ']';
    for (long i = 0; i < events; i += BATCH) {
      char *answer;
      check(session_append_events(session, batch, length, SESSION_APPEND_RELAXED, &answer, NULL),
            "append_events");
      session_string_free(answer);
    }
    free(batch);
    session_destroy(session);
  }
  check(session_store_close(store), "close");
}

/* A session with so many MiB of events of one MiB each. */
void bench_ours_fill_large(const char *folder, long mebibytes)
{
  enum { SIZE = 1024 * 1024 - 1024 };
  session_store_t *store = open_store(folder, SESSION_DURABILITY_RELAXED);
  session_t *session = create(store);
  char *data = malloc(SIZE);
  if (data == NULL) bench_die("no memory");
  memset(data, 'x', SIZE);
  data[0] = data[SIZE - 1] = '"';
  for (long i = 0; i < mebibytes; i++)
    check(session_append_event(session, "tool_call", data, SIZE, SESSION_APPEND_RELAXED, NULL),
          "append_event");
  free(data);
  session_destroy(session);
  check(session_store_close(store), "close");
}

/* Branches a session some times; the median in nanoseconds. */
static double fork_time(session_t *session)
{
  enum { TIMES = 9 };
  double took[TIMES];
  for (int i = 0; i < TIMES; i++) {
    session_t *child;
    int64_t start = bench_now();
    check(session_fork(session, 0, NULL, &child), "fork");
    took[i] = (double)(bench_now() - start);
    session_destroy(child);
  }
  return bench_median(took, TIMES);
}

/* Reads it all through a cursor, and says how long that took and what the process had resident at
 * most, in microseconds and KiB; then how long a branch of it takes, in nanoseconds. */
void bench_ours_read_cursor(const char *folder)
{
  session_store_t *store = open_store(folder, SESSION_DURABILITY_FULL);
  session_t *session;
  session_cursor_t *cursor;
  char *page, line[256];
  long count, peak = 0;
  char **ids = ids_of(store, &count);
  int more = 1;
  int64_t start = bench_now();
  check(session_open(store, ids[0], &session), "open");
  check(session_cursor_open(session, NULL, &cursor), "cursor_open");
  while (more) {
    size_t length;
    check(session_cursor_next(cursor, 0, 0, &page, &length), "cursor_next");
    more = strcmp(page + length - 5, "true}") == 0;
    session_string_free(page);
  }
  int64_t took = bench_now() - start;
  FILE *file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, "VmHWM:", 6) == 0) peak = strtol(line + 6, NULL, 10);
  if (file != NULL) fclose(file);
  session_cursor_destroy(cursor);
  printf("%ld %ld %.0f\n", (long)(took / 1000), peak, fork_time(session));
  session_destroy(session);
  for (long i = 0; i < count; i++) free(ids[i]);
  free(ids);
  check(session_store_close(store), "close");
}

/* ---- the works ------------------------------------------------------------------------------ */

static void *own_session(const char *folder, int thread)
{
  ours_t *self = join_store(folder);
  (void)thread;
  self->session = create(self->store);
  return self;
}

static void *first_session(const char *folder, int thread)
{
  ours_t *self = join_store(folder);
  long count;
  char **ids = ids_of(self->store, &count);
  (void)thread;
  check(session_open(self->store, ids[0], &self->session), "open");
  for (long i = 0; i < count; i++) free(ids[i]);
  free(ids);
  return self;
}

static void *all_sessions(const char *folder, int thread)
{
  ours_t *self = join_store(folder);
  (void)thread;
  self->ids = ids_of(self->store, &self->count);
  self->all = calloc((size_t)self->count, sizeof *self->all);
  for (long i = 0; i < self->count; i++)
    check(session_open(self->store, self->ids[i], &self->all[i]), "open");
  return self;
}

static void append_with(ours_t *self, uint32_t flags)
{
  check(session_append_event(self->session, "agent_message", bench_event, strlen(bench_event),
                             flags, NULL), "append_event");
}

static void append(void *context) { append_with(context, 0); }
static void append_relaxed(void *context) { append_with(context, SESSION_APPEND_RELAXED); }

/* An answer of 2,000 chunks, then the next one. */
static void next_stream(void *context)
{
  ours_t *self = context;
  if (self->turn++ % 2000 != 0) return;
  if (self->stream != NULL) check(session_stream_end(self->stream, NULL, NULL), "stream_end");
  session_stream_destroy(self->stream);
  check(session_stream_begin(self->session, "agent_message", NULL, &self->stream), "stream_begin");
}

static void write_chunk(void *context)
{
  static const char chunk[] = "a few words of it, ";
  check(session_stream_write(((ours_t *)context)->stream, chunk, sizeof chunk - 1),
        "stream_write");
}

static void rename_to(ours_t *self, session_t *session)
{
  char title[64];
  snprintf(title, sizeof title, "Fix the cart, take %lu", ++self->turn);
  check(session_update_title(session, title), "update_title");
}

static void rename_one(void *context) { rename_to(context, ((ours_t *)context)->session); }

static session_t *any_session(ours_t *self)
{
  self->random = self->random * 1103515245u + 12345u;
  return self->all[(self->random >> 8) % (unsigned long)self->count];
}

static void change_one(void *context) { rename_to(context, any_session(context)); }

static void get_info(void *context)
{
  for (int i = 0; i < 100; i++) {
    char *info;
    size_t length;
    check(session_get_info(any_session(context), &info, &length), "get_info");
    if (length < 100) bench_die("ours: no info");
    session_string_free(info);
  }
}

static void list(void *context)
{
  ours_t *self = context;
  char *list;
  size_t length;
  check(session_list(self->store, NULL, &list, &length, NULL), "list");
  if (length < 100 * (size_t)self->count) bench_die("ours: no list");
  session_string_free(list);
}

static void is_aborted(void *context)
{
  ours_t *self = context;
  for (int i = 0; i < 10000; i++) {
    int32_t aborted;
    session_is_aborted(self->session, &aborted);
  }
}

/* ---- opening: the context has no store between two steps ------------------------------------ */

static void *opener(const char *folder, int thread)
{
  ours_t *self = calloc(1, sizeof *self);
  long count;
  (void)thread;
  self->folder = folder;
  self->store = open_store(folder, SESSION_DURABILITY_FULL);
  self->ids = ids_of(self->store, &count);
  self->count = count;
  return self;
}

static void close_store(void *context)
{
  ours_t *self = context;
  if (self->store != NULL) check(session_store_close(self->store), "close");
  self->store = NULL;
}

static void open_only(void *context)
{
  ours_t *self = context;
  self->store = open_store(self->folder, SESSION_DURABILITY_FULL);
}

static void open_and_info(void *context)
{
  ours_t *self = context;
  session_t *session;
  char *info;
  open_only(self);
  check(session_open(self->store, self->ids[self->turn++ % (unsigned long)self->count], &session),
        "open");
  check(session_get_info(session, &info, NULL), "get_info");
  session_string_free(info);
  session_destroy(session);
}

static void open_and_list(void *context)
{
  open_only(context);
  list(context);
}

/* A session that nobody has touched since the store was opened. */
static void open_for_tail(void *context)
{
  close_store(context);
  open_only(context);
}

static void tail(void *context)
{
  ours_t *self = context;
  session_t *session;
  char *page;
  size_t length;
  check(session_open(self->store, self->ids[0], &session), "open");
  check(session_read_last_events(session, 0, 50, &page, &length), "read_last_events");
  if (length < 50 * strlen(bench_event)) bench_die("ours: a short page");
  session_string_free(page);
  session_destroy(session);
}

static void end_opener(void *context)
{
  ours_t *self = context;
  close_store(self);
  for (long i = 0; i < self->count; i++) free(self->ids[i]);
  free(self->ids);
  free(self);
}

const bench_work_t bench_ours[] = {
  { "ours.append", own_session, NULL, append, finish, 1 },
  { "ours.relaxed", own_session, NULL, append_relaxed, finish, 1 },
  { "ours.relaxed_long", first_session, NULL, append_relaxed, finish, 1 },
  { "ours.chunk", own_session, next_stream, write_chunk, finish, 1 },
  { "ours.rename", own_session, NULL, rename_one, finish, 1 },
  { "ours.info", all_sessions, NULL, get_info, finish, 100 },
  { "ours.list", all_sessions, change_one, list, finish, 1 },
  { "ours.open", opener, close_store, open_only, end_opener, 1 },
  { "ours.open_info", opener, close_store, open_and_info, end_opener, 1 },
  { "ours.open_list", opener, close_store, open_and_list, end_opener, 1 },
  { "ours.tail", opener, open_for_tail, tail, end_opener, 1 },
  { "ours.call", own_session, NULL, is_aborted, finish, 10000 },
  { NULL, NULL, NULL, NULL, NULL, 0 },
};
