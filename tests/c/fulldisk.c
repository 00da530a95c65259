/* A disk that is really full: a small tmpfs, mounted by run.sh where the machine allows it and given
   as the only argument. Nothing acknowledged is lost, abort, clear and delete still work, and the
   store goes on once there is room again. */
#include "one_store.h"

#include <errno.h>
#include <fcntl.h>

static char filler[4200];

/* Takes every byte that is left. */
static void fill_the_disk(void) {
  static char block[65536];
  size_t size = sizeof block;
  int file = open(filler, O_CREAT | O_WRONLY | O_APPEND, 0600);
  CHECK(file >= 0);
  while (size > 0) {
    if (write(file, block, size) < (ssize_t)size) size /= 2;
  }
  CHECK(close(file) == 0);
}

static void make_room(void) {
  CHECK(unlink(filler) == 0);
}

/* Appends until the disk refuses; how many were acknowledged. */
static int append_until_full(session_t *session) {
  char *data = text_of('x', 20000);
  session_status_t status = SESSION_OK;
  int count = 0;
  data[0] = data[19999] = '"';
  while (count < 100000) {
    status = session_append_event(session, "t", data, 20000, 0, NULL);
    if (status != SESSION_OK) break;
    ++count;
  }
  CHECK_STATUS(SESSION_E_NO_SPACE, status);
  free(data);
  return count;
}

static int count_events(session_t *session) {
  session_stat_t stat = SESSION_INIT(session_stat_t);
  CHECK_OK(session_get_stat(session, &stat));
  CHECK_INT(stat.last_seq, stat.event_count);
  return (int)stat.event_count;
}

static int count_events_read(session_t *session) {
  uint64_t after = 0;
  int count = 0;
  int more = 1;
  while (more) {
    char *json = NULL;
    if (!CHECK_OK(session_read_events(session, after, 0, &json, NULL))) break;
    count += text_count(json, "\"seq\":");
    more = strstr(json, "\"has_more\":true") != NULL;
    after = (uint64_t)json_number(json, "next_after_seq");
    session_string_free(json);
  }
  return count;
}

static void the_disk_fills_up(void) {
  session_t *session;
  session_t *doomed;
  session_t *none = NULL;
  char id[160];
  char *json = NULL;
  int32_t aborted = 0;
  int acknowledged;
  session_status_t status;

  NEED(session_store_open(folder, NULL, &store));
  session = create(NULL, "kept");
  id_of(session, id, sizeof id);
  doomed = create(NULL, "doomed");
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));

  fill_the_disk();
  acknowledged = 1 + append_until_full(session);
  printf("  %d events were acknowledged before the disk was full\n", acknowledged);
  CHECK_INT(acknowledged, count_events(session));
  CHECK_INT(acknowledged, count_events_read(session)); /* every handle shows what was OK */
  CHECK_INFO(session, "\"title\":\"kept\"");
  status = session_create(store, NULL, NULL, &none);
  CHECK(status == SESSION_E_NO_SPACE && none == NULL);

  /* What stops things works all the same. */
  CHECK_OK(session_abort(session, "full"));
  CHECK_OK(session_is_aborted(session, &aborted));
  CHECK_INT(1, aborted);
  CHECK_OK(session_clear_abort(session));
  CHECK_OK(session_delete(doomed, SESSION_DELETE_CASCADE));
  CHECK_STATUS(SESSION_E_DELETED, session_update_title(doomed, "x"));

  make_room();
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  ++acknowledged;
  CHECK_INT(acknowledged, count_events(session));
  CHECK_OK(session_store_verify(store, &json, NULL));
  CHECK_HAS(json, "\"ok\":true");
  session_string_free(json);
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_destroy(doomed));
  CHECK_OK(session_store_close(store));

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &session));
  CHECK_INT(acknowledged, count_events(session));
  CHECK_INT(acknowledged, count_events_read(session));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
}

