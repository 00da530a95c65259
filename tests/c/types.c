/* sessions/types.h: version, features, names, errors, option structs, self-description, notes. */
#include "check.h"

static void version(void) {
  CHECK_STR(SESSION_VERSION_STRING, session_version());
  CHECK_INT(SESSION_ABI_VERSION, session_abi_version());
  CHECK(session_version() == session_version()); /* static memory, the same each time */
}

static void features(void) {
  CHECK_INT(0, session_supports(NULL));
  CHECK_INT(0, session_supports(""));
  CHECK_INT(0, session_supports("no such feature"));
}

/* The first feature that the library names must be one that it supports. */
static void features_are_those_of_abi_json(void) {
  char *json = NULL;
  const char *list;
  char name[128];
  NEED(session_abi_json(&json, NULL));
  list = json_after(json, "features");
  CHECK(list != NULL);
  for (list = list == NULL ? "" : strchr(list, '"'); list != NULL && *list == '"';
       list += list[1] == ',' ? 2 : 1) {
    const char *end = strchr(list + 1, '"');
    snprintf(name, sizeof name, "%.*s", (int)(end - list - 1), list + 1);
    CHECK_INT(1, session_supports(name));
    list = end;
    if (list[1] != ',') break;
  }
  session_string_free(json);
}

static void status_names(void) {
  CHECK_STR("SESSION_OK", session_status_name(SESSION_OK));
  CHECK_STR("SESSION_E_INTERNAL", session_status_name(SESSION_E_INTERNAL));
  CHECK_STR("SESSION_E_INVALID_UTF8", session_status_name(SESSION_E_INVALID_UTF8));
  CHECK_STR("SESSION_E_NOT_FOUND", session_status_name(SESSION_E_NOT_FOUND));
  CHECK_STR("SESSION_E_WAITING_PERMISSION", session_status_name(SESSION_E_WAITING_PERMISSION));
  CHECK_STR("SESSION_E_NOT_LOCAL", session_status_name(SESSION_E_NOT_LOCAL));
  CHECK_STR("unknown", session_status_name(1));
  CHECK_STR("unknown", session_status_name(-12));
  CHECK_STR("unknown", session_status_name(INT32_MIN));
  CHECK_STR("unknown", session_status_name(INT32_MAX));
}

/* Runs first, before anything failed on this thread. */
static void last_error_before_any_failure(void) {
  const session_error_t *error = session_last_error();
  CHECK(error != NULL);
  CHECK_INT(SESSION_OK, error->status);
  CHECK_INT(sizeof(session_error_t), error->size);
  CHECK_INT(0, error->os_error);
  CHECK_INT(0, error->reserved);
  CHECK(error->message != NULL);
  CHECK_STR("{}", error->details_json);
  CHECK_INT(-1, error->offset);
}

static void fail_with_invalid_handle(void) {
  char *json = NULL;
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_get_info(NULL, &json, NULL));
}

static void last_error_is_rewritten_by_failures_only(void) {
  char *json = NULL;
  session_t *session = NULL;
  session_store_t *store = NULL;
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  char *folder = folder_make();

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));

  fail_with_invalid_handle();
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_last_error()->status);
  CHECK(session_last_error()->message[0] != '\0');

  /* Success, time-out, free and destroy (of anything) leave it alone. */
  CHECK_OK(session_get_info(session, &json, NULL));
  session_string_free(json);
  CHECK_STATUS(SESSION_E_TIMEOUT, session_wait_abort(session, 0));
  CHECK_OK(session_destroy(NULL));
  CHECK_OK(session_destroy(session));
  CHECK_STATUS(SESSION_E_INVALID_HANDLE, session_destroy(session));
  session_string_free(NULL);
  CHECK_INT(SESSION_E_INVALID_HANDLE, session_last_error()->status);

  options.flags = 0x80u;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_open(folder, &options, &store));
  CHECK(store == NULL); /* outs are NULL on failure, whatever they held */
  CHECK_INT(SESSION_E_INVALID_ARGUMENT, session_last_error()->status);
  CHECK_DETAILS("\"unknown_bits\":128");
  CHECK_OK(session_shutdown(10000)); /* the store's handle was given up above */
  folder_remove(folder);
}

static void options_init(void) {
  session_list_options_t options;
  unsigned char small[3] = {7, 7, 7};
  unsigned char word[8] = {7, 7, 7, 7, 7, 7, 7, 7};
  session_list_options_t initialized = SESSION_INIT(session_list_options_t);
  uint32_t size;

  memset(&options, 0xAA, sizeof options);
  session_options_init(&options, (uint32_t)sizeof options);
  CHECK(memcmp(&options, &initialized, sizeof options) == 0);
  CHECK_INT(sizeof options, options.size);
  CHECK(options.cursor == NULL);

  session_options_init(NULL, 64);
  session_options_init(small, 3);
  CHECK(small[0] == 7 && small[1] == 7 && small[2] == 7);
  session_options_init(word, 4);
  memcpy(&size, word, sizeof size);
  CHECK_INT(4, size);
  CHECK(word[4] == 7);
}

static void abi_json(void) {
  char *json = NULL;
  size_t length = 0;
  NEED(session_abi_json(&json, &length));
  CHECK_INT(strlen(json), length);
  CHECK(json[0] == '{' && json[length - 1] == '}');
  CHECK(json_after(json, "functions") != NULL);
  CHECK(json_after(json, "structs") != NULL);
  CHECK(json_after(json, "constants") != NULL);
  CHECK(json_after(json, "features") != NULL);
  CHECK(json_after(json, "limits") != NULL);
  CHECK_HAS(json, "session_store_verify_ex");
  CHECK_HAS(json, "session_list_options_t");
  CHECK_HAS(json, "SESSION_E_NOT_LOCAL");
  session_string_free(json);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_abi_json(NULL, &length));
  CHECK_INT(0, length);
}

static void log_read(void) {
  char *json = NULL;
  size_t length = 0;
  int64_t next;
  NEED(session_log_read(0, 0, &json, &length));
  CHECK_INT(strlen(json), length);
  CHECK_HAS(json, "{\"notes\":[");
  next = json_number(json, "next_after");
  CHECK(next >= 0);
  session_string_free(json);
  json = NULL;
  NEED(session_log_read((uint64_t)next, 0, &json, NULL));
  CHECK_HAS(json, "{\"notes\":[],");
  session_string_free(json);
  json = NULL;
  NEED(session_log_read(0, 1, &json, NULL));
  CHECK(text_count(json, "\"n\":") <= 1);
  session_string_free(json);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_log_read(0, 0, NULL, NULL));
}

static void shutdown_and_open_again(void) {
  session_store_t *store = NULL;
  session_t *session = NULL;
  char *folder = folder_make();
  char id[160];
  char *json = NULL;

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_create(store, NULL, NULL, &session));
  id_of(session, id, sizeof id);
  CHECK_OK(session_shutdown(10000));
  CHECK_OK(session_shutdown(0)); /* nothing left to close */
  CHECK_STATUS(SESSION_E_CLOSED, session_get_info(session, &json, NULL));
  CHECK_OK(session_destroy(session));

  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &session));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  folder_remove(folder);
}

int main(void) {
  RUN(last_error_before_any_failure);
  RUN(version);
  RUN(features);
  RUN(features_are_those_of_abi_json);
  RUN(status_names);
  RUN(last_error_is_rewritten_by_failures_only);
  RUN(options_init);
  RUN(abi_json);
  RUN(log_read);
  RUN(shutdown_and_open_again);
  return check_done("types");
}
