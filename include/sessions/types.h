/**
 * @file sessions/types.h
 * What every other header stands on: statuses, errors, strings, the version, handles.
 *
 * Rules for the whole API
 *
 * - **Threads.** Every call may come from any thread, on any handle, at any time, even while
 *   another thread destroys that handle: the call then completes, or answers SESSION_E_CANCELLED
 *   (it waits, or had not begun) or SESSION_E_INVALID_HANDLE (it came too late). Cursors, streams
 *   and watches serve one thread at a time: a call that meets another one there answers
 *   SESSION_E_MISUSE. The one callback is session_watch_options_t::wake.
 * - **Signal handlers.** session_signal_abort() may be called from any. Any other call from a
 *   handler that interrupted a call of its thread answers SESSION_E_MISUSE and does nothing; where
 *   it interrupted none, a call does what malloc() would do there, so do not.
 * - **Cost.** Each call names its class: *memory* (no I/O), *commit* (one record; shares one sync
 *   of the disk with its neighbours), *a page* (reads as much as it hands out, or 32 MiB where a
 *   filter leaves out the rest), *long* (grows with the data; also a job), *waits* (up to its
 *   timeout).
 * - **Handles** are numbers that look like pointers and are never followed. NULL, stale, freed
 *   twice, of the wrong type or garbage: SESSION_E_INVALID_HANDLE, never a crash.
 * - **Statuses.** A call that can fail returns #session_status_t. Only its statuses of note are
 *   listed with it; each call can also answer SESSION_E_INVALID_ARGUMENT, SESSION_E_INVALID_HANDLE,
 *   SESSION_E_INVALID_UTF8, SESSION_E_FORKED, SESSION_E_CLOSED, SESSION_E_NO_MEMORY and
 *   SESSION_E_INTERNAL; each one that reads or writes the disk SESSION_E_IO, SESSION_E_CORRUPT and,
 *   for a file that somebody else owns or may write to, SESSION_E_ACCESS_DENIED with
 *   `{"rule":"store.owner","file":"...","owner":1000,"mode":511}` (user and mode of the file);
 *   each commit SESSION_E_BUSY, SESSION_E_NO_SPACE, SESSION_E_POISONED and SESSION_E_READ_ONLY.
 * - **Outs.** On failure an out-parameter is NULL or 0, and a descriptor -1. NULL may be passed for
 *   out-parameters named `out_length`, `out_seq`, `out_count`, `out_applied`, `out_revision` and
 *   `out_next_cursor`, for every `options` and where a parameter says so; nowhere else.
 * - **Strings** in are NUL-terminated UTF-8 unless a length goes with them, and are copied before
 *   the call returns. Strings out are NUL-terminated UTF-8, belong to the caller and are freed with
 *   session_string_free(); `out_length` counts their bytes without the NUL.
 * - **Structs** begin with `size`: use #SESSION_INIT or session_options_init(). A field that is 0
 *   or NULL means the default.
 * - **Times** are unix milliseconds. Integers that the library writes never pass 2^53-1.
 * - **fork.** In a forked child every call answers SESSION_E_FORKED; destroy and free stay
 *   harmless.
 *
 * @since 0.1
 */
#ifndef SESSIONS_TYPES_H
#define SESSIONS_TYPES_H

#include <stddef.h>
#include <stdint.h>

/**
 * Marks what the library exports. Define SESSION_STATIC when linking it statically on Windows.
 * @since 0.1
 */
#ifndef SESSION_API
#if defined(_WIN32) && !defined(SESSION_STATIC)
#define SESSION_API __declspec(dllimport)
#elif defined(__GNUC__)
#define SESSION_API __attribute__((visibility("default")))
#else
#define SESSION_API
#endif
#endif

/**
 * Says of a pointer whether it may be NULL, to compilers that know (Clang, and so Swift). Pointers
 * without it may not, but for what stands on the second level.
 * @since 0.1
 */
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

