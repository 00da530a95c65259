/* What most programs need: one store in a folder of its own, and short forms of common calls. */
#ifndef ONE_STORE_H
#define ONE_STORE_H

#include "check.h"

static char *folder;
static session_store_t *store;

static inline void start(void) {
  folder = folder_make();
  CHECK_OK(session_store_open(folder, NULL, &store));
}

static inline void stop(void) {
  CHECK_OK(session_store_close(store));
  folder_remove(folder);
}

static inline session_t *create(const char *parent_id, const char *title) {
  session_create_options_t options = SESSION_INIT(session_create_options_t);
  session_t *session = NULL;
  options.title = title;
  CHECK_OK(session_create(store, parent_id, &options, &session));
  return session;
}

static inline session_status_t open_status(const char *id) {
  session_t *session = NULL;
  session_status_t status = session_open(store, id, &session);
  CHECK((status == SESSION_OK) == (session != NULL));
  CHECK_OK(session_destroy(session));
  return status;
}

static inline char *list_with(const session_list_options_t *options, char **cursor) {
  char *json = NULL;
  size_t length = 0;
  CHECK_OK(session_list(store, options, &json, &length, cursor));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  return json;
}

static inline void expect_list(const session_list_options_t *options, const char *expected) {
  char *json = list_with(options, NULL);
  CHECK_STR(expected, json);
  session_string_free(json);
}

#endif