/* Closed while full: the close may say so, the next open finds everything. */
static void close_and_open_on_a_full_disk(void) {
  session_t *session;
  char id[160];
  int acknowledged;
  session_status_t status;

  NEED(session_store_open(folder, NULL, &store));
  session = create(NULL, "second");
  id_of(session, id, sizeof id);
  fill_the_disk();
  acknowledged = append_until_full(session);
  CHECK_OK(session_destroy(session));
  status = session_store_close(store);
  CHECK(status == SESSION_OK || status == SESSION_E_NO_SPACE);

  status = session_store_open(folder, NULL, &store);
  if (status == SESSION_OK) {
    NEED(session_open(store, id, &session));
    CHECK_INT(acknowledged, count_events_read(session));
    CHECK_OK(session_destroy(session));
    status = session_store_close(store);
    CHECK(status == SESSION_OK || status == SESSION_E_NO_SPACE);
  } else {
    CHECK_STATUS(SESSION_E_NO_SPACE, status);
  }

  make_room();
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &session));
  CHECK_INT(acknowledged, count_events(session));
  CHECK_INT(acknowledged, count_events_read(session));
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
}

static void a_store_that_cannot_even_begin(void) {
  char path[4300];
  session_store_t *none = NULL;
  fill_the_disk();
  snprintf(path, sizeof path, "%s-new", folder);
  CHECK_STATUS(SESSION_E_NO_SPACE, session_store_open(path, NULL, &none));
  CHECK(none == NULL);
  make_room();
  NEED(session_store_open(path, NULL, &none)); /* and what was begun is no hindrance */
  CHECK_OK(session_store_close(none));
}

/* Takes every name that is left but a few; how many it took. */
static int take_names(int but) {
  char path[4300];
  int count = 0;
  int file;
  for (;; ++count) {
    snprintf(path, sizeof path, "%s-%d", filler, count);
    file = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
    if (file < 0) break;
    CHECK(close(file) == 0);
  }
  CHECK(errno == ENOSPC);
  for (; but > 0 && count > 0; --but) {
    snprintf(path, sizeof path, "%s-%d", filler, --count);
    CHECK(unlink(path) == 0);
  }
  return count;
}

/* A backup that finds no room leaves nothing, so that it keeps no disk full and no later one from its end: what it had
   made was taken away only after a folder more was made. */
static void a_backup_that_finds_no_room_leaves_nothing(void) {
  char place[4300];
  char staged[4400];
  char path[4300];
  char *json = NULL;
  int names;
  int run;
  session_t *sessions[8];

  NEED(session_store_open(folder, NULL, &store));
  for (size_t i = 0; i < sizeof sessions / sizeof *sessions; ++i) {
    sessions[i] = create(NULL, "to copy");
    CHECK_OK(append_text(sessions[i], "user_prompt", "{}", NULL));
  }
  CHECK_OK(session_store_flush(store));
  snprintf(place, sizeof place, "%s-backup", folder);
  snprintf(staged, sizeof staged, "%s.sessions-new", place);
  names = take_names(12);
  for (run = 0; run < 2; ++run) {
    CHECK_STATUS(SESSION_E_NO_SPACE, session_store_backup(store, place, &json, NULL));
    CHECK(access(staged, F_OK) != 0);
    CHECK(access(place, F_OK) != 0);
  }
  while (names > 0) {
    snprintf(path, sizeof path, "%s-%d", filler, --names);
    CHECK(unlink(path) == 0);
  }
  CHECK_OK(session_store_backup(store, place, &json, NULL));
  session_string_free(json);
  for (size_t i = 0; i < sizeof sessions / sizeof *sessions; ++i) CHECK_OK(session_destroy(sessions[i]));
  CHECK_OK(session_store_close(store));
}

int main(int count, char **arguments) {
  static char path[4200];
  if (count != 2) return 2;
  snprintf(filler, sizeof filler, "%s/filler", arguments[1]);
  snprintf(path, sizeof path, "%s/store", arguments[1]);
  folder = path;
  RUN(the_disk_fills_up);
  RUN(close_and_open_on_a_full_disk);
  RUN(a_store_that_cannot_even_begin);
  RUN(a_backup_that_finds_no_room_leaves_nothing);
  return check_done("fulldisk");
}
