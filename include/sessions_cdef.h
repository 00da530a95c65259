/* sessions.h after the preprocessor, for LuaJIT's ffi.cdef and Python's cffi.
   Written by tools/cdef.sh; do not edit. The comments are in the headers. */
static const int32_t SESSION_VERSION_MAJOR = 0;
static const int32_t SESSION_VERSION_MINOR = 1;
static const int32_t SESSION_VERSION_PATCH = 0;
static const uint32_t SESSION_ABI_VERSION = 0x00010000;
static const uint32_t SESSION_WAIT_FOREVER = 0xFFFFFFFF;
static const int32_t SESSION_OK = 0;
static const int32_t SESSION_E_INTERNAL = -1;
static const int32_t SESSION_E_INVALID_ARGUMENT = -2;
static const int32_t SESSION_E_INVALID_HANDLE = -3;
static const int32_t SESSION_E_INVALID_UTF8 = -4;
static const int32_t SESSION_E_INVALID_JSON = -5;
static const int32_t SESSION_E_VERSION = -6;
static const int32_t SESSION_E_UNSUPPORTED = -7;
static const int32_t SESSION_E_MISUSE = -8;
static const int32_t SESSION_E_FORKED = -9;
static const int32_t SESSION_E_CLOSED = -10;
static const int32_t SESSION_E_NO_MEMORY = -11;
static const int32_t SESSION_E_NOT_FOUND = -20;
static const int32_t SESSION_E_EXISTS = -21;
static const int32_t SESSION_E_DELETED = -22;
static const int32_t SESSION_E_HAS_CHILDREN = -23;
static const int32_t SESSION_E_ACCESS_DENIED = -24;
static const int32_t SESSION_E_CONFLICT = -25;
static const int32_t SESSION_E_INVALID_TRANSITION = -26;
static const int32_t SESSION_E_LIMIT = -27;
static const int32_t SESSION_E_QUEUE_FULL = -28;
static const int32_t SESSION_E_DECISION_NEEDED = -29;
static const int32_t SESSION_E_TIMEOUT = -40;
static const int32_t SESSION_E_BUSY = -41;
static const int32_t SESSION_E_CANCELLED = -42;
static const int32_t SESSION_E_LOCKED = -43;
static const int32_t SESSION_E_LOCK_LOST = -44;
static const int32_t SESSION_E_PROCESSING = -45;
static const int32_t SESSION_E_WAITING_PERMISSION = -46;
static const int32_t SESSION_E_IO = -60;
static const int32_t SESSION_E_NO_SPACE = -61;
static const int32_t SESSION_E_POISONED = -62;
static const int32_t SESSION_E_CORRUPT = -63;
static const int32_t SESSION_E_READ_ONLY = -64;
static const int32_t SESSION_E_NOT_LOCAL = -65;
static const int32_t SESSION_DURABILITY_FULL = 0;
static const int32_t SESSION_DURABILITY_RELAXED = 1;
static const uint32_t SESSION_STORE_READ_ONLY = 0x1;
static const uint32_t SESSION_STORE_MUST_EXIST = 0x2;
static const uint32_t SESSION_STORE_NO_MIGRATE = 0x4;
static const uint32_t SESSION_STORE_ALLOW_NETWORK = 0x8;
static const uint32_t SESSION_STORE_SHARED_OWNERS = 0x10;
static const uint32_t SESSION_VERIFY_QUICK = 0x1;
static const int32_t SESSION_ORDER_UPDATED_DESC = 0;
static const int32_t SESSION_ORDER_UPDATED_ASC = 1;
static const int32_t SESSION_ORDER_CREATED_DESC = 2;
static const int32_t SESSION_ORDER_CREATED_ASC = 3;
static const int32_t SESSION_ORDER_ACTIVE_DESC = 4;
static const int32_t SESSION_ARCHIVED_EXCLUDE = 0;
static const int32_t SESSION_ARCHIVED_ONLY = 1;
static const int32_t SESSION_ARCHIVED_INCLUDE = 2;
static const uint32_t SESSION_LIST_ROOTS = 0x1;
static const uint32_t SESSION_LIST_TRASH = 0x2;
static const uint32_t SESSION_SHARE_ROTATE = 0x1;
static const uint32_t SESSION_SHARE_LIVE = 0x2;
static const uint32_t SESSION_STAT_ABORTED = 0x1;
static const uint32_t SESSION_STAT_ARCHIVED = 0x2;
static const uint32_t SESSION_STAT_READ_ONLY = 0x4;
static const uint32_t SESSION_STAT_LOCKED = 0x8;
static const int32_t SESSION_DELETE_CASCADE = 0;
static const int32_t SESSION_DELETE_ORPHAN = 1;
static const int32_t SESSION_DELETE_REFUSE = 2;
static const int32_t SESSION_DELETE_NO_TRASH = 0x100;
static const uint32_t SESSION_ABORT_TREE = 0x1;
static const uint32_t SESSION_ABORT_RELAXED = 0x2;
static const uint32_t SESSION_APPEND_RELAXED = 0x1;
static const uint32_t SESSION_APPEND_DURABLE = 0x2;
static const uint32_t SESSION_APPEND_CHECK = 0x4;
static const uint32_t SESSION_REPAIR_DRY_RUN = 0x1;
static const uint32_t SESSION_REPAIR_FORCE = 0x2;
static const int32_t SESSION_TRANSCRIPT_MESSAGES = 0;
static const int32_t SESSION_TRANSCRIPT_UI_MESSAGES = 1;
static const int32_t SESSION_TRANSCRIPT_MARKDOWN = 2;
static const int32_t SESSION_TRANSCRIPT_HTML = 3;
static const uint32_t SESSION_READ_HIDDEN = 0x1;
static const uint32_t SESSION_READ_CONTEXT = 0x2;
static const uint32_t SESSION_READ_DATA_AS_TEXT = 0x4;
static const int32_t SESSION_LOCK_TRY = 0;
static const int32_t SESSION_LOCK_WAIT = 1;
static const int32_t SESSION_LOCK_FORCE = 2;
static const int32_t SESSION_LOCK_INTERRUPT = 3;
static const uint32_t SESSION_LOCK_ASK = 0x1;
static const uint32_t SESSION_WATCH_COALESCE = 0x1;
static const uint32_t SESSION_FD_DUPLICATE = 0x1;
static const int32_t SESSION_QUEUE_SENT = 0;
static const int32_t SESSION_QUEUE_RELEASE = 1;
static const int32_t SESSION_QUEUE_FAILED = 2;
static const int32_t SESSION_QUEUE_CANCELLED = 3;
typedef int32_t session_status_t;
typedef struct session_store_s session_store_t;
typedef struct session_s session_t;
typedef struct session_cursor_s session_cursor_t;
typedef struct session_stream_s session_stream_t;
typedef struct session_watch_s session_watch_t;
typedef struct session_job_s session_job_t;
typedef struct session_error {
  uint32_t size;
  session_status_t status;
  int32_t os_error;
  uint32_t reserved;
  const char *message;
  const char *details_json;
  int64_t offset;
} session_error_t;
const char *session_version(void);
uint32_t session_abi_version(void);
int32_t session_supports(const char *feature);
const char *session_status_name(session_status_t status);
const session_error_t *session_last_error(void);
session_status_t session_get_error(const void *handle, session_status_t status, char **out_json,
    size_t *out_length);
