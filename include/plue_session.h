/**
 * @file plue_session.h
 * A drop-in for hosts written against these prototypes, exported by libsessions over one default
 * store.
 *
 * Every call may come from any thread. Calls before plue_init() and after plue_shutdown() open the
 * store themselves. Strings are NUL-terminated UTF-8; strings out belong to the caller and are
 * freed with plue_free_string(). NULL, stale, doubly destroyed and garbage sessions are a failure,
 * never a crash. Deleting and then destroying a session, and using it in between, is safe.
 *
 * @since 0.1
 */
#ifndef PLUE_SESSION_H
#define PLUE_SESSION_H

/** Marks what the library exports. @since 0.1 */
#ifndef PLUE_API
#if defined(_WIN32) && !defined(SESSION_STATIC)
#define PLUE_API __declspec(dllimport)
#elif defined(__GNUC__)
#define PLUE_API __attribute__((visibility("default")))
#else
#define PLUE_API
#endif
#endif

/* As in sessions/types.h, which a program of this header alone need not have. */
#if !defined(SESSION_NULLABLE) && defined(__clang__)
#if __has_feature(nullability)
#define SESSION_HAS_NULLABILITY
#define SESSION_NULLABLE _Nullable
#define SESSION_NONNULL _Nonnull
#endif
#endif
#ifndef SESSION_NULLABLE
#define SESSION_NULLABLE
#define SESSION_NONNULL
#endif

#if defined(SESSION_HAS_NULLABILITY)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** A session; the calls below take and return it as `void *`. @since 0.1 */
typedef struct plue_session *plue_session_t;

/**
 * Creates a session.
 *
 * @param parent_id  the session it branches from; NULL and "": none
 * @return the session, to be let go of with plue_session_destroy(); NULL: see plue_get_last_error()
 * @remark Cost: commit.
 * @since 0.1
 */
PLUE_API void *SESSION_NULLABLE plue_session_create(const char *SESSION_NULLABLE parent_id);

/**
 * Everything about a session but its events, as JSON. When the session is shared, its `share_info`
 * also has `url` and `secret`.
 *
 * @param session  the session
 * @return a JSON object, to be freed with plue_free_string(); NULL: see plue_get_last_error()
 * @remark Cost: memory.
 * @since 0.1
 */
PLUE_API char *SESSION_NULLABLE plue_session_get_info(void *session);

/**
 * Lists all sessions, last changed first, archived ones too.
 *
 * @return a JSON array, to be freed with plue_free_string(); NULL: see plue_get_last_error()
 * @remark Cost: memory.
 * @since 0.1
 */
PLUE_API char *SESSION_NULLABLE plue_session_list(void);

/**
 * Sets the title.
 *
 * @param session  the session
 * @param title    at most 16 KiB; "" goes back to the default
 * @return 0; -1: see plue_get_last_error()
 * @remark Cost: commit.
 * @since 0.1
 */
PLUE_API int plue_session_update_title(void *session, const char *title);

/**
 * Deletes a session and its descendants. It still has to be destroyed.
 *
 * @param session  the session
 * @return 0; -1: see plue_get_last_error()
 * @remark Cost: commit.
 * @since 0.1
 */
PLUE_API int plue_session_delete(void *session);

/**
 * Aborts what runs in a session.
 *
 * @param session  the session
 * @return 0; -1: see plue_get_last_error()
 * @remark Cost: commit.
 * @since 0.1
 */
PLUE_API int plue_session_abort(void *session);

/**
 * Makes a share link for everything up to now, or finds it again.
 *
 * @param session  the session
 * @return a JSON object with `share_id`, `url` ("https://plue.app/share/" and the secret), `secret`
 *         and terms, to be freed with plue_free_string(); NULL: see plue_get_last_error()
 * @remark Cost: commit.
 * @since 0.1
 */
PLUE_API char *SESSION_NULLABLE plue_session_create_share(void *session);

/**
 * Lets go of a session; nothing happens to the session itself.
 *
 * @param session  the session; NULL is fine
 * @remark Cost: memory.
 * @since 0.1
 */
PLUE_API void plue_session_destroy(void *SESSION_NULLABLE session);

/**
 * Opens the default store where it is told to.
 *
 * @param config_json  such as {"data_dir":"/home/ana/sessions","trash":true}; NULL: {}.
 *                     `data_dir`: the folder; without it the platform's. `trash`: whether a
 *                     delete goes through the trash; true by default.
 * @return 0, also when it is open in that folder already; -1: see plue_get_last_error(), also when
 *         it is open in another folder
 * @remark Cost: long.
 * @since 0.1
 */
PLUE_API int plue_init(const char *SESSION_NULLABLE config_json);

/**
 * Closes the default store. Sessions stay usable and still have to be destroyed. The next
 * call opens it again, in the same folder unless plue_init() says otherwise.
 *
 * @remark Cost: long.
 * @since 0.1
 */
PLUE_API void plue_shutdown(void);

/**
 * Frees a string that a call handed out.
 *
 * @param string  the string; NULL is fine
 * @remark Cost: memory.
 * @since 0.1
 */
PLUE_API void plue_free_string(char *SESSION_NULLABLE string);

/**
 * What went wrong in this thread's last failing call.
 *
 * @return one English sentence, "" before the first failure; never NULL; belongs to the
 *         thread, stays readable until its next failing call
 * @remark Cost: memory.
 * @since 0.1
 */
PLUE_API const char *plue_get_last_error(void);

#ifdef __cplusplus
}
#endif

#if defined(SESSION_HAS_NULLABILITY)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* PLUE_SESSION_H */
