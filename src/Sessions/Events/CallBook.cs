using System.Buffers.Text;
using Sessions.Json;
using Sessions.Model;

namespace Sessions.Events;

/// <summary>A tool call, or a question to the user, as far as it has to be told from others with its id.</summary>
internal abstract class KnownCall(long seq)
{
    /// <summary>The number of its first event.</summary>
    public long Seq { get; } = seq;

    /// <summary>True until it has its result.</summary>
    public bool IsOpen { get; set; } = true;

    /// <summary>All calls with its id, in the order of their numbers; null where there is only this one.</summary>
    public List<KnownCall>? Namesakes { get; set; }
}

/// <summary>The member of an update that says which call it speaks of, where the id alone would not.</summary>
internal static class CallSeq
{
    public const string Member = "call_seq";

    /// <summary>The number that a value is; 0 where it is none.</summary>
    public static long Read(ReadOnlySpan<byte> value)
        => Utf8Parser.TryParse(value, out long seq, out int used) && used == value.Length && Plausible.IsCount(seq)
            ? seq : 0;
}

/// <summary>
/// Says which tool call an event speaks of, in one way for all who ask. An id alone does not say it: some providers
/// count their calls from zero in every turn, and many hosts give no turn ids.
/// </summary>
internal sealed class CallBook
{
    // No UTF-8 has these bytes: they keep the keys apart.
    private const char Separator = '\xff';
    private const char Unnamed = '\xfe';

    private readonly KeyTable<KnownCall> _calls = new();
    private readonly Utf8Buffer _key = new(64);
    private long _unnamed;

    /// <summary>What comes next without a turn id is in another turn: a prompt or the end of one was there.</summary>
    public void EndUnnamed() => _unnamed++;

    /// <summary>
    /// The call that an event speaks of; null where the event is the first of one. One that begins a call goes on
    /// with the call that is open under its id in its turn. Any other one speaks of the last call with its id in its
    /// turn, else of the last one with it, and where it gives a number, of the call with that number alone.
    /// </summary>
    /// <param name="turnId">The event's turn in UTF-8; empty: none.</param>
    /// <param name="id">The call's id in UTF-8.</param>
    /// <param name="seq">The number of the call's first event, where the event says it; else 0.</param>
    /// <param name="begins">True for an event that begins a call.</param>
    public KnownCall? Find(ReadOnlySpan<byte> turnId, ReadOnlySpan<byte> id, long seq, bool begins)
    {
        if (seq > 0 && !begins)
        {
            return Numbered(_calls.Find(id), seq);
        }

        KnownCall? inTurn = _calls.Find(InTurn(turnId, id));
        return begins ? inTurn is { IsOpen: true } ? inTurn : null : inTurn ?? _calls.Find(id);
    }

    /// <summary>True where a result with the turn and the id finds the call, whatever other turns end before it.
    /// </summary>
    public bool IsFound(KnownCall call, ReadOnlySpan<byte> turnId, ReadOnlySpan<byte> id)
        => ReferenceEquals(_calls.Find(turnId.IsEmpty ? id : InTurn(turnId, id)), call);

    /// <summary>Adds a call by its first event. True where there was one with its id before.</summary>
    public bool Add(KnownCall call, ReadOnlySpan<byte> turnId, ReadOnlySpan<byte> id)
    {
        KnownCall? before = _calls.Find(id);
        if (before is not null)
        {
            call.Namesakes = before.Namesakes ??= [before];
            call.Namesakes.Add(call);
        }

        _calls.Set(id, call);
        _calls.Set(InTurn(turnId, id), call);
        return before is not null;
    }

    private static KnownCall? Numbered(KnownCall? last, long seq)
    {
        if (last is null || last.Seq == seq)
        {
            return last;
        }

        List<KnownCall> all = last.Namesakes ?? [];
        int low = 0, high = all.Count;
        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            (low, high) = all[middle].Seq < seq ? (middle + 1, high) : (low, middle);
        }

        return low < all.Count && all[low].Seq == seq ? all[low] : null;
    }

    private ReadOnlySpan<byte> InTurn(ReadOnlySpan<byte> turnId, ReadOnlySpan<byte> id)
    {
        _key.Clear();
        if (turnId.IsEmpty)
        {
            _key.Byte(Unnamed).Number(_unnamed);
        }

        return _key.Raw(turnId).Byte(Separator).Raw(id).Written;
    }
}
