/* sessions/store.h: open, inspect, configure, flush, verify, purge, salvage, close. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

static session_store_t *open_with(const char *path, uint32_t flags) {
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  session_store_t *store = NULL;
  options.flags = flags;
  CHECK_OK(session_store_open(path, &options, &store));
  return store;
}

static session_status_t try_open(const char *path, uint32_t flags) {
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  session_store_t *store = NULL;
  session_status_t status;
  options.flags = flags;
  status = session_store_open(path, &options, &store);
  CHECK(status == SESSION_OK || store == NULL);
  if (store != NULL) {
    CHECK_OK(session_store_close(store));
  }
  return status;
}

static void open_close_and_open_again(void) {
  char *folder = folder_make();
  char path[4200];
  char id[160];
  session_store_t *store = NULL;
  session_t *session = NULL;
  uint64_t seq = 0;

  snprintf(path, sizeof path, "%s/made/on/the/way", folder);
  NEED(session_store_open(path, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  CHECK_OK(session_update_title(session, "Fix the cart"));
  CHECK_OK(append_text(session, "user_prompt", "{\"text\":\"hello\"}", &seq));
  id_of(session, id, sizeof id);
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));

  NEED(session_store_open(path, NULL, &store));
  NEED(session_open(store, id, &session));
  CHECK_INFO(session, "\"title\":\"Fix the cart\"");
  CHECK_INFO(session, "\"last_seq\":1");
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  folder_remove(folder);
}

static void default_path_is_sessions_home(void) {
  char *folder = folder_make();
  char path[4200];
  char expected[4400];
  char *json = NULL;
  session_store_t *store = NULL;

  snprintf(path, sizeof path, "%s/home", folder);
  setenv("SESSIONS_HOME", path, 1);
  NEED(session_store_open(NULL, NULL, &store));
  CHECK_OK(session_store_get_info(store, &json, NULL));
  snprintf(expected, sizeof expected, "\"path\":\"%s\"", path);
  CHECK_HAS(json, expected);
  session_string_free(json);
  CHECK_OK(session_store_close(store));
  unsetenv("SESSIONS_HOME");
  folder_remove(folder);
}

static void default_path_follows_xdg(void) {
  char *folder = folder_make();
  char *json = NULL;
  char expected[4400];
  session_store_t *store = NULL;

  setenv("XDG_DATA_HOME", folder, 1);
  NEED(session_store_open(NULL, NULL, &store));
  CHECK_OK(session_store_get_info(store, &json, NULL));
  snprintf(expected, sizeof expected, "\"path\":\"%s/sessions\"", folder);
  CHECK_HAS(json, expected);
  session_string_free(json);
  CHECK_OK(session_store_close(store));
  unsetenv("XDG_DATA_HOME");
  folder_remove(folder);
}

static void info(void) {
  static const char *const keys[] = {"path", "store_id", "format_version", "read_only", "poisoned",
                                     "lsn", "sessions", "archived", "trash", "open_locks",
                                     "by_state", "quarantined", "recovered", "capabilities",
                                     "config"};
  char *folder = folder_make();
  char *json = NULL;
  size_t length = 0;
  size_t i;
  session_store_t *store = NULL;
  session_t *session = NULL;

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  CHECK_OK(session_store_get_info(store, &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  for (i = 0; i < sizeof keys / sizeof keys[0]; ++i) {
    if (!CHECK(json_after(json, keys[i]) != NULL)) printf("    %s\n", keys[i]);
  }
  CHECK_INT(1, json_number(json, "sessions"));
  CHECK_INT(0, json_number(json, "trash"));
  CHECK_HAS(json, "\"read_only\":false");
  CHECK_HAS(json, "\"poisoned\":false");
  CHECK_HAS(json, "\"quarantined\":[]");
  CHECK_HAS(json, "\"by_state\":{\"created\":1}");
  session_string_free(json);
  json = NULL;

  CHECK_OK(session_delete(session, SESSION_DELETE_CASCADE));
  CHECK_OK(session_store_get_info(store, &json, NULL));
  CHECK_INT(0, json_number(json, "sessions"));
  CHECK_INT(1, json_number(json, "trash"));
  session_string_free(json);
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  folder_remove(folder);
}

static void must_exist(void) {
  char *folder = folder_make();
  char path[4200];
  struct stat status;

  snprintf(path, sizeof path, "%s/absent", folder);
  CHECK_STATUS(SESSION_E_NOT_FOUND, try_open(path, SESSION_STORE_MUST_EXIST));
  CHECK(stat(path, &status) != 0); /* and nothing was made */
  /* An empty folder is no store either. */
  CHECK_STATUS(SESSION_E_NOT_FOUND, try_open(folder, SESSION_STORE_MUST_EXIST));
  CHECK_STATUS(SESSION_E_NOT_FOUND, try_open(path, SESSION_STORE_READ_ONLY));
  CHECK(stat(path, &status) != 0);
  CHECK_OK(try_open(path, 0));
  CHECK_OK(try_open(path, SESSION_STORE_MUST_EXIST));
  folder_remove(folder);
}

