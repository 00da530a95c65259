/* sessions/store.h: long calls as jobs. */
#include "one_store.h"
#include "threads.h"

static session_job_t *start_job(session_store_t *of, const char *kind, const char *args) {
  session_job_t *job = NULL;
  CHECK_OK(session_job_start(of, kind, args, strlen(args), &job));
  CHECK(job != NULL);
  return job;
}

/* The result of a job, once it is there; free it. */
static char *result_of(session_job_t *job) {
  char *json = NULL;
  size_t length = 0;
  CHECK_OK(session_job_wait(job, GUARD_MS));
  CHECK_OK(session_job_result(job, &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  return json;
}

static void expect_result(session_store_t *of, const char *kind, const char *args,
                          const char *part) {
  session_job_t *job = start_job(of, kind, args);
  char *json = result_of(job);
  char *again = result_of(job);
  CHECK_HAS(json, part);
  CHECK_STR(json, again);
  session_string_free(json);
  session_string_free(again);
  CHECK_OK(session_job_destroy(job));
}

static void every_kind(void) {
  session_t *session;
  char id[160];
  char args[4600];
  char source[4200];
  FILE *file;

  start();
  session = create(NULL, "talk");
  id_of(session, id, sizeof id);
  CHECK_OK(append_text(session, "user_prompt", "{\"text\":\"what\"}", NULL));
  expect_result(store, "flush", "{}", "{\"lsn\":");
  expect_result(store, "flush", " { \"job_id\" : \"after the turn\" } ", "{\"lsn\":");
  expect_result(store, "verify", "{}", "{\"ok\":true,\"deep\":true,");
  expect_result(store, "verify", "{\"flags\":1}", "{\"ok\":true,\"deep\":false,");
  expect_result(store, "purge", "{\"deleted_before\":1}", "{\"purged\":0}");
  expect_result(store, "retain", "{\"policy\":{\"max_sessions\":5}}", "\"count\":0");
  snprintf(args, sizeof args, "{\"session_id\":\"%s\",\"options\":{\"max_events\":5}}", id);
  expect_result(store, "prune", args, "\"pruned_events\":0");
  snprintf(args, sizeof args, "{\"session_id\":\"%s\",\"flags\":%d}", id,
           (int)SESSION_REPAIR_DRY_RUN);
  expect_result(store, "repair", args, "{\"dry_run\":true,");
  snprintf(args, sizeof args, "{\"session_id\":\"%s\",\"format\":%d}", id,
           SESSION_TRANSCRIPT_MARKDOWN);
  expect_result(store, "transcript", args, "# talk\n");
  snprintf(args, sizeof args, "{\"session_id\":\"%s\"}", id);
  expect_result(store, "tree", args, id);
  snprintf(args, sizeof args, "{\"session_id\":\"%s\",\"at\":1}", id);
  expect_result(store, "find_time", args, "{\"after_seq\":0}");
  snprintf(source, sizeof source, "%s.txt", folder); /* beside the store */
  file = fopen(source, "w");
  CHECK(file != NULL && fputs("mine", file) >= 0 && fclose(file) == 0);
  snprintf(args, sizeof args, "{\"session_id\":\"%s\",\"name\":\"s.txt\",\"path\":\"%s\"}", id,
           source);
  expect_result(store, "put_file", args, "\"name\":\"s.txt\"");
  CHECK(unlink(source) == 0);
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  snprintf(args, sizeof args, "{\"path\":\"%s\"}", folder);
  expect_result(NULL, "salvage", args, "{\"sessions\":1,");
  expect_result(NULL, "migrate", args, "{\"from_version\":1,\"to_version\":1}");
  folder_remove(folder);
}

static void refused(void) {
  static const char bad_utf8[] = "{\"job_id\":\"\xFF\"}";
  session_job_t *job = (session_job_t *)&folder;

  start();
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_job_start(store, "", "{}", 2, &job));
  CHECK_DETAILS("{\"argument\":\"kind\",\"expected\":\"one of flush");
  CHECK(job == NULL);
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_job_start(NULL, "flush", "{}", 2, &job));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_job_start(store, "salvage", "{}", 2, &job));
  CHECK_DETAILS("{\"argument\":\"store\"}");
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_job_start(store, "flush", "[]", 2, &job));
  CHECK_DETAILS("{\"argument\":\"args_json\"}");
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_job_start(store, "flush", "{\"x\":1}", 7, &job));
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_job_start(store, "flush", "{}", 1, &job));
  CHECK_INT(1, session_last_error()->offset);
  CHECK_STATUS(SESSION_E_INVALID_UTF8,
               session_job_start(store, "flush", bad_utf8, sizeof bad_utf8 - 1, &job));
  CHECK_INT(11, session_last_error()->offset);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_job_start(store, "repair", "{}", 2, &job));
  CHECK(job == NULL);
  stop();
}

