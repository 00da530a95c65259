using System.Runtime.InteropServices;

namespace Sessions.Bindings;

public static unsafe partial class Methods
{
    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("const char *")]
    public static extern sbyte* session_version();

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("uint32_t")]
    public static extern uint session_abi_version();

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("int32_t")]
    public static extern int session_supports([NativeTypeName("const char *")] sbyte* feature);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("const char *")]
    public static extern sbyte* session_status_name([NativeTypeName("session_status_t")] int status);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("const session_error_t *")]
    public static extern session_error* session_last_error();

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_get_error([NativeTypeName("const void *")] void* handle, [NativeTypeName("session_status_t")] int status, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    public static extern void session_string_free([NativeTypeName("char *")] sbyte* @string);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    public static extern void session_options_init(void* options, [NativeTypeName("uint32_t")] uint size);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_abi_json([NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_log_read([NativeTypeName("uint64_t")] ulong after, [NativeTypeName("uint32_t")] uint limit, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_shutdown([NativeTypeName("uint32_t")] uint timeout_ms);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_store_open([NativeTypeName("const char *")] sbyte* path, [NativeTypeName("const session_store_options_t *")] session_store_options* options, [NativeTypeName("session_store_t **")] session_store_s** out_store);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_store_get_info([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_store_configure([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("const char *")] sbyte* workspace_id, [NativeTypeName("const char *")] sbyte* merge_patch_json);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_store_flush([NativeTypeName("session_store_t *")] session_store_s* store);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_store_verify([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_store_verify_ex([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("uint32_t")] uint flags, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_store_retain([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("const char *")] sbyte* policy_json, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_store_purge([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("int64_t")] long deleted_before, [NativeTypeName("uint32_t *")] uint* out_count);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_store_backup([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("const char *")] sbyte* path, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_store_salvage([NativeTypeName("const char *")] sbyte* path, [NativeTypeName("const char *")] sbyte* options_json, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_store_close([NativeTypeName("session_store_t *")] session_store_s* store);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_job_start([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("const char *")] sbyte* kind, [NativeTypeName("const char *")] sbyte* args_json, [NativeTypeName("size_t")] nuint args_length, [NativeTypeName("session_job_t **")] session_job_s** out_job);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_job_get_progress([NativeTypeName("session_job_t *")] session_job_s* job, [NativeTypeName("session_progress_t *")] session_progress* out_progress);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_job_wait([NativeTypeName("session_job_t *")] session_job_s* job, [NativeTypeName("uint32_t")] uint timeout_ms);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_job_result([NativeTypeName("session_job_t *")] session_job_s* job, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_job_cancel([NativeTypeName("session_job_t *")] session_job_s* job);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_job_destroy([NativeTypeName("session_job_t *")] session_job_s* job);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_create([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("const char *")] sbyte* parent_id, [NativeTypeName("const session_create_options_t *")] session_create_options* options, [NativeTypeName("session_t **")] session_s** out_session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_open([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("const char *")] sbyte* id, [NativeTypeName("session_t **")] session_s** out_session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_get_id([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("char **")] sbyte** out_id);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_get_path([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("char **")] sbyte** out_path);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_get_stat([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("session_stat_t *")] session_stat* out_stat);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_get_info([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_get_infos([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("const char *")] sbyte* ids_json, [NativeTypeName("const char *")] sbyte* fields, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_list([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("const session_list_options_t *")] session_list_options* options, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length, [NativeTypeName("char **")] sbyte** out_next_cursor);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_update_title([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* title);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_suggest_title([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* title, [NativeTypeName("int32_t *")] int* out_applied);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_update_metadata([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* merge_patch_json);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_update([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* merge_patch_json, [NativeTypeName("uint64_t")] ulong expected_revision, [NativeTypeName("uint64_t *")] ulong* out_revision);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_delete([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("int32_t")] int policy);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_restore([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("const char *")] sbyte* id);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_abort([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* reason);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_abort_ex([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* reason, [NativeTypeName("uint32_t")] uint flags, [NativeTypeName("uint32_t *")] uint* out_count);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_signal_abort([NativeTypeName("session_t *")] session_s* session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_is_aborted([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("int32_t *")] int* out_aborted);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_wait_abort([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("uint32_t")] uint timeout_ms);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_clear_abort([NativeTypeName("session_t *")] session_s* session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_create_share([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const session_share_options_t *")] session_share_options* options, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_list_shares([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_resolve_share([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("const char *")] sbyte* secret_or_url, [NativeTypeName("session_t **")] session_s** out_session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_revoke_share([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* share_id);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_destroy([NativeTypeName("session_t *")] session_s* session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_append_event([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* type, [NativeTypeName("const char *")] sbyte* data_json, [NativeTypeName("size_t")] nuint data_length, [NativeTypeName("uint32_t")] uint flags, [NativeTypeName("uint64_t *")] ulong* out_seq);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_append_event_ex([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* type, [NativeTypeName("const char *")] sbyte* data_json, [NativeTypeName("size_t")] nuint data_length, [NativeTypeName("const session_append_options_t *")] session_append_options* options, [NativeTypeName("uint64_t *")] ulong* out_seq);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_append_events([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* events_json, [NativeTypeName("size_t")] nuint length, [NativeTypeName("uint32_t")] uint flags, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_read_events([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("uint64_t")] ulong after_seq, [NativeTypeName("uint32_t")] uint limit, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_read_last_events([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("uint64_t")] ulong before_seq, [NativeTypeName("uint32_t")] uint limit, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_transcript([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("int32_t")] int format, [NativeTypeName("const char *")] sbyte* options_json, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_repair([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("uint32_t")] uint flags, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_stream_begin([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* type, [NativeTypeName("const session_append_options_t *")] session_append_options* options, [NativeTypeName("session_stream_t **")] session_stream_s** out_stream);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_stream_write([NativeTypeName("session_stream_t *")] session_stream_s* stream, [NativeTypeName("const char *")] sbyte* text, [NativeTypeName("size_t")] nuint length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_stream_end([NativeTypeName("session_stream_t *")] session_stream_s* stream, [NativeTypeName("const char *")] sbyte* data_patch_json, [NativeTypeName("uint64_t *")] ulong* out_seq);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_stream_destroy([NativeTypeName("session_stream_t *")] session_stream_s* stream);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_read_streams([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* stream_id, [NativeTypeName("uint64_t")] ulong from_offset, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_read_turns([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("uint64_t")] ulong after_seq, [NativeTypeName("uint32_t")] uint limit, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_cursor_open([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const session_cursor_options_t *")] session_cursor_options* options, [NativeTypeName("session_cursor_t **")] session_cursor_s** out_cursor);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_cursor_next([NativeTypeName("session_cursor_t *")] session_cursor_s* cursor, [NativeTypeName("uint32_t")] uint limit, [NativeTypeName("uint32_t")] uint timeout_ms, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_cursor_previous([NativeTypeName("session_cursor_t *")] session_cursor_s* cursor, [NativeTypeName("uint32_t")] uint limit, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_cursor_seek([NativeTypeName("session_cursor_t *")] session_cursor_s* cursor, [NativeTypeName("uint64_t")] ulong after_seq);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_cursor_seek_time([NativeTypeName("session_cursor_t *")] session_cursor_s* cursor, [NativeTypeName("int64_t")] long at);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_cursor_destroy([NativeTypeName("session_cursor_t *")] session_cursor_s* cursor);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_put_file([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* name, [NativeTypeName("const void *")] void* data, [NativeTypeName("size_t")] nuint length, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_get_file_path([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* file_id, [NativeTypeName("char **")] sbyte** out_path);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_fork([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("uint64_t")] ulong at_seq, [NativeTypeName("const session_create_options_t *")] session_create_options* options, [NativeTypeName("session_t **")] session_s** out_child);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_tree([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_rewind([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("uint64_t")] ulong to_seq);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_undo_rewind([NativeTypeName("session_t *")] session_s* session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_prune([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* options_json, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_lock([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("int32_t")] int mode, [NativeTypeName("const session_lock_options_t *")] session_lock_options* options);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_lock_answer([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* request_id, [NativeTypeName("int32_t")] int accept);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_lock_status([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_set_activity([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* status, [NativeTypeName("const char *")] sbyte* message);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_unlock([NativeTypeName("session_t *")] session_s* session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_release_all_locks([NativeTypeName("session_store_t *")] session_store_s* store);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_active_lock_count([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("uint32_t *")] uint* out_count);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_watch_open([NativeTypeName("session_store_t *")] session_store_s* store, [NativeTypeName("const session_watch_options_t *")] session_watch_options* options, [NativeTypeName("session_watch_t **")] session_watch_s** out_watch);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_watch_next([NativeTypeName("session_watch_t *")] session_watch_s* watch, [NativeTypeName("uint32_t")] uint limit, [NativeTypeName("uint32_t")] uint timeout_ms, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_watch_get_fd([NativeTypeName("session_watch_t *")] session_watch_s* watch, [NativeTypeName("uint32_t")] uint flags, [NativeTypeName("intptr_t *")] nint* out_fd);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_watch_destroy([NativeTypeName("session_watch_t *")] session_watch_s* watch);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_queue_add([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* entry_json, [NativeTypeName("size_t")] nuint length, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_queue_list([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_queue_update([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* entry_id, [NativeTypeName("const char *")] sbyte* merge_patch_json);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_queue_move([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* entry_id, [NativeTypeName("int32_t")] int delta);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_queue_remove([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* entry_id);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_queue_clear([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("uint32_t *")] uint* out_count);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_queue_claim([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* turn_id, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_queue_settle([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* entry_id, [NativeTypeName("int32_t")] int outcome, [NativeTypeName("const char *")] sbyte* detail, [NativeTypeName("uint64_t *")] ulong* out_seq);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_queue_next_due([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("int64_t *")] long* out_due_at);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_get_buttons([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("char **")] sbyte** out_json, [NativeTypeName("size_t *")] nuint* out_length);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("session_status_t")]
    public static extern int session_set_buttons([NativeTypeName("session_t *")] session_s* session, [NativeTypeName("const char *")] sbyte* buttons_json, [NativeTypeName("uint64_t")] ulong for_seq);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    public static extern void* plue_session_create([NativeTypeName("const char *")] sbyte* parent_id);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("char *")]
    public static extern sbyte* plue_session_get_info(void* session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("char *")]
    public static extern sbyte* plue_session_list();

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    public static extern int plue_session_update_title(void* session, [NativeTypeName("const char *")] sbyte* title);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    public static extern int plue_session_delete(void* session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    public static extern int plue_session_abort(void* session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("char *")]
    public static extern sbyte* plue_session_create_share(void* session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    public static extern void plue_session_destroy(void* session);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    public static extern int plue_init([NativeTypeName("const char *")] sbyte* config_json);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    public static extern void plue_shutdown();

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    public static extern void plue_free_string([NativeTypeName("char *")] sbyte* @string);

    [DllImport("sessions", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("const char *")]
    public static extern sbyte* plue_get_last_error();

    [NativeTypeName("#define SESSION_VERSION_MAJOR 0")]
    public const int SESSION_VERSION_MAJOR = 0;

    [NativeTypeName("#define SESSION_VERSION_MINOR 1")]
    public const int SESSION_VERSION_MINOR = 1;

    [NativeTypeName("#define SESSION_VERSION_PATCH 0")]
    public const int SESSION_VERSION_PATCH = 0;

    [NativeTypeName("#define SESSION_VERSION_STRING \"0.1.0\"")]
    public static ReadOnlySpan<byte> SESSION_VERSION_STRING => "0.1.0"u8;

    [NativeTypeName("#define SESSION_ABI_VERSION 0x00010000u")]
    public const uint SESSION_ABI_VERSION = 0x00010000U;

    [NativeTypeName("#define SESSION_WAIT_FOREVER 0xFFFFFFFFu")]
    public const uint SESSION_WAIT_FOREVER = 0xFFFFFFFFU;

    [NativeTypeName("#define SESSION_OK 0")]
    public const int SESSION_OK = 0;

    [NativeTypeName("#define SESSION_E_INTERNAL (-1)")]
    public const int SESSION_E_INTERNAL = (-1);

    [NativeTypeName("#define SESSION_E_INVALID_ARGUMENT (-2)")]
    public const int SESSION_E_INVALID_ARGUMENT = (-2);

    [NativeTypeName("#define SESSION_E_INVALID_HANDLE (-3)")]
    public const int SESSION_E_INVALID_HANDLE = (-3);

    [NativeTypeName("#define SESSION_E_INVALID_UTF8 (-4)")]
    public const int SESSION_E_INVALID_UTF8 = (-4);

    [NativeTypeName("#define SESSION_E_INVALID_JSON (-5)")]
    public const int SESSION_E_INVALID_JSON = (-5);

    [NativeTypeName("#define SESSION_E_VERSION (-6)")]
    public const int SESSION_E_VERSION = (-6);

    [NativeTypeName("#define SESSION_E_UNSUPPORTED (-7)")]
    public const int SESSION_E_UNSUPPORTED = (-7);

    [NativeTypeName("#define SESSION_E_MISUSE (-8)")]
    public const int SESSION_E_MISUSE = (-8);

    [NativeTypeName("#define SESSION_E_FORKED (-9)")]
    public const int SESSION_E_FORKED = (-9);

    [NativeTypeName("#define SESSION_E_CLOSED (-10)")]
    public const int SESSION_E_CLOSED = (-10);

    [NativeTypeName("#define SESSION_E_NO_MEMORY (-11)")]
    public const int SESSION_E_NO_MEMORY = (-11);

    [NativeTypeName("#define SESSION_E_NOT_FOUND (-20)")]
    public const int SESSION_E_NOT_FOUND = (-20);

    [NativeTypeName("#define SESSION_E_EXISTS (-21)")]
    public const int SESSION_E_EXISTS = (-21);

    [NativeTypeName("#define SESSION_E_DELETED (-22)")]
    public const int SESSION_E_DELETED = (-22);

    [NativeTypeName("#define SESSION_E_HAS_CHILDREN (-23)")]
    public const int SESSION_E_HAS_CHILDREN = (-23);

    [NativeTypeName("#define SESSION_E_ACCESS_DENIED (-24)")]
    public const int SESSION_E_ACCESS_DENIED = (-24);

    [NativeTypeName("#define SESSION_E_CONFLICT (-25)")]
    public const int SESSION_E_CONFLICT = (-25);

    [NativeTypeName("#define SESSION_E_INVALID_TRANSITION (-26)")]
    public const int SESSION_E_INVALID_TRANSITION = (-26);

    [NativeTypeName("#define SESSION_E_LIMIT (-27)")]
    public const int SESSION_E_LIMIT = (-27);

    [NativeTypeName("#define SESSION_E_QUEUE_FULL (-28)")]
    public const int SESSION_E_QUEUE_FULL = (-28);

    [NativeTypeName("#define SESSION_E_DECISION_NEEDED (-29)")]
    public const int SESSION_E_DECISION_NEEDED = (-29);

    [NativeTypeName("#define SESSION_E_TIMEOUT (-40)")]
    public const int SESSION_E_TIMEOUT = (-40);

    [NativeTypeName("#define SESSION_E_BUSY (-41)")]
    public const int SESSION_E_BUSY = (-41);

    [NativeTypeName("#define SESSION_E_CANCELLED (-42)")]
    public const int SESSION_E_CANCELLED = (-42);

    [NativeTypeName("#define SESSION_E_LOCKED (-43)")]
    public const int SESSION_E_LOCKED = (-43);

    [NativeTypeName("#define SESSION_E_LOCK_LOST (-44)")]
    public const int SESSION_E_LOCK_LOST = (-44);

    [NativeTypeName("#define SESSION_E_PROCESSING (-45)")]
    public const int SESSION_E_PROCESSING = (-45);

    [NativeTypeName("#define SESSION_E_WAITING_PERMISSION (-46)")]
    public const int SESSION_E_WAITING_PERMISSION = (-46);

    [NativeTypeName("#define SESSION_E_IO (-60)")]
    public const int SESSION_E_IO = (-60);

    [NativeTypeName("#define SESSION_E_NO_SPACE (-61)")]
    public const int SESSION_E_NO_SPACE = (-61);

    [NativeTypeName("#define SESSION_E_POISONED (-62)")]
    public const int SESSION_E_POISONED = (-62);

    [NativeTypeName("#define SESSION_E_CORRUPT (-63)")]
    public const int SESSION_E_CORRUPT = (-63);

    [NativeTypeName("#define SESSION_E_READ_ONLY (-64)")]
    public const int SESSION_E_READ_ONLY = (-64);

    [NativeTypeName("#define SESSION_E_NOT_LOCAL (-65)")]
    public const int SESSION_E_NOT_LOCAL = (-65);

    [NativeTypeName("#define SESSION_DURABILITY_FULL 0")]
    public const int SESSION_DURABILITY_FULL = 0;

    [NativeTypeName("#define SESSION_DURABILITY_RELAXED 1")]
    public const int SESSION_DURABILITY_RELAXED = 1;

    [NativeTypeName("#define SESSION_STORE_READ_ONLY 0x1u")]
    public const uint SESSION_STORE_READ_ONLY = 0x1U;

    [NativeTypeName("#define SESSION_STORE_MUST_EXIST 0x2u")]
    public const uint SESSION_STORE_MUST_EXIST = 0x2U;

    [NativeTypeName("#define SESSION_STORE_NO_MIGRATE 0x4u")]
    public const uint SESSION_STORE_NO_MIGRATE = 0x4U;

    [NativeTypeName("#define SESSION_STORE_ALLOW_NETWORK 0x8u")]
    public const uint SESSION_STORE_ALLOW_NETWORK = 0x8U;

    [NativeTypeName("#define SESSION_STORE_SHARED_OWNERS 0x10u")]
    public const uint SESSION_STORE_SHARED_OWNERS = 0x10U;

    [NativeTypeName("#define SESSION_VERIFY_QUICK 0x1u")]
    public const uint SESSION_VERIFY_QUICK = 0x1U;

    [NativeTypeName("#define SESSION_ORDER_UPDATED_DESC 0")]
    public const int SESSION_ORDER_UPDATED_DESC = 0;

    [NativeTypeName("#define SESSION_ORDER_UPDATED_ASC 1")]
    public const int SESSION_ORDER_UPDATED_ASC = 1;

    [NativeTypeName("#define SESSION_ORDER_CREATED_DESC 2")]
    public const int SESSION_ORDER_CREATED_DESC = 2;

    [NativeTypeName("#define SESSION_ORDER_CREATED_ASC 3")]
    public const int SESSION_ORDER_CREATED_ASC = 3;

    [NativeTypeName("#define SESSION_ORDER_ACTIVE_DESC 4")]
    public const int SESSION_ORDER_ACTIVE_DESC = 4;

    [NativeTypeName("#define SESSION_ARCHIVED_EXCLUDE 0")]
    public const int SESSION_ARCHIVED_EXCLUDE = 0;

    [NativeTypeName("#define SESSION_ARCHIVED_ONLY 1")]
    public const int SESSION_ARCHIVED_ONLY = 1;

    [NativeTypeName("#define SESSION_ARCHIVED_INCLUDE 2")]
    public const int SESSION_ARCHIVED_INCLUDE = 2;

    [NativeTypeName("#define SESSION_LIST_ROOTS 0x1u")]
    public const uint SESSION_LIST_ROOTS = 0x1U;

    [NativeTypeName("#define SESSION_LIST_TRASH 0x2u")]
    public const uint SESSION_LIST_TRASH = 0x2U;

    [NativeTypeName("#define SESSION_SHARE_ROTATE 0x1u")]
    public const uint SESSION_SHARE_ROTATE = 0x1U;

    [NativeTypeName("#define SESSION_SHARE_LIVE 0x2u")]
    public const uint SESSION_SHARE_LIVE = 0x2U;

    [NativeTypeName("#define SESSION_STAT_ABORTED 0x1u")]
    public const uint SESSION_STAT_ABORTED = 0x1U;

    [NativeTypeName("#define SESSION_STAT_ARCHIVED 0x2u")]
    public const uint SESSION_STAT_ARCHIVED = 0x2U;

    [NativeTypeName("#define SESSION_STAT_READ_ONLY 0x4u")]
    public const uint SESSION_STAT_READ_ONLY = 0x4U;

    [NativeTypeName("#define SESSION_STAT_LOCKED 0x8u")]
    public const uint SESSION_STAT_LOCKED = 0x8U;

    [NativeTypeName("#define SESSION_DELETE_CASCADE 0")]
    public const int SESSION_DELETE_CASCADE = 0;

    [NativeTypeName("#define SESSION_DELETE_ORPHAN 1")]
    public const int SESSION_DELETE_ORPHAN = 1;

    [NativeTypeName("#define SESSION_DELETE_REFUSE 2")]
    public const int SESSION_DELETE_REFUSE = 2;

    [NativeTypeName("#define SESSION_DELETE_NO_TRASH 0x100")]
    public const int SESSION_DELETE_NO_TRASH = 0x100;

    [NativeTypeName("#define SESSION_ABORT_TREE 0x1u")]
    public const uint SESSION_ABORT_TREE = 0x1U;

    [NativeTypeName("#define SESSION_ABORT_RELAXED 0x2u")]
    public const uint SESSION_ABORT_RELAXED = 0x2U;

    [NativeTypeName("#define SESSION_APPEND_RELAXED 0x1u")]
    public const uint SESSION_APPEND_RELAXED = 0x1U;

    [NativeTypeName("#define SESSION_APPEND_DURABLE 0x2u")]
    public const uint SESSION_APPEND_DURABLE = 0x2U;

    [NativeTypeName("#define SESSION_APPEND_CHECK 0x4u")]
    public const uint SESSION_APPEND_CHECK = 0x4U;

    [NativeTypeName("#define SESSION_REPAIR_DRY_RUN 0x1u")]
    public const uint SESSION_REPAIR_DRY_RUN = 0x1U;

    [NativeTypeName("#define SESSION_REPAIR_FORCE 0x2u")]
    public const uint SESSION_REPAIR_FORCE = 0x2U;

    [NativeTypeName("#define SESSION_TRANSCRIPT_MESSAGES 0")]
    public const int SESSION_TRANSCRIPT_MESSAGES = 0;

    [NativeTypeName("#define SESSION_TRANSCRIPT_UI_MESSAGES 1")]
    public const int SESSION_TRANSCRIPT_UI_MESSAGES = 1;

    [NativeTypeName("#define SESSION_TRANSCRIPT_MARKDOWN 2")]
    public const int SESSION_TRANSCRIPT_MARKDOWN = 2;

    [NativeTypeName("#define SESSION_TRANSCRIPT_HTML 3")]
    public const int SESSION_TRANSCRIPT_HTML = 3;

    [NativeTypeName("#define SESSION_READ_HIDDEN 0x1u")]
    public const uint SESSION_READ_HIDDEN = 0x1U;

    [NativeTypeName("#define SESSION_READ_CONTEXT 0x2u")]
    public const uint SESSION_READ_CONTEXT = 0x2U;

    [NativeTypeName("#define SESSION_READ_DATA_AS_TEXT 0x4u")]
    public const uint SESSION_READ_DATA_AS_TEXT = 0x4U;

    [NativeTypeName("#define SESSION_LOCK_TRY 0")]
    public const int SESSION_LOCK_TRY = 0;

    [NativeTypeName("#define SESSION_LOCK_WAIT 1")]
    public const int SESSION_LOCK_WAIT = 1;

    [NativeTypeName("#define SESSION_LOCK_FORCE 2")]
    public const int SESSION_LOCK_FORCE = 2;

    [NativeTypeName("#define SESSION_LOCK_INTERRUPT 3")]
    public const int SESSION_LOCK_INTERRUPT = 3;

    [NativeTypeName("#define SESSION_LOCK_ASK 0x1u")]
    public const uint SESSION_LOCK_ASK = 0x1U;

    [NativeTypeName("#define SESSION_WATCH_COALESCE 0x1u")]
    public const uint SESSION_WATCH_COALESCE = 0x1U;

    [NativeTypeName("#define SESSION_FD_DUPLICATE 0x1u")]
    public const uint SESSION_FD_DUPLICATE = 0x1U;

    [NativeTypeName("#define SESSION_QUEUE_SENT 0")]
    public const int SESSION_QUEUE_SENT = 0;

    [NativeTypeName("#define SESSION_QUEUE_RELEASE 1")]
    public const int SESSION_QUEUE_RELEASE = 1;

    [NativeTypeName("#define SESSION_QUEUE_FAILED 2")]
    public const int SESSION_QUEUE_FAILED = 2;

    [NativeTypeName("#define SESSION_QUEUE_CANCELLED 3")]
    public const int SESSION_QUEUE_CANCELLED = 3;
}
