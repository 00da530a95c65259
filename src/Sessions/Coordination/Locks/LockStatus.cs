using System.Globalization;
using Sessions.Images;
using Sessions.Json;

namespace Sessions.Coordination.Locks;

/// <summary>What session_lock_status answers.</summary>
internal static class LockStatus
{
    /// <param name="state">The lock, tidy.</param>
    /// <param name="life">Of its holder; dead where it has none.</param>
    /// <param name="epoch">Under which the handle that asks has it; 0: not at all.</param>
    /// <param name="now">Unix ms.</param>
    /// <param name="b">Takes the object.</param>
    public static void Write(LockState state, HolderLife life, long epoch, long now, Utf8Buffer b)
    {
        bool isMine = epoch != 0 && state.IsHeldUnder(epoch);
        b.Byte('{').Member("is_locked", life == HolderLife.Alive || state.ReservedFor is not null)
            .Member("is_mine", isMine).Member("is_stale", state.Holder is not null && life != HolderLife.Alive)
            .Member("can_force", state.Judge(LockMode.Force, life, null) == LockVerdict.Free)
            .Member("can_interrupt", state.Judge(LockMode.Interrupt, life, null) == LockVerdict.Free)
            .Name("epoch").Raw(state.Epoch == 0 ? "null"u8 : default);
        if (state.Epoch != 0)
        {
            b.Number(state.Epoch);
        }

        b.Name("holder");
        if (state.Holder is { } holder)
        {
            b.Byte('{');
            LockCodec.WriteHolder(holder, b);
            b.Byte('}');
        }
        else
        {
            b.Raw("null"u8);
        }

        b.Member("reserved_for", state.ReservedFor).Name("requests").Byte('[');
        for (int i = 0; i < state.Asks.Count; i++)
        {
            b.Raw(i == 0 ? "{"u8 : ",{"u8);
            LockCodec.WriteAsk(state.Asks[i], b);
            b.Byte('}');
        }

        b.Byte(']').Member("message", Sentence(state, life, isMine, now)).Byte('}');
    }

    private static string Sentence(LockState state, HolderLife life, bool isMine, long now)
    {
        if (state.Holder is not { } holder)
        {
            return state.ReservedFor is { } id && state.Find(id) is { } ask
                ? $"The lock is kept for {Article(ask.ClientType)} that asked for it." : "Nobody is writing here.";
        }

        string who = $"{Article(holder.ClientType)} on {holder.Hostname}";
        who = char.ToUpperInvariant(who[0]) + who[1..];
        string since = Span(now - holder.StartedAt);
        string doing = holder.Status switch
        {
            LockHolder.Processing => "it is processing",
            LockHolder.WaitingForPermission => "it is waiting for permission",
            _ => "it is idle",
        };
        return life switch
        {
            HolderLife.Dead => $"{who} was writing here and is gone; the session is free.",
            HolderLife.Stale => $"{who} has been writing here for {since}, and nothing was heard of it for "
                + $"{Span(now - holder.HeartbeatAt)}; the session is free.",
            _ when isMine => $"You have been writing here for {since}.",
            _ => $"{who} has been writing here for {since}; {doing}.",
        };
    }

    private static string Article(string noun)
        => noun.Length > 0 && "aeiouAEIOU".Contains(noun[0]) ? $"an {noun}" : $"a {noun}";

    private static string Span(long ms)
    {
        long seconds = Math.Max(0, ms) / 1000;
        (long count, string unit) = seconds switch
        {
            < 120 => (seconds, "s"),
            < 7200 => (seconds / 60, "min"),
            < 172_800 => (seconds / 3600, "h"),
            _ => (seconds / 86_400, "days"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{count} {unit}");
    }
}
