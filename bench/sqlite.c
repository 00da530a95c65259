/* The side of SQLite: one connection a thread, WAL, synchronous=FULL, prepared statements. The
 * tables have no hidden row id, so each row is one entry of one tree, and hold what we hold. */
#include "bench.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUSY_TIMEOUT_MS = 20000 };

static const char schema[] =
    "CREATE TABLE sessions(id TEXT PRIMARY KEY, parent_id TEXT, fork_seq INTEGER,"
    " title TEXT NOT NULL, title_source TEXT NOT NULL, created_at INTEGER NOT NULL,"
    " updated_at INTEGER NOT NULL, last_event_at INTEGER, message_count INTEGER NOT NULL,"
    " event_count INTEGER NOT NULL, last_seq INTEGER NOT NULL, revision INTEGER NOT NULL,"
    " state TEXT NOT NULL, archived INTEGER NOT NULL, is_aborted INTEGER NOT NULL,"
    " abort_reason TEXT, abort_count INTEGER NOT NULL, share_info TEXT,"
    " metadata TEXT NOT NULL, facts TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE events(session_id TEXT NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL,"
    " timestamp INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY(session_id, seq)) WITHOUT ROWID;"
    "CREATE INDEX sessions_by_update ON sessions(updated_at DESC, id DESC) WHERE archived = 0;";

#define INFO \
  "json_object('id', id, 'parent_id', parent_id, 'fork_seq', fork_seq, 'title', title," \
  " 'title_source', title_source, 'created_at', created_at, 'updated_at', updated_at," \
  " 'last_event_at', last_event_at, 'message_count', message_count," \
  " 'event_count', event_count, 'last_seq', last_seq, 'revision', revision, 'state', state," \
  " 'archived', json(iif(archived, 'true', 'false'))," \
  " 'is_aborted', json(iif(is_aborted, 'true', 'false')), 'abort_reason', abort_reason," \
  " 'abort_count', abort_count, 'share_info', json(share_info), 'metadata', json(metadata)," \
  " 'facts', json(facts))"

typedef struct connection {
  sqlite3 *database;
  sqlite3_stmt *begin, *commit, *bump, *insert, *rename, *info, *list;
  char id[64];
  char **ids;
  long ids_count;
  unsigned random;
  unsigned long turn;
} connection_t;

static void check(sqlite3 *database, int result, const char *what)
{
  if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW)
    bench_die("sqlite: %s: %s", what, sqlite3_errmsg(database));
}

static void execute(sqlite3 *database, const char *sql)
{
  check(database, sqlite3_exec(database, sql, NULL, NULL, NULL), sql);
}

static sqlite3_stmt *statement(sqlite3 *database, const char *sql)
{
  sqlite3_stmt *made;
  check(database, sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, NULL),
        sql);
  return made;
}

static void run(connection_t *self, sqlite3_stmt *made)
{
  int result;
  while ((result = sqlite3_step(made)) == SQLITE_ROW) continue;
  check(self->database, result, sqlite3_sql(made));
  sqlite3_reset(made);
}

static int64_t wall_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static connection_t *connect_to(const char *folder)
{
  connection_t *self = calloc(1, sizeof *self);
  char *path = bench_path(folder, "sessions.db");
  sqlite3 *database;

  if (self == NULL) bench_die("no memory");
  if (sqlite3_open_v2(path, &database,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                      NULL) != SQLITE_OK)
    bench_die("sqlite: cannot open %s", path);
  free(path);
  sqlite3_busy_timeout(database, BUSY_TIMEOUT_MS);
  execute(database, "PRAGMA journal_mode=WAL");
  execute(database, "PRAGMA synchronous=FULL");
  self->database = database;
  self->random = 12345;
  return self;
}

static void prepare_statements(connection_t *self)
{
  sqlite3 *database = self->database;
  self->begin = statement(database, "BEGIN IMMEDIATE");
  self->commit = statement(database, "COMMIT");
  self->bump = statement(database,
      "UPDATE sessions SET last_seq = last_seq + 1, event_count = event_count + 1,"
      " message_count = message_count + 1, updated_at = ?2, last_event_at = ?2 WHERE id = ?1"
      " RETURNING last_seq");
  self->insert = statement(database, "INSERT INTO events VALUES(?1, ?2, ?3, ?4, ?5)");
  self->rename = statement(database,
      "UPDATE sessions SET title = ?2, title_source = 'user', updated_at = ?3,"
      " revision = revision + 1 WHERE id = ?1");
  self->info = statement(database, "SELECT " INFO " FROM sessions WHERE id = ?1");
  self->list = statement(database, "SELECT json_group_array(" INFO ") FROM"
      " (SELECT * FROM sessions WHERE archived = 0 ORDER BY updated_at DESC, id DESC)");
}

static void insert_session(connection_t *self, sqlite3_stmt *insert, const char *id)
{
  sqlite3_bind_text(insert, 1, id, -1, SQLITE_STATIC);
  sqlite3_bind_int64(insert, 2, wall_ms());
  run(self, insert);
}

