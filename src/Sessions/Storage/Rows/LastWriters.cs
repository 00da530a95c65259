using Sessions.Json;
using Sessions.Storage.Journal;

namespace Sessions.Storage.Rows;

/// <summary>
/// Who wrote the last events of a session, as far as this process saw the frames. Runs of one writer are one entry, and
/// only the last few are kept. Used under the rows' gate.
/// </summary>
internal sealed class LastWriters
{
    private const int EntriesMax = 8;

    private readonly List<Entry> _entries = new(1);

    /// <summary>Takes in what a frame appends.</summary>
    public void Add(Frame frame, Change change)
    {
        long last = change.Counters.LastSeq;
        if (_entries.Count > 0 && _entries[^1] is var newest && ReferenceEquals(newest.Writer, change.Writer)
            && newest.By.Span.SequenceEqual(frame.By.Span))
        {
            _entries[^1] = newest with { LastSeq = last, At = frame.At };
            return;
        }

        if (_entries.Count == EntriesMax)
        {
            _entries.RemoveAt(0);
        }

        long first = last - change.Lines.Span.Count((byte)'\n') + (change.Lines.Span is [(byte)'\n', ..] ? 2 : 1);
        _entries.Add(new Entry(first, last, frame.At, frame.By.ToArray(), change.Writer));
    }

    /// <summary>Who wrote the event with a number, and when for the last time; null where that is not known.</summary>
    public Entry? Find(long seq)
    {
        for (int i = _entries.Count - 1; i >= 0; i--)
        {
            if (_entries[i] is var entry && seq >= entry.FirstSeq)
            {
                return seq <= entry.LastSeq ? entry : null;
            }
        }

        return null;
    }

    /// <param name="FirstSeq">The first of its events.</param>
    /// <param name="LastSeq">The last one.</param>
    /// <param name="At">When that was committed, unix ms.</param>
    /// <param name="By">Who, a compact object of a frame.</param>
    /// <param name="Writer">The handle's right, of this store's own; null for others.</param>
    public readonly record struct Entry(long FirstSeq, long LastSeq, long At, ReadOnlyMemory<byte> By,
        IWriter? Writer)
    {
        /// <summary>The open store that wrote; null where the frame does not say.</summary>
        public string? InstanceId => By.IsEmpty ? null
            : JsonMembers.Of(By).Find(m => m.Name == "instance_id") is { Name: not null } found
                && found.Value.Span[0] == '"' ? found.Text : null;
    }
}
