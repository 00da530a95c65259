/**
 * @file sessions/session.h
 * A session: one conversation, with its title, metadata, place in a tree, abort signal and shares.
 *
 * Besides the statuses listed, every call on a session answers SESSION_E_DELETED once the session
 * was deleted, and SESSION_E_NOT_FOUND on a handle from a share that was revoked. Calls that write
 * answer SESSION_E_ACCESS_DENIED (`{"rule":"share.read_only"}`) on a handle from a share.
 *
 * **What a share shows.** The events of its range that a plain read by the owner shows, as a page,
 * in turns, through a cursor or as a transcript, and nothing else. What a rewind hides, before or
 * after the share was made, is hidden here too, and a call that asks for it answers
 * SESSION_E_ACCESS_DENIED (`{"rule":"share.hidden"}`); `skipped` has the numbers. Infos and numbers
 * speak of the range (see session_get_info()), aborts are not seen, a damaged event does not say in
 * which file it stands. The lock, queue, buttons, tree, other shares and files of a session are
 * SESSION_E_ACCESS_DENIED (`{"rule":"share.read_only"}`), as are calls that write. A live share
 * follows the conversation, with its streams, and keeps to the same rules. The title is the one
 * that the session has now.
 *
 * @since 0.1
 */
#ifndef SESSIONS_SESSION_H
#define SESSIONS_SESSION_H

#include "types.h"

