/**
 * @file sessions/store.h
 * A store: one folder on a local disk that holds sessions, shared by any number of processes.
 *
 * @since 0.1
 */
#ifndef SESSIONS_STORE_H
#define SESSIONS_STORE_H

#include "types.h"

#if defined(SESSION_HAS_NULLABILITY)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** @name Durability: when a commit counts as done
 * @since 0.1
 * @{ */
#define SESSION_DURABILITY_FULL 0    /**< When it is on stable storage. */
/** When it survives a killed process; stable storage follows within one second, or with the next
 *  full commit, session_store_flush() or session_store_close(). */
#define SESSION_DURABILITY_RELAXED 1
/** @} */

/** @name Flags of session_store_open()
 * @since 0.1
 * @{ */
#define SESSION_STORE_READ_ONLY 0x1u     /**< Nothing is written, not even a repair. */
#define SESSION_STORE_MUST_EXIST 0x2u    /**< A missing store is SESSION_E_NOT_FOUND. */
#define SESSION_STORE_NO_MIGRATE 0x4u    /**< An older format is SESSION_E_VERSION. */
#define SESSION_STORE_ALLOW_NETWORK 0x8u /**< Takes network disks too, without the promises. */
/** A team's store: folder and files may belong to anybody and be writable by others, and what is
 *  made takes the folder's permissions. All who may write there are trusted with all of it. */
#define SESSION_STORE_SHARED_OWNERS 0x10u
/** @} */

/** @name Flags of session_store_verify_ex()
 * @since 0.1
 * @{ */
#define SESSION_VERIFY_QUICK 0x1u /**< Journal and session files only; event logs are not read. */
/** @} */

/**
 * How this process opens a store. Rules that all processes share are set with
 * session_store_configure() instead.
 * @since 0.1
 */
typedef struct session_store_options {
  uint32_t size;              /**< sizeof(session_store_options_t). */
  uint32_t flags;             /**< SESSION_STORE_*; 0: create, migrate, local disks only. */
  int32_t durability;         /**< SESSION_DURABILITY_*; 0: full. */
  uint32_t busy_timeout_ms;   /**< How long a commit waits for a neighbour; 0: 5,000 ms. */
  /** What share links start with; NULL: "sessions:share/". */
  const char *SESSION_NULLABLE share_base_url;
  /** What other processes see of this one; NULL: "unknown". */
  const char *SESSION_NULLABLE client_type;
} session_store_options_t;

/**
 * How far a job has come; filled by session_job_get_progress().
 * @since 0.1
 */
typedef struct session_progress {
  uint32_t size;   /**< sizeof(session_progress_t). */
  int32_t running; /**< 1 while it runs or waits for its turn; 0: session_job_result() has it. */
  uint64_t done;   /**< How much is done, in units of the kind; never less than before. */
  uint64_t total;  /**< How much there is to do; 0 while that is unknown. */
} session_progress_t;

/**
 * Opens a store, creates it where there is none, and recovers it after a crash. Two opens of one
 * path in one process are two independent stores. Give a store a folder of its own: the names in it
 * are the store's. A folder without a store that has something under one of them is refused.
 *
 * @param path            the folder; NULL: $SESSIONS_HOME, else the platform's data folder
 *                        (SESSION_E_INVALID_ARGUMENT where HOME is not a full path)
 * @param options         NULL: the defaults
 * @param[out] out_store  the store; end it with session_store_close()
 * @return SESSION_OK; SESSION_E_NOT_FOUND with SESSION_STORE_MUST_EXIST; SESSION_E_VERSION: made by
 *         a newer version (nothing was touched); SESSION_E_NOT_LOCAL; SESSION_E_BUSY; SESSION_E_IO:
 *         the path is a file or cannot be written; SESSION_E_ACCESS_DENIED
 *         (`{"rule":"store.owner"}`): somebody else owns it or may write to it, see
 *         SESSION_STORE_SHARED_OWNERS; SESSION_E_EXISTS: the folder is no store and has a file that
 *         a store there would take for its own; SESSION_E_CORRUPT: store.json is damaged or gone,
 *         or a folder of the store is a link. The path itself may lead through links, nothing below
 *         it does
 * @remark Any thread. Cost: long, where the store was not closed or is in an older format; the
 *         latter also as the job `migrate`.
 * @since 0.1
 */
SESSION_API session_status_t session_store_open(
    const char *SESSION_NULLABLE path, const session_store_options_t *SESSION_NULLABLE options,
    session_store_t *SESSION_NULLABLE *SESSION_NONNULL out_store);

/**
 * Describes the store: path, counts, what recovery did, what is in quarantine, what the file system
 * can do, the shared rules. `unwritable` has the ids of sessions whose files could not be
 * written (see session_store_verify()). `quarantined` has 1,000 entries at most;
 * `quarantined_left_off` counts the others. `recovered` is what the last recovery in this open
 * did: `redone_records` counts the records of the journal that it wrote to the files, `torn_bytes`
 * what stood behind the last whole one. Its `journal_lost` is true where the journal was gone, or
 * was an older one, and the shared page, of this start of the machine, shows that the store was not
 * closed and that it had what no file had yet.
 *
 * @param store            the store
 * @param[out] out_json    a JSON object; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_store_get_info(
    session_store_t *store, char *SESSION_NULLABLE *SESSION_NONNULL out_json,
    size_t *SESSION_NULLABLE out_length);

/**
 * Changes rules that all processes share, by merge patch (RFC 7396). They are in force for every
 * process when the call returns and are read with session_store_get_info() as `config`.
 *
 * @param store             the store
 * @param workspace_id      rules of this workspace only; NULL: of the whole store
 * @param merge_patch_json  a JSON object
 * @return SESSION_OK; SESSION_E_INVALID_JSON; SESSION_E_INVALID_ARGUMENT: not an object, or a rule
 *         the library does not know
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_store_configure(session_store_t *store,
                                                     const char *SESSION_NULLABLE workspace_id,
                                                     const char *merge_patch_json);

/**
 * Puts everything committed so far on stable storage, also what was committed relaxed, and brings
 * the files that people read up to date.
 *
 * When it returns, no file below the store's folder has what was removed for good before: by a
 * delete with SESSION_DELETE_NO_TRASH, a purge, or a prune without `trash`. Until then the journal,
 * the index and scratch files may; without a flush that ends after a second without commits, with
 * the last close, and after a kill with the next opening that is alone. Not promised: copies of
 * damaged bytes in `quarantine/` and of the store in `backup/`, the history and files of branches,
 * which are theirs, what a killed process was putting as a file (until the next opening that is
 * alone), the memory of processes, and the disk itself, which keeps old blocks, as do its snapshots
 * and backups.
 *
 * @param store  the store
 * @return SESSION_OK; SESSION_E_BUSY: another process was at a checkpoint all the time;
 *         SESSION_E_CORRUPT: the journal has to stay, since files of a session may not be written;
 *         SESSION_E_NO_SPACE: there is no room for the journal segment that the erasing begins
 * @remark Any thread. Cost: commit; after something was removed for good a checkpoint; also the job
 *         `flush`.
 * @since 0.1
 */
SESSION_API session_status_t session_store_flush(session_store_t *store);

/**
 * Reads and checks everything in the store, event by event. The same as session_store_verify_ex()
 * without flags.
 *
 * Answers `{"ok":true,"deep":true,...,"issues":[{"code":"checksum","severity":"error",
 * "session_id":"...","file":"...","offset":0,"length":812,"seq":null,"quarantine":"...",
 * "message":"..."}],"issues_left_off":0}`. `ok` is false where any issue is more than an `info`. A
 * report has 10,000 issues at most; `issues_left_off` counts the others, and the notes in the
 * quarantine that were not read. Three codes name what stands in a store and is none of its own:
 * `misplaced` (a link, a pipe, a second name of a file), `wrong_owner` (an untrusted user owns it
 * or may write to it) and `rule_damaged` (a rule of config.json; its default holds).
 * `log_state_lost` (a warning) says which events a rewind hid that are shown, since somebody
 * removed the session's log.json. A share whose secret is gone, damaged or another share's is
 * `missing` or `wrong_content`, and the next session_create_share() makes a new one. The info
 * `half_surrogates` counts halves of surrogate pairs in a file of an earlier version: hosts are
 * shown U+FFFD for each, the file keeps them. While the journal is damaged, `events_unconfirmed`
 * names a session whose log has events that no record confirms any more; they are shown.
 * `unwritable` names a session whose files this user may not write: what was committed to it is
 * kept in the journal, and nothing more is taken until it can be written. `info_behind` names a
 * session.json that is older than what else is known of its session, an older copy that was put
 * back; a salvage takes what the index has. The info `events_uncounted` says where a log goes on
 * behind the last number of its session. `shares_lost` says that shares.json has nothing of the
 * share that its session names: it was removed, or is an older copy. The info `share_unknown` names
 * a secret of which shares.json has nothing; a killed session_create_share() leaves one, too.
 *
 * @param store            the store
 * @param[out] out_json    the report; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK, also when it finds harm
 * @remark Any thread. Cost: long; also the job `verify`.
 * @since 0.1
 */
SESSION_API session_status_t session_store_verify(session_store_t *store,
                                                  char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                  size_t *SESSION_NULLABLE out_length);

/**
 * Checks the store, as deep as the flags say.
 *
 * @param store            the store
 * @param flags            SESSION_VERIFY_QUICK, or 0: everything
 * @param[out] out_json    the report, as of session_store_verify(); free it with
 *                         session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK, also when it finds harm
 * @remark Any thread. Cost: long; also the job `verify`.
 * @since 0.1
 */
SESSION_API session_status_t session_store_verify_ex(
    session_store_t *store, uint32_t flags, char *SESSION_NULLABLE *SESSION_NONNULL out_json,
    size_t *SESSION_NULLABLE out_length);

/**
 * Takes sessions to the trash until the store keeps a policy. The oldest changes go first; never
 * what was changed within `idle_ms`, or has an open stream. Children of what goes stay, without a
 * parent. Each can be restored by itself.
 *
 * Policy, one limit at least: `{"max_sessions":N,"max_bytes":N,"max_age_ms":N,"min_sessions":0,
 * "idle_ms":3600000,"archived_only":false,"dry_run":false}`. `max_bytes` is that of all logs,
 * `max_age_ms` speaks of the last change, `min_sessions` always stay.
 *
 * Answers `{"dry_run":false,"sessions":[{"id":"...","reason":"max_sessions","updated_at":...,
 * "bytes":4711}],"count":1,"bytes":4711}`: what went, or with `dry_run` what would go.
 *
 * @param store            the store
 * @param policy_json      an object
 * @param[out] out_json    the report; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_INVALID_JSON; SESSION_E_INVALID_ARGUMENT; SESSION_E_READ_ONLY
 * @remark Any thread. Cost: long; also the job `retain`.
 * @since 0.1
 */
SESSION_API session_status_t session_store_retain(session_store_t *store, const char *policy_json,
                                                  char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                  size_t *SESSION_NULLABLE out_length);

/**
 * Removes for good what was deleted before a moment. The library never does so by itself. See
 * session_store_flush() for when it is in no file any more.
 *
 * @param store           the store
 * @param deleted_before  unix ms; 0: 30 days ago
 * @param[out] out_count  how many sessions were removed; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: long; also the job `purge`.
 * @since 0.1
 */
SESSION_API session_status_t session_store_purge(session_store_t *store, int64_t deleted_before,
                                                 uint32_t *SESSION_NULLABLE out_count);

/**
 * Copies the store to a folder, as it is at one moment, while any process goes on working in it.
 * The folder is a store, closed in order: session_store_open() opens it, and a restore is a copy of
 * it to the store's place. It has the same store id, all sessions and files, the trash, the
 * quarantine and the secrets of shares, so keep it as you keep the store; locks that were held and
 * entries that were claimed have lost their owner, and text of open streams ends as interrupted.
 *
 * A second run into the same folder brings what is new: the copy is made anew beside it, as
 * `path.sessions-new`, and takes its place in one step. A run that is killed before leaves the
 * backup before it whole. Nothing in it is linked to the store. Meanwhile there are two of them.
 *
 * Answers `{"path":"/backups/work","lsn":4711,"sessions":12,"bytes":90210,"left_out":[]}`: up to
 * which record, how much was copied, and the first 100 files of the store that are none or may not
 * be read, and are not in the copy.
 *
 * @param store            the store
 * @param path             the folder, which is made; it may be empty or have a backup of this store
 * @param[out] out_json    the report; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK: the copy is on stable storage; SESSION_E_EXISTS: something else is there, or
 *         a store with the same id and later records, as the one that this store is a backup of;
 *         SESSION_E_INVALID_ARGUMENT: it lies in the store; SESSION_E_BUSY: another run is at work
 *         there, the backup is open somewhere, or the store changes faster than it can be read;
 *         SESSION_E_NO_SPACE; SESSION_E_READ_ONLY: the store is open for reading only;
 *         SESSION_E_CORRUPT: files of a session may not be written, so a copy would lack its latest
 * @remark Any thread. Cost: long; also the job `backup`.
 * @since 0.1
 */
SESSION_API session_status_t session_store_backup(session_store_t *store, const char *path,
                                                  char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                  size_t *SESSION_NULLABLE out_length);

/**
 * Rebuilds a damaged store from its files, after SESSION_E_CORRUPT. Nothing unreadable is thrown
 * away: it is kept in the store's folder `quarantine`, as are links and other things in the place
 * of a file or folder of the store. A branch's link to an ancestor's log that is gone is made again
 * where the store still has the lines. No process may have the store open.
 *
 * Answers `{"sessions":N,...,"quarantined":[...],"quarantined_left_off":0}`: of what is kept the
 * report names 10,000 at most, and counts the others.
 *
 * @param path             the folder; NULL: the default one, as in session_store_open()
 * @param options_json     a JSON object; NULL: {}. `{"shared_owners":true}` is to it what
 *                         SESSION_STORE_SHARED_OWNERS is to session_store_open()
 * @param[out] out_json    a report of what was saved; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_NOT_FOUND: no store there; SESSION_E_BUSY: it is open somewhere
 * @remark Any thread. Cost: long; also the job `salvage`.
 * @since 0.1
 */
SESSION_API session_status_t session_store_salvage(const char *SESSION_NULLABLE path,
                                                   const char *SESSION_NULLABLE options_json,
                                                   char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                   size_t *SESSION_NULLABLE out_length);

/**
 * Closes a store, for good: waits end with SESSION_E_CLOSED, running commits finish, all other
 * handles of this store answer SESSION_E_CLOSED and are destroyed in any order. Long calls and jobs
 * of the store stop where that leaves it whole, and answer SESSION_E_CLOSED; a job that was done
 * keeps its result. The handle is invalid afterwards, whatever the status.
 *
 * @param store  the store
 * @return how the last write ended; SESSION_OK when everything is on stable storage
 * @remark Any thread. Cost: long.
 * @since 0.1
 */
SESSION_API session_status_t session_store_close(session_store_t *store);

/**
 * Starts a long call in the background. A job does what the call of its kind does, by the same
 * code, and takes that call's arguments as members of an object, each optional unless it says
 * otherwise:
 *
 * | kind | args_json | result |
 * |---|---|---|
 * | `flush` | `{}` | `{"lsn":N}`: up to that record all is on stable storage, in files too |
 * | `verify` | `{"flags":0}` | the report of session_store_verify_ex() |
 * | `purge` | `{"deleted_before":0}` | `{"purged":N}`: how many sessions were removed |
 * | `retain` | `{"policy":{...}}`, required | the report of session_store_retain() |
 * | `prune` | `{"session_id":"...","options":{...}}`, both required | that of session_prune() |
 * | `repair` | `{"session_id":"...","flags":0}`, the id required | that of session_repair() |
 * | `transcript` | `{"session_id":"...","format":0,"options":{...}}`, the id required | the text of
 * session_transcript() |
 * | `tree` | `{"session_id":"..."}`, required | that of session_tree() |
 * | `find_time` | `{"session_id":"...","at":0}`, the id required | `{"after_seq":N}`: where
 * session_cursor_seek_time() would go, for session_cursor_seek() |
 * | `put_file` | `{"session_id":"...","name":"...","path":"..."}`, all required | that of
 * session_put_file(), with the content of the regular file at that path |
 * | `backup` | `{"path":"..."}`, required | the report of session_store_backup() |
 * | `salvage` | `{"path":null,"options":{}}` | the report of session_store_salvage() |
 * | `migrate` | `{"path":null,"options":{}}`, the options as for `salvage` |
 * `{"from_version":1,"to_version":1}` |
 *
 * `migrate` takes a store that was left in an older format, as by SESSION_STORE_NO_MIGRATE, to the
 * current one. It and `salvage` work on a path, where no process has the store open; all other
 * kinds work on an open store. A job holds no session lock: `prune` and `repair` of a session that
 * somebody holds end with SESSION_E_LOCKED.
 *
 * The end of a job on a store is told to the watches of that store handle, as a change of kind
 * `job` with the detail `{"job_id":"...","kind":"flush","status":0}`. Each kind takes `job_id`, a
 * name of 1 to 128 bytes; without it the library makes one up.
 *
 * Two jobs of a store run at once, in threads of the library; others wait for their turn, in the
 * order of their starts. A `flush` waits for other flushes alone.
 *
 * @param store         the store; NULL for `migrate` and `salvage`, and for these only
 * @param kind          one of the words above
 * @param args_json     a JSON object, at most 1 MiB
 * @param args_length   its length in bytes
 * @param[out] out_job  the job; end it with session_job_destroy()
 * @return SESSION_OK: it is on its way, and what it meets is its result;
 *         SESSION_E_INVALID_ARGUMENT: no such kind, a store where there must be none, an argument
 *         that is unknown, missing or wrong; SESSION_E_INVALID_JSON; SESSION_E_INVALID_UTF8;
 *         SESSION_E_LIMIT: 10,000 jobs wait
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_job_start(
    session_store_t *SESSION_NULLABLE store, const char *kind, const char *args_json,
    size_t args_length, session_job_t *SESSION_NULLABLE *SESSION_NONNULL out_job);

/**
 * Says how far a job has come. What is counted: `verify` sessions, `purge` those removed (without a
 * total), `retain` sessions that are to go, `prune`, `repair`, `find_time` and `transcript` bytes
 * of log, `put_file` bytes read, `salvage` records and sessions, `migrate` files copied (without a
 * total). At its end without an error `done` is `total`.
 *
 * @param job                the job
 * @param[out] out_progress  its size set
 * @return SESSION_OK; SESSION_E_INVALID_ARGUMENT: the size is wrong
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_job_get_progress(session_job_t *job,
                                                      session_progress_t *out_progress);

/**
 * Waits for the end of a job, however it ends; session_job_result() then has its outcome.
 *
 * @param job         the job
 * @param timeout_ms  0: look; SESSION_WAIT_FOREVER
 * @return SESSION_OK: it is over; SESSION_E_TIMEOUT: it is not, and the last error is left alone;
 *         SESSION_E_CANCELLED: the job handle was destroyed meanwhile; SESSION_E_CLOSED: its store
 *         was closed before it was done
 * @remark Any thread, any number at once. Cost: waits.
 * @since 0.1
 */
SESSION_API session_status_t session_job_wait(session_job_t *job, uint32_t timeout_ms);

/**
 * Hands out what a job made, as often as it is asked for. Of a job that failed it answers the job's
 * own status, and makes the job's error that of the calling thread, as if it had made the call
 * itself.
 *
 * @param job              the job
 * @param[out] out_json    what session_job_start() says of the kind: JSON, but for transcripts in
 *                         Markdown and HTML; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_TIMEOUT: it still runs, and the last error is left alone;
 *         SESSION_E_CANCELLED: it was cancelled; SESSION_E_CLOSED: its store was closed before it
 *         was done; or what the call of its kind answers
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_job_result(session_job_t *job,
                                                char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                                size_t *SESSION_NULLABLE out_length);

/**
 * Has a job stop at the next place where stopping leaves the store whole. Its outcome is then
 * SESSION_E_CANCELLED; what it had done until then stays done: sessions that a purge or a retention
 * took, but nothing of a prune or a repair. A job that is done, or past the point where it could
 * stop, stays done. A second cancel does nothing.
 *
 * @param job  the job
 * @return SESSION_OK
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_job_cancel(session_job_t *job);

/**
 * Cancels a job and lets go of it. Waits on it end with SESSION_E_CANCELLED. Never blocks: the job
 * may take a moment to stop, which session_store_close() waits for. NULL is fine.
 *
 * @param job  the job
 * @return SESSION_OK; SESSION_E_INVALID_HANDLE, without touching the last error
 * @remark Any thread, also while others use the job. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_job_destroy(session_job_t *SESSION_NULLABLE job);

#ifdef __cplusplus
}
#endif

#if defined(SESSION_HAS_NULLABILITY)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* SESSIONS_STORE_H */