static sqlite3_stmt *session_insert(connection_t *self)
{
  return statement(self->database,
      "INSERT INTO sessions VALUES(?1, NULL, NULL, 'New Session', 'default', ?2, ?2, NULL, 0, 0,"
      " 0, 1, 'created', 0, 0, NULL, 0, NULL, '{\"com.example.app\":{\"pinned\":true}}',"
      " '{\"agent_id\":\"coder\",\"type\":\"user\"}')");
}

void bench_sqlite_create(const char *folder)
{
  connection_t *self = connect_to(folder);
  execute(self->database, schema);
  sqlite3_close(self->database);
  free(self);
}

void bench_sqlite_fill(const char *folder, long sessions)
{
  connection_t *self = connect_to(folder);
  sqlite3_stmt *insert = session_insert(self);
  char id[64];
  execute(self->database, "BEGIN");
  for (long i = 0; i < sessions; i++) {
    snprintf(id, sizeof id, "session_%ld", 1795158388000 + i);
    insert_session(self, insert, id);
  }
  execute(self->database, "COMMIT");
  sqlite3_finalize(insert);
  sqlite3_close(self->database);
  free(self);
}

/* A session of its own for each thread. */
static void *own_session(const char *folder, int thread)
{
  connection_t *self = connect_to(folder);
  sqlite3_stmt *insert = session_insert(self);
  prepare_statements(self);
  snprintf(self->id, sizeof self->id, "session_%lld_%d", (long long)bench_now(), thread);
  insert_session(self, insert, self->id);
  sqlite3_finalize(insert);
  return self;
}

/* All sessions of a filled database. */
static void *all_sessions(const char *folder, int thread)
{
  connection_t *self = connect_to(folder);
  sqlite3_stmt *ids = statement(self->database, "SELECT id FROM sessions ORDER BY id");
  (void)thread;
  prepare_statements(self);
  while (sqlite3_step(ids) == SQLITE_ROW) {
    self->ids = realloc(self->ids, sizeof(char *) * (size_t)(self->ids_count + 1));
    self->ids[self->ids_count++] = strdup((const char *)sqlite3_column_text(ids, 0));
  }
  sqlite3_finalize(ids);
  return self;
}

static void append(void *context)
{
  connection_t *self = context;
  int64_t now = wall_ms();
  run(self, self->begin);
  sqlite3_bind_text(self->bump, 1, self->id, -1, SQLITE_STATIC);
  sqlite3_bind_int64(self->bump, 2, now);
  check(self->database, sqlite3_step(self->bump), "bump");
  sqlite3_int64 seq = sqlite3_column_int64(self->bump, 0);
  run(self, self->bump);
  sqlite3_bind_text(self->insert, 1, self->id, -1, SQLITE_STATIC);
  sqlite3_bind_int64(self->insert, 2, seq);
  sqlite3_bind_text(self->insert, 3, "agent_message", -1, SQLITE_STATIC);
  sqlite3_bind_int64(self->insert, 4, now);
  sqlite3_bind_text(self->insert, 5, bench_event, -1, SQLITE_STATIC);
  run(self, self->insert);
  run(self, self->commit);
}

static void rename_to(connection_t *self, const char *id)
{
  char title[64];
  snprintf(title, sizeof title, "Fix the cart, take %lu", ++self->turn);
  sqlite3_bind_text(self->rename, 1, id, -1, SQLITE_STATIC);
  sqlite3_bind_text(self->rename, 2, title, -1, SQLITE_TRANSIENT);
  sqlite3_bind_int64(self->rename, 3, wall_ms());
  run(self, self->rename);
}

static void rename_one(void *context)
{
  connection_t *self = context;
  rename_to(self, self->id);
}

static const char *any_id(connection_t *self)
{
  self->random = self->random * 1103515245u + 12345u;
  return self->ids[(self->random >> 8) % (unsigned long)self->ids_count];
}

static void get_info(void *context)
{
  connection_t *self = context;
  for (int i = 0; i < 100; i++) {
    sqlite3_bind_text(self->info, 1, any_id(self), -1, SQLITE_STATIC);
    if (sqlite3_step(self->info) != SQLITE_ROW || sqlite3_column_bytes(self->info, 0) < 100)
      bench_die("sqlite: no info");
    sqlite3_reset(self->info);
  }
}

static void change_one(void *context)
{
  connection_t *self = context;
  rename_to(self, any_id(self));
}

static void list(void *context)
{
  connection_t *self = context;
  if (sqlite3_step(self->list) != SQLITE_ROW ||
      sqlite3_column_bytes(self->list, 0) < 100 * self->ids_count)
    bench_die("sqlite: no list");
  sqlite3_reset(self->list);
}

static void finish(void *context)
{
  connection_t *self = context;
  sqlite3_stmt *made;
  while ((made = sqlite3_next_stmt(self->database, NULL)) != NULL) sqlite3_finalize(made);
  sqlite3_close(self->database);
  for (long i = 0; i < self->ids_count; i++) free(self->ids[i]);
  free(self->ids);
  free(self);
}

const bench_work_t bench_sqlite[] = {
  { "sqlite.append", own_session, NULL, append, finish, 1 },
  { "sqlite.rename", own_session, NULL, rename_one, finish, 1 },
  { "sqlite.info", all_sessions, NULL, get_info, finish, 100 },
  { "sqlite.list", all_sessions, change_one, list, finish, 1 },
  { NULL, NULL, NULL, NULL, NULL, 0 },
};