#if defined(SESSION_HAS_NULLABILITY)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** @name Order of session_list()
 * @since 0.1
 * @{ */
#define SESSION_ORDER_UPDATED_DESC 0 /**< Last changed first. */
#define SESSION_ORDER_UPDATED_ASC 1  /**< Last changed last. */
#define SESSION_ORDER_CREATED_DESC 2 /**< Newest first. */
#define SESSION_ORDER_CREATED_ASC 3  /**< Oldest first. */
/** Last conversation first: by `last_event_at`, where there is no event by `created_at`. */
#define SESSION_ORDER_ACTIVE_DESC 4
/** @} */

/** @name Archived sessions in session_list()
 * @since 0.1
 * @{ */
#define SESSION_ARCHIVED_EXCLUDE 0 /**< Leave them out. */
#define SESSION_ARCHIVED_ONLY 1    /**< Only them. */
#define SESSION_ARCHIVED_INCLUDE 2 /**< All sessions. */
/** @} */

/** @name Flags of session_list_options_t
 * @since 0.1
 * @{ */
#define SESSION_LIST_ROOTS 0x1u /**< Only sessions without a parent. */
#define SESSION_LIST_TRASH 0x2u /**< Only deleted ones; adds `deleted_at` and `deletion_id`. */
/** @} */

/** @name Flags of session_share_options_t
 * @since 0.1
 * @{ */
#define SESSION_SHARE_ROTATE 0x1u /**< Revoke the old link and make a new one. */
#define SESSION_SHARE_LIVE 0x2u   /**< The range follows the conversation. */
/** @} */

/** @name Flags that session_get_stat() reports
 * @since 0.1
 * @{ */
#define SESSION_STAT_ABORTED 0x1u   /**< Aborted and not cleared. */
#define SESSION_STAT_ARCHIVED 0x2u  /**< Archived. */
#define SESSION_STAT_READ_ONLY 0x4u /**< This handle came from a share. */
#define SESSION_STAT_LOCKED 0x8u    /**< Some owner holds the session. */
/** @} */

/** @name Policies of session_delete()
 * @since 0.1
 * @{ */
#define SESSION_DELETE_CASCADE 0      /**< All descendants go too, all or nothing. */
#define SESSION_DELETE_ORPHAN 1       /**< Children stay and lose their parent. */
#define SESSION_DELETE_REFUSE 2       /**< With children: SESSION_E_HAS_CHILDREN. */
#define SESSION_DELETE_NO_TRASH 0x100 /**< Added to a policy: gone for good; see
                                          session_store_flush(). */
/** @} */

/** @name Flags of session_abort_ex()
 * @since 0.1
 * @{ */
#define SESSION_ABORT_TREE 0x1u    /**< All descendants too. */
#define SESSION_ABORT_RELAXED 0x2u /**< Signal now, record without waiting for the disk. */
/** @} */

/**
 * How a session begins. Text in metadata and facts is Unicode: half of a surrogate pair as an
 * escape is SESSION_E_INVALID_JSON with its offset, here and in updates, so that a strict parser
 * can read all that is answered.
 * @since 0.1
 */
typedef struct session_create_options {
  uint32_t size;               /**< sizeof(session_create_options_t). */
  uint32_t flags;              /**< 0. */
  /** At most 16 KiB; NULL: "New Session", title_source "default". */
  const char *SESSION_NULLABLE title;
  const char *SESSION_NULLABLE metadata_json; /**< A JSON object of at most 1 MiB; NULL: {}. */
  /** A JSON object (agent_id, type, provider, ...); NULL: {}. */
  const char *SESSION_NULLABLE facts_json;
  /** NULL: none; a repeat opens the session made first. */
  const char *SESSION_NULLABLE idempotency_key;
  /** The answer to a decision, see SESSION_E_DECISION_NEEDED; an unknown one is
   *  SESSION_E_NOT_FOUND. NULL: none. */
  const char *SESSION_NULLABLE decision_id;
} session_create_options_t;

/** Which sessions to list, and how. @since 0.1 */
typedef struct session_list_options {
  uint32_t size;              /**< sizeof(session_list_options_t). */
  uint32_t flags;             /**< SESSION_LIST_*. */
  int32_t order;              /**< SESSION_ORDER_*. */
  int32_t archived;           /**< SESSION_ARCHIVED_*. */
  uint32_t limit;             /**< At most so many; 0: no limit. */
  uint32_t reserved;          /**< 0. */
  const char *SESSION_NULLABLE parent_id; /**< Only children of this session; NULL: any. */
  const char *SESSION_NULLABLE title_contains; /**< Unicode, without regard to case; NULL: any. */
  /** What their info is to have, see session_list(); NULL: any. */
  const char *SESSION_NULLABLE filter_json;
  const char *SESSION_NULLABLE fields; /**< Such as "id,title,updated_at"; NULL: all. */
  const char *SESSION_NULLABLE cursor; /**< From the page before; NULL: the first page. */
} session_list_options_t;

/** What a share shows, and to whom. @since 0.1 */
typedef struct session_share_options {
  uint32_t size;      /**< sizeof(session_share_options_t). */
  uint32_t flags;     /**< SESSION_SHARE_*. */
  int64_t expires_at; /**< Unix ms; 0: never. */
  uint64_t first_seq; /**< First event shown; 0: the first one. */
  uint64_t last_seq;  /**< Last event shown; 0: the last one now; 0 with SESSION_SHARE_LIVE. */
  uint32_t max_uses;  /**< How often it can be resolved; 0: no limit. */
  uint32_t reserved;  /**< 0. */
} session_share_options_t;

/** The numbers of a session, filled without JSON or allocation. @since 0.1 */
typedef struct session_stat {
  uint32_t size;          /**< In: sizeof(session_stat_t); left as it is. */
  uint32_t flags;         /**< Out: SESSION_STAT_*. */
  uint64_t revision;      /**< Changes with the facts; events raise last_seq instead. */
  uint64_t last_seq;      /**< Sequence number of the last event; 0: none yet. */
  uint64_t event_count;   /**< How many events. */
  uint64_t message_count; /**< How many of type user_prompt and agent_message. */
  uint64_t abort_count;   /**< How many aborts were recorded. */
  int64_t created_at;     /**< Unix ms. Ids order by creation whatever the clock said. */
  int64_t updated_at;     /**< Unix ms of the last change or event; goes back only from over a
                               day ahead of the clock. */
  int64_t last_event_at;  /**< Unix ms; 0: no event yet. */
} session_stat_t;

/**
 * Creates a session.
 *
 * @param store             the store
 * @param parent_id         the session it branches from; NULL: none
 * @param options           NULL: the defaults
 * @param[out] out_session  the session; let go of it with session_destroy()
 * @return SESSION_OK; SESSION_E_NOT_FOUND: no such parent, or decision (nothing is left behind);
 *         SESSION_E_DELETED: the parent is in the trash; SESSION_E_LIMIT: something is too long
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_create(
    session_store_t *store, const char *SESSION_NULLABLE parent_id,
    const session_create_options_t *SESSION_NULLABLE options,
    session_t *SESSION_NULLABLE *SESSION_NONNULL out_session);

/**
 * Opens a session by its id. Nothing is written.
 *
 * @param store             the store
 * @param id                1 to 128 bytes of A-Z a-z 0-9 . _ - and no . in front; else
 *                          SESSION_E_INVALID_ARGUMENT
 * @param[out] out_session  the session; let go of it with session_destroy()
 * @return SESSION_OK; SESSION_E_NOT_FOUND; SESSION_E_DELETED: it is in the trash
 * @remark Any thread. Cost: memory; one read of a file where the session is not in memory.
 * @since 0.1
 */
SESSION_API session_status_t session_open(session_store_t *store, const char *id,
                                          session_t *SESSION_NULLABLE *SESSION_NONNULL out_session);

/**
 * The id of a session.
 *
 * @param session      the session
 * @param[out] out_id  the id; free it with session_string_free()
 * @return SESSION_OK
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_get_id(session_t *session,
                                            char *SESSION_NULLABLE *SESSION_NONNULL out_id);

/**
 * Tells where the folder of a session lies, for a host that shows it. What is in it is the store's:
 * other programs may read it (docs/FORMAT.md) and change nothing. The path holds until the session
 * is deleted or the store's folder is moved.
 *
 * @param session        the session
 * @param[out] out_path  absolute; free it with session_string_free()
 * @return SESSION_OK: the folder is there; SESSION_E_NOT_FOUND: the store is open for reading only,
 *         and the folder is not made yet; SESSION_E_ACCESS_DENIED on a handle from a share
 * @remark Any thread. Cost: memory, and a look at the disk; as session_store_flush(), where the
 *         session is new and was made relaxed.
 * @since 0.1
 */
SESSION_API session_status_t session_get_path(session_t *session,
                                              char *SESSION_NULLABLE *SESSION_NONNULL out_path);

/**
 * The numbers of a session. Through a handle from a share they are those of session_get_info(),
 * and the only flag is SESSION_STAT_READ_ONLY.
 *
 * @param session        the session
 * @param[out] out_stat  filled up to the smaller of its `size` and the library's
 * @return SESSION_OK
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_get_stat(session_t *session, session_stat_t *out_stat);

/**
 * Everything about a session but its events. Through a handle from a share, `metadata`, `facts`,
 * `parent_id`, `fork_seq` and `share_info` are null, `revision` is 0, `state` is `created`, and
 * `archived` and what speaks of aborts are false, null or 0. `event_count` and `message_count` are
 * of the events that the share shows, `last_seq` is the end of its range, `last_event_at` and
 * `updated_at` are the latest time of these events; without any they are null and the time when the
 * share was made. It reads the range for that.
 *
 * @param session          the session
 * @param[out] out_json    a JSON object; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_get_info(session_t *session,
                                              char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                              size_t *SESSION_NULLABLE out_length);

/**
 * The infos of many sessions at once.
 *
 * @param store            the store
 * @param ids_json         a JSON array of ids
 * @param fields           such as "id,title,updated_at"; NULL: all
 * @param[out] out_json    a JSON array of infos in the order of the ids, null where an id is
 *                         unknown; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_INVALID_JSON; SESSION_E_INVALID_ARGUMENT: not an array of strings,
 *         or an unknown field
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_get_infos(session_store_t *store, const char *ids_json,
                                               const char *SESSION_NULLABLE fields,
                                               char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                               size_t *SESSION_NULLABLE out_length);

/**
 * Lists sessions. Its cost does not depend on the size of their event logs.
 *
 * A filter is an object such as `{"state":["active","idle"],"agent_id":"coder",
 * "facts":{"branch":"main"},"metadata":{"starred":true}}`, of which all is to hold. Its words are
 * `state`; the facts `agent_id`, `type`, `provider`, `role`, `workspace_id`, `workspace_path` and
 * `channel`; `facts` for facts of the host's own, and `metadata`. Each asks for a value, spelled as
 * it is stored, or has an array of values of which one is to be there; null is what is not there.
 *
 * @param store                 the store
 * @param options               NULL: all that are not archived, last changed first
 * @param[out] out_json         a JSON array of infos; free it with session_string_free()
 * @param[out] out_length       its length in bytes; may be NULL
 * @param[out] out_next_cursor  where the next page begins, NULL after the last; free it with
 *                              session_string_free(); may be NULL
 * @return SESSION_OK; SESSION_E_INVALID_ARGUMENT: an unknown flag, order, field or word in the
 *         filter (the message lists those that there are), or a cursor that came from other
 *         options; SESSION_E_INVALID_JSON: the filter
 * @remark Any thread. Cost: memory; the first list reads the index.
 * @since 0.1
 */
SESSION_API session_status_t session_list(session_store_t *store,
                                          const session_list_options_t *SESSION_NULLABLE options,
                                          char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                          size_t *SESSION_NULLABLE out_length,
                                          char *SESSION_NULLABLE *SESSION_NULLABLE out_next_cursor);

/**
 * Sets the title that a user gave (`title_source` "user"). The title it already has writes nothing.
 *
 * @param session  the session
 * @param title    at most 16 KiB of any text; "" goes back to the default
 * @return SESSION_OK; SESSION_E_LIMIT: too long
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_update_title(session_t *session, const char *title);

/**
 * Sets a title that a program made up (`title_source` "generated"). It never beats a user's.
 *
 * @param session           the session
 * @param title             1 byte to 16 KiB of any text
 * @param[out] out_applied  1: it is the title now, 0: the user's title stays; may be NULL
 * @return SESSION_OK, also when the user's title stays; SESSION_E_LIMIT: too long
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_suggest_title(session_t *session, const char *title,
                                                   int32_t *SESSION_NULLABLE out_applied);

/**
 * Changes the metadata by merge patch (RFC 7396). A patch that changes nothing writes nothing.
 *
 * @param session           the session
 * @param merge_patch_json  a JSON object; members that are null are removed
 * @return SESSION_OK; SESSION_E_INVALID_JSON: also half of a surrogate pair;
 *         SESSION_E_INVALID_ARGUMENT: not an object; SESSION_E_LIMIT: more than 1 MiB afterwards
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_update_metadata(session_t *session,
                                                     const char *merge_patch_json);

/**
 * Changes title, archived, metadata and facts in one commit, by merge patch (RFC 7396) on
 * `{"title":"...","archived":false,"metadata":{},"facts":{}}`. A patch that changes nothing writes
 * nothing and keeps the revision.
 *
 * @param session            the session
 * @param merge_patch_json   a JSON object with some of these members
 * @param expected_revision  the revision the change is based on; 0: any
 * @param[out] out_revision  the revision afterwards; may be NULL
 * @return SESSION_OK; SESSION_E_CONFLICT: another revision; SESSION_E_INVALID_JSON;
 *         SESSION_E_INVALID_ARGUMENT: not an object, another member, or one of the wrong type;
 *         SESSION_E_LIMIT
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_update(session_t *session, const char *merge_patch_json,
                                            uint64_t expected_revision,
                                            uint64_t *SESSION_NULLABLE out_revision);

/**
 * Deletes a session: into the trash, or for good. Other handles to it answer SESSION_E_DELETED from
 * then on and waits on it end. This handle still has to be destroyed.
 *
 * @param session  the session
 * @param policy   SESSION_DELETE_CASCADE, _ORPHAN or _REFUSE, with or without
 *                 SESSION_DELETE_NO_TRASH
 * @return SESSION_OK; SESSION_E_HAS_CHILDREN; SESSION_E_DELETED: it already is
 * @remark Any thread. Cost: commit; works on a full disk.
 * @since 0.1
 */
SESSION_API session_status_t session_delete(session_t *session, int32_t policy);

/**
 * Brings back all that one delete took. A session that is not deleted is left as it is.
 *
 * @param store  the store
 * @param id     any session of that delete
 * @return SESSION_OK; SESSION_E_NOT_FOUND: unknown, or gone for good
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_restore(session_store_t *store, const char *id);

/**
 * Aborts a session: every process sees the signal at once and every wait on it wakes; then the
 * abort is recorded, and stays over restarts until session_clear_abort(). In the same commit every
 * tool call that has no result gets one, as interrupted (docs/EVENTS.md, "Repair"). Streams and the
 * end of the turn are left to their writers; the next write to a stream answers
 * SESSION_E_CANCELLED.
 *
 * The status speaks of the record only: after SESSION_E_BUSY, say, when a process that was stopped
 * holds the store, the session is aborted all the same for everybody who has the store open, until
 * session_clear_abort(). On a full disk where the results do not fit the abort is recorded alone.
 *
 * @param session  the session
 * @param reason   at most 4 KiB of text; NULL: none
 * @return SESSION_OK; SESSION_E_LIMIT: the reason is too long; SESSION_E_READ_ONLY: the store is
 *         open for reading only (after these two nothing was signalled)
 * @remark Any thread. Cost: commit, and the first time reading the log; works on a full disk.
 * @since 0.1
 */
SESSION_API session_status_t session_abort(session_t *session, const char *SESSION_NULLABLE reason);

/**
 * Aborts a session, as session_abort() does, with flags.
 *
 * @param session         the session
 * @param reason          at most 4 KiB of text; NULL: none
 * @param flags           SESSION_ABORT_TREE, SESSION_ABORT_RELAXED, or 0
 * @param[out] out_count  how many sessions were reached; may be NULL
 * @return SESSION_OK; SESSION_E_LIMIT: the reason is too long; SESSION_E_READ_ONLY: the store is
 *         open for reading only (after these two nothing was signalled)
 * @remark Any thread. Cost: commit, and the first time reading the logs; works on a full disk.
 * @since 0.1
 */
SESSION_API session_status_t session_abort_ex(session_t *session,
                                              const char *SESSION_NULLABLE reason, uint32_t flags,
                                              uint32_t *SESSION_NULLABLE out_count);

/**
 * Asks for an abort from a signal handler, such as that of Ctrl-C: no other call may be made there.
 * A thread of the library, which starts with the process's first session, then does at once what
 * session_abort() does without a reason: every wait on the session ends, also one that the signal
 * interrupted. The program goes on: a loop of its own asks session_is_aborted(). session_destroy()
 * and session_store_close() carry out what was asked for before. Repeats that the thread has not
 * come to yet count as one. SESSION_OK says that the abort is noted, not that it is done: one that
 * cannot be, as on a share, in a read-only store or after a close, is a note in session_log_read().
 *
 * @param session  the session
 * @return SESSION_OK: it is noted; SESSION_E_LIMIT: 64 other sessions wait to be aborted;
 *         SESSION_E_NO_MEMORY: the thread could not start; SESSION_E_CLOSED: after
 *         session_shutdown(). session_last_error() and errno are left alone, whatever it answers
 * @remark Any thread, and any signal handler. Cost: memory; never blocks.
 * @since 0.1
 */
SESSION_API session_status_t session_signal_abort(session_t *SESSION_NULLABLE session);

/**
 * Says whether a session is aborted, by any process; for loops that look often. The signal counts
 * from when it is given, before there is a record of it that session_get_info() could show.
 * Through a handle from a share it is always 0.
 *
 * @param session           the session
 * @param[out] out_aborted  1 or 0
 * @return SESSION_OK
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_is_aborted(session_t *session, int32_t *out_aborted);

/**
 * Waits for an abort by any process. A wait that had begun when the signal came returns SESSION_OK,
 * also when the abort was cleared at once, and when it could not be recorded. Through a handle from
 * a share no abort is seen: the wait ends with its time, or with the share.
 *
 * @param session     the session
 * @param timeout_ms  how long; 0: look only; #SESSION_WAIT_FOREVER
 * @return SESSION_OK: aborted; SESSION_E_TIMEOUT; SESSION_E_CANCELLED: this handle was destroyed;
 *         SESSION_E_DELETED; SESSION_E_CLOSED
 * @remark Any thread. Cost: waits.
 * @since 0.1
 */
SESSION_API session_status_t session_wait_abort(session_t *session, uint32_t timeout_ms);

/**
 * Ends an abort, for every process. `abort_count` stays; one that could not be recorded is counted
 * now. A session that is not aborted is left as it is.
 *
 * @param session  the session
 * @return SESSION_OK
 * @remark Any thread. Cost: commit; works on a full disk.
 * @since 0.1
 */
SESSION_API session_status_t session_clear_abort(session_t *session);

/**
 * Makes a share link, or finds the one with the same terms that shows the same events; a "copy
 * link" button calls it. In a conversation that has grown, a range up to now is another one, and
 * its link new; the old link goes on to show what it did. No other call hands out `url` and
 * `secret`.
 *
 * @param session          the session
 * @param options          NULL: everything up to now, for good
 * @param[out] out_json    a JSON object with share_id, url, secret and terms; free it with
 *                         session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_create_share(
    session_t *session, const session_share_options_t *SESSION_NULLABLE options,
    char *SESSION_NULLABLE *SESSION_NONNULL out_json, size_t *SESSION_NULLABLE out_length);

/**
 * Lists the shares of a session without url and secret, also those that are over: revoked, expired
 * or used up. Of these the 32 that ended last are kept, for 30 days; a handle from a share that was
 * used up lives as long.
 *
 * @param session          the session
 * @param[out] out_json    `{"shares":[...]}`; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_ACCESS_DENIED on a handle from a share
 * @remark Any thread. Cost: memory; one read of a file.
 * @since 0.1
 */
SESSION_API session_status_t session_list_shares(session_t *session,
                                                 char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                 size_t *SESSION_NULLABLE out_length);

/**
 * Opens what a share link shows: read-only, and only its range of events. Each success is one
 * durable use.
 *
 * @param store             the store
 * @param secret_or_url     the secret, or a link that ends in it
 * @param[out] out_session  the session; let go of it with session_destroy()
 * @return SESSION_OK; SESSION_E_NOT_FOUND: expired, revoked, used up or unknown, without difference
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_resolve_share(
    session_store_t *store, const char *secret_or_url,
    session_t *SESSION_NULLABLE *SESSION_NONNULL out_session);

/**
 * Ends a share. Handles that came from it answer SESSION_E_NOT_FOUND from then on. A share that has
 * ended is left as it is. Its secret is in no file any more on return, and the library keeps none
 * in memory beyond the call that needs it; the text that the host was handed is the host's to wipe.
 * The secret of a share that expires or is used up goes, too: with the last use, with the next
 * change of the session's shares or attempt to open it, with a flush or a close, and at its time
 * where a process that knows of it writes to the store.
 *
 * @param session   the session
 * @param share_id  the id of the share, from session_create_share() or session_list_shares()
 * @return SESSION_OK; SESSION_E_NOT_FOUND: no such share
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_revoke_share(session_t *session, const char *share_id);

/**
 * Lets go of a session; nothing happens to the session itself. Waits on this handle end with
 * SESSION_E_CANCELLED. A lock that it holds ends at once. Never blocks.
 *
 * @param session  the session; NULL is fine
 * @return SESSION_OK; SESSION_E_INVALID_HANDLE: not a handle (session_last_error() is left alone)
 * @remark Any thread. Cost: memory. Works after session_store_close(), harmless in a forked child.
 * @since 0.1
 */
SESSION_API session_status_t session_destroy(session_t *SESSION_NULLABLE session);

#ifdef __cplusplus
}
#endif

#if defined(SESSION_HAS_NULLABILITY)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* SESSIONS_SESSION_H */