static void path_is_a_file(void) {
  char *folder = folder_make();
  char path[4200];
  FILE *file;

  snprintf(path, sizeof path, "%s/file", folder);
  file = fopen(path, "w");
  CHECK(file != NULL && fputs("mine", file) >= 0 && fclose(file) == 0);
  CHECK_STATUS(SESSION_E_IO, try_open(path, 0));
  CHECK(session_last_error()->os_error != 0);
  CHECK_STATUS(SESSION_E_IO, try_open(path, SESSION_STORE_MUST_EXIST));
  file = fopen(path, "r");
  CHECK(file != NULL && fgetc(file) == 'm' && fclose(file) == 0); /* untouched */
  folder_remove(folder);
}

static size_t read_text(const char *path, char *text, size_t size) {
  FILE *file = fopen(path, "r");
  size_t length = 0;
  if (CHECK(file != NULL)) {
    length = fread(text, 1, size - 1, file);
    fclose(file);
  }
  text[length] = '\0';
  return length;
}

static void write_text(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* A store takes what has the names of its own folders for its own, so it is not made there. */
static void a_folder_of_other_things(void) {
  char *folder = folder_make();
  char path[4200];
  char text[16];

  snprintf(path, sizeof path, "%s/tmp", folder);
  CHECK(mkdir(path, 0700) == 0);
  snprintf(path, sizeof path, "%s/tmp/letter", folder);
  write_text(path, "mine");
  CHECK_STATUS(SESSION_E_EXISTS, try_open(folder, 0));
  CHECK_DETAILS("\"file\":\"tmp/letter\"");
  read_text(path, text, sizeof text);
  CHECK_STR("mine", text);
  CHECK(unlink(path) == 0);
  CHECK_OK(try_open(folder, 0));
  folder_remove(folder);
}

/* The superuser may write anywhere, so this says nothing there. */
static void path_is_not_writable(void) {
  char *folder = folder_make();
  char path[4200];

  snprintf(path, sizeof path, "%s/closed/store", folder);
  if (geteuid() == 0) {
    /* The kernel's own files cannot be written by anyone. */
    CHECK(try_open("/proc/self/sessions", 0) != SESSION_OK);
  } else {
    char parent[4200];
    snprintf(parent, sizeof parent, "%s/closed", folder);
    CHECK(mkdir(parent, 0500) == 0);
    CHECK_STATUS(SESSION_E_IO, try_open(path, 0));
  }
  folder_remove(folder);
}

static void expect_refusal(const char *path, const char *operation, const char *why, int number) {
  char text[9000];
  CHECK_STATUS(SESSION_E_IO, try_open(path, 0));
  snprintf(text, sizeof text, "%s failed on %s: %s (%d).", operation, path, why, number);
  CHECK_STR(text, session_last_error()->message);
  CHECK_INT(number, session_last_error()->os_error);
  snprintf(text, sizeof text, "{\"operation\":\"%s\",\"file\":\"\",\"path\":\"%s\"}", operation,
           path);
  CHECK_STR(text, session_last_error()->details_json);
}

/* What most people meet first: no permission, a file in the way, a place that there is not. As a
   user who may not write everywhere, in a process of its own, and so before all other calls. */
static void the_first_error_names_the_path(void) {
  char *folder = folder_make();
  char path[4200];
  int status = -1;
  pid_t child;

  fflush(stdout);
  child = fork();
  if (child == 0) {
    char expected[4400];
    snprintf(path, sizeof path, "%s/file", folder);
    CHECK(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0);
    expect_refusal(path, "open", strerror(ENOTDIR), ENOTDIR);
    snprintf(path, sizeof path, "%s/file/store", folder);
    expect_refusal(path, "mkdir", strerror(ENOTDIR), ENOTDIR);
    expect_refusal("/proc/nowhere/store", "mkdir", strerror(ENOENT), ENOENT);
    snprintf(path, sizeof path, "%s/absent", folder);
    CHECK_STATUS(SESSION_E_NOT_FOUND, try_open(path, SESSION_STORE_MUST_EXIST));
    snprintf(expected, sizeof expected, "There is no store at %s.", path);
    CHECK_STR(expected, session_last_error()->message);
    snprintf(path, sizeof path, "%s/closed/store", folder);
    snprintf(expected, sizeof expected, "%s/closed", folder);
    CHECK(mkdir(expected, 0) == 0);
    if (geteuid() != 0 || CHECK(setuid(65534) == 0)) {
      expect_refusal(path, "stat", strerror(EACCES), EACCES);
    }
    exit(check_failed_ == 0 ? 0 : 1);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(chmod(folder, 0700) == 0);
  folder_remove(folder);
}

static void newer_format(void) {
  static const char newer[] =
      "{\"format\":\"sessions\",\"format_version\":9,\"store_id\":\"st_1\",\"created_at\":1}\n";
  char *folder = folder_make();
  char path[4200];
  char mine[4096];
  char after[4096];

  CHECK_OK(try_open(folder, 0));
  snprintf(path, sizeof path, "%s/store.json", folder);
  read_text(path, mine, sizeof mine);
  write_text(path, newer);
  CHECK_STATUS(SESSION_E_VERSION, try_open(folder, 0));
  CHECK_DETAILS("{\"what\":\"store\",\"format_version\":9,\"supported\":1}");
  CHECK_STATUS(SESSION_E_VERSION, try_open(folder, SESSION_STORE_READ_ONLY));
  CHECK_STATUS(SESSION_E_VERSION, try_open(folder, SESSION_STORE_MUST_EXIST));
  read_text(path, after, sizeof after);
  CHECK_STR(newer, after); /* untouched */
  write_text(path, mine);
  CHECK_OK(try_open(folder, 0));
  folder_remove(folder);
}

static void read_only(void) {
  char *folder = folder_make();
  char id[160];
  char *json = NULL;
  session_store_t *store = NULL;
  session_t *session = NULL;
  session_t *made = NULL;
  uint32_t count = 7;

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  id_of(session, id, sizeof id);
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));

  store = open_with(folder, SESSION_STORE_READ_ONLY);
  NEED(session_open(store, id, &session));
  CHECK_INFO(session, "\"title\":\"New Session\"");
  CHECK_OK(session_store_get_info(store, &json, NULL));
  CHECK_HAS(json, "\"read_only\":true");
  session_string_free(json);
  CHECK_STATUS(SESSION_E_READ_ONLY, session_update_title(session, "x"));
  CHECK_STATUS(SESSION_E_READ_ONLY, append_text(session, "t", "{}", NULL));
  CHECK_STATUS(SESSION_E_READ_ONLY, session_create(store, NULL, NULL, &made));
  CHECK(made == NULL);
  CHECK_STATUS(SESSION_E_READ_ONLY, session_delete(session, SESSION_DELETE_CASCADE));
  CHECK_STATUS(SESSION_E_READ_ONLY, session_store_configure(store, NULL, "{\"strict_lock\":true}"));
  CHECK_STATUS(SESSION_E_READ_ONLY, session_store_purge(store, 1, &count));
  CHECK_INT(0, count);
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  folder_remove(folder);
}

