/* The ground of every program in this folder: checks that count, folders that go away, and enough
   JSON to look into answers, which are compact and keep the order of their keys.

   A program includes this file first, runs its tests with RUN and ends with check_done(). */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkdtemp, nftw, fork */
#endif
#ifndef __STDC_FORMAT_MACROS
#define __STDC_FORMAT_MACROS /* PRIu64 in C++ before C++11 */
#endif

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* NULL where there must be something is part of what is tested: Clang is not told of it. */
#define SESSION_NULLABLE
#define SESSION_NONNULL
#include <sessions.h>

/* Sanitizers take addresses by the terabyte, and memory and threads of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

static int check_passed_;
static int check_failed_;

static inline int check_note_(int ok, const char *file, int line, const char *what) {
  if (ok) {
    __atomic_add_fetch(&check_passed_, 1, __ATOMIC_RELAXED);
  } else {
    __atomic_add_fetch(&check_failed_, 1, __ATOMIC_RELAXED);
    printf("  FAILED %s:%d: %s\n", file, line, what);
    fflush(stdout);
  }
  return ok;
}

static inline int check_status_(session_status_t expected, session_status_t actual,
                                const char *file, int line, const char *what) {
  if (check_note_(expected == actual, file, line, what)) {
    return 1;
  }
  printf("    expected %s, was %s: %s %s\n", session_status_name(expected),
         session_status_name(actual), session_last_error()->message,
         session_last_error()->details_json);
  return 0;
}

static inline int check_int_(int64_t expected, int64_t actual, const char *file, int line,
                             const char *what) {
  if (check_note_(expected == actual, file, line, what)) {
    return 1;
  }
  printf("    expected %" PRId64 ", was %" PRId64 "\n", expected, actual);
  return 0;
}

static inline int check_text_(int ok, const char *expected, const char *actual, const char *file,
                              int line, const char *what) {
  if (check_note_(ok, file, line, what)) {
    return 1;
  }
  printf("    expected %.300s\n    was      %.600s\n", expected, actual ? actual : "(null)");
  return 0;
}

#define CHECK(condition) check_note_(!!(condition), __FILE__, __LINE__, #condition)
#define CHECK_STATUS(expected, call) check_status_(expected, call, __FILE__, __LINE__, #call)
#define CHECK_OK(call) CHECK_STATUS(SESSION_OK, call)
#define CHECK_INT(expected, actual) \
  check_int_((int64_t)(expected), (int64_t)(actual), __FILE__, __LINE__, #actual)
#define CHECK_STR(expected, actual) check_str_(expected, actual, __FILE__, __LINE__, #actual)
#define CHECK_HAS(text, part) check_has_(text, part, 1, __FILE__, __LINE__, #text " has " #part)
#define CHECK_LACKS(text, part) \
  check_has_(text, part, 0, __FILE__, __LINE__, #text " lacks " #part)
/* Of the last failing call on this thread. */
#define CHECK_DETAILS(part) CHECK_HAS(session_last_error()->details_json, part)
/* In loops that run as often as they run: counts failures only. */
#define MUST(condition) ((void)((condition) || check_note_(0, __FILE__, __LINE__, #condition)))
/* Goes on only when the store or session could be had; else the rest of a test means nothing. */
#define NEED(call) \
  do { \
    if (!CHECK_OK(call)) return; \
  } while (0)
