/* Structs that carry their size: too small, larger with zeros, larger with more, absurd; unknown
   flag bits, reserved fields, numbers out of range. */
#include "one_store.h"

static session_t *subject;

static session_status_t use_store_options(void *options) {
  session_store_t *opened = NULL;
  session_status_t status =
      session_store_open(folder, (const session_store_options_t *)options, &opened);
  CHECK((status == SESSION_OK) == (opened != NULL));
  if (opened != NULL) CHECK_OK(session_store_close(opened));
  return status;
}

static session_status_t use_create_options(void *options) {
  session_t *made = NULL;
  session_status_t status =
      session_create(store, NULL, (const session_create_options_t *)options, &made);
  CHECK((status == SESSION_OK) == (made != NULL));
  CHECK_OK(session_destroy(made));
  return status;
}

static session_status_t use_list_options(void *options) {
  char *json = NULL;
  session_status_t status =
      session_list(store, (const session_list_options_t *)options, &json, NULL, NULL);
  CHECK((status == SESSION_OK) == (json != NULL));
  session_string_free(json);
  return status;
}

static session_status_t use_share_options(void *options) {
  char *json = NULL;
  session_status_t status =
      session_create_share(subject, (const session_share_options_t *)options, &json, NULL);
  CHECK((status == SESSION_OK) == (json != NULL));
  session_string_free(json);
  return status;
}

static session_status_t use_append_options(void *options) {
  uint64_t seq = 7;
  session_status_t status = session_append_event_ex(
      subject, "t", "{}", 2, (const session_append_options_t *)options, &seq);
  CHECK((status == SESSION_OK) == (seq != 0));
  return status;
}

static session_status_t use_cursor_options(void *options) {
  session_cursor_t *cursor = NULL;
  session_status_t status =
      session_cursor_open(subject, (const session_cursor_options_t *)options, &cursor);
  CHECK((status == SESSION_OK) == (cursor != NULL));
  CHECK_OK(session_cursor_destroy(cursor));
  return status;
}

static session_status_t use_lock_options(void *options) {
  return session_lock(subject, SESSION_LOCK_TRY, (const session_lock_options_t *)options);
}

static session_status_t use_watch_options(void *options) {
  session_watch_t *watch = NULL;
  session_status_t status =
      session_watch_open(store, (const session_watch_options_t *)options, &watch);
  CHECK((status == SESSION_OK) == (watch != NULL));
  CHECK_OK(session_watch_destroy(watch));
  return status;
}

typedef struct kind {
  const char *type;
  size_t size;
  session_status_t (*use)(void *options);
} kind_t;

static const kind_t kinds[] = {
    {"session_store_options_t", sizeof(session_store_options_t), use_store_options},
    {"session_create_options_t", sizeof(session_create_options_t), use_create_options},
    {"session_list_options_t", sizeof(session_list_options_t), use_list_options},
    {"session_share_options_t", sizeof(session_share_options_t), use_share_options},
    {"session_append_options_t", sizeof(session_append_options_t), use_append_options},
    {"session_cursor_options_t", sizeof(session_cursor_options_t), use_cursor_options},
    {"session_lock_options_t", sizeof(session_lock_options_t), use_lock_options},
    {"session_watch_options_t", sizeof(session_watch_options_t), use_watch_options},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

/* Room for any size, aligned for any member. */
static uint64_t room[8192 / sizeof(uint64_t)];

static void *sized(size_t size) {
  memset(room, 0, sizeof room);
  session_options_init(room, (uint32_t)sizeof room);
  *(uint32_t *)(void *)room = (uint32_t)size;
  return room;
}

static void begin(void) {
  start();
  subject = create(NULL, "subject");
}

static void end(void) {
  CHECK_OK(session_destroy(subject));
  stop();
}

static void sizes(void) {
  size_t i;
  begin();
  for (i = 0; i < KINDS; ++i) {
    const kind_t *kind = &kinds[i];
    size_t size;
    char expected[160];
    printf("  %s\n", kind->type);
    CHECK_OK(kind->use(sized(kind->size)));
    CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, kind->use(sized(0)));
    CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, kind->use(sized(1)));
    CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, kind->use(sized(8)));
    CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, kind->use(sized(kind->size - 1)));
    CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, kind->use(sized(kind->size - 8)));
    CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, kind->use(sized(4097)));
    CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, kind->use(sized(0xFFFFFFFFu)));

    /* A host with newer headers that uses none of the new fields is welcome. */
    CHECK_OK(kind->use(sized(kind->size + 8)));
    CHECK_OK(kind->use(sized(kind->size + 3)));
    CHECK_OK(kind->use(sized(4096)));

    /* One that uses them is told that this library is too old for it. */
    for (size = kind->size + 1; size <= 4097; size += 7) {
      size_t known_to_host = size < kind->size + 70 ? size : 4096;
      unsigned char *bytes = (unsigned char *)sized(known_to_host);
      bytes[known_to_host - 1] = 1;
      CHECK_STATUS(SESSION_E_VERSION, kind->use(room));
      if (known_to_host == 4096) break;
    }
    snprintf(expected, sizeof expected,
             "{\"what\":\"struct\",\"type\":\"%s\",\"size\":4096,\"known\":%d}", kind->type,
             (int)kind->size);
    CHECK_DETAILS(expected);

    /* What lies behind the size is not looked at. */
    memset(room, 0xFF, sizeof room);
    memset(room, 0, kind->size);
    *(uint32_t *)(void *)room = (uint32_t)kind->size;
    CHECK_OK(kind->use(room));
  }
  end();
}

