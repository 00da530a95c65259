using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>Locks, watches, the queue and buttons through the C API: what goes in and what comes out.</summary>
public sealed unsafe class CoordinationTests : IDisposable
{
    private readonly TestStore _store = new();
    private readonly nint _session;

    public CoordinationTests() => _session = (nint)_store.Create();

    private delegate int JsonCall(sbyte** json, nuint* length);

    private session_s* Session => (session_s*)_session;

    public void Dispose()
    {
        Methods.session_destroy(Session);
        _store.Dispose();
    }

    [Fact]
    public void ALockIsTakenHandedOverAndLetGoOf()
    {
        nint other = Open();
        Call.Works(Methods.session_lock(Session, Methods.SESSION_LOCK_TRY, null));
        Call.Works(Call.With("processing",
            status => Call.With("tests", t => Methods.session_set_activity(Session, status, t))));
        uint count;
        Call.Works(Methods.session_active_lock_count(_store.Handle, &count));
        Assert.Equal(1U, count);
        Error error = Call.Fails(Methods.SESSION_E_LOCKED,
            Methods.session_lock((session_s*)other, Methods.SESSION_LOCK_TRY, null));
        Assert.Contains("\"status\":\"processing\"", error.Details, StringComparison.Ordinal);
        Call.Fails(Methods.SESSION_E_PROCESSING,
            Methods.session_lock((session_s*)other, Methods.SESSION_LOCK_FORCE, null));

        int asked = 1;
        var asking = new Thread(() =>
        {
            var options = new session_lock_options
            {
                size = (uint)sizeof(session_lock_options),
                flags = Methods.SESSION_LOCK_ASK,
                timeout_ms = Methods.SESSION_WAIT_FOREVER,
            };
            asked = Methods.session_lock((session_s*)other, Methods.SESSION_LOCK_TRY, &options);
        });
        asking.Start();
        JsonElement request;
        while (!TryFirst(Status(_session).GetProperty("requests"), out request))
        {
            Thread.Yield();
        }

        Call.Works(Call.With(request.GetProperty("request_id").GetString()!,
            id => Methods.session_lock_answer(Session, id, 1)));
        asking.Join();
        Call.Works(asked);
        Assert.True(Status(other).GetProperty("is_mine").GetBoolean());
        Call.Works(Methods.session_unlock((session_s*)other));
        Call.Works(Methods.session_lock(Session, Methods.SESSION_LOCK_WAIT, null));
        Call.Works(Methods.session_release_all_locks(_store.Handle));
        Assert.False(Status(_session).GetProperty("is_locked").GetBoolean());
        Call.Works(Methods.session_destroy((session_s*)other));
    }

