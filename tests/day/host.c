/* A host that stays all day: it has a conversation of its own, which others write to as well, watches the store, and
   does a round of the usual calls each time it is told to. */
#include "day.h"

enum { ROUNDS = 300, MARKERS_OF_A_ROUND = 5 }; /* so many rounds are measured at a time */

enum { APPEND, RELAXED, TITLE, LOCK, UNLOCK, QUEUE, STREAM, LIST, READ, OPEN, WATCH, DISK, MACHINE, CALLS };

static const char *const names[CALLS] = { "append", "relaxed", "title", "lock", "unlock", "queue", "stream", "list",
  "read", "open", "watch", DISK_CALL, MACHINE_CALL };
static double times[CALLS][ROUNDS];
static int counts[CALLS];
static double begun;

static void begin(void) { begun = now_seconds(); }

static void end(int call)
{
  if (counts[call] < ROUNDS) times[call][counts[call]++] = (now_seconds() - begun) * 1e9;
}

static void report(void)
{
  int i;
  for (i = 0; i < CALLS; i++) say("L %s %.0f", names[i], median_of(times[i], counts[i]));
}

/* How fast disk and processor are just now, whatever the library does. */
static void measure_machine(int file)
{
  static unsigned char bytes[65536];
  unsigned sum = 0;
  size_t i;
  begin();
  if (pwrite(file, bytes, 512, 0) != 512 || fdatasync(file) != 0) abort();
  end(DISK);
  begin();
  for (i = 0; i < sizeof bytes; i++) sum = sum * 31 + bytes[i];
  bytes[0] = (unsigned char)sum;
  end(MACHINE);
}

static void look(session_store_t *store, session_t *session, session_watch_t *watch, const char *id)
{
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  session_t *again = NULL;
  char *json = NULL;
  session_status_t status;
  options.limit = 20;
  begin();
  must(session_list(store, &options, &json, NULL, NULL), "list");
  end(LIST);
  session_string_free(json);
  begin();
  must(session_read_last_events(session, 0, 20, &json, NULL), "read_last");
  end(READ);
  session_string_free(json);
  begin();
  must(session_open(store, id, &again), "open session");
  must(session_destroy(again), "destroy");
  end(OPEN);
  begin();
  status = session_watch_next(watch, 0, 0, &json, NULL);
  end(WATCH);
  if (status != SESSION_E_TIMEOUT) must(status, "watch_next");
  if (status == SESSION_OK) session_string_free(json);
}

static void work(session_store_t *store, session_t *session, session_watch_t *watch, const char *id, uint64_t marker)
{
  session_lock_options_t waiting = SESSION_INIT(session_lock_options_t);
  uint64_t seq;
  char title[32];
  waiting.timeout_ms = 60000;
  begin();
  must(session_lock(session, SESSION_LOCK_WAIT, &waiting), "lock"); /* commands wait for it, too */
  end(LOCK);
  begin();
  seq = append_marker(session, marker, 0);
  end(APPEND);
  say("E %s %" PRIu64 " %" PRIu64, id, seq, marker);
  begin();
  seq = append_marker(session, marker + 1, SESSION_APPEND_RELAXED);
  end(RELAXED);
  say("E %s %" PRIu64 " %" PRIu64, id, seq, marker + 1);
  begin();
  seq = stream_marker(session, marker + 2);
  end(STREAM);
  say("E %s %" PRIu64 " %" PRIu64, id, seq, marker + 2);
  snprintf(title, sizeof title, "m%" PRIu64, marker + 3);
  begin();
  must(session_update_title(session, title), "title");
  end(TITLE);
  say("T %s %" PRIu64, id, marker + 3);
  begin();
  add_to_queue(session, id, marker + 4);
  deliver(session, id);
  end(QUEUE);
  begin();
  must(session_unlock(session), "unlock");
  end(UNLOCK);
  look(store, session, watch, id);
}

/* Rounds that nothing else disturbs, each beside a look at the machine. */
static uint64_t measure(session_store_t *store, session_t *session, session_watch_t *watch, const char *id,
                        uint64_t marker, const char *folder)
{
  char path[4096];
  int i, file;
  snprintf(path, sizeof path, "%s.disk", folder);
  file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) abort();
  memset(counts, 0, sizeof counts);
  for (i = 0; i < ROUNDS; i++, marker += MARKERS_OF_A_ROUND) {
    measure_machine(file);
    work(store, session, watch, id, marker);
  }
  close(file);
  unlink(path);
  report();
  return marker;
}

int host_main(char **argv)
{
  uint64_t marker = strtoull(argv[3], NULL, 10) * MARKERS_OF_A_HOST;
  session_store_t *store = open_day(argv[2]);
  session_create_options_t options = SESSION_INIT(session_create_options_t);
  session_watch_options_t watching = SESSION_INIT(session_watch_options_t);
  session_watch_t *watch = NULL;
  session_t *session = NULL;
  char *id = NULL, title[32], order;
  snprintf(title, sizeof title, "m%" PRIu64, marker);
  options.title = title;
  must(session_create(store, NULL, &options, &session), "create");
  must(session_get_id(session, &id), "id");
  say("S %s %" PRIu64, id, marker);
  watching.flags = SESSION_WATCH_COALESCE;
  must(session_watch_open(store, &watching, &watch), "watch_open");
  say(".");
  while (read(STDIN_FILENO, &order, 1) == 1 && order != 'q') {
    if (order == 'm')
      marker = measure(store, session, watch, id, marker + 1, argv[2]) - 1;
    else {
      work(store, session, watch, id, marker + 1);
      marker += MARKERS_OF_A_ROUND;
    }
    say(".");
  }
  must(session_watch_destroy(watch), "watch_destroy");
  must(session_destroy(session), "destroy");
  must(session_store_close(store), "close");
  session_string_free(id);
  return 0;
}