#ifdef __cplusplus
extern "C++" {
/* The form of SESSION_INIT for C++, where designated initializers come only with C++20. */
template <class T> inline T session_init_() {
  T value = T();
  value.size = static_cast<uint32_t>(sizeof(T));
  return value;
}
}
/** An options struct of this type with its size set and all else at the default. @since 0.1 */
#define SESSION_INIT(type) session_init_<type>()
#else
/** An options struct of this type with its size set and all else at the default. @since 0.1 */
#define SESSION_INIT(type) { .size = (uint32_t)sizeof(type) }
#endif

#if defined(SESSION_HAS_NULLABILITY)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define SESSION_VERSION_MAJOR 0 /**< Version of these headers, first number. @since 0.1 */
#define SESSION_VERSION_MINOR 1 /**< Version of these headers, second number. @since 0.1 */
#define SESSION_VERSION_PATCH 0 /**< Version of these headers, third number. @since 0.1 */
#define SESSION_VERSION_STRING "0.1.0" /**< Version of these headers. @since 0.1 */

/**
 * Version of the binary interface: the high 16 bits change when old programs break, the low 16 when
 * something is added.
 * @since 0.1
 */
#define SESSION_ABI_VERSION 0x00010000u

/** For every `timeout_ms`: wait without end. 0 means: look, do not wait. @since 0.1 */
#define SESSION_WAIT_FOREVER 0xFFFFFFFFu

/** How a call ended: SESSION_OK or one of SESSION_E_*. A value is never reused. @since 0.1 */
typedef int32_t session_status_t;

/* The tags are not `struct session` on purpose: some programs have their own. */

/** A store, opened by session_store_open(). @since 0.1 */
typedef struct session_store_s session_store_t;
/** One session as one owner sees it. @since 0.1 */
typedef struct session_s session_t;
/** A position in the events of a session; for one thread at a time. @since 0.1 */
typedef struct session_cursor_s session_cursor_t;
/** Text that arrives in pieces; for one thread at a time. @since 0.1 */
typedef struct session_stream_s session_stream_t;
/** A view of the changes of a store; for one thread at a time. @since 0.1 */
typedef struct session_watch_s session_watch_t;
/** Long work in the background. @since 0.1 */
typedef struct session_job_s session_job_t;

/** @name Statuses
 * The details that come with each are an object in session_error_t::details_json.
 * @since 0.1
 * @{ */
