using System.Text.Json;
using Sessions.Platform;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Locks;

/// <summary>The system's clocks, but for a wall clock that can be set forward.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _shiftMs;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddMilliseconds(Volatile.Read(ref _shiftMs));

    public void Shift(long ms) => Interlocked.Add(ref _shiftMs, ms);
}

/// <summary>Opens stores as processes of this host or another have them, and tries what a handle may do.</summary>
internal static class LockFixture
{
    /// <summary>Nothing takes so long; it only keeps a hanging test from hanging for ever.</summary>
    public static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);

    public static SessionStore Open(IDisk disk, TimeProvider? time = null, int processId = 1, string host = "here",
        Func<long, long?>? startedAt = null, bool background = false, uint busyMs = 2000, ulong bootId = 7,
        long pidNamespace = 70)
        => SessionStore.Open(new StoreEnvironment
        {
            Disk = disk,
            Time = time ?? TimeProvider.System,
            RunsInBackground = background,
            ProcessId = processId,
            BootId = bootId,
            PidNamespace = pidNamespace,
            Hostname = host,
            ProcessStartedAt = startedAt ?? (pid => 1_000_000 + pid),
        }, new SessionStoreOptions
        {
            BusyTimeoutMs = busyMs,
            ClientType = $"client{processId}",
            Flags = disk.Capabilities.IsLocal ? StoreFlags.None : StoreFlags.AllowNetwork,
        }, "/store");

    public static JsonElement Lock(this Session session) => Stores.Json(session.WriteLockStatus);

    public static bool Flag(this JsonElement status, string name) => status.GetProperty(name).GetBoolean();

    public static string? Message(this Session session) => session.Lock().GetProperty("message").GetString();

    /// <summary>Pid of the holder; null where there is none.</summary>
    public static long? HolderPid(this Session session)
        => session.Lock().GetProperty("holder") is { ValueKind: JsonValueKind.Object } holder
            ? holder.GetProperty("pid").GetInt64() : null;

    /// <summary>Id of the request that waits for an answer; waits until there is one.</summary>
    public static string AwaitRequest(this Session session)
    {
        string? id = null;
        Assert.True(SpinWait.SpinUntil(() =>
        {
            JsonElement requests = session.Lock().GetProperty("requests");
            id = requests.GetArrayLength() > 0 ? requests[0].GetProperty("request_id").GetString() : null;
            return id is not null;
        }, Guard));
        return id!;
    }

    /// <summary>A session that each of <see cref="Writes"/> can be done to.</summary>
    public static Session Make(SessionStore store)
    {
        Session session = store.Create();
        for (int i = 0; i < 6; i++)
        {
            string turn = $"t{i}";
            session.AppendBatch(Stores.Utf8($$$"""
                [{"type":"turn_start","turn_id":"{{{turn}}}","data":{}},
                 {"type":"user_prompt","turn_id":"{{{turn}}}","data":{"text":"{{{i}}}"}},
                 {"type":"turn_end","turn_id":"{{{turn}}}","data":{"stop_reason":"end_turn"}}]
                """), AppendFlags.None, new System.Buffers.ArrayBufferWriter<byte>());
        }

        session.Rewind(17);
        Stores.Json(b => session.AddToQueue("""{"message":"next"}"""u8, b));
        return session;
    }

    /// <summary>Each way to write a conversation, by its name.</summary>
    public static Dictionary<string, Action> Writes(Session session, SessionStream stream)
    {
        string entry = "q-1-00000000";
        return new()
        {
            ["claim"] = () => entry = Stores.Json(b => session.ClaimQueued("t", b)).GetProperty("id").GetString()!,
            ["settle"] = () => session.SettleQueued(entry, QueueOutcome.Sent),
            ["append"] = () => session.Say("x"),
            ["relaxed"] = () => session.Say("x", AppendFlags.Relaxed),
            ["batch"] = () => session.AppendBatch("""[{"type":"note","data":1}]"""u8, AppendFlags.None,
                new System.Buffers.ArrayBufferWriter<byte>()),
            ["begin"] = () => session.BeginStream("agent_message").End(),
            ["write"] = () => stream.Write("x"u8),
            ["end"] = () => stream.End(),
            ["undo"] = session.UndoRewind,
            ["rewind"] = () => session.Rewind(17),
            ["prune"] = () => Stores.Json(b => session.Prune("""{"max_events":12}"""u8, b)),
            ["repair"] = () => Stores.Json(b => session.Repair(RepairFlags.None, b)),
        };
    }

    /// <summary>Each way to change what is not the conversation.</summary>
    public static Dictionary<string, Action> Free(Session session) => new()
    {
        ["title"] = () => session.UpdateTitle("t"),
        ["suggest"] = () => session.SuggestTitle("s"),
        ["metadata"] = () => session.UpdateMetadata("""{"a":1}"""u8),
        ["archive"] = () => session.Update("""{"archived":true}"""u8),
        ["share"] = () => Stores.Json(b => session.WriteShare(null, b)),
        ["file"] = () => Stores.Json(b => session.PutFile("a.txt", "abc"u8, b)),
        ["fork"] = () => session.Fork().Dispose(),
        ["queue"] = () => Stores.Json(b => session.AddToQueue("""{"message":"more"}"""u8, b)),
        ["buttons"] = () => session.SetButtons("""[{"label":"a","response":"b"}]"""u8),
        ["abort"] = () => session.Abort("enough"),
        ["clear"] = session.ClearAbort,
    };

    /// <summary>All lines of the log that can be seen.</summary>
    public static string LogText(this Session session) => session.Events().GetRawText();
}
