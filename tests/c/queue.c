/* The message queue: adding, editing, delivery as claim and settle, and what crashes and aborts leave of
   it. */
#include "processes.h"
#include "threads.h"

/* ---- the second process --------------------------------------------------------------------- */

static void second_claims(void) {
  char *json = NULL;
  CHECK_OK(session_queue_claim(second, "t-2", &json, NULL));
  CHECK_HAS(json, "\"state\":\"claimed\"");
  session_string_free(json);
  say('r');
  for (;;) pause(); /* until it is killed */
}

static void second_adds(void) {
  char text[64];
  char *json = NULL;
  int i;
  for (i = 0; i < 25; ++i) {
    snprintf(text, sizeof text, "{\"message\":\"second %d\"}", i);
    CHECK_OK(session_queue_add(second, text, strlen(text), &json, NULL));
    session_string_free(json);
  }
}

static int second_main(const char *role, const char *path, const char *id) {
  alarm(GUARD_MS / 1000);
  if (!open_second(path, id)) return 1;
  if (strcmp(role, "claims") == 0) second_claims();
  if (strcmp(role, "adds") == 0) second_adds();
  return close_second();
}

/* ---- the first ------------------------------------------------------------------------------ */

static session_status_t add_status(session_t *session, const char *entry) {
  char *json = NULL;
  session_status_t status = session_queue_add(session, entry, strlen(entry), &json, NULL);
  CHECK((status == SESSION_OK) == (json != NULL));
  session_string_free(json);
  return status;
}

/* Adds an entry; its id. */
static void add(session_t *session, const char *entry, char *id, size_t size) {
  char *json = NULL;
  size_t length = 0;
  CHECK_OK(session_queue_add(session, entry, strlen(entry), &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  json_string(json, "id", id, size);
  session_string_free(json);
}

/* Claims what is next; its id, "" where nothing is. */
static void claim(session_t *session, char *id, size_t size) {
  char *json = NULL;
  session_status_t status = session_queue_claim(session, NULL, &json, NULL);
  CHECK(status == SESSION_OK || status == SESSION_E_NOT_FOUND);
  json_string(json, "id", id, size);
  session_string_free(json);
}

static char *list_queue(session_t *session) {
  char *json = NULL;
  size_t length = 0;
  CHECK_OK(session_queue_list(session, &json, &length));
  CHECK_INT(length, json == NULL ? 0 : strlen(json));
  return json;
}

#define CHECK_QUEUE(session, part) \
  do { \
    char *queue_ = list_queue(session); \
    CHECK_HAS(queue_, part); \
    session_string_free(queue_); \
  } while (0)

#define settle(session, id, outcome) session_queue_settle(session, id, outcome, NULL, NULL)

static void a_message_is_delivered_once(void) {
  static const char entry[] =
      "{\"message\":\"Fix \\\"it\\\"\",\"client_id\":\"c1\",\"arguments\":{\"n\":1.0}}";
  session_t *session;
  char *json = NULL;
  char id[64];
  char text[128];
  uint64_t seq = 7;
  int64_t due_at = 7;

  start();
  session = create(NULL, NULL);
  CHECK_QUEUE(session, "{\"entries\":[],\"generation\":0,\"count\":0,\"max_size\":10,"
                       "\"next_due_at\":null}");
  CHECK_OK(session_queue_next_due(session, &due_at));
  CHECK_INT(0, due_at);
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_queue_claim(session, NULL, &json, NULL));
  CHECK(json == NULL);

  CHECK_OK(session_queue_add(session, entry, sizeof entry - 1, &json, NULL));
  CHECK_HAS(json, "{\"id\":\"q-");
  CHECK_HAS(json, "\",\"state\":\"queued\",\"position\":0,\"generation\":0,"
                  "\"message\":\"Fix \\\"it\\\"\",\"image_ids\":[],\"file_ids\":[],"
                  "\"client_id\":\"c1\",\"prompt_name\":null,\"arguments\":{\"n\":1.0},"
                  "\"title\":null,\"queued_at\":");
  json_string(json, "id", id, sizeof id);
  session_string_free(json);
  CHECK_OK(session_queue_next_due(session, &due_at));
  CHECK(due_at > 0);
  CHECK_QUEUE(session, "\"count\":1,");

  CHECK_OK(session_queue_claim(session, "t-1", &json, NULL));
  CHECK_HAS(json, "\"state\":\"claimed\",");
  CHECK_HAS(json, "\"turn_id\":\"t-1\",");
  session_string_free(json);
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_queue_claim(session, NULL, &json, NULL));
  CHECK_QUEUE(session, "\"count\":1,"); /* it is still its */
  CHECK_OK(append_text(session, "note", "{}", NULL));
  CHECK_OK(session_queue_settle(session, id, SESSION_QUEUE_SENT, "went well", &seq));
  CHECK_INT(2, seq);
  seq = 7;
  CHECK_OK(session_queue_settle(session, id, SESSION_QUEUE_SENT, NULL, &seq)); /* once more */
  CHECK_INT(2, seq);
  CHECK_STATUS(SESSION_E_INVALID_TRANSITION, settle(session, id, SESSION_QUEUE_FAILED));
  CHECK_DETAILS("{\"state\":\"sent\",");
  CHECK_QUEUE(session, "\"state\":\"sent\",\"position\":null,");
  CHECK_QUEUE(session, "\"count\":0,");

  CHECK_OK(session_read_events(session, 0, 0, &json, NULL));
  CHECK_INT(1, text_count(json, "\"type\":\"user_prompt\""));
  snprintf(text, sizeof text, "\"turn_id\":\"t-1\",\"id\":\"%s\",\"data\":{\"text\":\"Fix ", id);
  CHECK_HAS(json, text);
  CHECK_HAS(json, "\"arguments\":{\"n\":1.0}");
  session_string_free(json);
  CHECK_OK(session_destroy(session));
  stop();
}