#define SESSION_OK 0 /**< Done. */
#define SESSION_E_INTERNAL (-1) /**< A bug in the library. */
#define SESSION_E_INVALID_ARGUMENT (-2) /**< Also an unknown flag, an unknown word, a size of 0. */
#define SESSION_E_INVALID_HANDLE (-3) /**< NULL, stale, freed twice, of the wrong type, garbage. */
#define SESSION_E_INVALID_UTF8 (-4) /**< session_error_t::offset has the byte. */
#define SESSION_E_INVALID_JSON (-5) /**< Also nested deeper than 128; offset has the byte. */
#define SESSION_E_VERSION (-6) /**< Too new or too old; details.what: struct, store, library. */
#define SESSION_E_UNSUPPORTED (-7) /**< This platform or file system cannot do it. */
#define SESSION_E_MISUSE (-8) /**< Two threads in a handle for one; a handler inside a call. */
#define SESSION_E_FORKED (-9) /**< Called in a forked child. */
#define SESSION_E_CLOSED (-10) /**< The store of this handle was closed. */
#define SESSION_E_NO_MEMORY (-11) /**< Out of memory. */
#define SESSION_E_NOT_FOUND (-20) /**< No such thing. */
#define SESSION_E_EXISTS (-21) /**< Taken; details.session_id has the owner. */
#define SESSION_E_DELETED (-22) /**< The session is in the trash or gone. */
#define SESSION_E_HAS_CHILDREN (-23) /**< Delete was told to refuse; details.children. */
#define SESSION_E_ACCESS_DENIED (-24) /**< details.rule names the rule. */
#define SESSION_E_CONFLICT (-25) /**< Another revision; details.expected, details.actual. */
#define SESSION_E_INVALID_TRANSITION (-26) /**< details.state, details.event. */
#define SESSION_E_LIMIT (-27) /**< Too large or too many; details.limit, details.max. */
#define SESSION_E_QUEUE_FULL (-28) /**< The message queue is full. */
#define SESSION_E_DECISION_NEEDED (-29) /**< details.decision_id: decide, then call again. */
#define SESSION_E_TIMEOUT (-40) /**< An answer, not a fault: the last error is left alone. */
#define SESSION_E_BUSY (-41) /**< The store lock was not had in time; nothing happened. */
#define SESSION_E_CANCELLED (-42) /**< The handle was destroyed under a wait. */
#define SESSION_E_LOCKED (-43) /**< Another owner holds the session; details.holder. */
#define SESSION_E_LOCK_LOST (-44) /**< This owner no longer holds the session. */
#define SESSION_E_PROCESSING (-45) /**< The holder is at work. */
#define SESSION_E_WAITING_PERMISSION (-46) /**< The holder waits for a permission. */
#define SESSION_E_IO (-60) /**< The system refused; session_error_t::os_error. */
#define SESSION_E_NO_SPACE (-61) /**< The disk is full; nothing is half-written. */
#define SESSION_E_POISONED (-62) /**< A write of the journal or a sync failed: open again. */
#define SESSION_E_CORRUPT (-63) /**< Damage; reading goes on; see session_store_salvage(). */
#define SESSION_E_READ_ONLY (-64) /**< The store was opened read-only. */
#define SESSION_E_NOT_LOCAL (-65) /**< A network file system; see SESSION_STORE_ALLOW_NETWORK. */
/** @} */

/** What went wrong in this thread's last failing call. @since 0.1 */
typedef struct session_error {
  uint32_t size;            /**< sizeof(session_error_t) of the library. */
  session_status_t status;  /**< How the call ended; SESSION_OK before the first failure. */
  int32_t os_error;         /**< errno or GetLastError() of the cause, else 0. */
  uint32_t reserved;        /**< 0. */
  const char *message;      /**< One English sentence for people; never NULL. */
  const char *details_json; /**< A JSON object for programs, "{}" when empty; never NULL. */
  int64_t offset;           /**< Byte at fault in a JSON or UTF-8 argument, or -1. */
} session_error_t;

/**
 * The version of the library, such as "0.1.0".
 *
 * @return never NULL; static, not to be freed
 * @remark Any thread. Cost: memory. Works in a forked child and after session_shutdown().
 * @since 0.1
 */
SESSION_API const char *session_version(void);

/**
 * The #SESSION_ABI_VERSION that the library was built with. A program works with a library of the
 * same high half and of the same or a higher low half.
 *
 * @return the number
 * @remark Any thread. Cost: memory. Works in a forked child and after session_shutdown().
 * @since 0.1
 */
SESSION_API uint32_t session_abi_version(void);

