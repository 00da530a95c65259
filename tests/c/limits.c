/* Hosts with limits: few addresses, little memory, no thread. The runtime would end the process where
   it cannot start; the library tries first, answers SESSION_E_NO_MEMORY, and the host lives. */
#include "check.h"

#include <sys/resource.h>
#include <sys/wait.h>

#define NOBODY 65534
#define MB ((rlim_t)1000 * 1000)

enum answers { WORKS, REFUSED, WRONG };
static char *folder;

/* What a host does. Any of its calls may find that there is no memory, and none anything else. */
static int use_the_library(void) {
  session_store_t *store = NULL;
  session_t *session = NULL;
  session_status_t status = session_store_open(folder, NULL, &store);
  session_status_t closed = SESSION_OK;
  if (status == SESSION_OK) status = session_create(store, NULL, NULL, &session);
  if (status == SESSION_OK) status = append_text(session, "user_prompt", "{\"text\":\"hello\"}", NULL);
  if (session != NULL && status == SESSION_OK) status = session_destroy(session);
  if (store != NULL) closed = session_store_close(store);
  status = status == SESSION_OK ? closed : status;
  if (status != SESSION_OK && status != SESSION_E_NO_MEMORY) {
    printf("    %s: %s\n", session_status_name(status), session_last_error()->message);
    return WRONG;
  }
  return status == SESSION_OK ? WORKS : REFUSED;
}

static int under(int kind, rlim_t most) {
  struct rlimit limit;
  if (getrlimit(kind, &limit) != 0) return WRONG;
  limit.rlim_cur = most;
  return setrlimit(kind, &limit) == 0 ? use_the_library() : WRONG;
}

static int few_addresses(rlim_t most) { return under(RLIMIT_AS, most); }
static int little_memory(rlim_t most) { return under(RLIMIT_DATA, most); }

/* What was refused for a limit is there once the limit is gone. */
static int few_addresses_for_a_while(rlim_t most) {
  struct rlimit limit;
  int first = under(RLIMIT_AS, most);
  if (first != REFUSED || getrlimit(RLIMIT_AS, &limit) != 0) return WRONG;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_AS, &limit) == 0 ? use_the_library() : WRONG;
}

/* No limit of threads counts for root. */
static int be_nobody(void) {
  return geteuid() != 0 ||
         (chown(folder, NOBODY, NOBODY) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
}

static int no_thread(rlim_t most) {
  return be_nobody() ? under(RLIMIT_NPROC, most) : WRONG;
}

/* The runtime has its thread already, and gets no other. */
static int start_without_more(rlim_t most) {
  struct rlimit limit;
  char *json = NULL;
  int good = session_abi_json(&json, NULL) == SESSION_OK && be_nobody();
  session_string_free(json);
  if (!good || getrlimit(RLIMIT_NPROC, &limit) != 0) return 0;
  limit.rlim_cur = most;
  return setrlimit(RLIMIT_NPROC, &limit) == 0;
}

/* What needs a thread says so, and the rest does its work here. */
static int no_more_threads(rlim_t most) {
  session_store_t *store = NULL;
  session_t *session = NULL;
  session_watch_t *watch = NULL;
  session_job_t *job = NULL;
  int i, good;
  if (!start_without_more(most)) return WRONG;
  good = session_store_open(folder, NULL, &store) == SESSION_OK &&
         session_create(store, NULL, NULL, &session) == SESSION_OK;
  for (i = 0; good && i < 20; ++i) {
    uint32_t flags = i % 2 == 0 ? SESSION_APPEND_RELAXED : 0;
    good = session_append_event(session, "user_prompt", "{\"text\":\"hi\"}", 13, flags, NULL) ==
           SESSION_OK;
  }
  good = good && session_watch_open(store, NULL, &watch) == SESSION_E_NO_MEMORY &&
         session_job_start(store, "flush", "{}", 2, &job) == SESSION_E_NO_MEMORY &&
         session_signal_abort(session) == SESSION_E_NO_MEMORY &&
         session_store_flush(store) == SESSION_OK && session_destroy(session) == SESSION_OK &&
         session_store_close(store) == SESSION_OK;
  if (!good) printf("    %s\n", session_last_error()->message);
  return good ? WORKS : WRONG;
}

/* The end of the process needs no thread either: both stores are closed here. */
static int no_thread_to_close_on(rlim_t most) {
  session_store_t *first = NULL;
  session_store_t *second = NULL;
  session_t *session = NULL;
  int good = start_without_more(most) &&
             session_store_open(folder, NULL, &first) == SESSION_OK &&
             session_store_open(folder, NULL, &second) == SESSION_OK &&
             session_create(first, NULL, NULL, &session) == SESSION_OK &&
             append_text(session, "user_prompt", "{\"text\":\"hi\"}", NULL) == SESSION_OK &&
             session_shutdown(SESSION_WAIT_FOREVER) == SESSION_OK;
  if (!good) printf("    %s\n", session_last_error()->message);
  good = good && session_store_flush(first) == SESSION_E_CLOSED &&
         session_store_flush(second) == SESSION_E_CLOSED &&
         session_destroy(session) == SESSION_OK && session_store_close(first) == SESSION_OK &&
         session_store_close(second) == SESSION_OK &&
         session_shutdown(SESSION_WAIT_FOREVER) == SESSION_OK;
  return good ? WORKS : WRONG;
}

/* In a child, in which the runtime has not started. */
static int in_child(int (*run)(rlim_t most), rlim_t most) {
  int status = -1;
  pid_t child;
  folder = folder_make();
  fflush(stdout);
  child = fork();
  if (child == 0) {
    int answer = run(most);
    fflush(stdout);
    _exit(answer);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  if (!CHECK(WIFEXITED(status) && WEXITSTATUS(status) != WRONG)) {
    printf("    a limit of %lu: status %d\n", (unsigned long)most, status);
  }
  folder_remove(folder);
  return WIFEXITED(status) ? WEXITSTATUS(status) : WRONG;
}

static void few_addresses_are_no_end(void) {
  rlim_t most;
  int works = 0;
  for (most = 200 * MB; most <= 11000 * MB; most += most < 2000 * MB ? 100 * MB : 500 * MB) {
    works = in_child(few_addresses, most) == WORKS;
  }
  CHECK(works);
  CHECK_INT(WORKS, in_child(few_addresses, 2500 * MB)); /* the heap takes what there is */
  CHECK_INT(WORKS, in_child(few_addresses_for_a_while, 1200 * MB));
}

static void little_memory_is_no_end(void) {
  rlim_t most;
  int works = 0;
  for (most = 1 * MB; most <= 100 * MB; most += most < 40 * MB ? 1 * MB : 10 * MB) {
    works = in_child(little_memory, most) == WORKS;
  }
  CHECK(works);
}

static void no_thread_is_no_end(void) {
  const char *base = getenv("TMPDIR");
  CHECK_INT(REFUSED, in_child(no_thread, 1));
  if (base != NULL && geteuid() == 0) {
    CHECK(chmod(base, 0711) == 0); /* or nobody does not come to the folder */
  }
  CHECK_INT(WORKS, in_child(no_more_threads, 1));
  CHECK_INT(WORKS, in_child(no_thread_to_close_on, 1));
}

int main(void) {
  if (!IS_SANITIZED) {
    RUN(few_addresses_are_no_end);
    RUN(little_memory_is_no_end);
  }
  RUN(no_thread_is_no_end);
  return check_done("limits");
}
