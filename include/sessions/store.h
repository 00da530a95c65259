/**
 * @file sessions/store.h
 * A store: one folder on a local disk that holds sessions, shared by any number of processes.
 *
 * @since 0.1
 */
#ifndef SESSIONS_STORE_H
#define SESSIONS_STORE_H

#include "types.h"

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
  const char *share_base_url; /**< What share links start with; NULL: "sessions:share/". */
  const char *client_type;    /**< What other processes see of this one; NULL: "unknown". */
} session_store_options_t;

/**
 * Opens a store, creates it where there is none, and recovers it after a crash. Two opens of one
 * path in one process are two independent stores.
 *
 * @param path            the folder; NULL: $SESSIONS_HOME, else the platform's data folder
 * @param options         NULL: the defaults
 * @param[out] out_store  the store; end it with session_store_close()
 * @return SESSION_OK; SESSION_E_NOT_FOUND with SESSION_STORE_MUST_EXIST; SESSION_E_VERSION: made by
 *         a newer version (nothing was touched); SESSION_E_NOT_LOCAL; SESSION_E_BUSY; SESSION_E_IO:
 *         the path is a file or cannot be written
 * @remark Any thread. Cost: long.
 * @since 0.1
 */
SESSION_API session_status_t session_store_open(const char *path,
                                                const session_store_options_t *options,
                                                session_store_t **out_store);

/**
 * Describes the store: path, counts, what recovery did, what is in quarantine, what the file system
 * can do, the shared rules.
 *
 * @param store            the store
 * @param[out] out_json    a JSON object; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_store_get_info(session_store_t *store, char **out_json,
                                                    size_t *out_length);

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
                                                     const char *workspace_id,
                                                     const char *merge_patch_json);

/**
 * Puts everything committed so far on stable storage, also what was committed relaxed, and brings
 * the files that people read up to date.
 *
 * @param store  the store
 * @return SESSION_OK
 * @remark Any thread. Cost: commit.
 * @since 0.1
 */
SESSION_API session_status_t session_store_flush(session_store_t *store);

/**
 * Reads and checks everything in the store, event by event. The same as session_store_verify_ex()
 * without flags.
 *
 * @param store            the store
 * @param[out] out_json    a report, `{"ok":true,"deep":true,...,"issues":[]}`; free it with
 *                         session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK, also when it finds harm
 * @remark Any thread. Cost: long.
 * @since 0.1
 */
SESSION_API session_status_t session_store_verify(session_store_t *store, char **out_json,
                                                  size_t *out_length);

/**
 * Checks the store, as deep as the flags say.
 *
 * @param store            the store
 * @param flags            SESSION_VERIFY_QUICK, or 0: everything
 * @param[out] out_json    a report; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK, also when it finds harm
 * @remark Any thread. Cost: long.
 * @since 0.1
 */
SESSION_API session_status_t session_store_verify_ex(session_store_t *store, uint32_t flags,
                                                     char **out_json, size_t *out_length);

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
 * @remark Any thread. Cost: long.
 * @since 0.1
 */
SESSION_API session_status_t session_store_retain(session_store_t *store, const char *policy_json,
                                                  char **out_json, size_t *out_length);

/**
 * Removes for good what was deleted before a moment. The library never does so by itself.
 *
 * @param store           the store
 * @param deleted_before  unix ms; 0: 30 days ago
 * @param[out] out_count  how many sessions were removed; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: long.
 * @since 0.1
 */
SESSION_API session_status_t session_store_purge(session_store_t *store, int64_t deleted_before,
                                                 uint32_t *out_count);

/**
 * Rebuilds a damaged store from its files, after SESSION_E_CORRUPT. Nothing unreadable is thrown
 * away: it is kept in the store's folder `quarantine`. No process may have the store open.
 *
 * @param path             the folder; NULL: the default one, as in session_store_open()
 * @param options_json     a JSON object; NULL: {}
 * @param[out] out_json    a report of what was saved; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_NOT_FOUND: no store there; SESSION_E_BUSY: it is open somewhere
 * @remark Any thread. Cost: long.
 * @since 0.1
 */
SESSION_API session_status_t session_store_salvage(const char *path, const char *options_json,
                                                   char **out_json, size_t *out_length);

/**
 * Closes a store, for good: waits end with SESSION_E_CLOSED, running commits finish, all other
 * handles of this store answer SESSION_E_CLOSED and are destroyed in any order.
 * The handle is invalid afterwards, whatever the status.
 *
 * @param store  the store
 * @return how the last write ended; SESSION_OK when everything is on stable storage
 * @remark Any thread. Cost: long.
 * @since 0.1
 */
SESSION_API session_status_t session_store_close(session_store_t *store);

#ifdef __cplusplus
}
#endif

#endif /* SESSIONS_STORE_H */