static void two_opens_of_one_path_are_two_stores(void) {
  char *folder = folder_make();
  char id[160];
  session_store_t *first = NULL;
  session_store_t *second = NULL;
  session_t *here = NULL;
  session_t *there = NULL;

  NEED(session_store_open(folder, NULL, &first));
  NEED(session_store_open(folder, NULL, &second));
  CHECK(first != second);
  NEED(session_create(first, NULL, NULL, &here));
  id_of(here, id, sizeof id);
  NEED(session_open(second, id, &there)); /* at once, without a flush */
  CHECK_OK(session_update_title(there, "from the other"));
  CHECK_INFO(here, "\"title\":\"from the other\"");
  CHECK_OK(session_store_close(first));
  CHECK_STATUS(SESSION_E_CLOSED, session_update_title(here, "x"));
  CHECK_OK(session_update_title(there, "the second goes on"));
  CHECK_OK(session_destroy(here));
  CHECK_OK(session_destroy(there));
  CHECK_OK(session_store_close(second));
  folder_remove(folder);
}

static void configure(void) {
  char *folder = folder_make();
  char *json = NULL;
  session_store_t *store = NULL;
  session_store_t *other = NULL;

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_store_open(folder, NULL, &other));
  CHECK_OK(session_store_configure(store, NULL, "{\"strict_lock\":true}"));
  CHECK_OK(session_store_get_info(other, &json, NULL));
  CHECK_HAS(json, "\"strict_lock\":true");
  session_string_free(json);
  json = NULL;
  CHECK_OK(session_store_configure(other, NULL, "{\"strict_lock\":null}"));
  CHECK_OK(session_store_get_info(store, &json, NULL));
  CHECK_HAS(json, "\"strict_lock\":false"); /* null goes back to the default */
  session_string_free(json);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_configure(store, NULL, "[]"));
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_store_configure(store, NULL, "{"));
  CHECK_OK(session_store_close(store));
  CHECK_OK(session_store_close(other));
  folder_remove(folder);
}