static void bad_input(void) {
  static const char *const refused[] = {
      "[]", "{}", "1", "{\"message\":1}", "{\"message\":\"m\",\"key\":1}",
      "{\"message\":\"m\",\"unknown\":1}", "{\"message\":\"m\",\"image_ids\":\"a\"}",
      "{\"message\":\"m\",\"arguments\":[]}", "{\"message\":\"m\",\"scheduled_at\":\"soon\"}",
      "{\"message\":\"m\",\"delay_ms\":-1}", "{\"message\":\"m\",\"scheduled_at\":5,\"delay_ms\":5}",
      "{\"message\":\"m\",\"repeat\":{\"every_ms\":1000}}",
      "{\"message\":\"m\",\"repeat\":{\"every_ms\":999,\"count\":2}}"};
  session_t *session;
  char *json = NULL;
  char *large;
  char id[64];
  size_t i;

  start();
  session = create(NULL, NULL);
  for (i = 0; i < sizeof refused / sizeof refused[0]; ++i) {
    if (!CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, add_status(session, refused[i]))) {
      printf("    %s\n", refused[i]);
    }
  }
  CHECK_STATUS(SESSION_E_INVALID_JSON, add_status(session, "{\"message\":"));
  CHECK(session_last_error()->offset >= 0);
  CHECK_STATUS(SESSION_E_INVALID_JSON, add_status(session, ""));
  CHECK_STATUS(SESSION_E_INVALID_UTF8, add_status(session, "{\"message\":\"a\xFF\"}"));
  CHECK_STATUS(SESSION_E_LIMIT, session_queue_add(session, "{}", SIZE_MAX, &json, NULL));
  large = text_of('m', 1024 * 1024 + 20);
  memcpy(large, "{\"message\":\"", 12);
  memcpy(large + 1024 * 1024 + 18, "\"}", 2);
  CHECK_STATUS(SESSION_E_LIMIT, add_status(session, large));
  free(large);
  CHECK_QUEUE(session, "\"count\":0,");

  add(session, "{\"message\":\"m\"}", id, sizeof id);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_update(session, id, "[]"));
  CHECK_STATUS(SESSION_E_INVALID_JSON, session_queue_update(session, id, "{"));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_update(session, id, "{\"state\":\"sent\"}"));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_update(session, id, "{\"message\":null}"));
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_queue_update(session, id, "{\"key\":\"k\"}"));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_queue_update(session, "q-1-00000000", "{\"message\":\"n\"}"));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_queue_move(session, "q-1-00000000", 1));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_queue_remove(session, "q-1-00000000"));
  CHECK_STATUS(SESSION_E_NOT_FOUND, settle(session, "q-1-00000000", SESSION_QUEUE_SENT));
  CHECK_STATUS(SESSION_E_INVALID_TRANSITION, settle(session, id, SESSION_QUEUE_SENT)); /* not claimed */
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, settle(session, id, 4));
  CHECK_DETAILS("{\"argument\":\"outcome\"}");
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, settle(session, id, -1));
  CHECK_QUEUE(session, "\"state\":\"queued\",\"position\":0,");
  CHECK_OK(session_destroy(session));
  stop();
}

