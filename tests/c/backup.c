/* sessions/store.h: session_store_backup, beside writers, again, and killed. */
#include "processes.h"
#include "threads.h"

#define WRITERS 4
#define KILLS 6

static char place[4200]; /* of the backup */

static void set_place(void) { snprintf(place, sizeof place, "%s.backup", folder); }

/* ---- the second process: backs up until it is killed ---------------------------------------- */

static int second_main(const char *path, const char *id) {
  char *json = NULL;
  if (!open_second(path, id)) return 1;
  folder = (char *)malloc(4096);
  snprintf(folder, 4096, "%s", path);
  set_place();
  for (;;) {
    say('r');
    if (!CHECK_OK(session_store_backup(store, place, &json, NULL))) return 1;
    session_string_free(json);
  }
}

/* ---- the first ------------------------------------------------------------------------------ */

static session_t *talk;
static int is_over;

static void *append_until_over(void *unused) {
  while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
    MUST(append_text(talk, "note", "{\"text\":\"x\"}", NULL) == SESSION_OK);
  }
  return unused;
}

/* The backup opens, is sound, and has that many events of the session at least; how many. */
static uint64_t check_backup(const char *id, uint64_t least) {
  session_store_t *copy = NULL;
  session_t *session = NULL;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  char *json = NULL;
  if (!CHECK_OK(session_store_open(place, NULL, &copy))) return 0;
  CHECK_OK(session_store_verify(copy, &json, NULL));
  CHECK_HAS(json, "{\"ok\":true,");
  session_string_free(json);
  CHECK_OK(session_open(copy, id, &session));
  CHECK_OK(session_get_stat(session, &stat));
  CHECK(stat.last_seq >= least);
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(copy));
  return stat.last_seq;
}

static void expect_nothing_beside(void) {
  char path[4300];
  snprintf(path, sizeof path, "%s.sessions-new", place);
  CHECK(access(path, F_OK) != 0);
  snprintf(path, sizeof path, "%s.sessions-old", place);
  CHECK(access(path, F_OK) != 0);
}

static void remove_backup(void) {
  char *path = (char *)malloc(4200);
  snprintf(path, 4200, "%s", place);
  folder_remove(path);
}

static void a_live_store_is_copied_as_it_is_at_one_moment(void) {
  threads_t writers;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  char id[160];
  char *json = NULL;
  size_t length = 0;
  uint64_t known = 0;
  int i;
  memset(&writers, 0, sizeof writers);
  start();
  set_place();
  talk = create(NULL, "talk");
  id_of(talk, id, sizeof id);
  is_over = 0;
  for (i = 0; i < WRITERS; ++i) threads_start(&writers, append_until_over, NULL);
  for (i = 0; i < 3; ++i) {
    CHECK_OK(session_get_stat(talk, &stat));
    CHECK_OK(session_store_backup(store, place, &json, &length));
    CHECK_INT(length, json == NULL ? 0 : strlen(json));
    CHECK_HAS(json, "\"sessions\":1,");
    CHECK_HAS(json, "\"left_out\":[]}");
    session_string_free(json);
    known = check_backup(id, stat.last_seq > known ? stat.last_seq : known);
    expect_nothing_beside();
  }
  __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
  threads_join(&writers);
  CHECK_OK(session_destroy(talk));
  remove_backup();
  stop();
}

static void a_killed_run_leaves_the_backup_before_it_whole(void) {
  char id[160];
  char *json = NULL;
  uint64_t known;
  int i;
  start();
  set_place();
  talk = create(NULL, "talk");
  id_of(talk, id, sizeof id);
  CHECK_OK(append_text(talk, "note", "{\"text\":\"first\"}", NULL));
  CHECK_OK(session_store_backup(store, place, &json, NULL));
  session_string_free(json);
  known = check_backup(id, 1);
  for (i = 0; i < KILLS; ++i) {
    process_t process = process_start("backup", id);
    int k;
    process_await_ready(&process); /* and is at work, wherever the kill meets it */
    for (k = 0; k < 20 * i; ++k) {
      CHECK_OK(append_text(talk, "note", "{\"text\":\"more\"}", NULL));
    }
    process_kill(&process);
    known = check_backup(id, known);
  }
  CHECK_OK(session_store_backup(store, place, &json, NULL)); /* takes what was left for its own */
  session_string_free(json);
  expect_nothing_beside();
  CHECK_INT(1 + 20 * (KILLS - 1) * KILLS / 2, check_backup(id, known));
  CHECK_OK(session_destroy(talk));
  remove_backup();
  stop();
}

static void what_it_refuses(void) {
  session_job_t *job = NULL;
  char path[4400];
  char args[4500];
  char *json = NULL;
  FILE *file;
  start();
  set_place();
  snprintf(path, sizeof path, "%s/inside", folder);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_backup(store, path, &json, NULL));
  CHECK_DETAILS("\"argument\":\"path\"");
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_backup(store, "", &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_UTF8, session_store_backup(store, "/tmp/\xFF", &json, NULL));
  CHECK_STATUS(SESSION_E_IO, session_store_backup(store, "/proc/nowhere/backup", &json, NULL));
  CHECK(json == NULL);
  CHECK(mkdir(place, 0700) == 0);
  snprintf(path, sizeof path, "%s/letter", place);
  file = fopen(path, "w");
  CHECK(file != NULL && fputs("mine", file) >= 0 && fclose(file) == 0);
  CHECK_STATUS(SESSION_E_EXISTS, session_store_backup(store, place, &json, NULL));
  CHECK(remove(path) == 0);

  /* The same as a job, into a folder that is empty. */
  snprintf(args, sizeof args, "{\"path\":\"%s\"}", place);
  NEED(session_job_start(store, "backup", args, strlen(args), &job));
  CHECK_OK(session_job_wait(job, GUARD_MS));
  CHECK_OK(session_job_result(job, &json, NULL));
  CHECK_HAS(json, "\"sessions\":0,");
  session_string_free(json);
  CHECK_OK(session_job_destroy(job));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_job_start(store, "backup", "{}", 2, &job));
  remove_backup();
  stop();
}

int main(int count, char **arguments) {
  if (count == 4) return second_main(arguments[2], arguments[3]);
  processes_begin(arguments);
  RUN(a_live_store_is_copied_as_it_is_at_one_moment);
  RUN(a_killed_run_leaves_the_backup_before_it_whole);
  RUN(what_it_refuses);
  return check_done("backup");
}