static void relaxed_store_and_flush(void) {
  char *folder = folder_make();
  char id[160];
  int i;
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  session_store_t *store = NULL;
  session_store_t *other = NULL;
  session_t *session = NULL;
  session_t *seen = NULL;

  options.durability = SESSION_DURABILITY_RELAXED;
  options.client_type = "test";
  options.busy_timeout_ms = 10000;
  NEED(session_store_open(folder, &options, &store));
  NEED(session_create(store, NULL, NULL, &session));
  id_of(session, id, sizeof id);
  for (i = 0; i < 50; ++i) {
    CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  }
  CHECK_OK(session_store_flush(store));
  CHECK_OK(session_store_flush(store)); /* nothing to do */
  NEED(session_store_open(folder, NULL, &other));
  NEED(session_open(other, id, &seen));
  CHECK_INFO(seen, "\"message_count\":50");
  CHECK_OK(session_destroy(seen));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(other));
  CHECK_OK(session_store_close(store));
  folder_remove(folder);
}

static void verify(void) {
  char *folder = folder_make();
  char *json = NULL;
  size_t length = 0;
  session_store_t *store = NULL;
  session_t *session = NULL;

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  CHECK_OK(session_store_verify(store, &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  CHECK_HAS(json, "\"ok\":true");
  CHECK_HAS(json, "\"deep\":true");
  CHECK_INT(1, json_number(json, "sessions_checked"));
  CHECK_INT(1, json_number(json, "events_checked"));
  CHECK_HAS(json, "\"issues\":[");
  session_string_free(json);
  json = NULL;
  CHECK_OK(session_store_verify_ex(store, SESSION_VERIFY_QUICK, &json, &length));
  CHECK_HAS(json, "\"ok\":true");
  CHECK_HAS(json, "\"deep\":false");
  session_string_free(json);
  json = NULL;
  CHECK_OK(session_store_verify_ex(store, 0, &json, NULL));
  CHECK_HAS(json, "\"deep\":true");
  session_string_free(json);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_verify_ex(store, 2, &json, &length));
  CHECK_DETAILS("\"unknown_bits\":2");
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  folder_remove(folder);
}

static void purge(void) {
  char *folder = folder_make();
  char id[160];
  uint32_t count = 7;
  session_store_t *store = NULL;
  session_t *session = NULL;
  session_t *kept = NULL;

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  NEED(session_create(store, NULL, NULL, &kept));
  id_of(session, id, sizeof id);
  CHECK_OK(session_delete(session, SESSION_DELETE_CASCADE));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_purge(store, 0, &count)); /* 30 days have not gone by */
  CHECK_INT(0, count);
  CHECK_STATUS(SESSION_E_DELETED, session_open(store, id, &session));
  CHECK_OK(session_store_purge(store, INT64_C(9007199254740991), NULL));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_open(store, id, &session));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_restore(store, id));
  CHECK_OK(session_update_title(kept, "untouched"));
  CHECK_OK(session_store_purge(store, INT64_C(9007199254740991), &count));
  CHECK_INT(0, count);
  CHECK_OK(session_destroy(kept));
  CHECK_OK(session_store_close(store));
  folder_remove(folder);
}