static void editing(void) {
  session_t *session;
  char *json;
  char first[64];
  char middle[64];
  char last[64];
  char again[64];
  char claimed[64];
  uint32_t count = 7;

  start();
  session = create(NULL, NULL);
  add(session, "{\"message\":\"first\",\"key\":\"k\"}", first, sizeof first);
  add(session, "{\"message\":\"middle\"}", middle, sizeof middle);
  add(session, "{\"message\":\"last\"}", last, sizeof last);
  add(session, "{\"message\":\"a repeat\",\"key\":\"k\"}", again, sizeof again);
  CHECK_STR(first, again);
  CHECK_QUEUE(session, "\"count\":3,");

  CHECK_OK(session_queue_update(session, middle, "{\"message\":\"changed\",\"title\":\"T\"}"));
  CHECK_QUEUE(session, "\"message\":\"changed\"");
  CHECK_QUEUE(session, "\"title\":\"T\"");
  CHECK_OK(session_queue_move(session, last, -1));
  CHECK_OK(session_queue_move(session, first, 1000)); /* as far as there are places */
  json = list_queue(session);
  CHECK(json != NULL && strstr(json, last) < strstr(json, middle));
  CHECK(json != NULL && strstr(json, middle) < strstr(json, first));
  session_string_free(json);

  claim(session, claimed, sizeof claimed);
  CHECK_STR(last, claimed);
  CHECK_STATUS(SESSION_E_INVALID_TRANSITION, session_queue_update(session, last, "{\"message\":\"x\"}"));
  CHECK_DETAILS("{\"state\":\"claimed\",\"event\":\"update\",");
  CHECK_STATUS(SESSION_E_INVALID_TRANSITION, session_queue_move(session, last, 1));
  CHECK_STATUS(SESSION_E_INVALID_TRANSITION, session_queue_remove(session, last));
  CHECK_OK(session_queue_update(session, last, "{\"title\":\"late\"}"));
  CHECK_OK(session_queue_remove(session, middle));
  CHECK_OK(session_queue_update(session, middle, "{\"title\":\"too late\"}")); /* ignored */
  CHECK_QUEUE(session, "\"count\":2,");

  CHECK_OK(session_queue_clear(session, &count));
  CHECK_INT(1, count);
  CHECK_QUEUE(session, "\"generation\":1,\"count\":1,");
  add(session, "{\"message\":\"after\"}", again, sizeof again);
  CHECK_OK(settle(session, last, SESSION_QUEUE_RELEASE)); /* was before the clear */
  json = list_queue(session);
  CHECK_HAS(json, "\"count\":1,");
  CHECK_INT(2, text_count(json, "\"detail\":\"cleared\""));
  session_string_free(json);
  claim(session, claimed, sizeof claimed);
  CHECK_STR(again, claimed);
  CHECK_OK(session_queue_clear(session, NULL));
  CHECK_OK(session_destroy(session));
  stop();
}