void session_string_free(char *string);
void session_options_init(void *options, uint32_t size);
session_status_t session_abi_json(char **out_json, size_t *out_length);
session_status_t session_log_read(uint64_t after, uint32_t limit, char **out_json,
    size_t *out_length);
session_status_t session_shutdown(uint32_t timeout_ms);
typedef struct session_store_options {
  uint32_t size;
  uint32_t flags;
  int32_t durability;
  uint32_t busy_timeout_ms;
  const char *share_base_url;
  const char *client_type;
} session_store_options_t;
typedef struct session_progress {
  uint32_t size;
  int32_t running;
  uint64_t done;
  uint64_t total;
} session_progress_t;
session_status_t session_store_open(const char *path, const session_store_options_t *options,
    session_store_t **out_store);
session_status_t session_store_get_info(session_store_t *store, char **out_json,
    size_t *out_length);
session_status_t session_store_configure(session_store_t *store, const char *workspace_id,
    const char *merge_patch_json);
session_status_t session_store_flush(session_store_t *store);
session_status_t session_store_verify(session_store_t *store, char **out_json, size_t *out_length);
session_status_t session_store_verify_ex(session_store_t *store, uint32_t flags, char **out_json,
    size_t *out_length);
session_status_t session_store_retain(session_store_t *store, const char *policy_json,
    char **out_json, size_t *out_length);
session_status_t session_store_purge(session_store_t *store, int64_t deleted_before,
    uint32_t *out_count);
session_status_t session_store_backup(session_store_t *store, const char *path, char **out_json,
    size_t *out_length);
session_status_t session_store_salvage(const char *path, const char *options_json, char **out_json,
    size_t *out_length);
session_status_t session_store_close(session_store_t *store);
session_status_t session_job_start(session_store_t *store, const char *kind, const char *args_json,
    size_t args_length, session_job_t **out_job);
