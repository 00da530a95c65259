/* plue_session.h: the whole contract of the drop-in. Only the checks need sessions.h as well. */
#include "check.h"

#include <plue_session.h>
#include <sys/wait.h>

static char *folder;

static int init_in(const char *path, const char *more) {
  char config[4400];
  snprintf(config, sizeof config, "{\"data_dir\":\"%s\"%s}", path, more);
  return plue_init(config);
}

static void begin(void) {
  folder = folder_make();
  CHECK_INT(0, init_in(folder, ""));
}

static void end(void) {
  plue_shutdown();
  folder_remove(folder);
}

static void plue_id_of(void *session, char *buffer, size_t size) {
  char *info = plue_session_get_info(session);
  CHECK(info != NULL);
  json_string(info, "id", buffer, size);
  plue_free_string(info);
}

#define CHECK_PLUE_INFO(session, part) \
  do { \
    char *info_ = plue_session_get_info(session); \
    CHECK_HAS(info_, part); \
    plue_free_string(info_); \
  } while (0)

static void the_prototypes_are_exact(void) {
  void *(*create)(const char *) = plue_session_create;
  char *(*get_info)(void *) = plue_session_get_info;
  char *(*list)(void) = plue_session_list;
  int (*update_title)(void *, const char *) = plue_session_update_title;
  int (*delete_session)(void *) = plue_session_delete;
  int (*abort_session)(void *) = plue_session_abort;
  char *(*create_share)(void *) = plue_session_create_share;
  void (*destroy)(void *) = plue_session_destroy;
  int (*init)(const char *) = plue_init;
  void (*shut_down)(void) = plue_shutdown;
  void (*free_string)(char *) = plue_free_string;
  const char *(*get_last_error)(void) = plue_get_last_error;
  plue_session_t typed = NULL;
  CHECK(create && get_info && list && update_title && delete_session && abort_session);
  CHECK(create_share && destroy && init && shut_down && free_string && get_last_error);
  CHECK(typed == NULL);
}

static void last_error_before_any_failure(void) { CHECK_STR("", plue_get_last_error()); }

static void the_life_of_a_session(void) {
  void *session;
  void *child;
  void *other;
  char id[160];
  char text[256];
  char *list;

  begin();
  list = plue_session_list();
  CHECK_STR("[]", list);
  plue_free_string(list);
  session = plue_session_create(NULL);
  CHECK(session != NULL);
  other = plue_session_create(""); /* "" means none, as NULL does */
  CHECK(other != NULL);
  CHECK_PLUE_INFO(other, "\"parent_id\":null");
  plue_id_of(session, id, sizeof id);
  child = plue_session_create(id);
  CHECK(child != NULL);
  snprintf(text, sizeof text, "\"parent_id\":\"%s\"", id);
  CHECK_PLUE_INFO(child, text);

  CHECK_INT(0, plue_session_update_title(session, "Fix the cart \xF0\x9F\x9B\x92"));
  CHECK_PLUE_INFO(session, "\"title\":\"Fix the cart");
  CHECK_INT(0, plue_session_abort(session));
  CHECK_PLUE_INFO(session, "\"is_aborted\":true");
  list = plue_session_list();
  CHECK_INT(3, text_count(list, "\"id\":"));
  CHECK_HAS(list, id);
  plue_free_string(list);

  plue_session_destroy(session);
  plue_session_destroy(child);
  plue_session_destroy(other);
  list = plue_session_list(); /* destroy only lets go */
  CHECK_INT(3, text_count(list, "\"id\":"));
  plue_free_string(list);
  end();
}

static void delete_use_and_destroy(void) {
  void *session;
  void *child;
  char id[160];
  char *list;

  begin();
  session = plue_session_create(NULL);
  plue_id_of(session, id, sizeof id);
  child = plue_session_create(id);
  CHECK_INT(0, plue_session_delete(session));
  CHECK(plue_session_get_info(session) == NULL);
  CHECK(plue_get_last_error()[0] != '\0');
  CHECK_INT(-1, plue_session_update_title(session, "x"));
  CHECK_INT(-1, plue_session_abort(session));
  CHECK_INT(-1, plue_session_delete(session));
  CHECK(plue_session_create_share(session) == NULL);
  CHECK(plue_session_get_info(child) == NULL); /* its descendants went too */
  CHECK(plue_session_create(id) == NULL);
  plue_session_destroy(session);
  plue_session_destroy(child);
  list = plue_session_list();
  CHECK_STR("[]", list);
  plue_free_string(list);

  /* After the destroy, and after another one. */
  CHECK(plue_session_get_info(session) == NULL);
  CHECK_INT(-1, plue_session_delete(session));
  plue_session_destroy(session);
  end();
}