    [Fact]
    public void AWaitForALockInVainLeavesTheErrorAlone()
    {
        nint other = Open();
        Call.Works(Methods.session_lock(Session, Methods.SESSION_LOCK_TRY, null));
        Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, Methods.session_update_title(Session, null));
        var options = new session_lock_options { size = (uint)sizeof(session_lock_options), timeout_ms = 1 };
        Assert.Equal(Methods.SESSION_E_TIMEOUT,
            Methods.session_lock((session_s*)other, Methods.SESSION_LOCK_WAIT, &options));
        Assert.Equal(Methods.SESSION_E_INVALID_ARGUMENT, Call.LastError().Status);
        Call.Works(Methods.session_destroy((session_s*)other));
    }

    [Fact]
    public void AWatchTellsAndWakes()
    {
        using var woken = new ManualResetEventSlim();
        var user = GCHandle.Alloc(woken);
        var options = new session_watch_options
        {
            size = (uint)sizeof(session_watch_options),
            wake = &Set,
            wake_user = (void*)(nint)user,
        };
        session_watch_s* watch;
        Call.Works(Methods.session_watch_open(_store.Handle, &options, &watch));
        sbyte* json = (sbyte*)1;
        nuint length = 1;
        Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, Methods.session_update_title(Session, null));
        Assert.Equal(Methods.SESSION_E_TIMEOUT, Methods.session_watch_next(watch, 0, 1, &json, &length));
        Assert.True(json == null && length == 0);
        Assert.Equal(Methods.SESSION_E_INVALID_ARGUMENT, Call.LastError().Status);
        Assert.False(woken.IsSet);

        TestStore.Append(Session, "note", "{}");
        Assert.True(woken.Wait(TimeSpan.FromSeconds(120), TestContext.Current.CancellationToken));
        nint own, copy;
        Call.Works(Methods.session_watch_get_fd(watch, 0, &own));
        Call.Works(Methods.session_watch_get_fd(watch, Methods.SESSION_FD_DUPLICATE, &copy));
        Assert.NotEqual(own, copy);
        using (var socket = new Socket(new SafeSocketHandle(copy, ownsHandle: true)))
        {
            Assert.True(socket.Poll(TimeSpan.FromSeconds(120), SelectMode.SelectRead));
            string page = Next(watch);
            Assert.Contains("\"kind\":\"event_appended\"", page, StringComparison.Ordinal);
            Assert.EndsWith(",\"has_more\":false}", page, StringComparison.Ordinal);
            Assert.False(socket.Poll(0, SelectMode.SelectRead));
        }

        Call.Works(Methods.session_watch_destroy(watch));
        user.Free(); // nothing comes for it any more
    }

    [Fact]
    public void AnEntryGoesThroughTheQueue()
    {
        string first = Id(Add("first"));
        string second = Id(Add("second"));
        Call.Works(Call.With(second, id => Methods.session_queue_move(Session, id, -1)));
        Call.Works(Call.With(second, id => Call.With("""{"title":"T"}""",
            patch => Methods.session_queue_update(Session, id, patch))));
        long due;
        Call.Works(Methods.session_queue_next_due(Session, &due));
        Assert.True(due > 0);
        string claimed = "";
        Call.Works(Call.With("t-1", turn =>
        {
            claimed = Take((json, length) => Methods.session_queue_claim(Session, turn, json, length));
            return 0;
        }));
        Assert.Equal(second, Id(claimed));
        Assert.Contains("\"turn_id\":\"t-1\"", claimed, StringComparison.Ordinal);
        ulong sequence = 0;
        nint place = (nint)(&sequence);
        Call.Works(Call.With(second, id => Call.With("fine", detail => Methods.session_queue_settle(Session, id,
            Methods.SESSION_QUEUE_SENT, detail, (ulong*)place))));
        Assert.Equal(1UL, sequence);
        Call.Works(Call.With(first, id => Methods.session_queue_remove(Session, id)));
        Add("third");
        uint count;
        Call.Works(Methods.session_queue_clear(Session, &count));
        Assert.Equal(1U, count);
        string list = Take((json, length) => Methods.session_queue_list(Session, json, length));
        Assert.Contains("],\"generation\":1,\"count\":0,", list, StringComparison.Ordinal);
    }

    [Fact]
    public void AClaimInAnAbortedSessionIsCancelled()
    {
        Add("m");
        Call.Works(Methods.session_abort(Session, null));
        sbyte* json = (sbyte*)1;
        Call.Fails(Methods.SESSION_E_CANCELLED, Methods.session_queue_claim(Session, null, &json, null));
        Assert.True(json == null);
    }

    [Fact]
    public void ButtonsAreSetAndRead()
    {
        const string None = """{"for_seq":null,"buttons":[]}""";
        Assert.Equal(None, Take((json, length) => Methods.session_get_buttons(Session, json, length)));
        TestStore.Append(Session, "agent_message", "{}");
        const string Buttons = """[{"label":"Go","response":"Go on."}]""";
        Call.Works(Call.With(Buttons, t => Methods.session_set_buttons(Session, t, 1)));
        Assert.Equal($$"""{"for_seq":1,"buttons":{{Buttons}}}""",
            Take((json, length) => Methods.session_get_buttons(Session, json, length)));
        TestStore.Append(Session, "user_prompt", "{}");
        Assert.Equal(None, Take((json, length) => Methods.session_get_buttons(Session, json, length)));
        Call.Fails(Methods.SESSION_E_CONFLICT, Call.With(Buttons, t => Methods.session_set_buttons(Session, t, 1)));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Set(void* user) => ((ManualResetEventSlim)GCHandle.FromIntPtr((nint)user).Target!).Set();

    private static string Take(JsonCall call)
    {
        sbyte* json;
        nuint length;
        Call.Works(call(&json, &length));
        return Call.Take(json, length);
    }

    private static string Next(session_watch_s* watch)
    {
        sbyte* json;
        nuint length;
        Call.Works(Methods.session_watch_next(watch, 0, 0, &json, &length));
        return Call.Take(json, length);
    }

    private static string Id(string entry) => Parse(entry).GetProperty("id").GetString()!;

    private static JsonElement Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    private static bool TryFirst(JsonElement array, out JsonElement first)
    {
        first = array.GetArrayLength() == 0 ? default : array[0];
        return first.ValueKind != JsonValueKind.Undefined;
    }

    private static JsonElement Status(nint session) =>
        Parse(Take((json, length) => Methods.session_lock_status((session_s*)session, json, length)));

    private nint Open()
    {
        nint opened = 0;
        Call.Works(Call.With(TestStore.Id(Session), id =>
        {
            session_s* session;
            int status = Methods.session_open(_store.Handle, id, &session);
            opened = (nint)session;
            return status;
        }));
        return opened;
    }

    private string Add(string message)
    {
        string text = $$"""{"message":"{{message}}"}""";
        string added = "";
        Call.Works(Call.With(text, entry =>
        {
            added = Take((json, length) =>
                Methods.session_queue_add(Session, entry, (nuint)text.Length, json, length));
            return 0;
        }));
        return added;
    }
}