static session_job_t *failed_job;

static void *collect(void *unused) {
  char *json = (char *)&failed_job;
  size_t length = 7;
  (void)unused;
  CHECK_INT(SESSION_OK, session_last_error()->status); /* of this thread */
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_job_result(failed_job, &json, &length));
  CHECK_DETAILS("{\"session_id\":\"session_1\"}");
  CHECK(json == NULL && length == 0);
  return NULL;
}

static void errors_of_its_own(void) {
  static const char args[] = "{\"session_id\":\"session_1\"}";
  session_t *session;
  threads_t threads = {{0}, 0};
  char *json = NULL;
  int i;

  start();
  CHECK_OK(session_job_start(store, "transcript", args, sizeof args - 1, &failed_job));
  CHECK_OK(session_job_wait(failed_job, GUARD_MS));
  session = create(NULL, NULL);
  CHECK_OK(session_delete(session, SESSION_DELETE_CASCADE));
  CHECK_STATUS(SESSION_E_DELETED, session_update_title(session, "t"));
  CHECK_INT(SESSION_E_DELETED, session_last_error()->status); /* not the job's */
  for (i = 0; i < 4; ++i) threads_start(&threads, collect, NULL);
  threads_join(&threads);
  CHECK_OK(session_job_cancel(failed_job));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_job_result(failed_job, &json, NULL));
  CHECK_OK(session_job_destroy(failed_job));
  CHECK_OK(session_destroy(session));
  stop();
}

/* Many jobs at once, collected in any order; progress goes from running to done. */
static void many_wait_for_their_turn(void) {
  enum { JOBS = 100 };
  session_job_t *jobs[JOBS];
  session_progress_t progress = SESSION_INIT(session_progress_t);
  int i;

  start();
  for (i = 0; i < 10; ++i) CHECK_OK(session_destroy(create(NULL, NULL)));
  for (i = 0; i < JOBS; ++i) {
    jobs[i] = start_job(store, i % 3 == 0 ? "flush" : "verify", "{}");
    CHECK_OK(session_job_get_progress(jobs[i], &progress));
    CHECK(progress.running == 0 || progress.running == 1);
    CHECK(progress.total == 0 || progress.done <= progress.total);
  }
  for (i = JOBS - 1; i >= 0; --i) {
    CHECK_OK(session_job_wait(jobs[i], GUARD_MS));
    CHECK_OK(session_job_get_progress(jobs[i], &progress));
    CHECK_INT(0, progress.running);
    CHECK_INT(i % 3 == 0 ? 1 : 10, progress.total);
    CHECK_INT(progress.total, progress.done);
    CHECK_OK(session_job_destroy(jobs[i]));
  }
  stop();
}

/* Of jobs that were cancelled at once, each is done or cancelled, and the store is whole. */
static void cancelled_and_destroyed(void) {
  enum { JOBS = 60 };
  session_job_t *jobs[JOBS];
  char *json = NULL;
  int i;

  start();
  for (i = 0; i < 10; ++i) CHECK_OK(session_destroy(create(NULL, NULL)));
  for (i = 0; i < JOBS; ++i) jobs[i] = start_job(store, "verify", "{}");
  for (i = 0; i < JOBS; ++i) {
    CHECK_OK(session_job_cancel(jobs[i]));
    CHECK_OK(session_job_cancel(jobs[i]));
  }
  for (i = 0; i < JOBS; ++i) {
    session_status_t status;
    CHECK_OK(session_job_wait(jobs[i], GUARD_MS));
    status = session_job_result(jobs[i], &json, NULL);
    CHECK(status == SESSION_OK || status == SESSION_E_CANCELLED);
    CHECK((status == SESSION_OK) == (json != NULL));
    session_string_free(json);
    CHECK_OK(session_job_destroy(jobs[i]));
    CHECK_INT(SESSION_E_INVALID_HANDLE, session_job_destroy(jobs[i]));
  }
  for (i = 0; i < JOBS; ++i) jobs[i] = start_job(store, "flush", "{}");
  for (i = 0; i < JOBS; ++i) CHECK_OK(session_job_destroy(jobs[i]));
  expect_result(store, "verify", "{}", "{\"ok\":true,");
  stop();
}

static session_job_t *waited_for;
static session_status_t waited;

static void *wait_for_job(void *unused) {
  (void)unused;
  waited = session_job_wait(waited_for, SESSION_WAIT_FOREVER);
  return NULL;
}