static void bad_handles(void) {
  int local = 0;
  void *handles[6];
  size_t i;

  begin();
  handles[0] = NULL;
  handles[1] = &local;
  handles[2] = (void *)1;
  handles[3] = (void *)UINTPTR_MAX;
  handles[4] = (void *)"text";
  handles[5] = plue_session_create(NULL);
  plue_session_destroy(handles[5]);
  for (i = 0; i < sizeof handles / sizeof handles[0]; ++i) {
    CHECK(plue_session_get_info(handles[i]) == NULL);
    CHECK_INT(-1, plue_session_update_title(handles[i], "x"));
    CHECK_INT(-1, plue_session_delete(handles[i]));
    CHECK_INT(-1, plue_session_abort(handles[i]));
    CHECK(plue_session_create_share(handles[i]) == NULL);
    CHECK(plue_get_last_error()[0] != '\0');
    plue_session_destroy(handles[i]);
  }
  plue_free_string(NULL);
  end();
}

/* A handle of one interface is none of the other. */
static void handles_of_the_other_interface(void) {
  session_store_t *store = NULL;
  session_t *theirs = NULL;
  void *ours;
  char *json = NULL;
  char *second;

  begin();
  ours = plue_session_create(NULL);
  second = folder_make();
  CHECK_OK(session_store_open(second, NULL, &store));
  CHECK_OK(session_create(store, NULL, NULL, &theirs));
  CHECK(plue_session_get_info(theirs) == NULL);
  CHECK(plue_session_get_info(store) == NULL);
  CHECK_INT(-1, plue_session_delete(theirs));
  plue_session_destroy(theirs);
  CHECK_OK(session_update_title(theirs, "unhurt"));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_get_info((session_t *)ours, &json, NULL));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_destroy((session_t *)ours));
  CHECK_INT(0, plue_session_update_title(ours, "unhurt"));
  CHECK_OK(session_destroy(theirs));
  CHECK_OK(session_store_close(store));
  folder_remove(second);
  plue_session_destroy(ours);
  end();
}

static void bad_arguments(void) {
  void *session;
  char *too_long = text_of('x', 16385);

  begin();
  session = plue_session_create(NULL);
  CHECK(plue_session_create("session_1") == NULL);
  CHECK(plue_get_last_error()[0] != '\0');
  CHECK(plue_session_create("../x") == NULL);
  CHECK(plue_session_create("\xFF") == NULL);
  CHECK_INT(-1, plue_session_update_title(session, NULL));
  CHECK_INT(-1, plue_session_update_title(session, too_long));
  CHECK_INT(-1, plue_session_update_title(session, "\xFF"));
  CHECK_INT(0, plue_session_update_title(session, ""));
  CHECK_PLUE_INFO(session, "\"title\":\"New Session\"");
  free(too_long);
  plue_session_destroy(session);
  end();
}

static void share(void) {
  void *session;
  char *first;
  char *second;
  char *info;
  char *list;
  char url[256];
  char secret[128];
  char text[512];

  begin();
  session = plue_session_create(NULL);
  CHECK_PLUE_INFO(session, "\"share_info\":null");
  first = plue_session_create_share(session);
  CHECK(first != NULL);
  json_string(first, "url", url, sizeof url);
  json_string(first, "secret", secret, sizeof secret);
  CHECK_INT(43, strlen(secret));
  snprintf(text, sizeof text, "https://plue.app/share/%s", secret);
  CHECK_STR(text, url);
  second = plue_session_create_share(session);
  CHECK_HAS(second, secret); /* the same link again */
  plue_free_string(first);
  plue_free_string(second);

  info = plue_session_get_info(session);
  CHECK(json_after(info, "share_info") != NULL && *json_after(info, "share_info") == '{');
  snprintf(text, sizeof text, "\"url\":\"%s\"", url);
  CHECK_HAS(json_after(info, "share_info"), text);
  snprintf(text, sizeof text, "\"secret\":\"%s\"", secret);
  CHECK_HAS(json_after(info, "share_info"), text);
  CHECK_HAS(info, "\"metadata\":{},\"facts\":{}}"); /* and it is still whole */
  plue_free_string(info);
  list = plue_session_list();
  CHECK_LACKS(list, secret);
  plue_free_string(list);
  plue_session_destroy(session);
  end();
}

static void init_twice(void) {
  char other[4200];

  begin();
  CHECK_INT(0, init_in(folder, ""));
  snprintf(other, sizeof other, "%s/.", folder);
  CHECK_INT(0, init_in(other, "")); /* the same folder by another name */
  snprintf(other, sizeof other, "%s/other", folder);
  CHECK_INT(-1, init_in(other, ""));
  CHECK(plue_get_last_error()[0] != '\0');
  CHECK(access(other, F_OK) != 0); /* nothing was made there */
  plue_shutdown();
  CHECK_INT(0, init_in(other, "")); /* after a shutdown it may be another one */
  end();
}