/**
 * Says whether the library has a feature. The names are those of `features` in session_abi_json().
 *
 * @param feature  the name; NULL and unknown names are answered with 0
 * @return 1 or 0
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API int32_t session_supports(const char *SESSION_NULLABLE feature);

/**
 * The name of a status, such as "SESSION_E_NOT_FOUND".
 *
 * @param status  any number
 * @return never NULL; static, not to be freed; "unknown" for a number that is no status
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API const char *session_status_name(session_status_t status);

/**
 * What went wrong in this thread's last failing call. Only a failing call rewrites it;
 * `session_*_destroy`, session_string_free() and an answer of SESSION_E_TIMEOUT never do. A host
 * that moves work between threads (Go, async Rust) must read it on the thread that made the call.
 *
 * @return never NULL; belongs to the thread, stays readable until the thread's next failing call
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API const session_error_t *session_last_error(void);

/**
 * A copy of the newest failure with a status on a handle, whatever thread it happened on: for hosts
 * whose calls run on worker threads and whose errors are looked at on another (Node, JNA). The last
 * 8 failures of each handle are kept, until it is destroyed.
 *
 * Answers `{"status":-24,"os_error":0,"message":"...","details":{"rule":"share.read_only"},
 * "offset":-1}`, the members as in session_error_t. A failure belongs to the handle that the call
 * was made on: that of session_open() to the store. SESSION_E_TIMEOUT, SESSION_E_INVALID_HANDLE and
 * SESSION_E_FORKED are not kept, nor is what this call answers, what a destroy answers, and what a
 * signal handler is refused; session_store_open(), which has no handle yet, leaves its failure to
 * session_last_error() alone.
 *
 * @param handle           a store, session, cursor, stream, watch or job
 * @param status           the status that the call answered; below 0
 * @param[out] out_json    a JSON object; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK; SESSION_E_NOT_FOUND: none of the failures kept has that status
 * @remark Any thread. Cost: memory. Works on handles of a closed store.
 * @since 0.1
 */
SESSION_API session_status_t session_get_error(const void *handle, session_status_t status,
                                               char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                               size_t *SESSION_NULLABLE out_length);

/**
 * Frees a string that a call handed out.
 *
 * @param string  the string; NULL is fine
 * @remark Any thread. Cost: memory. Works in a forked child and after session_shutdown().
 * @since 0.1
 */
SESSION_API void session_string_free(char *SESSION_NULLABLE string);

/**
 * Fills a struct with zeros and sets its first word, `size`; #SESSION_INIT for bindings.
 *
 * @param options  the struct; NULL: nothing is done
 * @param size     its size in bytes; under 4: nothing is done
 * @remark Any thread. Cost: memory. Works in a forked child and after session_shutdown().
 * @since 0.1
 */
SESSION_API void session_options_init(void *SESSION_NULLABLE options, uint32_t size);

/**
 * Describes this interface: every exported function, struct (sizes and offsets), constant, feature
 * and limit, as a JSON object with the keys `functions`, `structs`, `constants`, `features` and
 * `limits` among others.
 *
 * @param[out] out_json    the JSON; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_abi_json(char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                              size_t *SESSION_NULLABLE out_length);

/**
 * Reads what the library noted about its own doings in this process: recoveries, retries,
 * quarantined files. The newest 1,000 notes are kept.
 *
 * Answers `{"notes":[{"n":1,"at":1795158388123,"level":"info","message":"..."}],"next_after":1}`.
 *
 * @param after            the number of the last note already seen; 0: from the oldest one kept
 * @param limit            at most so many notes; 0: all
 * @param[out] out_json    the JSON; free it with session_string_free()
 * @param[out] out_length  its length in bytes; may be NULL
 * @return SESSION_OK
 * @remark Any thread. Cost: memory.
 * @since 0.1
 */
SESSION_API session_status_t session_log_read(uint64_t after, uint32_t limit,
                                              char *SESSION_NULLABLE *SESSION_NONNULL out_json,
                                              size_t *SESSION_NULLABLE out_length);

/**
 * Closes every store of this process and joins every thread of the library. For programs at their
 * end; a plugin closes its own stores instead. session_store_open() works again afterwards. Where
 * no thread can be started, the calling thread closes the stores, and may exceed the timeout.
 *
 * @param timeout_ms  how long to wait for running calls to finish, in milliseconds
 * @return SESSION_OK; SESSION_E_TIMEOUT: all is closed, but some calls have not returned yet
 * @remark Any thread. Cost: waits.
 * @since 0.1
 */
SESSION_API session_status_t session_shutdown(uint32_t timeout_ms);

#ifdef __cplusplus
}
#endif

#if defined(SESSION_HAS_NULLABILITY)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* SESSIONS_TYPES_H */