session_status_t session_job_get_progress(session_job_t *job, session_progress_t *out_progress);
session_status_t session_job_wait(session_job_t *job, uint32_t timeout_ms);
session_status_t session_job_result(session_job_t *job, char **out_json, size_t *out_length);
session_status_t session_job_cancel(session_job_t *job);
session_status_t session_job_destroy(session_job_t *job);
typedef struct session_create_options {
  uint32_t size;
  uint32_t flags;
  const char *title;
  const char *metadata_json;
  const char *facts_json;
  const char *idempotency_key;
  const char *decision_id;
} session_create_options_t;
typedef struct session_list_options {
  uint32_t size;
  uint32_t flags;
  int32_t order;
  int32_t archived;
  uint32_t limit;
  uint32_t reserved;
  const char *parent_id;
  const char *title_contains;
  const char *filter_json;
  const char *fields;
  const char *cursor;
} session_list_options_t;
typedef struct session_share_options {
  uint32_t size;
  uint32_t flags;
  int64_t expires_at;
  uint64_t first_seq;
  uint64_t last_seq;
  uint32_t max_uses;
  uint32_t reserved;
} session_share_options_t;
typedef struct session_stat {
  uint32_t size;
  uint32_t flags;
  uint64_t revision;
  uint64_t last_seq;
  uint64_t event_count;
  uint64_t message_count;
  uint64_t abort_count;
  int64_t created_at;
  int64_t updated_at;
  int64_t last_event_at;
} session_stat_t;
session_status_t session_create(session_store_t *store, const char *parent_id,
    const session_create_options_t *options, session_t **out_session);
session_status_t session_open(session_store_t *store, const char *id, session_t **out_session);
session_status_t session_get_id(session_t *session, char **out_id);
session_status_t session_get_path(session_t *session, char **out_path);
session_status_t session_get_stat(session_t *session, session_stat_t *out_stat);
session_status_t session_get_info(session_t *session, char **out_json, size_t *out_length);
session_status_t session_get_infos(session_store_t *store, const char *ids_json,
    const char *fields, char **out_json, size_t *out_length);
session_status_t session_list(session_store_t *store, const session_list_options_t *options,
    char **out_json, size_t *out_length, char **out_next_cursor);
session_status_t session_update_title(session_t *session, const char *title);
session_status_t session_suggest_title(session_t *session, const char *title, int32_t *out_applied);
session_status_t session_update_metadata(session_t *session, const char *merge_patch_json);
session_status_t session_update(session_t *session, const char *merge_patch_json,
    uint64_t expected_revision, uint64_t *out_revision);
session_status_t session_delete(session_t *session, int32_t policy);
session_status_t session_restore(session_store_t *store, const char *id);
session_status_t session_abort(session_t *session, const char *reason);
session_status_t session_abort_ex(session_t *session, const char *reason, uint32_t flags,
    uint32_t *out_count);
session_status_t session_signal_abort(session_t *session);
session_status_t session_is_aborted(session_t *session, int32_t *out_aborted);
session_status_t session_wait_abort(session_t *session, uint32_t timeout_ms);
session_status_t session_clear_abort(session_t *session);
session_status_t session_create_share(session_t *session, const session_share_options_t *options,
    char **out_json, size_t *out_length);
session_status_t session_list_shares(session_t *session, char **out_json, size_t *out_length);
session_status_t session_resolve_share(session_store_t *store, const char *secret_or_url,
    session_t **out_session);
session_status_t session_revoke_share(session_t *session, const char *share_id);
session_status_t session_destroy(session_t *session);
typedef struct session_append_options {
  uint32_t size;
  uint32_t flags;
  int64_t timestamp;
  const char *turn_id;
  const char *id;
} session_append_options_t;
typedef struct session_cursor_options {
  uint32_t size;
  uint32_t flags;
  uint64_t after_seq;
  int64_t since;
  int64_t until;
  uint32_t page_bytes;
  uint32_t reserved;
  const char *types;
  const char *turn_id;
} session_cursor_options_t;
session_status_t session_append_event(session_t *session, const char *type, const char *data_json,
    size_t data_length, uint32_t flags, uint64_t *out_seq);
session_status_t session_append_event_ex(session_t *session, const char *type,
    const char *data_json, size_t data_length, const session_append_options_t *options,
    uint64_t *out_seq);
session_status_t session_append_events(session_t *session, const char *events_json, size_t length,
    uint32_t flags, char **out_json, size_t *out_length);
session_status_t session_read_events(session_t *session, uint64_t after_seq, uint32_t limit,
    char **out_json, size_t *out_length);
session_status_t session_read_last_events(session_t *session, uint64_t before_seq, uint32_t limit,
    char **out_json, size_t *out_length);