static void salvage(void) {
  char *folder = folder_make();
  char path[4200];
  char id[160];
  char *json = NULL;
  size_t length = 7;
  session_store_t *store = NULL;
  session_t *session = NULL;

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  id_of(session, id, sizeof id);
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  CHECK_STATUS(SESSION_E_BUSY, session_store_salvage(folder, NULL, &json, &length));
  CHECK(json == NULL && length == 0);
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));

  /* Of a healthy store nothing is lost. */
  CHECK_OK(session_store_salvage(folder, "{}", &json, &length));
  CHECK(json != NULL && json[0] == '{' && strlen(json) == length);
  session_string_free(json);
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &session));
  CHECK_INFO(session, "\"last_seq\":1");
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));

  snprintf(path, sizeof path, "%s/absent", folder);
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_store_salvage(path, NULL, &json, &length));
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_store_salvage(folder, "{", &json, &length));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_salvage(folder, "[]", &json, &length));
  folder_remove(folder);
}

static int open_to_others;

static int look_at_mode(const char *path, const struct stat *status, int kind, struct FTW *place) {
  mode_t expected = kind == FTW_D ? 0700 : 0600;
  if (place->level > 0 && (status->st_mode & 0777) != expected) {
    printf("    %s has mode %o\n", path, (unsigned)(status->st_mode & 0777));
    ++open_to_others;
  }
  return 0;
}

static void files_are_private(void) {
  char *folder = folder_make();
  session_store_t *store = NULL;
  session_t *session = NULL;
  mode_t before = umask(0); /* the library does not lean on the mask */

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  CHECK_OK(session_destroy(session));
  CHECK(nftw(folder, look_at_mode, 16, FTW_PHYS) == 0);
  CHECK_OK(session_store_close(store));
  CHECK(nftw(folder, look_at_mode, 16, FTW_PHYS) == 0);
  CHECK_INT(0, open_to_others);
  umask(before);
  folder_remove(folder);
}

int main(void) {
  unsetenv("SESSIONS_HOME");
  RUN(the_first_error_names_the_path);
  RUN(open_close_and_open_again);
  RUN(default_path_is_sessions_home);
  RUN(default_path_follows_xdg);
  RUN(info);
  RUN(must_exist);
  RUN(path_is_a_file);
  RUN(a_folder_of_other_things);
  RUN(path_is_not_writable);
  RUN(newer_format);
  RUN(read_only);
  RUN(two_opens_of_one_path_are_two_stores);
  RUN(configure);
  RUN(relaxed_store_and_flush);
  RUN(verify);
  RUN(purge);
  RUN(salvage);
  RUN(files_are_private);
  return check_done("store");
}
