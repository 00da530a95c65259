/* Bad luck with the files of a store: one session unreadable among a hundred good ones, an index, a
   journal or the locks deleted. Every other session stays usable and nothing acknowledged is lost. */
#include "one_store.h"

#define SESSIONS 100

static char ids[SESSIONS][160];
static char found_path[4200];
static const char *wanted_folder;
static const char *wanted_name;

static int look_for_file(const char *path, const struct stat *status, int kind,
                         struct FTW *place) {
  (void)status;
  if (kind == FTW_F && strcmp(path + place->base, wanted_name) == 0 &&
      (wanted_folder == NULL || strstr(path, wanted_folder) != NULL)) {
    snprintf(found_path, sizeof found_path, "%s", path);
    return 1;
  }
  return 0;
}

/* The path of a file under a folder of that name; "" where there is none. */
static const char *find_file(const char *in, const char *name) {
  found_path[0] = '\0';
  wanted_folder = in;
  wanted_name = name;
  nftw(folder, look_for_file, 16, FTW_PHYS);
  return found_path;
}

/* A hundred sessions with a title and an event each, and a clean close. */
static void make_hundred(void) {
  int i;
  start();
  for (i = 0; i < SESSIONS; ++i) {
    char title[32];
    session_t *session;
    snprintf(title, sizeof title, "number %d", i);
    session = create(NULL, title);
    id_of(session, ids[i], sizeof ids[i]);
    CHECK_OK(session_append_event(session, "user_prompt", "{\"kept\":true}", 13,
                                  i % 10 == 0 ? 0 : SESSION_APPEND_RELAXED, NULL));
    CHECK_OK(session_destroy(session));
  }
  CHECK_OK(session_store_close(store));
}

/* All but one are there with their title and event, and can be written to. */
static void expect_hundred_but(int damaged) {
  int i;
  for (i = 0; i < SESSIONS; ++i) {
    session_t *session = NULL;
    char title[48];
    char *json = NULL;
    if (i == damaged) continue;
    if (!CHECK_OK(session_open(store, ids[i], &session))) continue;
    snprintf(title, sizeof title, "\"title\":\"number %d\"", i);
    CHECK_INFO(session, title);
    CHECK_OK(session_read_events(session, 0, 0, &json, NULL));
    CHECK_HAS(json, "{\"kept\":true}");
    session_string_free(json);
    if (i % 25 == 1) CHECK_OK(session_update_title(session, "writable"));
    if (i % 25 == 1) CHECK_OK(append_text(session, "t", "{}", NULL));
    CHECK_OK(session_destroy(session));
  }
}

static int count_listed(void) {
  char *json = list_with(NULL, NULL);
  int count = text_count(json, "\"id\":");
  session_string_free(json);
  return count;
}

static int remove_tree(const char *name) {
  char path[4200];
  struct stat status;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (stat(path, &status) != 0) return -1;
  return nftw(path, check_remove_, 16, FTW_DEPTH | FTW_PHYS);
}

static void damage(const char *path, int half) {
  struct stat status;
  if (!CHECK(path[0] != '\0' && stat(path, &status) == 0)) return;
  if (half) {
    CHECK(truncate(path, status.st_size / 2) == 0);
  } else {
    FILE *file = fopen(path, "r+");
    off_t i;
    CHECK(file != NULL);
    for (i = 0; i < status.st_size; ++i) fputc(0, file);
    CHECK(fclose(file) == 0);
  }
}

static void one_unreadable_session(int half) {
  session_t *session = NULL;
  char *json = NULL;
  session_status_t status;

  make_hundred();
  damage(find_file(ids[42], "session.json"), half);
  NEED(session_store_open(folder, NULL, &store));
  expect_hundred_but(42);
  /* Either the library knows the session's facts from elsewhere, and then all of them, or it says
     that they are lost. What could not be read is kept aside and named in both cases. */
  status = session_open(store, ids[42], &session);
  CHECK_OK(session_store_verify(store, &json, NULL));
  CHECK_HAS(json, ids[42]);
  CHECK_HAS(json, "\"quarantine\":\"quarantine/");
  if (status == SESSION_OK) {
    CHECK_INFO(session, "\"title\":\"number 42\",\"title_source\":\"user\"");
    CHECK_INFO(session, "\"message_count\":1,\"event_count\":1,\"last_seq\":1,");
    CHECK_OK(session_update_title(session, "healed"));
    CHECK_INT(SESSIONS, count_listed());
  } else {
    CHECK_STATUS(SESSION_E_CORRUPT, status);
    CHECK_HAS(json, "\"ok\":false");
    CHECK(count_listed() >= SESSIONS - 1);
  }
  session_string_free(json);
  json = NULL;
  CHECK_OK(session_store_get_info(store, &json, NULL));
  CHECK_HAS(json_after(json, "quarantined"), ids[42]);
  session_string_free(json);
  CHECK_OK(session_destroy(session));
  stop();
}

static void a_session_json_full_of_zeros(void) { one_unreadable_session(0); }
static void a_session_json_cut_in_half(void) { one_unreadable_session(1); }

