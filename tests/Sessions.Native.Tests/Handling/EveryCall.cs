using Sessions.Bindings;

namespace Sessions.Native.Tests.Handling;

/// <summary>
/// Every call that takes a handle, with arguments that are fine but for the handle. Each asserts
/// that its outs are empty when it fails.
/// </summary>
internal static unsafe class EveryCall
{
    private const nint Junk = 0x5A5A;

    /// <summary>By name: a call on a session handle.</summary>
    public static readonly Dictionary<string, Func<nint, int>> OnSession = new()
    {
        ["session_get_id"] = h => Text(p => Methods.session_get_id(S(h), p)),
        ["session_get_path"] = h => Text(p => Methods.session_get_path(S(h), p)),
        ["session_get_stat"] = GetStat,
        ["session_get_info"] = h => Json((p, n) => Methods.session_get_info(S(h), p, n)),
        ["session_update_title"] = h => Call.With("t", t => Methods.session_update_title(S(h), t)),
        ["session_suggest_title"] = h =>
            Call.With("t", t => Number<int>(p => Methods.session_suggest_title(S(h), t, p))),
        ["session_update_metadata"] = h => Call.With("{}", t => Methods.session_update_metadata(S(h), t)),
        ["session_update"] = h =>
            Call.With("{}", t => Number<ulong>(p => Methods.session_update(S(h), t, 0, p))),
        ["session_delete"] = h => Methods.session_delete(S(h), Methods.SESSION_DELETE_CASCADE),
        ["session_abort"] = h => Methods.session_abort(S(h), null),
        ["session_abort_ex"] = h => Number<uint>(p => Methods.session_abort_ex(S(h), null, 0, p)),
        ["session_is_aborted"] = h => Number<int>(p => Methods.session_is_aborted(S(h), p)),
        ["session_wait_abort"] = h => Methods.session_wait_abort(S(h), 0),
        ["session_signal_abort"] = h => Methods.session_signal_abort(S(h)),
        ["session_clear_abort"] = h => Methods.session_clear_abort(S(h)),
        ["session_create_share"] = h => Json((p, n) => Methods.session_create_share(S(h), null, p, n)),
        ["session_list_shares"] = h => Json((p, n) => Methods.session_list_shares(S(h), p, n)),
        ["session_revoke_share"] = h => Call.With("sh_1", t => Methods.session_revoke_share(S(h), t)),
        ["session_append_event"] = h => Call.With("note", t => Call.With("{}",
            d => Number<ulong>(p => Methods.session_append_event(S(h), t, d, 2, 0, p)))),
        ["session_append_event_ex"] = h => Call.With("note", t => Call.With("{}",
            d => Number<ulong>(p => Methods.session_append_event_ex(S(h), t, d, 2, null, p)))),
        ["session_append_events"] = h => Call.With("""[{"type":"note","data":{}}]""",
            d => Json((p, n) => Methods.session_append_events(S(h), d, 27, 0, p, n))),
        ["session_read_events"] = h => Json((p, n) => Methods.session_read_events(S(h), 0, 0, p, n)),
        ["session_read_last_events"] = h => Json((p, n) => Methods.session_read_last_events(S(h), 0, 0, p, n)),
        ["session_transcript"] = h => Json((p, n) => Methods.session_transcript(S(h), 0, null, p, n)),
        ["session_repair"] = h => Json((p, n) => Methods.session_repair(S(h), 0, p, n)),
        ["session_stream_begin"] = BeginStream,
        ["session_read_streams"] = h => Json((p, n) => Methods.session_read_streams(S(h), null, 0, p, n)),
        ["session_fork"] = h => Handle(p => Methods.session_fork(S(h), 0, null, p)),
        ["session_tree"] = h => Json((p, n) => Methods.session_tree(S(h), p, n)),
        ["session_rewind"] = h => Methods.session_rewind(S(h), 0),
        ["session_undo_rewind"] = h => Methods.session_undo_rewind(S(h)),
        ["session_prune"] = h =>
            Call.With("""{"max_events":9}""", t => Json((p, n) => Methods.session_prune(S(h), t, p, n))),
        ["session_read_turns"] = h => Json((p, n) => Methods.session_read_turns(S(h), 0, 0, p, n)),
        ["session_cursor_open"] = OpenCursor,
        ["session_put_file"] = h => Call.With("a.txt",
            t => Json((p, n) => Methods.session_put_file(S(h), t, t, 5, p, n))),
        ["session_get_file_path"] = h =>
            Call.With("f_1", t => Text(p => Methods.session_get_file_path(S(h), t, p))),
        ["session_lock"] = h => Methods.session_lock(S(h), Methods.SESSION_LOCK_TRY, null),
        ["session_lock_answer"] = h => Call.With("lr_1", t => Methods.session_lock_answer(S(h), t, 0)),
        ["session_lock_status"] = h => Json((p, n) => Methods.session_lock_status(S(h), p, n)),
        ["session_set_activity"] = h => Call.With("idle", t => Methods.session_set_activity(S(h), t, null)),
        ["session_unlock"] = h => Methods.session_unlock(S(h)),
        ["session_queue_add"] = h => Call.With("""{"message":"m"}""",
            t => Json((p, n) => Methods.session_queue_add(S(h), t, 15, p, n))),
        ["session_queue_list"] = h => Json((p, n) => Methods.session_queue_list(S(h), p, n)),
        ["session_queue_update"] = h => Call.With("q-1-00000000",
            t => Call.With("{}", d => Methods.session_queue_update(S(h), t, d))),
        ["session_queue_move"] = h => Call.With("q-1-00000000", t => Methods.session_queue_move(S(h), t, 1)),
        ["session_queue_remove"] = h => Call.With("q-1-00000000", t => Methods.session_queue_remove(S(h), t)),
        ["session_queue_clear"] = h => Number<uint>(p => Methods.session_queue_clear(S(h), p)),
        ["session_queue_claim"] = h => Json((p, n) => Methods.session_queue_claim(S(h), null, p, n)),
        ["session_queue_settle"] = h => Call.With("q-1-00000000",
            t => Number<ulong>(p => Methods.session_queue_settle(S(h), t, Methods.SESSION_QUEUE_FAILED, null, p))),
        ["session_queue_next_due"] = h => Number<long>(p => Methods.session_queue_next_due(S(h), p)),
        ["session_get_buttons"] = h => Json((p, n) => Methods.session_get_buttons(S(h), p, n)),
        ["session_set_buttons"] = h => Call.With("[]", t => Methods.session_set_buttons(S(h), t, 0)),
    };