static void outcomes(void) {
  session_t *session;
  char id[64];
  char claimed[64];
  uint64_t seq = 7;

  start();
  session = create(NULL, NULL);
  add(session, "{\"message\":\"m\"}", id, sizeof id);
  claim(session, claimed, sizeof claimed);
  CHECK_OK(session_queue_settle(session, id, SESSION_QUEUE_RELEASE, "not now", &seq));
  CHECK_INT(0, seq);
  CHECK_QUEUE(session, "\"state\":\"queued\",\"position\":0,");
  CHECK_QUEUE(session, "\"detail\":\"not now\"");
  CHECK_OK(session_queue_settle(session, id, SESSION_QUEUE_RELEASE, NULL, NULL)); /* again */
  claim(session, claimed, sizeof claimed);
  CHECK_STR(id, claimed);
  CHECK_OK(session_queue_settle(session, id, SESSION_QUEUE_FAILED, "no \"luck\"", NULL));
  CHECK_QUEUE(session, "\"state\":\"failed\"");
  CHECK_QUEUE(session, "\"detail\":\"no \\\"luck\\\"\"");

  add(session, "{\"message\":\"n\"}", id, sizeof id);
  claim(session, claimed, sizeof claimed);
  CHECK_OK(settle(session, id, SESSION_QUEUE_CANCELLED));
  CHECK_QUEUE(session, "\"state\":\"cancelled\"");
  CHECK_INFO(session, "\"last_seq\":0");

  CHECK_OK(add_status(session, "{\"message\":\"again\",\"scheduled_at\":1,"
                               "\"repeat\":{\"every_ms\":86400000,\"count\":2}}"));
  claim(session, claimed, sizeof claimed);
  CHECK_OK(session_queue_settle(session, claimed, SESSION_QUEUE_SENT, NULL, &seq));
  CHECK_INT(1, seq);
  CHECK_QUEUE(session, "\"state\":\"queued\",\"position\":0,"); /* tomorrow's */
  claim(session, id, sizeof id);
  CHECK_STR("", id);
  CHECK_OK(session_destroy(session));
  stop();
}

static void rules(void) {
  session_t *session;
  session_t *later;
  char *json = NULL;
  char id[64];
  char claimed[64];
  int64_t due_at = 0;
  int i;

  start();
  session = create(NULL, NULL);
  for (i = 0; i < 10; ++i) CHECK_OK(add_status(session, "{\"message\":\"m\"}"));
  CHECK_STATUS(SESSION_E_QUEUE_FULL, add_status(session, "{\"message\":\"m\"}"));
  CHECK_DETAILS("\"max\":10,\"actual\":10}");
  claim(session, claimed, sizeof claimed); /* still counts */
  CHECK_STATUS(SESSION_E_QUEUE_FULL, add_status(session, "{\"message\":\"m\"}"));
  CHECK_OK(session_store_configure(store, NULL, "{\"queue\":{\"max_size\":11}}"));
  CHECK_OK(add_status(session, "{\"message\":\"m\"}"));
  CHECK_STATUS(SESSION_E_QUEUE_FULL, add_status(session, "{\"message\":\"m\"}"));
  CHECK_OK(settle(session, claimed, SESSION_QUEUE_SENT));
  CHECK_OK(add_status(session, "{\"message\":\"m\"}"));

  CHECK_OK(session_store_configure(store, NULL, "{\"queue\":{\"delay_ms\":86400000}}"));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_queue_claim(session, NULL, &json, NULL));
  CHECK_DETAILS("{\"next_due_at\":1");
  CHECK_OK(session_store_configure(store, NULL, "{\"queue\":{\"delay_ms\":0}}"));
  claim(session, claimed, sizeof claimed);
  CHECK(claimed[0] != '\0');

  CHECK_OK(session_store_configure(store, NULL, "{\"queue\":{\"enabled\":false}}"));
  CHECK_STATUS(SESSION_E_ACCESS_DENIED, add_status(session, "{\"message\":\"m\"}"));
  CHECK_DETAILS("{\"rule\":\"queue.enabled\"}");
  CHECK_STATUS(SESSION_E_ACCESS_DENIED, session_queue_claim(session, NULL, &json, NULL));
  CHECK_OK(settle(session, claimed, SESSION_QUEUE_SENT)); /* what is under way is finished */
  CHECK_OK(session_store_configure(store, NULL, "{\"queue\":{\"enabled\":null}}"));

  later = create(NULL, NULL);
  add(later, "{\"message\":\"later\",\"delay_ms\":86400000}", id, sizeof id);
  CHECK_OK(session_queue_next_due(later, &due_at));
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_queue_claim(later, NULL, &json, NULL));
  add(later, "{\"message\":\"due\",\"scheduled_at\":5}", claimed, sizeof claimed);
  CHECK_OK(session_queue_next_due(later, &due_at));
  CHECK_INT(5, due_at);
  claim(later, claimed, sizeof claimed);
  CHECK(strcmp(id, claimed) != 0 && claimed[0] != '\0');
  CHECK_OK(session_queue_update(later, id, "{\"scheduled_at\":null}"));
  claim(later, claimed, sizeof claimed);
  CHECK_STR(id, claimed);
  CHECK_OK(session_destroy(later));
  CHECK_OK(session_destroy(session));
  stop();
}

