/* Holds a store against the ledger. */
#include "day.h"

static int differences;

static void differ(const char *format, const char *id, uint64_t first, uint64_t second)
{
  differences++;
  if (differences > 20) return;
  printf("! ");
  printf(format, id, first, second);
  printf("\n");
}

static int is_doubted(const day_session_t *session, uint64_t marker)
{
  size_t i;
  for (i = 0; i < session->doubts_count; i++)
    if (session->doubts[i] == marker) return 1;
  return 0;
}

static uint64_t marker_in(const char *text, const char *key)
{
  char needle[32];
  const char *at;
  snprintf(needle, sizeof needle, "\"%s\":\"m", key);
  at = strstr(text, needle);
  return at == NULL ? 0 : strtoull(at + strlen(needle), NULL, 10);
}

/* Each event of a page is an object that begins with its number; their data has no number of that name. */
static uint64_t check_page(const day_session_t *known, char *page, uint64_t after)
{
  static const char beginning[] = "{\"seq\":";
  char *at = strstr(page, beginning), *next;
  for (; at != NULL; at = next) {
    uint64_t seq = strtoull(at + sizeof beginning - 1, NULL, 10), marker, wanted;
    next = strstr(at + 1, beginning);
    if (next != NULL) next[-1] = '\0';
    marker = marker_in(at, "text");
    wanted = seq < known->events_room ? known->events[seq] : 0;
    if (seq != after + 1) differ("%s: event %" PRIu64 " follows %" PRIu64, known->id, seq, after);
    if (wanted != marker && (wanted != 0 || !is_doubted(known, marker)))
      differ("%s: an event is m%" PRIu64 ", not m%" PRIu64, known->id, marker, wanted);
    after = seq;
  }
  return after;
}

static void check_events(const day_session_t *known, session_t *session)
{
  uint64_t after = 0, seq;
  for (;;) {
    char *json = NULL;
    uint64_t before = after;
    must(session_read_events(session, after, 0, &json, NULL), "read_events");
    after = check_page(known, json, after);
    session_string_free(json);
    if (after == before) break;
  }
  for (seq = after + 1; seq < known->events_room; seq++)
    if (known->events[seq] != 0)
      differ("%s: event %" PRIu64 " (m%" PRIu64 ") is lost", known->id, seq, known->events[seq]);
}

static void check_queue(const day_session_t *known, session_t *session)
{
  size_t i;
  char *json = NULL;
  must(session_queue_list(session, &json, NULL), "queue_list");
  for (i = 0; i < known->entries_count; i++)
    if (!known->entries[i].is_out && strstr(json, known->entries[i].id) == NULL)
      differ("%s: a prompt of the queue is lost: m%" PRIu64 " of %" PRIu64, known->id, known->entries[i].marker,
             known->entries_count);
  session_string_free(json);
}

static void check_live(session_store_t *store, const day_session_t *known, session_t *session)
{
  session_t *shown = NULL;
  char *json = NULL;
  uint64_t title;
  must(session_get_info(session, &json, NULL), "info");
  title = marker_in(json, "title");
  session_string_free(json);
  if (title != known->title && title != known->title_doubted)
    differ("%s: the title is m%" PRIu64 ", not m%" PRIu64, known->id, title, known->title);
  check_events(known, session);
  check_queue(known, session);
  if (known->secret[0] != '\0') {
    if (session_resolve_share(store, known->secret, &shown) != SESSION_OK)
      differ("%s: a share is lost (%" PRIu64 ", %" PRIu64 ")", known->id, 0, 0);
    else
      must(session_destroy(shown), "destroy");
  }
}

int ledger_check(session_store_t *store)
{
  size_t i;
  differences = 0;
  for (i = 0; i < ledger_count; i++) {
    day_session_t *known = &ledger[i];
    session_t *session = NULL;
    session_status_t status = session_open(store, known->id, &session);
    int place = status == SESSION_OK ? LIVE : status == SESSION_E_DELETED ? TRASHED : GONE;
    if (place != (int)known->place && !known->place_doubted)
      differ("%s is in place %" PRIu64 ", not %" PRIu64, known->id, (uint64_t)place, (uint64_t)known->place);
    if (status == SESSION_OK) check_live(store, known, session);
    must(session_destroy(session), "destroy");
  }
  return differences;
}