    /// <summary>By name: a call on a stream handle.</summary>
    public static readonly Dictionary<string, Func<nint, int>> OnStream = new()
    {
        ["session_stream_write"] = h => Call.With("t", t => Methods.session_stream_write(R(h), t, 1)),
        ["session_stream_end"] = h => Number<ulong>(p => Methods.session_stream_end(R(h), null, p)),
    };

    /// <summary>By name: a call on a cursor handle.</summary>
    public static readonly Dictionary<string, Func<nint, int>> OnCursor = new()
    {
        ["session_cursor_next"] = h => Json((p, n) => Methods.session_cursor_next(C(h), 0, 0, p, n)),
        ["session_cursor_previous"] = h => Json((p, n) => Methods.session_cursor_previous(C(h), 0, p, n)),
        ["session_cursor_seek"] = h => Methods.session_cursor_seek(C(h), 1),
        ["session_cursor_seek_time"] = h => Methods.session_cursor_seek_time(C(h), 1),
    };

    /// <summary>By name: a call on a job handle.</summary>
    public static readonly Dictionary<string, Func<nint, int>> OnJob = new()
    {
        ["session_job_get_progress"] = GetProgress,
        ["session_job_wait"] = h => Methods.session_job_wait(J(h), Methods.SESSION_WAIT_FOREVER),
        ["session_job_result"] = h => Json((p, n) => Methods.session_job_result(J(h), p, n)),
        ["session_job_cancel"] = h => Methods.session_job_cancel(J(h)),
    };

    /// <summary>By name: a call on a watch handle.</summary>
    public static readonly Dictionary<string, Func<nint, int>> OnWatch = new()
    {
        ["session_watch_next"] = h => Json((p, n) => Methods.session_watch_next(W(h), 0, 0, p, n)),
        ["session_watch_get_fd"] = GetFd,
    };

    /// <summary>By name: a call on a store handle.</summary>
    public static readonly Dictionary<string, Func<nint, int>> OnStore = new()
    {
        ["session_store_get_info"] = h => Json((p, n) => Methods.session_store_get_info(T(h), p, n)),
        ["session_store_configure"] = h => Call.With("{}", t => Methods.session_store_configure(T(h), null, t)),
        ["session_store_flush"] = h => Methods.session_store_flush(T(h)),
        ["session_store_verify"] = h => Json((p, n) => Methods.session_store_verify(T(h), p, n)),
        ["session_store_verify_ex"] = h => Json((p, n) => Methods.session_store_verify_ex(T(h), 0, p, n)),
        ["session_store_retain"] = h => Call.With("""{"max_sessions":9}""",
            t => Json((p, n) => Methods.session_store_retain(T(h), t, p, n))),
        ["session_store_backup"] = h => Call.With("/proc/nowhere/backup",
            t => Json((p, n) => Methods.session_store_backup(T(h), t, p, n))),
        ["session_store_purge"] = h => Number<uint>(p => Methods.session_store_purge(T(h), 0, p)),
        ["session_store_close"] = h => Methods.session_store_close(T(h)),
        ["session_job_start"] = StartJob,
        ["session_create"] = h => Handle(p => Methods.session_create(T(h), null, null, p)),
        ["session_open"] = h =>
            Call.With("session_1", t => Handle(p => Methods.session_open(T(h), t, p))),
        ["session_get_infos"] = h =>
            Call.With("[]", t => Json((p, n) => Methods.session_get_infos(T(h), t, null, p, n))),
        ["session_list"] = h => Text(c => Json((p, n) => Methods.session_list(T(h), null, p, n, c))),
        ["session_restore"] = h => Call.With("session_1", t => Methods.session_restore(T(h), t)),
        ["session_resolve_share"] = h =>
            Call.With("secret", t => Handle(p => Methods.session_resolve_share(T(h), t, p))),
        ["session_release_all_locks"] = h => Methods.session_release_all_locks(T(h)),
        ["session_active_lock_count"] = h => Number<uint>(p => Methods.session_active_lock_count(T(h), p)),
        ["session_watch_open"] = OpenWatch,
    };

