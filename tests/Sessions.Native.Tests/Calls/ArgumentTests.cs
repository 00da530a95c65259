using System.Text;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>Arguments that are refused before anything happens, and what the error says.</summary>
public sealed unsafe class ArgumentTests : IDisposable
{
    private readonly TestStore _store = new();
    private readonly nint _session;

    public ArgumentTests() => _session = (nint)_store.Create();

    private session_s* Session => (session_s*)_session;

    private nint Store => (nint)_store.Handle;

    public void Dispose()
    {
        Methods.session_destroy(Session);
        _store.Dispose();
    }

    [Fact]
    public void TextThatIsNotUtf8NamesArgumentAndByte()
    {
        (byte[] Text, int Offset)[] cases =
        [
            ([0xFF], 0), ([(byte)'a', 0xC3, (byte)'b'], 1), ([0xC0, 0x80], 0), ([0xED, 0xA0, 0x80], 0),
            ([(byte)'a', 0xF4, 0x90, 0x80, 0x80], 1), ([0xC3, 0xA9, 0xE2, 0x82], 2),
            ([.. Enumerable.Repeat((byte)'x', 1000), 0x80], 1000),
        ];
        foreach ((byte[] text, int offset) in cases)
        {
            Error error = Call.Fails(Methods.SESSION_E_INVALID_UTF8,
                Call.With(text, t => Methods.session_update_title(Session, t)));
            Assert.Equal($$"""{"argument":"title","offset":{{offset}}}""", error.Details);
            Assert.Equal(offset, error.Offset);
        }
    }

    [Fact]
    public void EveryTextArgumentIsChecked()
    {
        byte[] bad = [(byte)'x', 0x80];
        void Refuses(string argument, Call.TextCall call) => Assert.Equal(
            $$"""{"argument":"{{argument}}","offset":1}""",
            Call.Fails(Methods.SESSION_E_INVALID_UTF8, Call.With(bad, call)).Details);
        Refuses("path", t => { session_store_s* s; return Methods.session_store_open(t, null, &s); });
        Refuses("path", t => { sbyte* j; return Methods.session_store_salvage(t, null, &j, null); });
        Refuses("workspace_id", t => Methods.session_store_configure((session_store_s*)Store, t, null));
        Refuses("merge_patch_json", t => Methods.session_store_configure((session_store_s*)Store, null, t));
        Refuses("parent_id",
            t => { session_s* s; return Methods.session_create((session_store_s*)Store, t, null, &s); });
        Refuses("id", t => { session_s* s; return Methods.session_open((session_store_s*)Store, t, &s); });
        Refuses("id", t => Methods.session_restore((session_store_s*)Store, t));
        Refuses("ids_json",
            t => { sbyte* j; return Methods.session_get_infos((session_store_s*)Store, t, null, &j, null); });
        Refuses("secret_or_url",
            t => { session_s* s; return Methods.session_resolve_share((session_store_s*)Store, t, &s); });
        Refuses("title", t => Methods.session_suggest_title(Session, t, null));
        Refuses("merge_patch_json", t => Methods.session_update_metadata(Session, t));
        Refuses("merge_patch_json", t => Methods.session_update(Session, t, 0, null));
        Refuses("reason", t => Methods.session_abort(Session, t));
        Refuses("reason", t => Methods.session_abort_ex(Session, t, 0, null));
        Refuses("share_id", t => Methods.session_revoke_share(Session, t));
        Refuses("type", t => Methods.session_append_event(Session, t, t, 2, 0, null));
        Refuses("name", t => { sbyte* j; return Methods.session_put_file(Session, t, t, 2, &j, null); });
        Refuses("file_id", t => { sbyte* j; return Methods.session_get_file_path(Session, t, &j); });
        Refuses("types", t => OpenCursor(new session_cursor_options { types = t }));
        Refuses("turn_id", t => OpenCursor(new session_cursor_options { turn_id = t }));
        Refuses("kind", t => StartJob(t, t));
        Refuses("args_json", t => Call.With("flush", kind => StartJob(kind, t)));
        Refuses("events_json", t => { sbyte* j; return Methods.session_append_events(Session, t, 2, 0, &j, null); });
        Refuses("message", t => Lock(new session_lock_options { message = t }));
        Refuses("request_id", t => Methods.session_lock_answer(Session, t, 1));
        Refuses("status", t => Methods.session_set_activity(Session, t, null));
        Refuses("message", t => Call.With("idle", idle => Methods.session_set_activity(Session, idle, t)));
        Refuses("session_id", t => OpenWatch(new session_watch_options { session_id = t }));
        Refuses("kinds", t => OpenWatch(new session_watch_options { kinds = t }));
        Refuses("entry_json", t => { sbyte* j; return Methods.session_queue_add(Session, t, 2, &j, null); });
        Refuses("entry_id", t => Methods.session_queue_update(Session, t, t));
        Refuses("merge_patch_json", t => Call.With("q-1-00000000", id => Methods.session_queue_update(Session, id, t)));
        Refuses("entry_id", t => Methods.session_queue_move(Session, t, 1));
        Refuses("entry_id", t => Methods.session_queue_remove(Session, t));
        Refuses("turn_id", t => { sbyte* j; return Methods.session_queue_claim(Session, t, &j, null); });
        Refuses("entry_id", t => Methods.session_queue_settle(Session, t, 0, null, null));
        Refuses("detail", t => Call.With("q-1-00000000", id => Methods.session_queue_settle(Session, id, 0, t, null)));
        Refuses("buttons_json", t => Methods.session_set_buttons(Session, t, 0));
        Refuses("type",
            t => { session_stream_s* s; return Methods.session_stream_begin(Session, t, null, &s); });
        Refuses("stream_id",
            t => { sbyte* j; return Methods.session_read_streams(Session, t, 0, &j, null); });
        nint stream = Stream();
        Refuses("text", t => Methods.session_stream_write((session_stream_s*)stream, t, 2));
        Refuses("data_patch_json", t => Methods.session_stream_end((session_stream_s*)stream, t, null));
        Call.Works(Methods.session_stream_destroy((session_stream_s*)stream));
    }