static void unknown_flags(void) {
  static const uint32_t known[KINDS] = {
      SESSION_STORE_READ_ONLY | SESSION_STORE_MUST_EXIST | SESSION_STORE_NO_MIGRATE |
          SESSION_STORE_ALLOW_NETWORK | SESSION_STORE_SHARED_OWNERS,
      0, SESSION_LIST_ROOTS | SESSION_LIST_TRASH, SESSION_SHARE_ROTATE | SESSION_SHARE_LIVE,
      SESSION_APPEND_RELAXED | SESSION_APPEND_DURABLE | SESSION_APPEND_CHECK,
      SESSION_READ_HIDDEN | SESSION_READ_CONTEXT | SESSION_READ_DATA_AS_TEXT, SESSION_LOCK_ASK,
      SESSION_WATCH_COALESCE};
  size_t i;
  int bit;
  begin();
  for (i = 0; i < KINDS; ++i) {
    for (bit = 0; bit < 32; ++bit) {
      uint32_t flags = (uint32_t)1 << bit;
      uint32_t *words = (uint32_t *)sized(kinds[i].size);
      char expected[64];
      if (flags & known[i]) continue;
      words[1] = flags;
      if (!CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, kinds[i].use(room))) {
        printf("    %s, bit %d\n", kinds[i].type, bit);
      }
      snprintf(expected, sizeof expected, "{\"argument\":\"flags\",\"unknown_bits\":%" PRIu32 "}",
               flags);
      CHECK_DETAILS(expected);
    }
  }
  end();
}

static void reserved_fields_are_zero(void) {
  session_list_options_t list = SESSION_INIT(session_list_options_t);
  session_share_options_t share = SESSION_INIT(session_share_options_t);
  session_cursor_options_t cursor = SESSION_INIT(session_cursor_options_t);
  begin();
  list.reserved = 1;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, use_list_options(&list));
  share.reserved = 1;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, use_share_options(&share));
  cursor.reserved = 1;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, use_cursor_options(&cursor));
  end();
}

static void numbers_out_of_range(void) {
  session_store_options_t open_options = SESSION_INIT(session_store_options_t);
  session_share_options_t share = SESSION_INIT(session_share_options_t);
  session_append_options_t append = SESSION_INIT(session_append_options_t);
  begin();
  open_options.durability = 2;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, use_store_options(&open_options));
  open_options.durability = -1;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, use_store_options(&open_options));
  share.expires_at = -1;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, use_share_options(&share));
  append.timestamp = -1;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, use_append_options(&append));
  append.timestamp = INT64_MAX; /* above 2^53-1 a double is no longer exact */
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, use_append_options(&append));
  end();
}

/* An out-struct is filled up to the smaller of the two sizes; more than that is not touched. */
static void the_out_struct(void) {
  session_stat_t *stat = (session_stat_t *)(void *)room;
  unsigned char *bytes = (unsigned char *)room;
  size_t i;
  size_t size = sizeof(session_stat_t);

  begin();
  memset(room, 0xEE, sizeof room);
  stat->size = (uint32_t)size;
  CHECK_OK(session_get_stat(subject, stat));
  CHECK_INT(size, stat->size);
  CHECK_INT(0, stat->flags);
  CHECK_INT(0, stat->last_event_at);
  CHECK_INT(0xEE, bytes[size]);

  memset(room, 0xEE, sizeof room);
  stat->size = (uint32_t)size + 64;
  CHECK_OK(session_get_stat(subject, stat));
  CHECK_INT(0, stat->last_event_at);
  for (i = size; i < size + 64; ++i) CHECK_INT(0xEE, bytes[i]);

  for (i = 0; i < size; i = i < 8 ? i + 1 : i + 8) {
    memset(room, 0xEE, sizeof room);
    stat->size = (uint32_t)i;
    CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_stat(subject, stat));
    CHECK_INT(0xEE, bytes[4]);
  }
  stat->size = 4097;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_get_stat(subject, stat));
  end();
}

/* Nothing in a struct is needed after the call. */
static void strings_in_structs_are_copied(void) {
  session_create_options_t options = SESSION_INIT(session_create_options_t);
  session_t *made = NULL;
  char title[] = "original";
  begin();
  options.title = title;
  NEED(session_create(store, NULL, &options, &made));
  memset(title, 'x', sizeof title - 1);
  CHECK_INFO(made, "\"title\":\"original\"");
  CHECK_OK(session_destroy(made));
  end();
}

int main(void) {
  RUN(sizes);
  RUN(unknown_flags);
  RUN(reserved_fields_are_zero);
  RUN(numbers_out_of_range);
  RUN(the_out_struct);
  RUN(strings_in_structs_are_copied);
  return check_done("structs");
}
