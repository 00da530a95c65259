using System.Buffers;
using System.Text;
using System.Text.Json;
using Sessions.Platform;

namespace Sessions.Tests.Support;

/// <summary>A clock that stands until it is told otherwise.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _ms = 1_795_158_388_123;

    public long NowMs => Volatile.Read(ref _ms);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);

    public override long TimestampFrequency => 1000;

    public override long GetTimestamp() => NowMs;

    public void Advance(long ms) => Interlocked.Add(ref _ms, ms);
}

/// <summary>Opens stores on disks of the tests' own, and reads what they hand out.</summary>
internal static class Stores
{
    public static SessionStore Open(IDisk disk, TimeProvider? time = null, SessionStoreOptions? options = null,
        Action<Step>? atStep = null, bool background = false, int processId = 4242)
        => SessionStore.Open(Environment(disk, time, atStep, background, processId),
            options ?? new SessionStoreOptions { BusyTimeoutMs = 2000 }, "/store");

    public static StoreEnvironment Environment(IDisk disk, TimeProvider? time = null, Action<Step>? atStep = null,
        bool background = false, int processId = 4242) => new()
    {
        Disk = disk,
        Time = time ?? TimeProvider.System,
        AtStep = atStep,
        RunsInBackground = background,
        ProcessId = processId,
        BootId = 7,
    };

    public static JsonElement Json(Action<IBufferWriter<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer);
        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }

    public static string Text(Action<IBufferWriter<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static JsonElement Info(this Session session) => Json(session.WriteInfo);

    public static JsonElement Info(this SessionStore store) => Json(store.WriteInfo);

    public static JsonElement List(this SessionStore store, SessionListOptions? options = null)
        => Json(b => store.WriteList(options, b));

    public static JsonElement Verify(this SessionStore store, bool deep = true)
        => Json(b => store.WriteVerifyReport(deep, b));

    public static JsonElement Events(this Session session, long after = 0, uint limit = 0)
        => Json(b => session.WriteEvents(after, limit, b));

    public static JsonElement Last(this Session session, long before = 0, uint limit = 0)
        => Json(b => session.WriteLastEvents(before, limit, b));

    /// <summary>The open streams of a session, each as "id: text".</summary>
    public static List<string> Streams(this Session session)
        => [.. Json(b => session.WriteStreams(null, 0, b)).GetProperty("streams").EnumerateArray()
            .Select(s => $"{s.GetProperty("stream_id").GetString()}: {s.GetProperty("text").GetString()}")];

    public static long Say(this Session session, string text, AppendFlags flags = AppendFlags.None, string? id = null)
        => session.Append("user_prompt", Encoding.UTF8.GetBytes($"{{\"text\":{JsonSerializer.Serialize(text)}}}"),
            new AppendOptions { Flags = flags, Id = id });

    public static SessionException Fails(SessionStatus status, Action action)
    {
        SessionException e = Assert.Throws<SessionException>(action);
        Assert.Equal(status, e.Status);
        return e;
    }

    /// <summary>The store as its own check sees it: no issue above "info".</summary>
    public static void AssertSound(this SessionStore store)
    {
        JsonElement report = store.Verify();
        Assert.True(report.GetProperty("ok").GetBoolean(), report.GetRawText());
    }

    /// <summary>Utf8 of a raw string.</summary>
    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
