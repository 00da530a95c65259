/* A store with something of everything, so that each kind of file and of frame is there. */
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEED(call) need(call, #call)

static void need(session_status_t status, const char *call) {
  if (status != SESSION_OK) {
    fprintf(stderr, "%s: %s %s\n", call, session_last_error()->message,
            session_last_error()->details_json);
    exit(2);
  }
}

static session_t *make(session_store_t *store, struct roles *roles, const char *role,
                       const char *key) {
  session_create_options_t options = SESSION_INIT(session_create_options_t);
  session_t *session;
  options.title = role;
  options.metadata_json = "{\"n\":1,\"deep\":{\"a\":[1,{\"b\":null}]},\"big\":9007199254740993}";
  options.facts_json = "{\"agent_id\":\"coder\",\"workspace_id\":\"w1\",\"state\":\"active\"}";
  options.idempotency_key = key;
  NEED(session_create(store, NULL, &options, &session));
  roles_add(roles, role, session);
  return session;
}

static void say(session_t *session, const char *turn, const char *id, const char *type,
                const char *data) {
  session_append_options_t options = SESSION_INIT(session_append_options_t);
  options.turn_id = turn;
  options.id = id;
  NEED(session_append_event_ex(session, type, data, strlen(data), &options, NULL));
}

static void talk(session_t *session, int turns) {
  char turn[16];
  char id[16];
  int i;
  for (i = 1; i <= turns; ++i) {
    snprintf(turn, sizeof turn, "t%d", i);
    snprintf(id, sizeof id, "e%d", i);
    say(session, turn, id, "user_prompt", "{\"text\":\"Fix the cart\"}");
    say(session, turn, NULL, "agent_message", "{\"text\":\"It is *fixed*.\"}");
  }
}

/* The value of a member that is a string, into a buffer. */
static void member(const char *json, const char *name, char *value, size_t size) {
  const char *found = strstr(json, name);
  const char *end;
  size_t length;
  value[0] = '\0';
  if (found == NULL) {
    return;
  }
  found += strlen(name);
  end = strchr(found, '"');
  length = end == NULL ? 0 : (size_t)(end - found);
  if (length < size) {
    memcpy(value, found, length);
    value[length] = '\0';
  }
}

static void share(session_t *alpha, struct roles *roles) {
  session_share_options_t options = SESSION_INIT(session_share_options_t);
  char *json;
  NEED(session_create_share(alpha, NULL, &json, NULL));
  member(json, "\"secret\":\"", roles->secret, sizeof roles->secret);
  session_string_free(json);
  options.flags = SESSION_SHARE_LIVE;
  options.max_uses = 50;
  options.first_seq = 2;
  NEED(session_create_share(alpha, &options, &json, NULL));
  session_string_free(json);
}

static void side_files(session_store_t *store, session_t *alpha, struct roles *roles) {
  static const char entry[] = "{\"message\":\"and then\",\"key\":\"k1\",\"repeat\":"
                              "{\"every_ms\":60000,\"count\":3},\"delay_ms\":1}";
  static const char later[] = "{\"message\":\"later\",\"delay_ms\":86400000}";
  char *json;
  NEED(session_queue_add(alpha, entry, sizeof entry - 1, &json, NULL));
  session_string_free(json);
  NEED(session_queue_add(alpha, later, sizeof later - 1, &json, NULL));
  session_string_free(json);
  NEED(session_set_buttons(alpha, "[{\"label\":\"Go\",\"response\":\"Go on\"}]", 0));
  NEED(session_put_file(alpha, "note.txt", "attached", 8, &json, NULL));
  member(json, "\"id\":\"", roles->file, sizeof roles->file);
  if (roles->file[0] == '\0') {
    member(json, "\"file_id\":\"", roles->file, sizeof roles->file);
  }
  session_string_free(json);
  NEED(session_lock(alpha, SESSION_LOCK_TRY, NULL));
  NEED(session_set_activity(alpha, "processing", "thinking"));
  NEED(session_store_configure(store, NULL, "{\"strict_lock\":false,\"unique_roles\":false,"
                                            "\"queue\":{\"max_size\":20,\"delay_ms\":0},"
                                            "\"limits\":{\"file_bytes_max\":1000000}}"));
  NEED(session_store_configure(store, "w1", "{\"queue\":{\"enabled\":true}}"));
}

static void cut_logs(session_store_t *store, struct roles *roles) {
  session_t *delta = make(store, roles, "delta", NULL);
  session_t *epsilon = make(store, roles, "epsilon", NULL);
  char *json;
  talk(delta, 4);
  NEED(session_rewind(delta, 4));
  say(delta, "t9", NULL, "compaction", "{\"from_seq\":2,\"summary\":\"short\"}");
  talk(epsilon, 6);
  NEED(session_prune(epsilon, "{\"max_events\":4}", &json, NULL));
  session_string_free(json);
  NEED(session_destroy(delta));
  NEED(session_destroy(epsilon));
}

static void lives(session_store_t *store, struct roles *roles) {
  session_t *zeta = make(store, roles, "zeta", NULL);
  session_t *eta = make(store, roles, "eta", NULL);
  session_t *theta = make(store, roles, "theta", NULL);
  talk(zeta, 2);
  talk(eta, 1);
  talk(theta, 2);
  NEED(session_delete(zeta, SESSION_DELETE_CASCADE));
  NEED(session_delete(eta, SESSION_DELETE_CASCADE | SESSION_DELETE_NO_TRASH));
  NEED(session_delete(theta, SESSION_DELETE_CASCADE));
  NEED(session_restore(store, role_id(roles, "theta")));
  NEED(session_destroy(zeta));
  NEED(session_destroy(eta));
  NEED(session_destroy(theta));
}

int seed_make(session_store_t *store, struct roles *roles) {
  session_append_options_t turn = SESSION_INIT(session_append_options_t);
  session_t *alpha = make(store, roles, "alpha", "the first");
  session_t *beta = make(store, roles, "beta", NULL);
  session_t *gamma;
  session_t *iota;
  session_stream_t *stream;
  char title[16];
  int i;
  talk(alpha, 3);
  talk(beta, 3);
  NEED(session_fork(alpha, 4, NULL, &gamma));
  roles_add(roles, "gamma", gamma);
  talk(gamma, 2);
  share(alpha, roles);
  for (i = 0; i < 5; ++i) { /* so that files of the pool are used again */
    snprintf(title, sizeof title, "beta %d", i);
    NEED(session_update_title(beta, title));
  }
  NEED(session_update_metadata(beta, "{\"more\":[1,2]}"));
  cut_logs(store, roles);
  lives(store, roles);
  side_files(store, alpha, roles);
  NEED(session_abort(beta, "enough"));
  NEED(session_clear_abort(beta));
  iota = make(store, roles, "iota", NULL);
  talk(iota, 1);
  turn.turn_id = "t8";
  NEED(session_stream_begin(iota, "agent_message", &turn, &stream));
  NEED(session_stream_write(stream, "Half a ", 7));
  NEED(session_stream_end(stream, NULL, NULL));
  NEED(session_stream_destroy(stream));
  turn.turn_id = "t10";
  NEED(session_stream_begin(iota, "agent_message", &turn, &stream));
  NEED(session_stream_write(stream, "Never end", 9));
  NEED(session_destroy(beta));
  NEED(session_destroy(gamma));
  return 0;
}
