/* sessions/session.h: session_delete and its policies, the trash, session_restore. */
#include "one_store.h"

static void delete_cascade_and_restore(void) {
  session_list_options_t trash = SESSION_INIT(session_list_options_t);
  session_t *parent;
  session_t *child;
  session_t *other_view = NULL;
  session_t *bystander;
  char id_parent[160];
  char id_child[160];
  char id_grandchild[160];
  char *json = NULL;
  char deletion[64];
  char expected[256];

  start();
  parent = create(NULL, "parent");
  id_of(parent, id_parent, sizeof id_parent);
  child = create(id_parent, "child");
  id_of(child, id_child, sizeof id_child);
  bystander = create(id_child, "grandchild");
  id_of(bystander, id_grandchild, sizeof id_grandchild);
  CHECK_OK(session_destroy(bystander));
  bystander = create(NULL, "bystander");
  CHECK_OK(append_text(child, "user_prompt", "{\"text\":\"kept\"}", NULL));
  NEED(session_open(store, id_parent, &other_view));

  CHECK_OK(session_delete(parent, SESSION_DELETE_CASCADE));
  CHECK_STATUS(SESSION_E_DELETED, session_delete(parent, SESSION_DELETE_CASCADE));
  CHECK_STATUS(SESSION_E_DELETED, session_delete(other_view, SESSION_DELETE_CASCADE));
  CHECK_STATUS(SESSION_E_DELETED, session_get_info(other_view, &json, NULL));
  CHECK_STATUS(SESSION_E_DELETED, session_update_title(child, "x"));
  CHECK_STATUS(SESSION_E_DELETED, append_text(child, "t", "{}", NULL));
  CHECK_STATUS(SESSION_E_DELETED, session_read_events(child, 0, 0, &json, NULL));
  CHECK_STATUS(SESSION_E_DELETED, session_wait_abort(child, SESSION_WAIT_FOREVER));
  CHECK_STATUS(SESSION_E_DELETED, open_status(id_parent));
  CHECK_STATUS(SESSION_E_DELETED, open_status(id_child));
  CHECK_STATUS(SESSION_E_DELETED, open_status(id_grandchild));
  CHECK_STATUS(SESSION_E_DELETED, session_create(store, id_parent, NULL, &other_view));
  json = list_with(NULL, NULL);
  CHECK_INT(1, text_count(json, "\"id\":"));
  session_string_free(json);

  trash.flags = SESSION_LIST_TRASH;
  json = list_with(&trash, NULL);
  CHECK_INT(3, text_count(json, "\"id\":"));
  CHECK_INT(3, text_count(json, "\"deleted_at\":"));
  json_string(json, "deletion_id", deletion, sizeof deletion);
  CHECK(deletion[0] != '\0');
  snprintf(expected, sizeof expected, "\"deletion_id\":\"%s\"", deletion);
  CHECK_INT(3, text_count(json, expected)); /* one delete, one id */
  session_string_free(json);

  /* Any of them brings back all of them, with what they held. */
  CHECK_OK(session_restore(store, id_grandchild));
  CHECK_OK(session_restore(store, id_grandchild)); /* alive already: nothing to do */
  CHECK_OK(open_status(id_parent));
  CHECK_OK(open_status(id_grandchild));
  CHECK_OK(session_destroy(child));
  NEED(session_open(store, id_child, &child));
  CHECK_OK(session_read_events(child, 0, 0, &json, NULL));
  CHECK_HAS(json, "\"data\":{\"text\":\"kept\"}");
  session_string_free(json);
  snprintf(expected, sizeof expected, "\"parent_id\":\"%s\"", id_parent);
  CHECK_INFO(child, expected);
  expect_list(&trash, "[]");
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_restore(store, "session_1"));

  CHECK_OK(session_destroy(parent));
  CHECK_OK(session_destroy(child));
  CHECK_OK(session_destroy(bystander));
  stop();
}

static void delete_orphan(void) {
  session_t *parent;
  session_t *child;
  char id[160];

  start();
  parent = create(NULL, NULL);
  id_of(parent, id, sizeof id);
  child = create(id, "child");
  CHECK_OK(session_delete(parent, SESSION_DELETE_ORPHAN));
  CHECK_INFO(child, "\"parent_id\":null");
  CHECK_OK(session_update_title(child, "alone"));
  CHECK_STATUS(SESSION_E_DELETED, open_status(id));
  CHECK_OK(session_destroy(parent));
  CHECK_OK(session_destroy(child));
  stop();
}

static void delete_refuse(void) {
  session_t *parent;
  session_t *child;
  char id[160];

  start();
  parent = create(NULL, NULL);
  id_of(parent, id, sizeof id);
  child = create(id, NULL);
  CHECK_STATUS(SESSION_E_HAS_CHILDREN, session_delete(parent, SESSION_DELETE_REFUSE));
  CHECK_DETAILS("{\"children\":1}");
  CHECK_OK(session_update_title(parent, "still here"));
  CHECK_OK(session_delete(child, SESSION_DELETE_REFUSE));
  CHECK_OK(session_delete(parent, SESSION_DELETE_REFUSE)); /* children in the trash are none */
  CHECK_OK(session_destroy(parent));
  CHECK_OK(session_destroy(child));
  stop();
}

static void delete_for_good(void) {
  session_list_options_t trash = SESSION_INIT(session_list_options_t);
  session_t *parent;
  session_t *child;
  char id[160];
  char id_child[160];

  start();
  parent = create(NULL, NULL);
  id_of(parent, id, sizeof id);
  child = create(id, NULL);
  id_of(child, id_child, sizeof id_child);
  CHECK_OK(session_delete(parent, SESSION_DELETE_CASCADE | SESSION_DELETE_NO_TRASH));
  CHECK_STATUS(SESSION_E_DELETED, session_update_title(parent, "x"));
  CHECK_STATUS(SESSION_E_NOT_FOUND, open_status(id));
  CHECK_STATUS(SESSION_E_NOT_FOUND, open_status(id_child));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_restore(store, id));
  trash.flags = SESSION_LIST_TRASH;
  expect_list(&trash, "[]");
  CHECK_OK(session_destroy(parent));
  CHECK_OK(session_destroy(child));

  child = create(NULL, NULL);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_delete(child, 3));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_delete(child, -1));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_delete(child, 0x200));
  CHECK_OK(session_update_title(child, "unhurt"));
  CHECK_OK(session_destroy(child));
  stop();
}

int main(void) {
  RUN(delete_cascade_and_restore);
  RUN(delete_orphan);
  RUN(delete_refuse);
  RUN(delete_for_good);
  return check_done("delete");
}
