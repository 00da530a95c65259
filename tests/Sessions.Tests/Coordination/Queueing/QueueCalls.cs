using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage.Journal;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Queueing;

/// <summary>Short words for the calls on queues and buttons.</summary>
internal static class QueueCalls
{
    public static JsonElement Add(this Session session, string entry)
        => Stores.Json(b => session.AddToQueue(Stores.Utf8(entry), b));

    public static JsonElement Claim(this Session session, string? turn = null)
        => Stores.Json(b => session.ClaimQueued(turn, b));

    public static JsonElement Queue(this Session session) => Stores.Json(session.WriteQueue);

    public static int Count(this Session session) => session.Queue().GetProperty("count").GetInt32();

    public static string Id(this JsonElement entry) => entry.GetProperty("id").GetString()!;

    public static string State(this JsonElement entry) => entry.GetProperty("state").GetString()!;

    public static string Message(this JsonElement entry) => entry.GetProperty("message").GetString()!;

    /// <summary>The queue in a line: "queued a, sent b".</summary>
    public static string Line(this Session session) => string.Join(", ", session.Queue().GetProperty("entries")
        .EnumerateArray().Select(e => $"{e.State()} {e.Message()}"));

    public static string Buttons(this Session session) => Stores.Text(session.WriteButtons);
}

/// <summary>Reads the journal as other processes do.</summary>
internal static class LastFrame
{
    public static Frame Of(IDisk disk, SessionStore store)
    {
        Frame? last = null;
        foreach (DiskName name in disk.List("journal").OrderBy(n => n.Name, StringComparer.Ordinal))
        {
            byte[] bytes = disk.ReadAll("journal/" + name.Name);
            int at = 4096;
            while (at + FrameFormat.HeaderLength <= bytes.Length)
            {
                int length = BitConverter.ToInt32(bytes, at + 4);
                long lsn = BitConverter.ToInt64(bytes, at + 8);
                if (length <= 0 || lsn <= (last?.Lsn ?? 0))
                {
                    break;
                }

                last = ChangeCodec.TryRead(lsn, bytes.AsSpan(at + FrameFormat.HeaderLength, length).ToArray());
                at += (FrameFormat.HeaderLength + length + 7) & ~7;
            }
        }

        Assert.Equal(store.Core.Rows.Lsn, last!.Lsn);
        return last;
    }
}