session_status_t session_transcript(session_t *session, int32_t format, const char *options_json,
    char **out_json, size_t *out_length);
session_status_t session_repair(session_t *session, uint32_t flags, char **out_json,
    size_t *out_length);
session_status_t session_stream_begin(session_t *session, const char *type,
    const session_append_options_t *options, session_stream_t **out_stream);
session_status_t session_stream_write(session_stream_t *stream, const char *text, size_t length);
session_status_t session_stream_end(session_stream_t *stream, const char *data_patch_json,
    uint64_t *out_seq);
session_status_t session_stream_destroy(session_stream_t *stream);
session_status_t session_read_streams(session_t *session, const char *stream_id,
    uint64_t from_offset, char **out_json, size_t *out_length);
session_status_t session_read_turns(session_t *session, uint64_t after_seq, uint32_t limit,
    char **out_json, size_t *out_length);
session_status_t session_cursor_open(session_t *session, const session_cursor_options_t *options,
    session_cursor_t **out_cursor);
session_status_t session_cursor_next(session_cursor_t *cursor, uint32_t limit, uint32_t timeout_ms,
    char **out_json, size_t *out_length);
session_status_t session_cursor_previous(session_cursor_t *cursor, uint32_t limit, char **out_json,
    size_t *out_length);
session_status_t session_cursor_seek(session_cursor_t *cursor, uint64_t after_seq);
session_status_t session_cursor_seek_time(session_cursor_t *cursor, int64_t at);
session_status_t session_cursor_destroy(session_cursor_t *cursor);
session_status_t session_put_file(session_t *session, const char *name, const void *data,
    size_t length, char **out_json, size_t *out_length);
session_status_t session_get_file_path(session_t *session, const char *file_id, char **out_path);
session_status_t session_fork(session_t *session, uint64_t at_seq,
    const session_create_options_t *options, session_t **out_child);
session_status_t session_tree(session_t *session, char **out_json, size_t *out_length);
session_status_t session_rewind(session_t *session, uint64_t to_seq);
session_status_t session_undo_rewind(session_t *session);
session_status_t session_prune(session_t *session, const char *options_json, char **out_json,
    size_t *out_length);
typedef void (*session_wake_fn)(void *user);
typedef struct session_lock_options {
  uint32_t size;
  uint32_t flags;
  uint32_t timeout_ms;
  uint32_t reserved;
  const char *message;
} session_lock_options_t;
typedef struct session_watch_options {
  uint32_t size;
  uint32_t flags;
  uint64_t after_lsn;
  const char *session_id;
  const char *kinds;
  session_wake_fn wake;
  void *wake_user;
} session_watch_options_t;
session_status_t session_lock(session_t *session, int32_t mode,
    const session_lock_options_t *options);
session_status_t session_lock_answer(session_t *session, const char *request_id, int32_t accept);
session_status_t session_lock_status(session_t *session, char **out_json, size_t *out_length);
session_status_t session_set_activity(session_t *session, const char *status, const char *message);
session_status_t session_unlock(session_t *session);
session_status_t session_release_all_locks(session_store_t *store);
session_status_t session_active_lock_count(session_store_t *store, uint32_t *out_count);
session_status_t session_watch_open(session_store_t *store, const session_watch_options_t *options,
    session_watch_t **out_watch);
session_status_t session_watch_next(session_watch_t *watch, uint32_t limit, uint32_t timeout_ms,
    char **out_json, size_t *out_length);
session_status_t session_watch_get_fd(session_watch_t *watch, uint32_t flags, intptr_t *out_fd);
session_status_t session_watch_destroy(session_watch_t *watch);
session_status_t session_queue_add(session_t *session, const char *entry_json, size_t length,
    char **out_json, size_t *out_length);
session_status_t session_queue_list(session_t *session, char **out_json, size_t *out_length);
session_status_t session_queue_update(session_t *session, const char *entry_id,
    const char *merge_patch_json);
session_status_t session_queue_move(session_t *session, const char *entry_id, int32_t delta);
session_status_t session_queue_remove(session_t *session, const char *entry_id);
session_status_t session_queue_clear(session_t *session, uint32_t *out_count);
session_status_t session_queue_claim(session_t *session, const char *turn_id, char **out_json,
    size_t *out_length);
session_status_t session_queue_settle(session_t *session, const char *entry_id, int32_t outcome,
    const char *detail, uint64_t *out_seq);
session_status_t session_queue_next_due(session_t *session, int64_t *out_due_at);
session_status_t session_get_buttons(session_t *session, char **out_json, size_t *out_length);
session_status_t session_set_buttons(session_t *session, const char *buttons_json,
    uint64_t for_seq);