    /// <summary>By name: a call of the drop-in on a session; a failure is 1.</summary>
    public static readonly Dictionary<string, Func<nint, bool>> OnDropIn = new()
    {
        ["plue_session_get_info"] = h => Methods.plue_session_get_info((void*)h) == null,
        ["plue_session_update_title"] = h =>
            Call.With("t", t => Methods.plue_session_update_title((void*)h, t)) == -1,
        ["plue_session_delete"] = h => Methods.plue_session_delete((void*)h) == -1,
        ["plue_session_abort"] = h => Methods.plue_session_abort((void*)h) == -1,
        ["plue_session_create_share"] = h => Methods.plue_session_create_share((void*)h) == null,
    };

    private delegate int TextOut(sbyte** text);

    private delegate int JsonOut(sbyte** json, nuint* length);

    private delegate int HandleOut(session_s** session);

    private delegate int NumberOut<T>(T* number)
        where T : unmanaged;

    private static session_s* S(nint handle) => (session_s*)handle;

    private static session_stream_s* R(nint handle) => (session_stream_s*)handle;

    private static session_cursor_s* C(nint handle) => (session_cursor_s*)handle;

    private static session_job_s* J(nint handle) => (session_job_s*)handle;

    private static session_watch_s* W(nint handle) => (session_watch_s*)handle;

    private static session_store_s* T(nint handle) => (session_store_s*)handle;

    private static int Text(TextOut call)
    {
        sbyte* text = (sbyte*)Junk;
        int status = call(&text);
        Empty(status, (nint)text);
        if (status == 0)
        {
            Methods.session_string_free(text);
        }

        return status;
    }

    private static int Json(JsonOut call)
    {
        nuint length = (nuint)Junk;
        nint lengthPlace = (nint)(&length);
        int status = Text(text => call(text, (nuint*)lengthPlace));
        Empty(status, (nint)length);
        return status;
    }

    private static int Handle(HandleOut call)
    {
        session_s* session = (session_s*)Junk;
        int status = call(&session);
        Empty(status, (nint)session);
        if (status == 0)
        {
            Call.Works(Methods.session_destroy(session));
        }

        return status;
    }

    private static int BeginStream(nint handle)
    {
        session_stream_s* stream = (session_stream_s*)Junk;
        nint place = (nint)(&stream);
        int status = Call.With("note",
            t => Methods.session_stream_begin(S(handle), t, null, (session_stream_s**)place));
        Empty(status, (nint)stream);
        if (status == 0)
        {
            status = Methods.session_stream_end(stream, null, null);
            Call.Works(Methods.session_stream_destroy(stream));
        }

        return status;
    }

    private static int OpenCursor(nint handle)
    {
        session_cursor_s* cursor = (session_cursor_s*)Junk;
        int status = Methods.session_cursor_open(S(handle), null, &cursor);
        Empty(status, (nint)cursor);
        if (status == 0)
        {
            Call.Works(Methods.session_cursor_destroy(cursor));
        }

        return status;
    }

    private static int StartJob(nint handle)
    {
        session_job_s* job = (session_job_s*)Junk;
        nint place = (nint)(&job);
        int status = Call.With("flush", kind => Call.With("{}",
            args => Methods.session_job_start(T(handle), kind, args, 2, (session_job_s**)place)));
        Empty(status, (nint)job);
        if (status == 0)
        {
            Call.Works(Methods.session_job_destroy(job));
        }

        return status;
    }

    private static int GetProgress(nint handle)
    {
        var progress = new session_progress { size = (uint)sizeof(session_progress) };
        return Methods.session_job_get_progress(J(handle), &progress);
    }

    private static int OpenWatch(nint handle)
    {
        session_watch_s* watch = (session_watch_s*)Junk;
        int status = Methods.session_watch_open(T(handle), null, &watch);
        Empty(status, (nint)watch);
        if (status == 0)
        {
            Call.Works(Methods.session_watch_destroy(watch));
        }

        return status;
    }

    private static int GetFd(nint handle)
    {
        nint descriptor = Junk;
        int status = Methods.session_watch_get_fd(W(handle), 0, &descriptor);
        Empty(status, descriptor + 1); // none is -1
        return status;
    }

    private static int Number<T>(NumberOut<T> call)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        T number = T.CreateTruncating(Junk);
        int status = call(&number);
        Empty(status, nint.CreateTruncating(number));
        return status;
    }

    private static int GetStat(nint handle)
    {
        var stat = new session_stat { size = (uint)sizeof(session_stat) };
        return Methods.session_get_stat(S(handle), &stat);
    }

    private static void Empty(int status, nint value) => Xunit.Assert.True(status == 0 || value == 0,
        $"{Call.Name(status)} left something in an out-parameter");
}
