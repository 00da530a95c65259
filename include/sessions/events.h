/**
 * @file sessions/events.h
 * Events: what happened in a session, numbered 1, 2, 3 and so on, append only.
 *
 * Besides the statuses listed, every call answers SESSION_E_DELETED once the session was deleted,
 * and SESSION_E_NOT_FOUND on a handle from a share that was revoked. Appends and the begin of a
 * stream answer SESSION_E_ACCESS_DENIED (`{"rule":"share.read_only"}`) on a handle from a share.
 * Where another handle holds the lock of the session (session_lock()), what writes the conversation
 * answers SESSION_E_LOCKED, and SESSION_E_LOCK_LOST on one that it was taken from: appends,
 * streams, rewinds, repairs and prunes.
 *
 * @since 0.1
 */
#ifndef SESSIONS_EVENTS_H
#define SESSIONS_EVENTS_H

#include "session.h"
#include "types.h"

#if defined(SESSION_HAS_NULLABILITY)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** @name Flags of appends; relaxed and durable together are SESSION_E_INVALID_ARGUMENT
 * @since 0.1
 * @{ */
#define SESSION_APPEND_RELAXED 0x1u /**< Returns before the disk has it, whatever the store says. */
#define SESSION_APPEND_DURABLE 0x2u /**< Returns when the disk has it, also in a relaxed store. */
#define SESSION_APPEND_CHECK 0x4u   /**< Of a known type the data must fit docs/EVENTS.md, or the
                                         call is SESSION_E_INVALID_ARGUMENT with the details
                                         `{"argument":"data_json","member":"entries[1].priority",
                                         "expected":"one of high, medium, low"}`; in a batch also
                                         `"entry"`, from 0. Other types may have any data. */
/** @} */

/** @name Flags of session_repair()
 * @since 0.1
 * @{ */
#define SESSION_REPAIR_DRY_RUN 0x1u /**< Only says what it would do. */
#define SESSION_REPAIR_FORCE 0x2u   /**< Also where the session seems to run, and after turns that
                                         ended on purpose. */
/** @} */

/** @name Formats of a transcript
 * @since 0.1
 * @{ */
#define SESSION_TRANSCRIPT_MESSAGES 0    /**< JSON: role, text and parts of each message. */
#define SESSION_TRANSCRIPT_UI_MESSAGES 1 /**< JSON: UI messages of the AI SDK. */
#define SESSION_TRANSCRIPT_MARKDOWN 2    /**< Markdown. */
#define SESSION_TRANSCRIPT_HTML 3        /**< One page that needs no network. */
/** @} */

/** @name Flags of cursors
 * @since 0.1
 * @{ */
#define SESSION_READ_HIDDEN 0x1u  /**< Also what a rewind hides, with `"hidden":true`. On a handle
                                       from a share: SESSION_E_ACCESS_DENIED. */
#define SESSION_READ_CONTEXT 0x2u /**< From the last compaction's kept point on; of a share, from
                                       that of the last one in its range. */
#define SESSION_READ_DATA_AS_TEXT 0x4u /**< `data` is a string of JSON: exact in every language. */
/** @} */

/** What an append may say besides type and data. @since 0.1 */
typedef struct session_append_options {
  uint32_t size;       /**< sizeof(session_append_options_t). */
  uint32_t flags;      /**< SESSION_APPEND_*. */
  int64_t timestamp;   /**< Unix ms; 0: now. */
  const char *SESSION_NULLABLE turn_id; /**< Groups the events of one turn; NULL: none. */
  const char *SESSION_NULLABLE id; /**< Made by the host; a repeat writes nothing. NULL: none. */
} session_append_options_t;

/** What a cursor shows, and where it stands first. @since 0.1 */
typedef struct session_cursor_options {
  uint32_t size;       /**< sizeof(session_cursor_options_t). */
  uint32_t flags;      /**< SESSION_READ_*. */
  uint64_t after_seq;  /**< Stand behind this number; 0: before the first event. */
  int64_t since;       /**< Only events of this time (unix ms) or later; 0: open. */
  int64_t until;       /**< Only events of this time (unix ms) or earlier; 0: open. */
  uint32_t page_bytes; /**< Bytes of a page, at most 64 MiB; it has one event at least. 0: 1 MiB. */
  uint32_t reserved;   /**< 0. */
  /** `tool_call,custom:*`: types, or how they begin. NULL: all. */
  const char *SESSION_NULLABLE types;
  const char *SESSION_NULLABLE turn_id; /**< Only events of this turn. NULL: all. */
} session_cursor_options_t;

/**
 * Appends one event. Types `user_prompt` and `agent_message` raise `message_count`.
 *
 * The data keeps its bytes, here and in every page of events: also half of a surrogate pair as an
 * escape (`"\ud83d"` alone), which is JSON but which strict parsers refuse. Transcripts have U+FFFD
 * in its place.
 *
 * @param session       the session
 * @param type          1 to 128 bytes without control characters
 * @param data_json     one JSON value of at most 64 MiB; kept token for token
 * @param data_length   its length in bytes
 * @param flags         SESSION_APPEND_*, or 0: as durable as the store
 * @param[out] out_seq  the sequence number of the event; may be NULL
 * @return SESSION_OK; SESSION_E_INVALID_JSON; SESSION_E_INVALID_ARGUMENT: the type; SESSION_E_LIMIT
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_append_event(session_t *session, const char *type,
                                                  const char *data_json, size_t data_length,
                                                  uint32_t flags,
                                                  uint64_t *SESSION_NULLABLE out_seq);

/**
 * Appends one event, with options. When the session already has an event with this `id`, nothing
 * is written and its sequence number is the answer.
 *
 * @param session       the session
 * @param type          1 to 128 bytes without control characters
 * @param data_json     one JSON value of at most 64 MiB; kept token for token
 * @param data_length   its length in bytes
 * @param options       NULL: the defaults
 * @param[out] out_seq  the sequence number of the event; may be NULL
 * @return SESSION_OK; SESSION_E_INVALID_JSON; SESSION_E_INVALID_ARGUMENT: the type; SESSION_E_LIMIT
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_append_event_ex(
    session_t *session, const char *type, const char *data_json, size_t data_length,
    const session_append_options_t *SESSION_NULLABLE options, uint64_t *SESSION_NULLABLE out_seq);

/**
 * Appends many events in one commit, all or nothing.
 *
 * Takes `[{"type":"user_prompt","data":{...}},...]`; an entry may also have `timestamp`, `turn_id`
 * and `id`. Answers `{"first_seq":15,"last_seq":17,"seqs":[15,7,16,17],"duplicates":[1]}`: entry
 * 1 was a repeat of event 7 here.
 *
 * @param session          the session
 * @param events_json      a JSON array of at most 64 MiB
 * @param length           its length in bytes
 * @param flags            SESSION_APPEND_*, or 0: as durable as the store
 * @param[out] out_json    the JSON; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_INVALID_JSON; SESSION_E_INVALID_ARGUMENT: not an array of events;
 *         SESSION_E_LIMIT
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_append_events(session_t *session, const char *events_json,
                                                   size_t length, uint32_t flags,
                                                   char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                   size_t *SESSION_NULLABLE out_length);

/**
 * Reads a page of the events after a number, oldest first.
 *
 * Answers `{"events":[...],"skipped":[...],"next_after_seq":14,"previous_before_seq":7,
 * "last_seq":17,"has_more":true}`; `skipped` names every hole in the numbers.
 *
 * @param session          the session
 * @param after_seq        the number of the last event already seen; 0: from the first
 * @param limit            at most so many; 0: as many as fit a page of 1 MiB, at least one
 * @param[out] out_json    the page; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: a page.
 * @since 0.1
 */
SESSION_API session_status_t session_read_events(session_t *session, uint64_t after_seq,
                                                 uint32_t limit,
                                                 char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                 size_t *SESSION_NULLABLE out_length);

/**
 * Reads a page of the last events before a number, oldest first. Here `has_more` says whether there
 * are earlier ones; `previous_before_seq` leads to them.
 *
 * @param session          the session
 * @param before_seq       the events before this number; 0: from the end
 * @param limit            at most so many; 0: as many as fit a page of 1 MiB, at least one
 * @param[out] out_json    the page; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: a page.
 * @since 0.1
 */
SESSION_API session_status_t session_read_last_events(
    session_t *session, uint64_t before_seq, uint32_t limit,
    char *SESSION_NULLABLE *SESSION_NONNULL out_json, size_t *SESSION_NULLABLE out_length);

/**
 * Writes the conversation as messages: a user's prompt is one, an error is one, all else of a turn
 * is one. A call after more events goes on from what the last one made of the earlier ones.
 *
 * JSON formats answer `{"messages":[...],"last_seq":17}`; the id of a message never changes.
 * docs/TRANSCRIPT.md has the rules and the shapes.
 *
 * Options: `{"after_seq":N,"until_seq":N,"include_hidden":true,"title":"..."}`, all optional.
 * `after_seq`: only messages that an event after that number is in or changed, each of them whole.
 * `until_seq`: as if the conversation ended there. `include_hidden`: also what rewinds hide.
 * `title`: heads Markdown and HTML; else the title of the session does.
 *
 * @param session          the session
 * @param format           SESSION_TRANSCRIPT_*
 * @param options_json     an object; NULL: no options
 * @param[out] out_json    the text; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_INVALID_JSON; SESSION_E_INVALID_ARGUMENT: the format, or an option
 *         that there is not; SESSION_E_LIMIT: the title; SESSION_E_ACCESS_DENIED
 *         (`{"rule":"share.hidden"}`): `include_hidden` on a handle from a share
 * @remark Any thread. Cost: long, in the events that are new and in the size of the text.
 *         Also the job `transcript`.
 * @since 0.1
 */
SESSION_API session_status_t session_transcript(session_t *session, int32_t format,
                                                const char *SESSION_NULLABLE options_json,
                                                char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                size_t *SESSION_NULLABLE out_length);

/**
 * Looks for what a crash or another program left behind in the log, and mends what can be mended by
 * appending: a result for every tool call without one, and the end of every turn that never ended,
 * all in one commit. Nothing that is there is changed. Done twice, it does nothing the second time.
 * A turn in which another owner that lives has a stream open, or wrote within the last 60 s, is
 * left alone and named in the report, but with SESSION_REPAIR_FORCE.
 *
 * Answers `{"dry_run":false,"applied":true,"issues":[...],"actions":[...],"issues_left_off":0}`;
 * docs/EVENTS.md lists the codes of both.
 *
 * @param session          the session
 * @param flags            SESSION_REPAIR_*, or 0
 * @param[out] out_json    the report; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK, also when it finds harm; SESSION_E_INVALID_ARGUMENT: the flags;
 *         SESSION_E_READ_ONLY: not a dry run, and the store was opened to read
 * @remark Any thread. Cost: long, in the size of the log; then a commit.
 *         Also the job `repair`.
 * @since 0.1
 */
SESSION_API session_status_t session_repair(session_t *session, uint32_t flags,
                                            char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                            size_t *SESSION_NULLABLE out_length);

/**
 * @name Streams
 * Text that arrives in pieces and becomes one event. What was written is visible to all processes
 * when the write returns, and survives a killed one; no write waits for the disk. The event gets
 * its sequence number at the end; its data is `{"text":"..."}`.
 *
 * - Another event of the same `turn_id` that is appended ends the stream before it. The end of
 *   another stream does not: two of one turn may run side by side.
 * - A stream that is not ended becomes an event whose data is `{"text":"...","interrupted":true}`:
 *   when its handle is destroyed, when the session is deleted, when the store is closed, and, where
 *   its process is gone, by the next process that opens the store, has it open, or appends to the
 *   session. Such an event does not take the `id`, so that a host can try again with it.
 * - A stream does not need the session handle it came from. Its calls answer SESSION_E_MISUSE where
 *   another thread is in one, SESSION_E_CLOSED after session_store_close(), and SESSION_E_DELETED
 *   once the session was deleted.
 * @since 0.1
 * @{ */

/**
 * Begins a stream that ends in one event.
 *
 * @param session          the session
 * @param type             1 to 128 bytes without control characters
 * @param options          NULL: the defaults. `flags` says how durable the end is, `timestamp` 0
 *                         is the time of the end, and the end of a stream whose `id` is taken by
 *                         then writes nothing
 * @param[out] out_stream  the stream; session_stream_destroy() it
 * @return SESSION_OK; SESSION_E_INVALID_ARGUMENT: the type; SESSION_E_NO_SPACE: nothing happened
 * @remark Any thread. Cost: a commit that does not wait for the disk.
 * @since 0.1
 */
SESSION_API session_status_t session_stream_begin(
    session_t *session, const char *type, const session_append_options_t *SESSION_NULLABLE options,
    session_stream_t *SESSION_NULLABLE *SESSION_NONNULL out_stream);

/**
 * Adds text. It may end inside a character, whose bytes wait for the next write; all else is kept
 * as it is, control characters too. A call that fails has taken nothing.
 *
 * @param stream  the stream
 * @param text    UTF-8
 * @param length  its length in bytes; 0 is fine
 * @return SESSION_OK; SESSION_E_INVALID_UTF8; SESSION_E_CANCELLED: the session is aborted, the text
 *         so far is kept; SESSION_E_INVALID_TRANSITION: the stream has ended; SESSION_E_LIMIT: the
 *         event would pass 64 MiB; SESSION_E_NO_SPACE
 * @remark One thread. Cost: a commit that does not wait for the disk.
 * @since 0.1
 */
SESSION_API session_status_t session_stream_write(session_stream_t *stream, const char *text,
                                                  size_t length);

/**
 * Ends a stream with its event, in one commit. Where the stream has ended already, by an event of
 * its turn or an earlier call, the answer is the number of the event that it became. After a
 * failure the stream is as it was.
 *
 * @param stream           the stream
 * @param data_patch_json  a merge patch (RFC 7396) for the data of the event; NULL: none. `text` in
 *                         it may be another string, and nothing else
 * @param[out] out_seq     the sequence number of the event; may be NULL
 * @return SESSION_OK; SESSION_E_INVALID_UTF8: the text ends inside a character;
 *         SESSION_E_INVALID_JSON; SESSION_E_INVALID_ARGUMENT: not an object, or its `text`;
 *         SESSION_E_INVALID_TRANSITION: it has ended, and the patch comes too late;
 *         SESSION_E_LIMIT; SESSION_E_NO_SPACE
 * @remark One thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_stream_end(session_stream_t *stream,
                                                const char *SESSION_NULLABLE data_patch_json,
                                                uint64_t *SESSION_NULLABLE out_seq);

/**
 * Ends a handle. A stream that has not ended becomes an interrupted event by and by.
 *
 * @param stream  NULL is fine
 * @return SESSION_OK; SESSION_E_INVALID_HANDLE
 * @remark Any thread. Cost: memory. Never blocks and never touches session_last_error().
 * @since 0.1
 */
SESSION_API session_status_t session_stream_destroy(session_stream_t *SESSION_NULLABLE stream);

/**
 * Reads the open streams of a session, of all processes, as they are now.
 *
 * Answers `{"streams":[{"stream_id":"sm_04f1c2a9e377","type":"agent_message","turn_id":"t-3",
 * "started_at":1795158395000,"offset":0,"text":"Workin","bytes":6}]}`. `bytes` is the length of
 * the whole text so far: the `from_offset` of the next look. A stream that is not in it is not
 * open; its event is in the log. Through a share, only a live one shows streams.
 *
 * @param session          the session
 * @param stream_id        only this one; NULL: all
 * @param from_offset      text from this byte on; where it lies inside a character, from its start
 * @param[out] out_json    the JSON; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_read_streams(session_t *session,
                                                  const char *SESSION_NULLABLE stream_id,
                                                  uint64_t from_offset,
                                                  char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                  size_t *SESSION_NULLABLE out_length);
/** @} */

/**
 * Reads a page of the events after a number, grouped by turn, the turns in the order in which they
 * first appear.
 *
 * Answers `{"turns":[{"turn_id":"t-3","first_seq":7,"last_seq":14,"started_at":1795158390001,
 * "ended_at":1795158399456,"event_count":2,"events":[...]}],"skipped":[...],"next_after_seq":14,
 * "previous_before_seq":7,"last_seq":17,"has_more":true}`. Events without a turn come in groups
 * with `"turn_id":null`, one for each run of them. A turn that a page has no room for begins the
 * next one; only one that is larger than a page comes in parts, each under the same `turn_id`.
 * Turns that overlap may come in parts, too: a page covers a run of numbers.
 *
 * @param session          the session
 * @param after_seq        the `next_after_seq` of the page before; 0: from the first
 * @param limit            at most so many turns; 0: as many as fit a page of 1 MiB, at least one
 * @param[out] out_json    the page; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: a page.
 * @since 0.1
 */
SESSION_API session_status_t session_read_turns(session_t *session, uint64_t after_seq,
                                                uint32_t limit,
                                                char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                size_t *SESSION_NULLABLE out_length);

/**
 * Opens a cursor: a position between two events, from which pages are read in both directions. It
 * holds no part of the log, and nothing that happens to the log invalidates it. It stays open when
 * `session` is destroyed; what was opened through a share goes on to see only that.
 *
 * @param session          the session
 * @param options          NULL: all events, from the first
 * @param[out] out_cursor  the cursor; end it with session_cursor_destroy()
 * @return SESSION_OK; SESSION_E_LIMIT: `page_bytes`; SESSION_E_ACCESS_DENIED
 *         (`{"rule":"share.hidden"}`): SESSION_READ_HIDDEN on a handle from a share
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_cursor_open(
    session_t *session, const session_cursor_options_t *SESSION_NULLABLE options,
    session_cursor_t *SESSION_NULLABLE *SESSION_NONNULL out_cursor);

/**
 * Reads the events behind the cursor, oldest first, and moves behind them.
 *
 * Answers a page as session_read_events() does; what the options leave out is not named in
 * `skipped`. An event has `pause_ms`, the milliseconds since the one that this cursor showed before
 * it, where that is above 0 and the cursor came straight from there. A page may be empty and have
 * `"has_more":true`: the filter found nothing in 32 MiB of the log, and the next call goes on.
 *
 * @param cursor           the cursor
 * @param limit            at most so many; 0: as many as fit a page, at least one
 * @param timeout_ms       where there is nothing, wait so long for any process to add something; 0:
 *                         answer at once, with an empty page; or SESSION_WAIT_FOREVER
 * @param[out] out_json    the page; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_TIMEOUT: nothing came; SESSION_E_MISUSE; a wait ends with
 *         SESSION_E_DELETED, SESSION_E_CLOSED or SESSION_E_CANCELLED (the cursor was destroyed)
 * @remark One thread at a time. Cost: a page; waits.
 * @since 0.1
 */
SESSION_API session_status_t session_cursor_next(session_cursor_t *cursor, uint32_t limit,
                                                 uint32_t timeout_ms,
                                                 char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                 size_t *SESSION_NULLABLE out_length);

/**
 * Reads the events before the cursor, oldest first, and moves before them. `has_more` says whether
 * there may be earlier ones.
 *
 * @param cursor           the cursor
 * @param limit            at most so many; 0: as many as fit a page, at least one
 * @param[out] out_json    the page; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_MISUSE
 * @remark One thread at a time. Cost: a page.
 * @since 0.1
 */
SESSION_API session_status_t session_cursor_previous(
    session_cursor_t *cursor, uint32_t limit, char *SESSION_NULLABLE *SESSION_NONNULL out_json,
    size_t *SESSION_NULLABLE out_length);

/**
 * Moves the cursor behind a number, whether or not there is such an event.
 *
 * @param cursor     the cursor
 * @param after_seq  0: before the first event
 * @return SESSION_OK; SESSION_E_MISUSE
 * @remark One thread at a time. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_cursor_seek(session_cursor_t *cursor, uint64_t after_seq);

/**
 * Moves the cursor before the first event, in the order of numbers, whose `timestamp` is `at` or
 * later; behind the last event where there is none. Timestamps may go backwards. The filter of the
 * cursor does not count here.
 *
 * @param cursor  the cursor
 * @param at      unix ms
 * @return SESSION_OK; SESSION_E_MISUSE
 * @remark One thread at a time. Cost: long, in the part of the log before that event; also the job
 *         `find_time`.
 * @since 0.1
 */
SESSION_API session_status_t session_cursor_seek_time(session_cursor_t *cursor, int64_t at);

/**
 * Ends a cursor; NULL is fine. Never blocks, leaves session_last_error() alone, and may come from
 * any thread: a session_cursor_next() that waits answers SESSION_E_CANCELLED.
 *
 * @param cursor  the cursor, or NULL
 * @return SESSION_OK; SESSION_E_INVALID_HANDLE
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_cursor_destroy(session_cursor_t *SESSION_NULLABLE cursor);

/**
 * Keeps a file with the session: an image, a document, what a prompt refers to by its `file_id`.
 *
 * Answers `{"file_id":"f_9f86d081884c7d659a2feaa0c55ad015","name":"a.png","mime_type":"image/png",
 * "bytes":1024,"sha256":"9f86...","existing":false}`. The file is kept under the SHA-256 of its
 * content; the same content again gets the same `file_id` and `"existing":true`. On return it is on
 * stable storage, whatever the store's durability. A file that no event refers to is removed by a
 * prune, an hour after it was last put at the earliest.
 *
 * @param session          the session
 * @param name             as people see it: 1 to 255 bytes without separators, control characters
 * @param data             the content; may be NULL where `length` is 0
 * @param length           at most 10 MiB of an image and 50 MiB of any other file, unless
 *                         session_store_configure() says otherwise
 * @param[out] out_json    the answer; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_INVALID_ARGUMENT: the name, or content that is not what the name's
 *         extension says (`{"argument":"name","extension":"png","expected":"image/png",
 *         "actual":"text/plain"}`); SESSION_E_LIMIT; SESSION_E_NO_SPACE; SESSION_E_ACCESS_DENIED on
 *         a handle from a share
 * @remark Any thread. Cost: long, in the size of the file; also the job `put_file`.
 * @since 0.1
 */
SESSION_API session_status_t session_put_file(session_t *session, const char *name,
                                              const void *SESSION_NULLABLE data, size_t length,
                                              char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                              size_t *SESSION_NULLABLE out_length);

/**
 * Tells where a file lies, for reading. Its content never changes; the path holds until the session
 * is deleted or a prune removes the file.
 *
 * @param session        the session
 * @param file_id        as session_put_file() answered it
 * @param[out] out_path  absolute; free it with session_string_free()
 * @return SESSION_OK; SESSION_E_NOT_FOUND; SESSION_E_ACCESS_DENIED on a handle from a share
 * @remark Any thread. Cost: memory, and a look at the disk.
 * @since 0.1
 */
SESSION_API session_status_t session_get_file_path(
    session_t *session, const char *file_id, char *SESSION_NULLABLE *SESSION_NONNULL out_path);

/**
 * Makes a branch: a new session with this one as its parent, which sees its events up to a number
 * under the same numbers, and then its own. Nothing is copied where the file system has hard links,
 * and the branch keeps what it sees whatever becomes of the parent. Files are shared likewise. What
 * rewinds hide in the parent is hidden in the branch, which can undo them for itself.
 *
 * @param session         the parent
 * @param at_seq          the last event that the branch sees; 0: the last one there is
 * @param options         NULL: the defaults
 * @param[out] out_child  the branch; let go of it with session_destroy()
 * @return SESSION_OK; SESSION_E_INVALID_ARGUMENT: no such event yet; else as session_create()
 * @remark Any thread. Cost: commit, always durable; a number in the middle of a long log costs a
 *         read of what lies between it and the nearer end.
 * @since 0.1
 */
SESSION_API session_status_t session_fork(session_t *session, uint64_t at_seq,
                                          const session_create_options_t *SESSION_NULLABLE options,
                                          session_t *SESSION_NULLABLE *SESSION_NONNULL out_child);

/**
 * Tells the family of a session: the oldest living ancestor and all its living descendants.
 *
 * Answers `{"root_id":"...","sessions":[{"id":"...","parent_id":null,"depth":0,"fork_seq":null,
 * "title":"...","created_at":...,"updated_at":...,"last_seq":17,"archived":false}]}`, each behind
 * its parent, in the order they were made.
 *
 * @param session          any member
 * @param[out] out_json    the JSON; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_ACCESS_DENIED on a handle from a share
 * @remark Any thread. Cost: long, in the number of sessions; also the job `tree`.
 * @since 0.1
 */
SESSION_API session_status_t session_tree(session_t *session,
                                          char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                          size_t *SESSION_NULLABLE out_length);

/**
 * Hides the events behind a number without erasing them. An event of type `rewind` says so; pages
 * name what is hidden in `skipped`. Where no event is behind the number nothing happens.
 *
 * @param session  the session
 * @param to_seq   the last event that stays; 0: none does
 * @return SESSION_OK; SESSION_E_INVALID_ARGUMENT: no such event yet; SESSION_E_ACCESS_DENIED
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_rewind(session_t *session, uint64_t to_seq);

/**
 * Shows again what the last rewind hid that was not undone. An event of type `rewind_undone` says
 * so.
 *
 * @param session  the session
 * @return SESSION_OK; SESSION_E_NOT_FOUND: there is none; SESSION_E_ACCESS_DENIED
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_undo_rewind(session_t *session);

/**
 * Takes events away from the beginning of a conversation until it keeps the given limits: whole
 * turns, never the last one. Numbers stay, branches keep what they see, files that nothing refers
 * to any more go unless they were put within the last hour.
 *
 * Options, one limit at least: `{"max_events":N,"max_bytes":N,"max_age_ms":N,"dry_run":false,
 * "trash":true}`. `max_bytes` is that of the log; `max_age_ms` speaks of the end of a turn. With
 * `trash` the log as it was stays in the trash until session_store_purge().
 *
 * Answers `{"dry_run":false,"pruned_events":9,"pruned_messages":3,"pruned_bytes":4711,
 * "first_seq":10,"last_seq":15,"removed_file_bytes":0}`. `dry_run` does not look for files:
 * it answers 0 bytes of them.
 *
 * @param session          the session
 * @param options_json     an object
 * @param[out] out_json    the report; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_INVALID_JSON; SESSION_E_INVALID_ARGUMENT; SESSION_E_NO_SPACE:
 *         nothing happened; SESSION_E_ACCESS_DENIED on a handle from a share
 * @remark Any thread. Cost: long, in the size of the log; others can write meanwhile.
 *         Also the job `prune`.
 * @since 0.1
 */
SESSION_API session_status_t session_prune(session_t *session, const char *options_json,
                                           char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                           size_t *SESSION_NULLABLE out_length);

#ifdef __cplusplus
}
#endif

#if defined(SESSION_HAS_NULLABILITY)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* SESSIONS_EVENTS_H */