static void the_index_is_gone(void) {
  make_hundred();
  CHECK(unlink(find_file(NULL, "index.jsonl")) == 0);
  NEED(session_store_open(folder, NULL, &store));
  CHECK_INT(SESSIONS, count_listed());
  expect_hundred_but(-1);
  stop();
}

static void the_journal_is_gone_after_a_clean_close(void) {
  session_t *session;
  char id[160];
  int i;

  make_hundred();
  CHECK(remove_tree("journal") == 0);
  NEED(session_store_open(folder, NULL, &store));
  CHECK_INT(SESSIONS, count_listed());
  expect_hundred_but(-1);
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  for (i = 0; i < SESSIONS; ++i) CHECK(strcmp(id, ids[i]) != 0); /* no id twice */
  CHECK_OK(session_destroy(session));
  stop();
}

static void the_index_and_the_journal_are_gone(void) {
  make_hundred();
  CHECK(unlink(find_file(NULL, "index.jsonl")) == 0);
  CHECK(remove_tree("journal") == 0);
  NEED(session_store_open(folder, NULL, &store));
  CHECK_INT(SESSIONS, count_listed());
  expect_hundred_but(-1);
  stop();
}

/* Whoever removes locks/ under running stores must not make two of them write at once. */
static void the_locks_are_gone_under_two_open_stores(void) {
  session_store_t *other = NULL;
  session_t *here;
  session_t *there = NULL;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  char id[160];
  char *json = NULL;
  int i;

  start();
  here = create(NULL, NULL);
  id_of(here, id, sizeof id);
  NEED(session_store_open(folder, NULL, &other));
  NEED(session_open(other, id, &there));
  CHECK_OK(append_text(here, "t", "{}", NULL));
  CHECK_OK(append_text(there, "t", "{}", NULL));
  CHECK(remove_tree("locks") == 0);
  for (i = 0; i < 20; ++i) {
    uint64_t seq = 0;
    CHECK_OK(append_text(i % 2 ? here : there, "t", "{}", &seq));
    CHECK_INT(3 + i, seq);
  }
  CHECK_OK(session_get_stat(here, &stat));
  CHECK_INT(22, stat.event_count);
  CHECK_OK(session_destroy(there));
  CHECK_OK(session_store_close(other));
  CHECK_OK(session_store_verify(store, &json, NULL));
  CHECK_HAS(json, "\"ok\":true");
  session_string_free(json);
  CHECK_OK(session_destroy(here));
  CHECK_OK(session_store_close(store));
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &here));
  CHECK_OK(session_get_stat(here, &stat));
  CHECK_INT(22, stat.event_count);
  CHECK_OK(session_destroy(here));
  stop();
}

/* What people leave in the folder is theirs. */
static void strange_files_are_left_alone(void) {
  char path[4200];
  FILE *file;
  make_hundred();
  snprintf(path, sizeof path, "%s/sessions/README.txt", folder);
  file = fopen(path, "w");
  CHECK(file != NULL && fputs("mine", file) >= 0 && fclose(file) == 0);
  CHECK(unlink(find_file(NULL, "index.jsonl")) == 0);
  NEED(session_store_open(folder, NULL, &store));
  CHECK_INT(SESSIONS, count_listed());
  CHECK(access(path, F_OK) == 0);
  stop();
}

/* One list of shares that may not be read is named. The superuser may read anything. */
static void shares_that_may_not_be_read(void) {
  char path[4200];
  char *json = NULL;
  session_t *shared, *other;
  start();
  shared = create(NULL, "shared");
  other = create(NULL, "other");
  CHECK_OK(session_create_share(shared, NULL, &json, NULL));
  session_string_free(json);
  CHECK_OK(session_create_share(other, NULL, &json, NULL));
  session_string_free(json);
  id_of(shared, ids[0], sizeof ids[0]);
  CHECK_OK(session_destroy(shared));
  CHECK_OK(session_destroy(other));
  CHECK_OK(session_store_close(store));
  snprintf(path, sizeof path, "%s", find_file(ids[0], "shares.json"));
  CHECK(chmod(path, 0) == 0);
  NEED(session_store_open(folder, NULL, &store));
  CHECK_OK(session_store_verify(store, &json, NULL));
  if (geteuid() != 0) {
    CHECK_HAS(json, "\"ok\":false");
    CHECK_HAS(json, "\"code\":\"unreadable\"");
    CHECK_HAS(json, ids[0]);
  }
  session_string_free(json);
  CHECK(chmod(path, 0600) == 0);
  CHECK_OK(session_store_verify(store, &json, NULL));
  CHECK_HAS(json, "\"ok\":true");
  session_string_free(json);
  stop();
}

/* A session with three events, closed; the path of its log. */
static const char *make_log(char *id, size_t size) {
  session_t *session;
  int i;
  start();
  session = create(NULL, "logged");
  id_of(session, id, size);
  for (i = 0; i < 3; ++i) CHECK_OK(append_text(session, "note", "{\"text\":\"x\"}", NULL));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  return find_file(id, "events.jsonl");
}

