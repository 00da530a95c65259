/* All that hosts and commands said is saved, and whether a store has it. */
#include "day.h"

day_session_t *ledger;
size_t ledger_count;
long ledger_lines;

static size_t ledger_room;

static void *grown(void *items, size_t count, size_t size)
{
  items = realloc(items, count * size);
  if (items == NULL) abort();
  return items;
}

day_session_t *ledger_find(const char *id)
{
  size_t i;
  for (i = ledger_count; i > 0; i--)
    if (strcmp(ledger[i - 1].id, id) == 0) return &ledger[i - 1];
  return NULL;
}

static day_session_t *added(const char *id, uint64_t title)
{
  day_session_t *session;
  if (ledger_count == ledger_room) {
    ledger_room = ledger_room * 2 + 64;
    ledger = grown(ledger, ledger_room, sizeof *ledger);
  }
  session = &ledger[ledger_count++];
  memset(session, 0, sizeof *session);
  snprintf(session->id, sizeof session->id, "%s", id);
  session->title = title;
  session->owner = (int)(title / MARKERS_OF_A_HOST);
  return session;
}

static void add_event(day_session_t *session, uint64_t seq, uint64_t marker)
{
  if (seq >= session->events_room) {
    size_t room = seq * 2 + 16;
    session->events = grown(session->events, room, sizeof *session->events);
    memset(session->events + session->events_room, 0, (room - session->events_room) * sizeof *session->events);
    session->events_room = room;
  }
  if (session->events[seq] != 0) {
    printf("! event %" PRIu64 " of %s was given out twice\n", seq, session->id);
    exit(1);
  }
  session->events[seq] = marker;
}

static void add_doubt(day_session_t *session, uint64_t marker)
{
  session->doubts = grown(session->doubts, session->doubts_count + 1, sizeof *session->doubts);
  session->doubts[session->doubts_count++] = marker;
}

static day_entry_t *entry_of(day_session_t *session, const char *id)
{
  size_t i;
  for (i = 0; i < session->entries_count; i++)
    if (strcmp(session->entries[i].id, id) == 0) return &session->entries[i];
  session->entries = grown(session->entries, session->entries_count + 1, sizeof *session->entries);
  memset(&session->entries[session->entries_count], 0, sizeof *session->entries);
  snprintf(session->entries[session->entries_count].id, ID_MAX, "%s", id);
  return &session->entries[session->entries_count++];
}

/* One that is over is of no more use; the next takes its place. */
static void forget(day_session_t *session, day_entry_t *entry)
{
  *entry = session->entries[--session->entries_count];
}

void ledger_take(const char *line)
{
  char id[ID_MAX], word[128];
  uint64_t first = 0, second = 0;
  day_session_t *session = NULL;
  size_t i;
  ledger_lines++;
  if (line[0] == 'P') {
    for (i = 0; i < ledger_count; i++)
      if (ledger[i].place == TRASHED) ledger[i].place = GONE;
    return;
  }
  if (sscanf(line + 2, "%63s", id) != 1) abort();
  if (line[0] != 'S' && (session = ledger_find(id)) == NULL) abort();
  switch (line[0]) {
  case 'S':
    sscanf(line + 2, "%*s %" SCNu64, &first);
    added(id, first);
    break;
  case 'E':
    sscanf(line + 2, "%*s %" SCNu64 " %" SCNu64, &first, &second);
    add_event(session, first, second);
    break;
  case 'T':
    sscanf(line + 2, "%*s %" SCNu64, &session->title);
    break;
  case 'Q':
    sscanf(line + 2, "%*s %127s %" SCNu64, word, &first);
    entry_of(session, word)->marker = first;
    break;
  case 'D':
    sscanf(line + 2, "%*s %127s %" SCNu64, word, &first);
    add_event(session, first, entry_of(session, word)->marker);
    forget(session, entry_of(session, word));
    break;
  case 'X': session->place = TRASHED; break;
  case 'B': session->place = LIVE; break;
  case 'G': session->place = GONE; break;
  case 'H': sscanf(line + 2, "%*s %127s", session->secret); break;
  default: abort();
  }
}

void ledger_doubt(const char *kind, const char *id, uint64_t marker)
{
  day_session_t *session = ledger_find(id);
  size_t i;
  if (strcmp(kind, "purge") == 0) {
    for (i = 0; i < ledger_count; i++) ledger[i].place_doubted |= ledger[i].place == TRASHED;
    return;
  }
  if (session == NULL) return;
  if (strcmp(kind, "title") == 0) session->title_doubted = marker;
  if (strcmp(kind, "delete") == 0 || strcmp(kind, "remove") == 0 || strcmp(kind, "restore") == 0)
    session->place_doubted = 1;
  if (strcmp(kind, "share") == 0) session->secret[0] = '\0'; /* the new one ends the one before */
  add_doubt(session, marker);
  for (i = 0; strcmp(kind, "deliver") == 0 && i < session->entries_count; i++) {
    session->entries[i].is_out = 1;
    add_doubt(session, session->entries[i].marker);
  }
}