#define RUN(test) \
  do { \
    printf("- %s\n", #test); \
    fflush(stdout); \
    test(); \
  } while (0)

static inline int check_str_(const char *expected, const char *actual, const char *file, int line,
                             const char *what) {
  return check_text_(actual != NULL && strcmp(expected, actual) == 0, expected, actual, file, line,
                     what);
}

static inline int check_has_(const char *text, const char *part, int wanted, const char *file,
                             int line, const char *what) {
  int found = text != NULL && strstr(text, part) != NULL;
  return check_text_(text != NULL && found == wanted, part, text, file, line, what);
}

static inline int check_done(const char *name) {
  printf("%s: %d passed, %d failed\n", name, check_passed_, check_failed_);
  return check_failed_ == 0 ? 0 : 1;
}

/* For a wait that must end by itself: so long that it never does so first on a working library, and
   a broken one fails instead of hanging. */
#define GUARD_MS 120000u

/* ---- folders ------------------------------------------------------------------------------ */

static inline int check_remove_(const char *path, const struct stat *status, int kind,
                                struct FTW *place) {
  (void)status;
  (void)kind;
  (void)place;
  return remove(path);
}

/* A new empty folder under $TMPDIR. The caller ends it with folder_remove. */
static inline char *folder_make(void) {
  const char *base = getenv("TMPDIR");
  char *path = (char *)malloc(4096);
  snprintf(path, 4096, "%s/sessions-c-XXXXXX", base != NULL && base[0] ? base : "/tmp");
  if (mkdtemp(path) == NULL) {
    perror(path);
    exit(2);
  }
  return path;
}

static inline void folder_remove(char *path) {
  CHECK(nftw(path, check_remove_, 16, FTW_DEPTH | FTW_PHYS) == 0);
  free(path);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

/* The first text after "key": in it, or NULL. */
static inline const char *json_after(const char *json, const char *key) {
  char needle[128];
  const char *found;
  snprintf(needle, sizeof needle, "\"%s\":", key);
  found = json == NULL ? NULL : strstr(json, needle);
  return found == NULL ? NULL : found + strlen(needle);
}

/* The number of the first member of that name; INT64_MIN where there is none. */
static inline int64_t json_number(const char *json, const char *key) {
  const char *value = json_after(json, key);
  char *end;
  int64_t number;
  if (value == NULL) {
    return INT64_MIN;
  }
  number = (int64_t)strtoll(value, &end, 10);
  return end == value ? INT64_MIN : number;
}

/* The first string of that name, without its escapes undone; "" where there is none. */
static inline char *json_string(const char *json, const char *key, char *buffer, size_t size) {
  const char *value = json_after(json, key);
  size_t length = 0;
  if (value != NULL && *value == '"') {
    for (++value; *value != '\0' && *value != '"' && length + 1 < size; ++value) {
      if (*value == '\\' && length + 2 < size) {
        buffer[length++] = *value++;
      }
      buffer[length++] = *value;
    }
  }
  buffer[length] = '\0';
  return buffer;
}

/* How often a part occurs. */
static inline int text_count(const char *text, const char *part) {
  int count = 0;
  for (; text != NULL && (text = strstr(text, part)) != NULL; text += strlen(part)) {
    ++count;
  }
  return count;
}

/* A string of so many equal characters; free it. */
static inline char *text_of(char character, size_t length) {
  char *text = (char *)malloc(length + 1);
  memset(text, character, length);
  text[length] = '\0';
  return text;
}

/* ---- the library ---------------------------------------------------------------------------- */

/* The info of a session; free it with session_string_free. */
static inline char *info_of(session_t *session) {
  char *json = NULL;
  CHECK_OK(session_get_info(session, &json, NULL));
  return json;
}

/* Checks one part of the info. */
#define CHECK_INFO(session, part) \
  do { \
    char *info_ = info_of(session); \
    CHECK_HAS(info_, part); \
    session_string_free(info_); \
  } while (0)

static inline uint64_t revision_of(session_t *session) {
  session_stat_t stat = SESSION_INIT(session_stat_t);
  CHECK_OK(session_get_stat(session, &stat));
  return stat.revision;
}

static inline void id_of(session_t *session, char *buffer, size_t size) {
  char *id = NULL;
  CHECK_OK(session_get_id(session, &id));
  snprintf(buffer, size, "%s", id == NULL ? "" : id);
  session_string_free(id);
}

static inline session_status_t append_text(session_t *session, const char *type, const char *data,
                                           uint64_t *out_seq) {
  return session_append_event(session, type, data, strlen(data), 0, out_seq);
}

#endif