static void locks_aborts_and_shares(void) {
  session_share_options_t live = SESSION_INIT(session_share_options_t);
  session_t *session;
  session_t *other = NULL;
  session_t *view = NULL;
  char *json = NULL;
  char id[160];
  char claimed[64];
  char secret[128];
  int64_t due_at = 7;

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  NEED(session_open(store, id, &other));
  CHECK_OK(session_lock(session, SESSION_LOCK_TRY, NULL));
  CHECK_OK(add_status(other, "{\"message\":\"from another one\"}"));
  CHECK_STATUS(SESSION_E_LOCKED, session_queue_claim(other, NULL, &json, NULL));
  claim(session, claimed, sizeof claimed);
  CHECK_STATUS(SESSION_E_LOCKED, settle(other, claimed, SESSION_QUEUE_SENT));
  CHECK_OK(settle(session, claimed, SESSION_QUEUE_SENT));

  CHECK_OK(add_status(session, "{\"message\":\"m\"}"));
  CHECK_OK(session_abort(session, "user"));
  CHECK_STATUS(SESSION_E_CANCELLED, session_queue_claim(session, NULL, &json, NULL));
  CHECK(json == NULL);
  CHECK_INT(SESSION_E_CANCELLED, session_last_error()->status);
  CHECK_OK(add_status(session, "{\"message\":\"m\"}"));
  CHECK_OK(session_clear_abort(session));
  claim(session, claimed, sizeof claimed);
  CHECK(claimed[0] != '\0');

  live.flags = SESSION_SHARE_LIVE;
  CHECK_OK(session_create_share(session, &live, &json, NULL));
  NEED(session_resolve_share(store, json_string(json, "secret", secret, sizeof secret), &view));
  session_string_free(json);
  CHECK_STATUS(SESSION_E_ACCESS_DENIED, add_status(view, "{\"message\":\"m\"}"));
  CHECK_STATUS(SESSION_E_ACCESS_DENIED, session_queue_list(view, &json, NULL));
  CHECK_STATUS(SESSION_E_ACCESS_DENIED, session_queue_next_due(view, &due_at));
  CHECK_INT(0, due_at);
  CHECK_STATUS(SESSION_E_ACCESS_DENIED, session_queue_clear(view, NULL));
  CHECK_OK(session_destroy(view));
  CHECK_OK(session_destroy(other));
  CHECK_OK(session_destroy(session));
  stop();
}

/* ---- many at once --------------------------------------------------------------------------- */

#define WORKERS 5
#define EACH 20

static session_t *shared;
static int delivered;

