/**
 * @file sessions/coordination.h
 * Many programs on one store: the lock of a session, the watch that tells what happens, the message
 * queue of a busy agent, and action buttons.
 *
 * Besides the statuses listed, every call on a session answers SESSION_E_DELETED once the session
 * was deleted, and SESSION_E_NOT_FOUND on a handle from a share that was revoked. On a handle from
 * a share, calls that write answer SESSION_E_ACCESS_DENIED (`{"rule":"share.read_only"}`).
 *
 * @since 0.1
 */
#ifndef SESSIONS_COORDINATION_H
#define SESSIONS_COORDINATION_H

#include "types.h"

#if defined(SESSION_HAS_NULLABILITY)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** @name Modes of session_lock(): what is done when another owner holds the session
 * @since 0.1
 * @{ */
#define SESSION_LOCK_TRY 0   /**< SESSION_E_LOCKED. */
#define SESSION_LOCK_WAIT 1  /**< Wait for it to let go. */
#define SESSION_LOCK_FORCE 2 /**< Take over from one that is idle, not from a busy one. */
#define SESSION_LOCK_INTERRUPT 3 /**< Take over from any. */
/** @} */

/** @name Flags of session_lock()
 * @since 0.1
 * @{ */
#define SESSION_LOCK_ASK 0x1u /**< Ask the holder to hand over before the mode's own way. */
/** @} */

/** @name Flags of session_watch_open()
 * @since 0.1
 * @{ */
#define SESSION_WATCH_COALESCE 0x1u /**< One change a session, newest numbers; never a gap. */
/** @} */

/** @name Flags of session_watch_get_fd()
 * @since 0.1
 * @{ */
#define SESSION_FD_DUPLICATE 0x1u /**< A descriptor of the caller's own, who closes it. */
/** @} */

/** @name Outcomes of session_queue_settle()
 * @since 0.1
 * @{ */
#define SESSION_QUEUE_SENT 0      /**< Delivered: its `user_prompt` is appended, and it is over. */
#define SESSION_QUEUE_RELEASE 1   /**< Not delivered: back to its place among the queued. */
#define SESSION_QUEUE_FAILED 2    /**< Not delivered, and over. */
#define SESSION_QUEUE_CANCELLED 3 /**< Nobody wants it any more, and over. */
/** @} */

/**
 * Tells that a watch has something to give where it had nothing, or that its store was closed. It
 * may come on any thread, also one of the library's, and must only signal (`uv_async_send`, a
 * semaphore, a byte into a pipe); session_watch_destroy() is the one call that it may make.
 *
 * @param user  session_watch_options_t::wake_user
 * @since 0.1
 */
typedef void (*session_wake_fn)(void *SESSION_NULLABLE user);

/** How to ask for the lock of a session. @since 0.1 */
typedef struct session_lock_options {
  uint32_t size;       /**< sizeof(session_lock_options_t). */
  uint32_t flags;      /**< SESSION_LOCK_ASK, or 0. */
  uint32_t timeout_ms; /**< How long to wait and ask; 0: the busy_timeout_ms of the store. */
  uint32_t reserved;   /**< 0. */
  /** Shown to people at the holder that is asked, 4 KiB; NULL: none. */
  const char *SESSION_NULLABLE message;
} session_lock_options_t;

/** What a watch tells, and how. @since 0.1 */
typedef struct session_watch_options {
  uint32_t size;          /**< sizeof(session_watch_options_t). */
  uint32_t flags;         /**< SESSION_WATCH_*. */
  uint64_t after_lsn;     /**< The `next_lsn` of an earlier page; 0: from now on. */
  const char *SESSION_NULLABLE session_id; /**< Only what concerns this session; NULL: all. */
  /** `abort,queue,stream_text`: only these kinds; NULL: all. */
  const char *SESSION_NULLABLE kinds;
  /** Called when there is something to give, see there; NULL: none. */
  session_wake_fn SESSION_NULLABLE wake;
  void *SESSION_NULLABLE wake_user; /**< Handed to it; never followed. */
} session_watch_options_t;

/**
 * @name Locks
 * One owner at a time writes the conversation of a session: the handle that session_lock() was
 * called on. While it holds the session, conversation writes through other handles (appends,
 * streams, rewinds, repairs, prunes, claiming and settling what is queued) answer SESSION_E_LOCKED.
 * Titles, metadata, archiving, shares, aborts, adding to the queue and editing it, buttons and
 * deletes stay free. Where nobody holds the session anybody writes, unless the rule `strict_lock`
 * (session_store_configure()) demands the lock.
 *
 * - The lock ends with session_unlock(), with session_destroy() of its handle, with
 *   session_store_close(), and with its process, however that ends: the kernel tells the others at
 *   once, whatever its machine is called by then. Where that proof is not to be had (a file system
 *   that is not local), a holder that gave no sign for 60 s counts as gone, for every mode and for
 *   writes without the lock.
 * - Each taking has an `epoch` that every write of the holder is held against. Who lost the lock to
 *   another one changes nothing any more: conversation writes, session_set_activity(),
 *   session_lock_answer() and session_unlock() answer SESSION_E_LOCK_LOST until that is forgotten
 *   with session_unlock(), or the lock is taken anew with session_lock().
 * @since 0.1
 * @{ */

/**
 * Takes the lock of a session for this handle. On a handle that has it nothing happens.
 *
 * The first lock of a session in this store, and one taken over, also gives each open tool call its
 * result, as interrupted (docs/EVENTS.md, "Repair"), and ends streams that the former holder left
 * open: take it before the agent calls tools. Turns are left to their agents. Where that fails the
 * lock is had all the same, and session_log_read() says why.
 *
 * With SESSION_LOCK_ASK the holder sees a request in session_lock_status() and on its watch (kind
 * `lock`, `{"what":"requested",...,"request_id":"...","from":{...},"message":"...",
 * "deadline":...}`) and answers it with session_lock_answer(). Where it refuses the call ends with
 * SESSION_E_LOCKED and `"refused":true` in the details. Where it does not answer in time, `try` and
 * `wait` are SESSION_E_TIMEOUT, `force` and `interrupt` go on as if it had not been asked. However
 * the call ends, the request goes with it.
 *
 * @param session  the session
 * @param mode     SESSION_LOCK_TRY, _WAIT, _FORCE or _INTERRUPT
 * @param options  NULL: the defaults
 * @return SESSION_OK; SESSION_E_LOCKED: held by another one, the details name it
 *         (`{"holder":{"pid":14466,"client_type":"cli","status":"processing"}}`; `holder` is null
 *         while the lock is kept for the one who asked for it, and where `strict_lock` demands it);
 *         SESSION_E_TIMEOUT: it did not let go in time, or did not answer; SESSION_E_PROCESSING and
 *         SESSION_E_WAITING_PERMISSION: force, and the holder is at work; a wait ends with
 *         SESSION_E_DELETED, SESSION_E_CLOSED or SESSION_E_CANCELLED (the handle was destroyed)
 * @remark Any thread. Cost: a commit that does not wait for the disk; waits, with mode wait or when
 *         it asks; long, where tool calls are to be looked for.
 * @since 0.1
 */
SESSION_API session_status_t session_lock(session_t *session, int32_t mode,
                                          const session_lock_options_t *SESSION_NULLABLE options);

/**
 * Answers a request for the lock that this handle holds. Accepted, the lock is let go of and kept
 * for the one who asked, until its deadline and as long as its store is open.
 *
 * @param session     the session
 * @param request_id  as in session_lock_status() and on the watch
 * @param accept      1: hand over; 0: refuse
 * @return SESSION_OK; SESSION_E_NOT_FOUND: no such request, or it was taken back;
 *         SESSION_E_LOCK_LOST; SESSION_E_LOCKED: another one holds it;
 *         SESSION_E_INVALID_TRANSITION: nobody does
 * @remark Any thread. Cost: a commit that does not wait for the disk.
 * @since 0.1
 */
SESSION_API session_status_t session_lock_answer(session_t *session, const char *request_id,
                                                 int32_t accept);

/**
 * Tells who holds the session, and what this handle could do about it.
 *
 * Answers `{"is_locked":true,"is_mine":false,"is_stale":false,"can_force":false,
 * "can_interrupt":true,"epoch":12,"holder":{"pid":14466,"process_started_at":...,"hostname":"vm",
 * "boot_id":"9d41c7be20aa1f03","pid_namespace":4026531836,"instance_id":"i-0c7f",
 * "client_type":"cli","started_at":...,"heartbeat_at":...,"last_activity_at":...,
 * "status":"processing","status_message":"running tests"},
 * "reserved_for":null,"requests":[{"request_id":"lr_04f1c2a9e377","pid":4303,
 * "client_type":"desktop","instance_id":"i-88a0","message":"May I?","at":...,"deadline":...}],
 * "message":"A cli on vm has been writing here for 10 s; it is processing."}`. `message` is for
 * people. `holder` may be null: nobody is known to hold it, or the lock was handed over and is kept
 * for the one who asked, with `is_locked` true and `reserved_for`, the request that was accepted. A
 * holder that is gone, with `is_locked` false, is shown until somebody has written down that it is.
 *
 * @param session          the session
 * @param[out] out_json    the status; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_ACCESS_DENIED on a handle from a share
 * @remark Any thread. Cost: memory, and a look at a lock of the operating system.
 * @since 0.1
 */
SESSION_API session_status_t session_lock_status(session_t *session,
                                                 char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                 size_t *SESSION_NULLABLE out_length);

/**
 * Says what the holder of the lock is doing; others see it, and SESSION_LOCK_FORCE goes by it.
 *
 * @param session  the session, held by this handle
 * @param status   `idle`, `processing` or `waiting_for_permission`
 * @param message  a few words for people, at most 4 KiB; NULL: none
 * @return SESSION_OK; SESSION_E_INVALID_ARGUMENT: the status; SESSION_E_LOCK_LOST;
 *         SESSION_E_LOCKED: another one holds it; SESSION_E_INVALID_TRANSITION: nobody does;
 *         SESSION_E_LIMIT
 * @remark Any thread. Cost: a commit that does not wait for the disk.
 * @since 0.1
 */
SESSION_API session_status_t session_set_activity(session_t *session, const char *status,
                                                  const char *SESSION_NULLABLE message);

/**
 * Lets go of the lock. On a handle that does not hold it nothing happens.
 *
 * @param session  the session
 * @return SESSION_OK; SESSION_E_LOCK_LOST: another one took it; that is forgotten now
 * @remark Any thread. Cost: a commit that does not wait for the disk.
 * @since 0.1
 */
SESSION_API session_status_t session_unlock(session_t *session);

/**
 * Lets go of every lock that was taken through sessions of this store handle. Of those that
 * another one took over nothing is said.
 *
 * @param store  the store
 * @return SESSION_OK
 * @remark Any thread. Cost: a commit that does not wait for the disk.
 * @since 0.1
 */
SESSION_API session_status_t session_release_all_locks(session_store_t *store);

/**
 * Counts the locks that sessions of this store handle hold.
 *
 * @param store           the store
 * @param[out] out_count  how many; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_active_lock_count(session_store_t *store,
                                                       uint32_t *SESSION_NULLABLE out_count);
/** @} */

/**
 * @name Watch
 * The one way to hear of changes, of this process and of all others. A watch has its own filter,
 * its own position and its own socket; one that reads slowly keeps nobody waiting, and what it
 * could not be given is named by a change of kind `gap`.
 *
 * Kinds: `created`, `updated`, `renamed`, `deleted`, `restored`, `event_appended`, `stream_text`,
 * `stream_ended`, `lock`, `queue`, `buttons`, `abort`, `share`, `state`, `decision`, `job`,
 * `notice`, `gap`. Take others for news that you do not know.
 *
 * To mirror a store: open the watch, then list, then apply the changes. After a gap list again.
 * @since 0.1
 * @{ */

/**
 * Opens a watch.
 *
 * @param store           the store
 * @param options         NULL: everything, from now on
 * @param[out] out_watch  the watch; end it with session_watch_destroy()
 * @return SESSION_OK; SESSION_E_INVALID_ARGUMENT: a kind that there is not, or an id that cannot
 *         be one
 * @remark Any thread. Cost: memory; the first watch of a store starts a thread.
 * @since 0.1
 */
SESSION_API session_status_t session_watch_open(
    session_store_t *store, const session_watch_options_t *SESSION_NULLABLE options,
    session_watch_t *SESSION_NULLABLE *SESSION_NONNULL out_watch);

/**
 * Reads what has happened since the page before.
 *
 * Answers `{"changes":[{"lsn":4711,"at":1795158399456,"session_id":"...","kind":"event_appended",
 * "revision":6,"last_seq":17,"by":{"pid":4242,"client_type":"nvim","instance_id":"i-7c1f"},
 * "detail":{"seq":17,"type":"agent_message","turn_id":"t-3"}}],"next_lsn":4711,"has_more":false}`.
 * Changes come in the order of their commits; `by` says who made them. `next_lsn` is where another
 * watch with this filter goes on. A change of kind `gap`, whatever `kinds` says, stands for all
 * from its `detail.from_lsn` to its `lsn` that cannot be told any more. With SESSION_WATCH_COALESCE
 * there is one change a session, of kind `changed`, with the kinds in `detail.kinds`.
 *
 * Details: `created` {title, parent_id}; `renamed` {title, title_source}; `event_appended` {seq,
 * type, turn_id}; `stream_text` {stream_id, offset, text}, at the begin also type and turn_id;
 * `stream_ended` {stream_id, seq}; `abort` {reason, abort_count, is_aborted}; `state` {state};
 * `lock` {what: acquired, released, requested, answered, activity; epoch, holder, ...}; `queue`
 * {what: added, updated, moved, removed, cleared, claimed, settled, interrupted; entry_id, state,
 * wants_title, generation}; `buttons` {for_seq, count}; `deleted` {purged} where it is gone for
 * good; `updated` {reason} where it was pruned; `notice` {what}. Of the others, read the info.
 *
 * @param watch            the watch
 * @param limit            at most so many changes; 0: as many as fit a page of 1 MiB, at least one
 * @param timeout_ms       where there is nothing, wait so long; 0: answer at once, with an empty
 *                         page; or SESSION_WAIT_FOREVER
 * @param[out] out_json    the page; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_TIMEOUT: nothing came; SESSION_E_MISUSE; a wait ends with
 *         SESSION_E_CLOSED or SESSION_E_CANCELLED (the watch was destroyed)
 * @remark One thread at a time. Cost: memory; long, in what a watch that lags behind has to read;
 *         waits.
 * @since 0.1
 */
SESSION_API session_status_t session_watch_next(session_watch_t *watch, uint32_t limit,
                                                uint32_t timeout_ms,
                                                char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                size_t *SESSION_NULLABLE out_length);

/**
 * Tells the socket of a watch, for the poll loop of a host: poll, epoll, libuv, asyncio,
 * net.Socket. It is readable exactly while session_watch_next() has something to give, and from
 * session_store_close() on; on every system a socket, non-blocking and close-on-exec.
 *
 * A host only waits until it is readable, and then calls session_watch_next() until `has_more` is
 * false; that also empties the socket. One that reads the byte in it itself, because its loop does,
 * is sent another while there is more to give. One that makes it blocking, as Go's File.Fd() does,
 * blocks itself at most: no call and no thread of the library ever waits in it.
 *
 * @param watch         the watch
 * @param flags         SESSION_FD_DUPLICATE: a descriptor that the caller closes, for hosts that
 *                      close what they poll. 0: the watch's own, which goes with it
 * @param[out] out_fd   a descriptor, on Windows a SOCKET; -1 on failure
 * @return SESSION_OK; SESSION_E_MISUSE; SESSION_E_IO: the system gives no more descriptors
 * @remark One thread at a time. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_watch_get_fd(session_watch_t *watch, uint32_t flags,
                                                  intptr_t *out_fd);

/**
 * Ends a watch; NULL is fine. May come from any thread, also from inside `wake`: a
 * session_watch_next() that waits answers SESSION_E_CANCELLED. After it returned `wake` does not
 * run; where one runs on another thread it is waited for. Leaves session_last_error() alone.
 *
 * @param watch  the watch, or NULL
 * @return SESSION_OK; SESSION_E_INVALID_HANDLE
 * @remark Any thread. Cost: memory. Blocks no longer than a running `wake`.
 * @since 0.1
 */
SESSION_API session_status_t session_watch_destroy(session_watch_t *SESSION_NULLABLE watch);
/** @} */

/**
 * @name Message queue
 * What people write while the agent is at work: kept with the session, durable, delivered once.
 * Any handle adds and edits; the one who works for the session claims and settles.
 *
 * - An entry is `queued`, then `claimed`, then over: `sent`, `failed` or `cancelled`. One that was
 *   claimed by an open store that is gone is `interrupted`: only the host knows whether it reached
 *   the agent, so it stays until session_queue_settle() says. Nothing is lost, and nothing is sent
 *   twice.
 * - Queued, claimed and interrupted entries count; from `max_size` on session_queue_add() answers
 *   SESSION_E_QUEUE_FULL.
 * - Rules are the store's, or a workspace's (session_store_configure(), `queue`): `enabled` (true),
 *   `delay_ms` (0), `max_size` (10), `auto_generate_titles` (true).
 * @since 0.1
 * @{ */

/**
 * Adds a message to the end of the queue.
 *
 * Takes `{"message":"Fix login","image_ids":[],"file_ids":[],"client_id":"c1","prompt_name":null,
 * "arguments":{},"title":null,"scheduled_at":null,"delay_ms":null,"repeat":null,"key":null}`, all
 * optional but for a message, a prompt_name, an image or a file. `scheduled_at` (unix ms) or
 * `delay_ms` (from now) say before when it is not due. `repeat` is `{"every_ms":60000,"until":...,
 * "count":5}`, a second or more, with one end at least: when an occurrence was sent or has failed,
 * the next one that is still to come is queued in the same commit, under an id of its own; what is
 * missed is left out, and cancelling, removing or clearing one ends it. A `key` that another entry
 * had, of which at least the last 50 that were settled are known, adds nothing and answers the
 * first one.
 *
 * Answers the entry: `{"id":"q-1795158388-fec5497d","state":"queued","position":0,"generation":3,
 * "message":"Fix login","image_ids":[],"file_ids":[],"client_id":"c1","prompt_name":null,
 * "arguments":{},"title":null,"queued_at":1795158388362,"scheduled_at":null,"repeat":null,
 * "key":null,"turn_id":null,"claimed_by":null,"claimed_at":null,"seq":null,"detail":null}`. One
 * without a title that wants one (`auto_generate_titles`) is told to watches with
 * `"wants_title":true`; session_queue_update() gives it one.
 *
 * @param session          the session
 * @param entry_json       an object
 * @param length           its length in bytes
 * @param[out] out_json    the entry; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_INVALID_JSON: also half of a surrogate pair;
 *         SESSION_E_INVALID_ARGUMENT: a member; SESSION_E_QUEUE_FULL; SESSION_E_LIMIT: a message
 *         of more than 1 MiB, or 4 MiB in all;
 *         SESSION_E_ACCESS_DENIED (`{"rule":"queue.enabled"}`): it is switched off
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_queue_add(session_t *session, const char *entry_json,
                                               size_t length,
                                               char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                               size_t *SESSION_NULLABLE out_length);

/**
 * Lists the queue.
 *
 * Answers `{"entries":[...],"generation":3,"count":2,"max_size":10,"next_due_at":null}`: first what
 * is queued, claimed or interrupted (`count` of them), in the order of their positions; then
 * records of what was sent, failed or cancelled, the newest last, at most 50, with
 * `"position":null`.
 *
 * @param session          the session
 * @param[out] out_json    the list; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_ACCESS_DENIED on a handle from a share
 * @remark Any thread. Cost: memory; one read of a file.
 * @since 0.1
 */
SESSION_API session_status_t session_queue_list(session_t *session,
                                                char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                size_t *SESSION_NULLABLE out_length);

/**
 * Changes a queued entry, by merge patch (RFC 7396), in what session_queue_add() takes but for
 * `key`; `delay_ms` takes the place of `scheduled_at`. A patch of the `title` alone is SESSION_OK
 * also while the entry is claimed, and does nothing where it is gone: titles come late.
 *
 * @param session           the session
 * @param entry_id          the entry
 * @param merge_patch_json  an object
 * @return SESSION_OK; SESSION_E_NOT_FOUND; SESSION_E_INVALID_TRANSITION: it is not queued;
 *         SESSION_E_INVALID_JSON; SESSION_E_INVALID_ARGUMENT: a member; SESSION_E_LIMIT
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_queue_update(session_t *session, const char *entry_id,
                                                  const char *merge_patch_json);

/**
 * Moves a queued entry, as far as there are places.
 *
 * @param session   the session
 * @param entry_id  the entry
 * @param delta     so many places towards the end, or to the front where it is negative
 * @return SESSION_OK; SESSION_E_NOT_FOUND; SESSION_E_INVALID_TRANSITION: it is not queued
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_queue_move(session_t *session, const char *entry_id,
                                                int32_t delta);

/**
 * Takes an entry out of the queue. A record of it stays, cancelled with the detail `removed`.
 *
 * @param session   the session
 * @param entry_id  the entry
 * @return SESSION_OK; SESSION_E_NOT_FOUND; SESSION_E_INVALID_TRANSITION: it is claimed
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_queue_remove(session_t *session, const char *entry_id);

/**
 * Drops everything that is queued or interrupted, with a record of each (cancelled, with the detail
 * `cleared`), and raises the generation: what is claimed now is dropped when it is given back, what
 * is added later stays.
 *
 * @param session         the session
 * @param[out] out_count  how many entries were cancelled; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_queue_clear(session_t *session,
                                                 uint32_t *SESSION_NULLABLE out_count);

/**
 * Claims an entry for delivery: the one with the lowest position among those that are not scheduled
 * and those that are due. Nobody else gets it; what became of it says session_queue_settle(). Where
 * this store is closed, or its process ends, without that, it is interrupted.
 *
 * @param session          the session
 * @param turn_id          the turn it will be delivered in; NULL: none
 * @param[out] out_json    the entry, claimed; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_NOT_FOUND: none is due, also during the pause of `delay_ms` after
 *         the last one that was sent (`{"next_due_at":...}`); SESSION_E_CANCELLED: the session is
 *         aborted; SESSION_E_LOCKED; SESSION_E_LOCK_LOST; SESSION_E_ACCESS_DENIED
 *         (`{"rule":"queue.enabled"}`)
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_queue_claim(session_t *session,
                                                 const char *SESSION_NULLABLE turn_id,
                                                 char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                 size_t *SESSION_NULLABLE out_length);

/**
 * Says what became of an entry that was claimed through this store, or of any that is interrupted.
 * With SESSION_QUEUE_SENT the `user_prompt` is appended in the same commit, with the id of the
 * entry and the turn of the claim. To say the same again is fine, answers the same number and
 * writes nothing.
 *
 * @param session       the session
 * @param entry_id      the entry
 * @param outcome       SESSION_QUEUE_*
 * @param detail        a few words that are kept with the entry, at most 4 KiB; NULL: none
 * @param[out] out_seq  the number of the `user_prompt`, 0 with another outcome; may be NULL
 * @return SESSION_OK; SESSION_E_NOT_FOUND; SESSION_E_CONFLICT: another open store claimed it;
 *         SESSION_E_INVALID_TRANSITION: it was not claimed, or settled in another way;
 *         SESSION_E_LOCKED; SESSION_E_LOCK_LOST; SESSION_E_LIMIT
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_queue_settle(session_t *session, const char *entry_id,
                                                  int32_t outcome,
                                                  const char *SESSION_NULLABLE detail,
                                                  uint64_t *SESSION_NULLABLE out_seq);

/**
 * Tells when session_queue_claim() next has something to give.
 *
 * @param session          the session
 * @param[out] out_due_at  unix ms, in the past where an entry is due; 0: nothing is queued, or the
 *                         queue is switched off. Of an abort it says nothing
 * @return SESSION_OK; SESSION_E_ACCESS_DENIED on a handle from a share
 * @remark Any thread. Cost: memory; one read of a file.
 * @since 0.1
 */
SESSION_API session_status_t session_queue_next_due(session_t *session, int64_t *out_due_at);
/** @} */

/**
 * @name Action buttons
 * What the user might want to say next, offered as buttons. They are bound to an event, are not in
 * the log, and the next `user_prompt` takes them away.
 * @since 0.1
 * @{ */

/**
 * Reads the buttons of a session.
 *
 * Answers `{"for_seq":17,"buttons":[{"label":"Run the tests","response":"Please run all of
 * them."}]}`; where there are none `{"for_seq":null,"buttons":[]}`. A branch begins without any.
 *
 * @param session          the session
 * @param[out] out_json    the buttons; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_ACCESS_DENIED on a handle from a share
 * @remark Any thread. Cost: memory; one read of a file.
 * @since 0.1
 */
SESSION_API session_status_t session_get_buttons(session_t *session,
                                                 char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                 size_t *SESSION_NULLABLE out_length);

/**
 * Sets the buttons of a session: the first 5 of the array. Labels are cut at 50 and responses at
 * 1,000 characters, where people see one end; a `response` that is left out is the label. An empty
 * array takes them away.
 *
 * @param session       the session
 * @param buttons_json  `[{"label":"Run the tests","response":"Please run all tests."}]`
 * @param for_seq       the event they follow; 0: the last one now
 * @return SESSION_OK; SESSION_E_CONFLICT: a `user_prompt` came behind that event, or a rewind hides
 *         it; SESSION_E_INVALID_JSON: also half of a surrogate pair; SESSION_E_INVALID_ARGUMENT:
 *         not an array of buttons, or no such event yet
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_set_buttons(session_t *session, const char *buttons_json,
                                                 uint64_t for_seq);
/** @} */

#ifdef __cplusplus
}
#endif

#if defined(SESSION_HAS_NULLABILITY)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* SESSIONS_COORDINATION_H */