    private nint Stream()
    {
        session_stream_s* stream;
        nint place = (nint)(&stream);
        Call.Works(Call.With("t", t => Methods.session_stream_begin(Session, t, null, (session_stream_s**)place)));
        return (nint)stream;
    }

    [Fact]
    public void DataThatIsNotUtf8NamesItsByte()
    {
        byte[] data = Encoding.UTF8.GetBytes("{\"text\":\"a");
        byte[] bad = [.. data, 0xFF, (byte)'"', (byte)'}'];
        int status = Call.With("note", type => Call.With(bad,
            json => Methods.session_append_event(Session, type, json, (nuint)bad.Length, 0, null)));
        Error error = Call.Fails(Methods.SESSION_E_INVALID_UTF8, status);
        Assert.Equal($$"""{"argument":"data_json","offset":{{data.Length}}}""", error.Details);
    }

    [Fact]
    public void NullWhereThereMustBeSomethingNamesTheArgument()
    {
        void Refuses(string argument, int status) => Assert.Equal($$"""{"argument":"{{argument}}"}""",
            Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, status).Details);
        session_store_s* store = (session_store_s*)Store;
        sbyte* json;
        session_s* session;
        Refuses("out_json", Methods.session_abi_json(null, null));
        Refuses("out_json", Methods.session_log_read(0, 0, null, null));
        Refuses("out_store", Methods.session_store_open(null, null, null));
        Refuses("out_json", Methods.session_store_get_info(store, null, null));
        Refuses("merge_patch_json", Methods.session_store_configure(store, null, null));
        Refuses("out_json", Methods.session_store_verify(store, null, null));
        Refuses("out_json", Methods.session_store_verify_ex(store, 0, null, null));
        Refuses("path", Methods.session_store_backup(store, null, &json, null));
        Refuses("out_json", Call.With("b", t => Methods.session_store_backup((session_store_s*)Store, t, null, null)));
        Refuses("out_session", Methods.session_create(store, null, null, null));
        Refuses("id", Methods.session_open(store, null, &session));
        Refuses("out_id", Methods.session_get_id(Session, null));
        Refuses("out_path", Methods.session_get_path(Session, null));
        Refuses("out_stat", Methods.session_get_stat(Session, null));
        Refuses("out_json", Methods.session_get_info(Session, null, null));
        Refuses("ids_json", Methods.session_get_infos(store, null, null, &json, null));
        Refuses("out_json", Methods.session_list(store, null, null, null, null));
        Refuses("title", Methods.session_update_title(Session, null));
        Refuses("title", Methods.session_suggest_title(Session, null, null));
        Refuses("merge_patch_json", Methods.session_update_metadata(Session, null));
        Refuses("merge_patch_json", Methods.session_update(Session, null, 0, null));
        Refuses("id", Methods.session_restore(store, null));
        Refuses("out_aborted", Methods.session_is_aborted(Session, null));
        Refuses("out_json", Methods.session_create_share(Session, null, null, null));
        Refuses("out_json", Methods.session_list_shares(Session, null, null));
        Refuses("secret_or_url", Methods.session_resolve_share(store, null, &session));
        Refuses("share_id", Methods.session_revoke_share(Session, null));
        Refuses("type", Methods.session_append_event(Session, null, null, 0, 0, null));
        Refuses("data_json",
            Call.With("note", type => Methods.session_append_event(Session, type, null, 0, 0, null)));
        Refuses("data_json",
            Call.With("note", type => Methods.session_append_event_ex(Session, type, null, 0, null, null)));
        Refuses("events_json", Methods.session_append_events(Session, null, 0, 0, &json, null));
        Refuses("out_json", Methods.session_read_events(Session, 0, 0, null, null));
        Refuses("out_json", Methods.session_read_last_events(Session, 0, 0, null, null));
        Refuses("out_json", Methods.session_transcript(Session, 0, null, null, null));
        Refuses("format", Methods.session_transcript(Session, 4, null, &json, null));
        Refuses("format", Methods.session_transcript(Session, -1, null, &json, null));
        Refuses("out_json", Methods.session_repair(Session, 0, null, null));
        session_stream_s* stream;
        Refuses("type", Methods.session_stream_begin(Session, null, null, &stream));
        Refuses("out_stream", Call.With("t", t => Methods.session_stream_begin(Session, t, null, null)));
        Refuses("out_json", Methods.session_read_streams(Session, null, 0, null, null));
        stream = (session_stream_s*)Stream();
        Refuses("text", Methods.session_stream_write(stream, null, 0));
        Call.Works(Methods.session_stream_destroy(stream));
        Refuses("out_child", Methods.session_fork(Session, 0, null, null));
        Refuses("at_seq", Methods.session_fork(Session, ulong.MaxValue, null, &session));
        Refuses("out_json", Methods.session_tree(Session, null, null));
        Refuses("to_seq", Methods.session_rewind(Session, ulong.MaxValue));
        Refuses("options_json", Methods.session_prune(Session, null, &json, null));
        Refuses("out_json", Call.With("""{"max_events":1}""", t => Methods.session_prune(Session, t, null, null)));
        Refuses("policy_json", Methods.session_store_retain((session_store_s*)Store, null, &json, null));
        Refuses("out_json", Call.With("""{"max_sessions":1}""",
            t => Methods.session_store_retain((session_store_s*)Store, t, null, null)));
        session_job_s* job;
        Refuses("kind", Methods.session_job_start((session_store_s*)Store, null, null, 0, &job));
        Refuses("args_json", Call.With("flush", kind => StartJob(kind, null)));
        Refuses("out_job", Call.With("flush", kind => Call.With("{}",
            args => Methods.session_job_start((session_store_s*)Store, kind, args, 2, null))));
        job = JobTests.Start((session_store_s*)Store, "flush");
        Refuses("out_progress", Methods.session_job_get_progress(job, null));
        Refuses("out_json", Methods.session_job_result(job, null, null));
        Call.Works(Methods.session_job_destroy(job));
        Refuses("out_json", Methods.session_read_turns(Session, 0, 0, null, null));
        Refuses("out_cursor", Methods.session_cursor_open(Session, null, null));
        session_cursor_s* cursor;
        Call.Works(Methods.session_cursor_open(Session, null, &cursor));
        Refuses("out_json", Methods.session_cursor_next(cursor, 0, 0, null, null));
        Refuses("out_json", Methods.session_cursor_previous(cursor, 0, null, null));
        Call.Works(Methods.session_cursor_destroy(cursor));
        Refuses("name", Methods.session_put_file(Session, null, null, 0, &json, null));
        Refuses("data", Call.With("a",
            name => { sbyte* j; return Methods.session_put_file(Session, name, null, 1, &j, null); }));
        Refuses("out_json", Call.With("a", name => Methods.session_put_file(Session, name, null, 0, null, null)));
        Refuses("file_id", Methods.session_get_file_path(Session, null, &json));
        Refuses("out_path", Call.With("a", id => Methods.session_get_file_path(Session, id, null)));
    }

    [Fact]
    public void NullIsNamedInCoordinationToo()
    {
        void Refuses(string argument, int status) => Assert.Equal($$"""{"argument":"{{argument}}"}""",
            Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, status).Details);
        sbyte* json;
        session_watch_s* watch;
        Refuses("mode", Methods.session_lock(Session, 4, null));
        Refuses("mode", Methods.session_lock(Session, -1, null));
        Refuses("request_id", Methods.session_lock_answer(Session, null, 1));
        Refuses("accept", Call.With("lr_1", id => Methods.session_lock_answer(Session, id, 2)));
        Refuses("out_json", Methods.session_lock_status(Session, null, null));
        Refuses("status", Methods.session_set_activity(Session, null, null));
        Refuses("out_watch", Methods.session_watch_open((session_store_s*)Store, null, null));
        Call.Works(Methods.session_watch_open((session_store_s*)Store, null, &watch));
        Refuses("out_json", Methods.session_watch_next(watch, 0, 0, null, null));
        Refuses("out_fd", Methods.session_watch_get_fd(watch, 0, null));
        Call.Works(Methods.session_watch_destroy(watch));
        Refuses("entry_json", Methods.session_queue_add(Session, null, 0, &json, null));
        Refuses("out_json", Call.With("{}", t => Methods.session_queue_add(Session, t, 2, null, null)));
        Refuses("out_json", Methods.session_queue_list(Session, null, null));
        Refuses("entry_id", Methods.session_queue_update(Session, null, null));
        Refuses("merge_patch_json", Call.With("q-1-00000000", id => Methods.session_queue_update(Session, id, null)));
        Refuses("entry_id", Methods.session_queue_move(Session, null, 1));
        Refuses("entry_id", Methods.session_queue_remove(Session, null));
        Refuses("out_json", Methods.session_queue_claim(Session, null, null, null));
        Refuses("entry_id", Methods.session_queue_settle(Session, null, 0, null, null));
        Refuses("outcome", Call.With("q-1-00000000", id => Methods.session_queue_settle(Session, id, 4, null, null)));
        Refuses("out_due_at", Methods.session_queue_next_due(Session, null));
        Refuses("out_json", Methods.session_get_buttons(Session, null, null));
        Refuses("buttons_json", Methods.session_set_buttons(Session, null, 0));
        Refuses("for_seq", Call.With("[]", t => Methods.session_set_buttons(Session, t, ulong.MaxValue)));
    }

    [Fact]
    public void OutsThatMayBeNullMayBeNull()
    {
        sbyte* json;
        session_store_s* store = (session_store_s*)Store;
        Call.Works(Methods.session_get_info(Session, &json, null));
        Call.Take(json);
        Call.Works(Methods.session_list(store, null, &json, null, null));
        Call.Take(json);
        Call.Works(Methods.session_store_purge(store, 0, null));
        Call.Works(Call.With("t", t => Methods.session_suggest_title(Session, t, null)));
        Call.Works(Call.With("{}", t => Methods.session_update(Session, t, 0, null)));
        Call.Works(Methods.session_abort_ex(Session, null, 0, null));
        Call.Works(Call.With("note", t => Call.With("{}",
            d => Methods.session_append_event(Session, t, d, 2, 0, null))));
    }

    [Fact]
    public void UnknownFlagBitsAreNamed()
    {
        void Refuses(uint unknown, int status) => Assert.Equal(
            $$"""{"argument":"flags","unknown_bits":{{unknown}}}""",
            Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, status).Details);
        sbyte* json;
        Refuses(64, Methods.session_abort_ex(Session, null, 64 | Methods.SESSION_ABORT_TREE, null));
        Refuses(0x80000000, Methods.session_store_verify_ex((session_store_s*)Store,
            0x80000000 | Methods.SESSION_VERIFY_QUICK, &json, null));
        Refuses(16, Call.With("note", t => Call.With("{}",
            d => Methods.session_append_event(Session, t, d, 2, 16 | Methods.SESSION_APPEND_RELAXED, null))));
        Refuses(4, Methods.session_repair(Session, 4 | Methods.SESSION_REPAIR_DRY_RUN, &json, null));
        Refuses(8, Call.With("[]",
            d => { sbyte* j; return Methods.session_append_events(Session, d, 2, 8, &j, null); }));
        session_watch_s* watch;
        Call.Works(Methods.session_watch_open((session_store_s*)Store, null, &watch));
        nint descriptor = 0;
        Refuses(2, Methods.session_watch_get_fd(watch, 2 | Methods.SESSION_FD_DUPLICATE, &descriptor));
        Assert.Equal(-1, descriptor);
        Call.Works(Methods.session_watch_destroy(watch));
    }

    [Fact]
    public void AnAppendIsRelaxedOrDurableNotBoth()
    {
        const uint Both = Methods.SESSION_APPEND_RELAXED | Methods.SESSION_APPEND_DURABLE;
        Error error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, Call.With("note", t => Call.With("{}",
            d => Methods.session_append_event(Session, t, d, 2, Both, null))));
        Assert.Equal("""{"argument":"flags"}""", error.Details);
    }

    [Fact]
    public void NumbersBeyondDoublesAreRefused()
    {
        const ulong TooLarge = 1UL << 53;
        void Refuses(string argument, int status) => Assert.Equal($$"""{"argument":"{{argument}}"}""",
            Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, status).Details);
        sbyte* json;
        Refuses("after_seq", Methods.session_read_events(Session, TooLarge, 0, &json, null));
        Refuses("before_seq", Methods.session_read_last_events(Session, ulong.MaxValue, 0, &json, null));
        Refuses("from_offset", Methods.session_read_streams(Session, null, TooLarge, &json, null));
        Refuses("expected_revision",
            Call.With("{}", t => Methods.session_update(Session, t, TooLarge, null)));
        Refuses("after_seq", Methods.session_read_turns(Session, TooLarge, 0, &json, null));
        Refuses("after_seq", OpenCursor(new session_cursor_options { after_seq = TooLarge }));
        Refuses("since", OpenCursor(new session_cursor_options { since = -1 }));
        Refuses("until", OpenCursor(new session_cursor_options { until = 1L << 53 }));
        session_cursor_s* cursor;
        Call.Works(Methods.session_cursor_open(Session, null, &cursor));
        Refuses("after_seq", Methods.session_cursor_seek(cursor, TooLarge));
        Refuses("at", Methods.session_cursor_seek_time(cursor, -1));
        Call.Works(Methods.session_cursor_destroy(cursor));
        Refuses("after", Methods.session_log_read(TooLarge, 0, &json, null));
        Refuses("deleted_before", Methods.session_store_purge((session_store_s*)Store, -1, null));
        Call.Works(Methods.session_read_events(Session, TooLarge - 1, 0, &json, null));
        Call.Take(json);
    }

    [Fact]
    public void PoliciesAreKnownOrRefused()
    {
        foreach (int policy in (int[])[3, -1, 0x200, 0x103, int.MinValue, 0x7FFFFFFF])
        {
            Error error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, Methods.session_delete(Session, policy));
            Assert.Equal("""{"argument":"policy"}""", error.Details);
        }

        Call.Works(Methods.session_delete(Session, Methods.SESSION_DELETE_REFUSE | Methods.SESSION_DELETE_NO_TRASH));
    }

    [Fact]
    public void DataLongerThanAnyBufferIsALimit()
    {
        Error error = Call.Fails(Methods.SESSION_E_LIMIT, Call.With("note", t => Call.With("{}",
            d => Methods.session_append_event(Session, t, d, nuint.MaxValue, 0, null))));
        Assert.StartsWith("""{"limit":"event_bytes_max","max":67108864,""", error.Details, StringComparison.Ordinal);
        error = Call.Fails(Methods.SESSION_E_LIMIT, Call.With("a",
            t => { sbyte* j; return Methods.session_put_file(Session, t, t, nuint.MaxValue, &j, null); }));
        Assert.StartsWith("""{"limit":"file_bytes_max","max":2147483647,""", error.Details, StringComparison.Ordinal);
    }

    // The two bytes of each test's text; the job is never started.
    private int StartJob(sbyte* kind, sbyte* args)
    {
        session_job_s* job;
        int status = Methods.session_job_start((session_store_s*)Store, kind, args, 2, &job);
        Assert.True(job == null);
        return status;
    }

    private int OpenCursor(session_cursor_options options)
    {
        options.size = (uint)sizeof(session_cursor_options);
        session_cursor_s* cursor;
        return Methods.session_cursor_open(Session, &options, &cursor);
    }

    private int Lock(session_lock_options options)
    {
        options.size = (uint)sizeof(session_lock_options);
        return Methods.session_lock(Session, Methods.SESSION_LOCK_TRY, &options);
    }

    private int OpenWatch(session_watch_options options)
    {
        options.size = (uint)sizeof(session_watch_options);
        session_watch_s* watch;
        return Methods.session_watch_open((session_store_s*)Store, &options, &watch);
    }
}
