using Sessions.Json;

namespace Sessions.Images;

/// <summary>What whoever watches is told of a change of a lock.</summary>
internal static class LockNews
{
    public const string Acquired = "acquired";
    public const string Released = "released";
    public const string Requested = "requested";
    public const string Answered = "answered";
    public const string Activity = "activity";

    public static byte[] Of(string what, LockState state) => Begin(what, state).Byte('}').ToArray();

    /// <summary>With who had it before, where it was taken over.</summary>
    public static byte[] OfTaking(LockState before, LockState after)
    {
        Utf8Buffer b = Begin(Acquired, after);
        WriteHolder("former", before.Holder, b);
        return b.Byte('}').ToArray();
    }

    /// <summary>The lock of one that is gone is let go of; with who that was.</summary>
    public static byte[] OfGone(LockState before, LockState after)
    {
        Utf8Buffer b = Begin(Released, after);
        WriteHolder("former", before.Holder, b);
        return b.Byte('}').ToArray();
    }

    /// <summary>True for the news that one is gone who had the lock. A text of its own has no such bytes.</summary>
    public static bool IsOfGone(string what, ReadOnlySpan<byte> detail)
        => what == Released && detail.IndexOf(",\"former\":"u8) >= 0;

    public static byte[] OfAsk(LockAsk ask, LockState state)
    {
        Utf8Buffer b = Begin(Requested, state).Member("request_id", ask.RequestId);
        b.Name("from").Byte('{').Member("pid", ask.Pid).Member("client_type", ask.ClientType)
            .Member("instance_id", ask.InstanceId).Byte('}');
        return b.Member("message", ask.Message).TimeMember("deadline", ask.Deadline).Byte('}').ToArray();
    }

    /// <param name="requestId">Which request.</param>
    /// <param name="answer">"accepted", "refused", or "withdrawn" by the asker.</param>
    /// <param name="state">The lock after it.</param>
    public static byte[] OfAnswer(string requestId, string answer, LockState state)
        => Begin(Answered, state).Member("request_id", requestId).Member("answer", answer).Byte('}').ToArray();

    private static Utf8Buffer Begin(string what, LockState state)
    {
        var b = new Utf8Buffer(256);
        b.Byte('{').Member("what", what).Member("epoch", state.Epoch);
        WriteHolder("holder", state.Holder, b);
        return b;
    }

    private static void WriteHolder(string name, LockHolder? holder, Utf8Buffer b)
    {
        b.Name(name);
        if (holder is null)
        {
            b.Raw("null"u8);
            return;
        }

        b.Byte('{').Member("pid", holder.Pid).Member("hostname", holder.Hostname)
            .Member("instance_id", holder.InstanceId).Member("client_type", holder.ClientType)
            .Member("status", holder.Status).Member("status_message", holder.StatusMessage).Byte('}');
    }
}
