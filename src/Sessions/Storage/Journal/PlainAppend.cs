using System.Buffers.Text;
using System.Text;
using Sessions.Json;
using Sessions.Model;

namespace Sessions.Storage.Journal;

/// <summary>
/// The fast path of <see cref="ChangeCodec.TryRead"/> for what most frames are: one append, spelled as this
/// version writes it. Each process reads every frame of all others, and this way most of them take a look at
/// each member's place instead of a walk through all their JSON (a third of a microsecond instead of four).
/// Whatever is spelled otherwise is left to the plain path, which would answer the same.
/// </summary>
internal static class PlainAppend
{
    private const int CountersCount = 5;

    /// <summary>The frame; null where it is not of this shape. Takes the array: the lines of the change are a
    /// part of it, with newlines where the commas were.</summary>
    public static Frame? TryRead(long lsn, byte[] payload)
    {
        var rest = new Reader(payload);
        if (!rest.Skip("{\"at\":"u8) || !rest.Number(out long at) || !rest.Skip(",\"by\":"u8))
        {
            return null;
        }

        // In a string the quotes would be escaped, so this can stand nowhere but at the end of the object.
        int by = rest.At;
        int byLength = rest.Left.IndexOf(",\"changes\":["u8);
        Span<long> counters = stackalloc long[CountersCount];
        if (byLength < 0 || !IsBy(rest.Left[..byLength]) || !rest.Skip(byLength)
            || !rest.Skip(",\"changes\":[{\"append\":\""u8)
            || !rest.Id(out string id) || !rest.Skip("\",\"offset\":"u8) || !rest.Number(out long offset)
            || !Plausible.IsCount(offset + payload.Length)
            || !rest.Skip(",\"counters\":["u8) || !rest.Numbers(counters)
            || !rest.Skip(",\"lead\":false,\"sizes\":["u8))
        {
            return null;
        }

        int sizes = rest.At;
        int sizesLength = rest.Left.IndexOf((byte)']');
        if (sizesLength < 0 || !rest.Skip(sizesLength) || !rest.Skip("],\"lines\":["u8)
            || !TryClose(payload, new Reader(payload.AsSpan(0, sizes + sizesLength + 1), sizes), rest.At, out int end))
        {
            return null;
        }

        var change = new Change
        {
            Kind = ChangeKind.Append,
            Id = id,
            Offset = offset,
            Counters = new Counters(counters[0], counters[1], counters[2], counters[3], counters[4]),
            Lines = payload.AsMemory(rest.At, end - rest.At),
        };
        return new Frame { Lsn = lsn, At = at, By = payload.AsMemory(by, byLength), Changes = [change] };
    }

    // Watches hand it out as it stands. Mostly it is as StoreCore writes it, without anything escaped.
    private static bool IsBy(ReadOnlySpan<byte> text)
    {
        var by = new Reader(text);
        bool isPlain = by.Skip("{\"pid\":"u8) && by.Number(out _) && by.Skip(",\"client_type\":\""u8)
            && by.SkipWord() && by.Skip(",\"instance_id\":\""u8) && by.SkipWord() && by.Left.SequenceEqual("}"u8);
        return isPlain || JsonCheck.IsObject(text);
    }

    // Looks at all of it first: where it fits not, the array must be as it was.
    private static bool TryClose(byte[] payload, Reader sizes, int start, out int end)
    {
        Reader second = sizes;
        end = start;
        while (sizes.Number(out long size))
        {
            if (size < 2 || size >= payload.Length - end || payload[end] != '{' || payload[end + size - 1] != '}')
            {
                return false;
            }

            end += (int)size + 1;
            bool isLast = sizes.Skip("]"u8);
            if (payload[end - 1] != (isLast ? ']' : ',') || (!isLast && !sizes.Skip(","u8)))
            {
                return false;
            }
        }

        if (sizes.Left.Length > 0 || !payload.AsSpan(end).SequenceEqual("}]}"u8))
        {
            return false;
        }

        for (int at = start; second.Number(out long size); second.Skip(1))
        {
            at += (int)size + 1;
            payload[at - 1] = (byte)'\n';
        }

        return true;
    }

    private ref struct Reader(ReadOnlySpan<byte> text, int at = 0)
    {
        private readonly ReadOnlySpan<byte> _text = text;

        public int At { get; private set; } = at;

        public readonly ReadOnlySpan<byte> Left => _text[At..];

        public bool Skip(int count)
        {
            At += count;
            return true;
        }

        public bool Skip(ReadOnlySpan<byte> expected) => Left.StartsWith(expected) && Skip(expected.Length);

        public bool Number(out long value)
            => Utf8Parser.TryParse(Left, out value, out int used) && Plausible.IsCount(value) && Skip(used);

        public bool Numbers(scoped Span<long> values)
        {
            for (int i = 0; i < values.Length; i++)
            {
                if (!Number(out values[i]) || !Skip(i == values.Length - 1 ? "]"u8 : ","u8))
                {
                    return false;
                }
            }

            return true;
        }

        // An id, up to its closing quote.
        public bool Id(out string id)
        {
            int length = Left.IndexOf((byte)'"');
            bool isValid = length > 0 && SessionIds.IsValid(Left[..length]);
            id = isValid ? Encoding.UTF8.GetString(Left[..length]) : "";
            return isValid && Skip(length);
        }

        // Text of ASCII without escapes and control characters, with its closing quote.
        public bool SkipWord()
        {
            int length = Left.IndexOf((byte)'"');
            return length >= 0 && Left[..length].IndexOfAnyExceptInRange((byte)0x20, (byte)0x7e) < 0
                && !Left[..length].Contains((byte)'\\') && Skip(length + 1);
        }
    }
}
