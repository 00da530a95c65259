/**
 * @file sessions.h
 * The whole C API of libsessions: a crash-safe store, shared by many processes, for conversations
 * between people and AI agents.
 *
 * One header a topic; each can also be included by itself.
 *
 * - sessions/types.h    statuses, errors, strings, version, handles
 * - sessions/store.h    open, inspect, check and close a store
 * - sessions/session.h  create, list, change, delete, abort and share sessions
 * - sessions/events.h   record and read what happened in a session
 *
 * A first program:
 * @code{.c}
 * session_store_t *store;
 * session_t *session;
 * if (session_store_open(NULL, NULL, &store) != SESSION_OK) {
 *   fprintf(stderr, "%s\n", session_last_error()->message);
 *   return 1;
 * }
 * if (session_create(store, NULL, NULL, &session) == SESSION_OK) {
 *   static const char data[] = "{\"text\":\"Hello\"}";
 *   session_append_event(session, "user_prompt", data, sizeof data - 1, 0, NULL);
 *   session_destroy(session);
 * }
 * session_store_close(store);
 * @endcode
 *
 * @since 0.1
 */
#ifndef SESSIONS_H
#define SESSIONS_H

#include "sessions/types.h"
#include "sessions/store.h"
#include "sessions/session.h"
#include "sessions/events.h"
#include "sessions/coordination.h"

#endif /* SESSIONS_H */