static size_t read_log(const char *path, char *text, size_t size) {
  FILE *file = fopen(path, "rb");
  size_t length = file != NULL ? fread(text, 1, size - 1, file) : 0;
  if (file != NULL) fclose(file);
  text[length] = '\0';
  CHECK(length > 0);
  return length;
}

static void write_log(const char *path, const char *bytes, size_t length) {
  FILE *file = fopen(path, "wb");
  if (!CHECK(file != NULL)) return;
  CHECK(fwrite(bytes, 1, length, file) == length);
  CHECK(fclose(file) == 0);
}

/* Reads the log, mends it, appends, and finds what was there byte for byte, and the new line alone. */
static void expect_log(const char *id, const char *path, const char *readable, const char *issue) {
  static char before[16384], after[32768];
  size_t length = read_log(path, before, sizeof before), grown;
  session_t *session = NULL;
  char *json = NULL;
  uint64_t seq = 0;

  CHECK_OK(session_store_open(folder, NULL, &store));
  CHECK_OK(session_open(store, id, &session));
  CHECK_OK(session_read_events(session, 0, 0, &json, NULL));
  CHECK_HAS(json, readable);
  session_string_free(json);
  CHECK_OK(session_repair(session, 0, &json, NULL));
  CHECK_HAS(json, issue);
  session_string_free(json);
  CHECK_OK(append_text(session, "note", "{\"text\":\"new\"}", &seq));
  CHECK_INT(4, seq);
  CHECK_OK(session_read_last_events(session, 0, 1, &json, NULL));
  CHECK_HAS(json, "\"data\":{\"text\":\"new\"}}]");
  session_string_free(json);
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  grown = read_log(path, after, sizeof after);
  CHECK(grown > length && memcmp(before, after, length) == 0);
  CHECK(after[length - 1] == '\n' || after[length] == '\n');
  CHECK_HAS(after + length, "{\"seq\":4,");
  folder_remove(folder);
}

static void logs_from_elsewhere(void) {
  static char log[16384], edited[16384];
  static const char torn[] = "{\"seq\":3,\"type\":\"no";
  char id[160], path[4200];
  size_t length, third, i, used = 0;

  /* An editor made it CRLF and put a byte order mark before it. */
  snprintf(path, sizeof path, "%s", make_log(id, sizeof id));
  length = read_log(path, log, sizeof log);
  memcpy(edited, "\xEF\xBB\xBF", 3);
  used = 3;
  for (i = 0; i < length; ++i) {
    if (log[i] == '\n') edited[used++] = '\r';
    edited[used++] = log[i];
  }
  write_log(path, edited, used);
  expect_log(id, path, "\"last_seq\":3,\"has_more\":false", "\"issues\":[{\"code\":\"no_repairable_turn\"");

  /* A power cut left a piece of the last line, and zeros behind it. */
  snprintf(path, sizeof path, "%s", make_log(id, sizeof id));
  length = read_log(path, log, sizeof log);
  third = (size_t)(strstr(log, "{\"seq\":3") - log);
  memset(log + third, 0, 5000);
  memcpy(log + third, torn, sizeof torn - 1);
  write_log(path, log, third + 5000);
  expect_log(id, path, "{\"seq\":3,\"type\":\"damaged\"", "\"code\":\"torn_tail\"");

  /* The third line is glued onto a piece of itself. */
  snprintf(path, sizeof path, "%s", make_log(id, sizeof id));
  length = read_log(path, log, sizeof log);
  third = (size_t)(strstr(log, "{\"seq\":3") - log);
  memcpy(edited, log, third);
  memcpy(edited + third, torn, sizeof torn - 1);
  memcpy(edited + third + sizeof torn - 1, log + third, length - third);
  write_log(path, edited, length + sizeof torn - 1);
  expect_log(id, path, "{\"seq\":3,\"type\":\"note\"", "\"code\":\"invalid_event_json\"");

  /* A number above 2^53, and the first line once more. */
  snprintf(path, sizeof path, "%s", make_log(id, sizeof id));
  length = read_log(path, log, sizeof log);
  used = (size_t)snprintf(edited, sizeof edited,
                          "{\"seq\":9007199254740993,\"type\":\"x\",\"data\":1}\n%.*s%s",
                          (int)(strchr(log, '\n') - log + 1), log, log);
  write_log(path, edited, used);
  expect_log(id, path, "{\"seq\":3,\"type\":\"note\"", "\"code\":\"event_sequence_duplicate\"");
}

int main(void) {
  RUN(a_session_json_full_of_zeros);
  RUN(a_session_json_cut_in_half);
  RUN(the_index_is_gone);
  RUN(the_journal_is_gone_after_a_clean_close);
  RUN(the_index_and_the_journal_are_gone);
  RUN(the_locks_are_gone_under_two_open_stores);
  RUN(strange_files_are_left_alone);
  RUN(shares_that_may_not_be_read);
  RUN(logs_from_elsewhere);
  return check_done("damage");
}