static void init_refuses(void) {
  char path[4200];
  FILE *file;
  folder = folder_make();
  CHECK_INT(-1, plue_init("{"));
  CHECK_INT(-1, plue_init("[]"));
  CHECK_INT(-1, plue_init("{\"data_dir\":7}"));
  CHECK_INT(-1, plue_init("{\"data_dir\":\"/tmp\xFF\"}"));
  snprintf(path, sizeof path, "%s/file", folder);
  file = fopen(path, "w");
  CHECK(file != NULL && fclose(file) == 0);
  CHECK_INT(-1, init_in(path, ""));
  CHECK_INT(-1, init_in(folder, ",\"trash\":\"yes\""));
  CHECK_INT(0, init_in(folder, ",\"trash\":true,\"unknown\":1")); /* newer hosts may say more */
  end();
}

static void shutdown_then_calls_reopen(void) {
  void *session;
  void *again;
  char id[160];
  char *list;

  begin();
  session = plue_session_create(NULL);
  plue_id_of(session, id, sizeof id);
  plue_shutdown();
  plue_shutdown(); /* nothing to close */
  list = plue_session_list(); /* reopens, in the same folder */
  CHECK_HAS(list, id);
  plue_free_string(list);
  again = plue_session_create(id);
  CHECK(again != NULL);
  plue_session_destroy(again);
  CHECK_INT(0, init_in(folder, ""));
  CHECK_INT(0, plue_session_update_title(session, "from before")); /* it is found again */
  CHECK_PLUE_INFO(session, "\"title\":\"from before\"");
  plue_shutdown();
  plue_session_destroy(session); /* harmless while nothing is open */
  end();
}

static int deleted_in_trash(const char *path) {
  session_list_options_t options = SESSION_INIT(session_list_options_t);
  session_store_t *store = NULL;
  char *json = NULL;
  int count = -1;
  options.flags = SESSION_LIST_TRASH;
  if (CHECK_OK(session_store_open(path, NULL, &store))) {
    CHECK_OK(session_list(store, &options, &json, NULL, NULL));
    count = text_count(json, "\"id\":");
    session_string_free(json);
    CHECK_OK(session_store_close(store));
  }
  return count;
}

static void trash_or_not(void) {
  void *session;

  begin(); /* with trash, by default */
  session = plue_session_create(NULL);
  CHECK_INT(0, plue_session_delete(session));
  plue_session_destroy(session);
  plue_shutdown();
  CHECK_INT(1, deleted_in_trash(folder));

  CHECK_INT(0, init_in(folder, ",\"trash\":false"));
  session = plue_session_create(NULL);
  CHECK_INT(0, plue_session_delete(session));
  plue_session_destroy(session);
  plue_shutdown();
  CHECK_INT(1, deleted_in_trash(folder)); /* the one from before */
  folder_remove(folder);
}

/* In a forked child every call fails, and the parent goes on. */
static void after_fork(void) {
  void *session;
  pid_t child;
  int status = -1;

  begin();
  session = plue_session_create(NULL);
  CHECK(session != NULL);
  fflush(stdout);
  child = fork();
  if (child == 0) {
    CHECK(plue_session_create(NULL) == NULL);
    CHECK(plue_session_list() == NULL);
    CHECK(plue_session_get_info(session) == NULL);
    CHECK_INT(-1, plue_session_update_title(session, "child"));
    CHECK_INT(-1, plue_session_delete(session));
    CHECK_INT(-1, plue_session_abort(session));
    CHECK(plue_session_create_share(session) == NULL);
    CHECK_INT(-1, plue_init(NULL));
    CHECK(plue_get_last_error()[0] != '\0');
    plue_session_destroy(session);
    plue_shutdown();
    plue_free_string(NULL);
    fflush(stdout);
    _exit(check_failed_ == 0 ? 0 : 1);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK_INT(0, plue_session_update_title(session, "parent"));
  CHECK_PLUE_INFO(session, "\"title\":\"parent\"");
  plue_session_destroy(session);
  end();
}

/* Last, as it changes what "without plue_init" means for this process. */
static void without_init(void) {
  void *session;
  char path[4200];
  char *list;

  folder = folder_make();
  snprintf(path, sizeof path, "%s/home", folder);
  setenv("SESSIONS_HOME", path, 1);
  CHECK_INT(0, plue_init(NULL));
  plue_shutdown();
  session = plue_session_create(NULL);
  CHECK(session != NULL);
  CHECK(access(path, F_OK) == 0);
  list = plue_session_list();
  CHECK_INT(1, text_count(list, "\"id\":"));
  plue_free_string(list);
  plue_session_destroy(session);
  plue_shutdown();
  unsetenv("SESSIONS_HOME");
  folder_remove(folder);
}

int main(void) {
  RUN(last_error_before_any_failure);
  RUN(the_prototypes_are_exact);
  RUN(the_life_of_a_session);
  RUN(delete_use_and_destroy);
  RUN(bad_handles);
  RUN(handles_of_the_other_interface);
  RUN(bad_arguments);
  RUN(share);
  RUN(init_twice);
  RUN(init_refuses);
  RUN(shutdown_then_calls_reopen);
  RUN(trash_or_not);
  RUN(after_fork);
  RUN(without_init);
  return check_done("plue");
}