static void a_close_and_a_shutdown(void) {
  enum { JOBS = 40 };
  session_job_t *jobs[JOBS];
  session_job_t *done;
  threads_t threads = {{0}, 0};
  char args[4400];
  char *json = NULL;
  session_status_t status;
  int i;

  start();
  for (i = 0; i < 10; ++i) CHECK_OK(session_destroy(create(NULL, NULL)));
  done = start_job(store, "verify", "{}");
  CHECK_OK(session_job_wait(done, GUARD_MS));
  for (i = 0; i < JOBS; ++i) jobs[i] = start_job(store, "verify", "{}");
  waited_for = jobs[JOBS - 1];
  threads_start(&threads, wait_for_job, NULL);
  CHECK_OK(session_store_close(store));
  threads_join(&threads);
  CHECK(waited == SESSION_OK || waited == SESSION_E_CLOSED);
  for (i = 0; i < JOBS; ++i) {
    /* Over when the close returns: done before it, or closed. */
    status = session_job_wait(jobs[i], 0);
    CHECK(status == SESSION_OK || status == SESSION_E_CLOSED);
    CHECK_INT(status, session_job_result(jobs[i], &json, NULL));
    session_string_free(json);
    CHECK_OK(session_job_destroy(jobs[i]));
  }
  json = result_of(done);
  CHECK_HAS(json, "{\"ok\":true,");
  session_string_free(json);
  CHECK_OK(session_job_destroy(done));

  snprintf(args, sizeof args, "{\"path\":\"%s\"}", folder);
  done = start_job(NULL, "salvage", args);
  CHECK_OK(session_shutdown(SESSION_WAIT_FOREVER));
  CHECK_OK(session_job_wait(done, 0));
  status = session_job_result(done, &json, NULL);
  CHECK(status == SESSION_OK || status == SESSION_E_CANCELLED);
  session_string_free(json);
  CHECK_OK(session_job_destroy(done));
  expect_result(NULL, "salvage", args, "{\"sessions\":10,"); /* works after a shutdown */
  folder_remove(folder);
}

/* What a host on one thread does for durability: append relaxed, start a flush, go on, look. */
static void flush_on_the_side(void) {
  session_t *session;
  session_job_t *flush;
  session_status_t status;
  int i;
  int turns = 0;

  start();
  session = create(NULL, NULL);
  for (i = 0; i < 50; ++i) {
    CHECK_OK(session_append_event(session, "t", "{}", 2, SESSION_APPEND_RELAXED, NULL));
  }
  flush = start_job(store, "flush", "{}");
  while ((status = session_job_wait(flush, 1)) == SESSION_E_TIMEOUT) {
    CHECK_OK(session_append_event(session, "t", "{}", 2, SESSION_APPEND_RELAXED, NULL));
    CHECK(++turns < 100000);
  }
  CHECK_OK(status);
  CHECK_OK(session_job_destroy(flush));
  CHECK_OK(session_destroy(session));
  stop();
}

static long resident_bytes(void) {
  long all = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%ld %ld", &all, &resident) == 2);
  if (file != NULL) fclose(file);
  return resident * sysconf(_SC_PAGESIZE);
}

static void do_jobs(const char *args, int count) {
  int i;
  for (i = 0; i < count; ++i) {
    session_job_t *job = NULL;
    char *json = NULL;
    MUST(session_job_start(store, "find_time", args, strlen(args), &job) == SESSION_OK);
    MUST(session_job_wait(job, GUARD_MS) == SESSION_OK);
    MUST(session_job_result(job, &json, NULL) == SESSION_OK);
    session_string_free(json);
    MUST(session_job_destroy(job) == SESSION_OK);
  }
}

/* 46 bytes of each stayed for ever: the runtime kept something for what was waited on. */
static void jobs_that_are_over_leave_no_memory_behind(void) {
  enum { FIRST = 15000, MORE = 40000, BYTES_MAX = 20 };
  session_t *session;
  char id[128];
  char args[256];
  long before, grown;
  start();
  session = create(NULL, NULL);
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  id_of(session, id, sizeof id);
  snprintf(args, sizeof args, "{\"session_id\":\"%s\",\"at\":5}", id);
  do_jobs(args, FIRST);
  before = resident_bytes();
  do_jobs(args, MORE);
  grown = resident_bytes() - before;
  if (!IS_SANITIZED && !CHECK(grown <= (long)MORE * BYTES_MAX)) {
    printf("    %ld bytes more after %d jobs\n", grown, (int)MORE);
  }
  CHECK_OK(session_destroy(session));
  stop();
}

int main(void) {
  RUN(every_kind);
  RUN(refused);
  RUN(errors_of_its_own);
  RUN(many_wait_for_their_turn);
  RUN(cancelled_and_destroyed);
  RUN(a_close_and_a_shutdown);
  RUN(flush_on_the_side);
  RUN(jobs_that_are_over_leave_no_memory_behind);
  return check_done("jobs");
}