static void *add_and_deliver(void *argument) {
  const char *id = (const char *)argument;
  session_t *own = NULL;
  char claimed[64];
  int i;
  if (!CHECK_OK(session_open(store, id, &own))) return NULL;
  for (i = 0; i < EACH; ++i) {
    MUST(add_status(own, "{\"message\":\"m\"}") == SESSION_OK);
  }
  for (;;) {
    uint64_t seq = 0;
    claim(own, claimed, sizeof claimed);
    if (claimed[0] == '\0') break;
    MUST(session_queue_settle(own, claimed, SESSION_QUEUE_SENT, NULL, &seq) == SESSION_OK);
    MUST(seq > 0);
    __atomic_add_fetch(&delivered, 1, __ATOMIC_RELAXED);
  }
  CHECK_OK(session_destroy(own));
  return NULL;
}

static void each_is_delivered_by_one(void) {
  session_stat_t stat = SESSION_INIT(session_stat_t);
  threads_t threads = {{0}, 0};
  process_t process;
  char id[160];
  int i;

  start();
  CHECK_OK(session_store_configure(store, NULL, "{\"queue\":{\"max_size\":1000}}"));
  shared = create(NULL, NULL);
  id_of(shared, id, sizeof id);
  process = process_start("adds", id);
  for (i = 0; i < WORKERS; ++i) threads_start(&threads, add_and_deliver, id);
  threads_join(&threads);
  process_end(&process);
  threads_start(&threads, add_and_deliver, id); /* what the process added since */
  threads_join(&threads);
  CHECK_INT((WORKERS + 1) * EACH + 25, delivered);
  CHECK_OK(session_get_stat(shared, &stat));
  CHECK_INT(delivered, stat.last_seq);
  CHECK_INT(delivered, stat.message_count);
  CHECK_QUEUE(shared, "\"count\":0,");
  CHECK_OK(session_destroy(shared));
  stop();
}

/* ---- crashes -------------------------------------------------------------------------------- */

static void a_claim_of_a_killed_process_is_interrupted(void) {
  session_t *session;
  process_t process;
  char *json = NULL;
  char id[160];
  char first[64];
  char claimed[64];
  uint64_t seq = 0;

  start();
  session = create(NULL, NULL);
  id_of(session, id, sizeof id);
  add(session, "{\"message\":\"claimed by another\"}", first, sizeof first);
  process = process_start("claims", id);
  process_await_ready(&process);
  CHECK_QUEUE(session, "\"state\":\"claimed\"");
  CHECK_STATUS(SESSION_E_CONFLICT, settle(session, first, SESSION_QUEUE_SENT)); /* it lives */
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_queue_claim(session, NULL, &json, NULL));
  process_kill(&process);
  CHECK_QUEUE(session, "\"state\":\"interrupted\",\"position\":0,");
  CHECK_QUEUE(session, "\"count\":1,");
  CHECK_STATUS(SESSION_E_NOT_FOUND, session_queue_claim(session, NULL, &json, NULL)); /* never again */
  CHECK_OK(session_destroy(session)); /* nor lost, whoever opens */
  CHECK_OK(session_store_close(store));
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &session));
  CHECK_QUEUE(session, "\"state\":\"interrupted\"");
  CHECK_OK(settle(session, first, SESSION_QUEUE_RELEASE)); /* the host decides */
  claim(session, claimed, sizeof claimed);
  CHECK_STR(first, claimed);

  CHECK_OK(session_store_close(store)); /* closed without a word: interrupted as well */
  CHECK_OK(session_destroy(session));
  NEED(session_store_open(folder, NULL, &store));
  NEED(session_open(store, id, &session));
  CHECK_QUEUE(session, "\"state\":\"interrupted\"");
  CHECK_OK(session_queue_settle(session, first, SESSION_QUEUE_SENT, NULL, &seq));
  CHECK_INT(1, seq);
  CHECK_OK(session_destroy(session));
  stop();
}

int main(int count, char **arguments) {
  if (count == 4) return second_main(arguments[1], arguments[2], arguments[3]);
  processes_begin(arguments);
  RUN(a_message_is_delivered_once);
  RUN(bad_input);
  RUN(editing);
  RUN(outcomes);
  RUN(rules);
  RUN(locks_aborts_and_shares);
  RUN(each_is_delivered_by_one);
  RUN(a_claim_of_a_killed_process_is_interrupted);
  return check_done("queue");
}
