using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Sessions.Json;

/// <summary>A growing run of bytes that knows how JSON is spelled. It writes text as UTF-8 and
/// escapes only what RFC 8259 section 7 demands, so what people wrote stays readable in the files.</summary>
internal sealed class Utf8Buffer(int capacity = 256) : IBufferWriter<byte>
{
    private byte[] _bytes = new byte[capacity];
    private int _length;

    public int Length => _length;

    public int Capacity => _bytes.Length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public Span<byte> Writable => _bytes.AsSpan(0, _length);

    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, _length);

    public byte[] ToArray() => Written.ToArray();

    public void Clear() => _length = 0;

    public void Truncate(int length) => _length = length;

    public void Advance(int count) => _length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _bytes.AsSpan(_length);
    }

    public Utf8Buffer Byte(char ascii)
    {
        Reserve(1);
        _bytes[_length++] = (byte)ascii;
        return this;
    }

    public Utf8Buffer Raw(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
        return this;
    }

    public Utf8Buffer Zeros(int count)
    {
        Reserve(count);
        _bytes.AsSpan(_length, count).Clear();
        _length += count;
        return this;
    }

    public Utf8Buffer Number(long value)
    {
        Reserve(20);
        Utf8Formatter.TryFormat(value, _bytes.AsSpan(_length), out int written);
        _length += written;
        return this;
    }

    public Utf8Buffer Bool(bool value) => Raw(value ? "true"u8 : "false"u8);

    /// <summary>A JSON string, or null.</summary>
    public Utf8Buffer Text(string? value)
    {
        if (value is null)
        {
            return Raw("null"u8);
        }

        Reserve((value.Length * 3) + 2);
        int start = _length + 1;
        _bytes[_length++] = (byte)'"';
        _length += Encoding.UTF8.GetBytes(value, _bytes.AsSpan(_length));
        if (_bytes.AsSpan(start, _length - start).IndexOfAny(Escaped) >= 0)
        {
            byte[] plain = _bytes.AsSpan(start, _length - start).ToArray();
            _length = start;
            Escape(plain);
        }

        return Byte('"');
    }

    /// <summary>A JSON string of text that is UTF-8 already.</summary>
    public Utf8Buffer TextOf(ReadOnlySpan<byte> utf8)
    {
        Byte('"');
        int escaped;
        while ((escaped = utf8.IndexOfAny(Escaped)) >= 0)
        {
            Raw(utf8[..escaped]);
            Escape(utf8.Slice(escaped, 1));
            utf8 = utf8[(escaped + 1)..];
        }

        return Raw(utf8).Byte('"');
    }

    /// <summary>The length of what <see cref="TextOf"/> writes, without the quotes.</summary>
    public static int JsonLength(ReadOnlySpan<byte> utf8)
    {
        int length = utf8.Length, escaped;
        while ((escaped = utf8.IndexOfAny(Escaped)) >= 0)
        {
            length += utf8[escaped] is (byte)'"' or (byte)'\\' or (byte)'\n' or (byte)'\r' or (byte)'\t' ? 1 : 5;
            utf8 = utf8[(escaped + 1)..];
        }

        return length;
    }

    /// <summary>`"name":`, with a comma before it unless it opens an object.</summary>
    public Utf8Buffer Name(string name)
    {
        if (_length > 0 && _bytes[_length - 1] != '{')
        {
            Byte(',');
        }

        return Text(name).Byte(':');
    }

    public Utf8Buffer Member(string name, string? value) => Name(name).Text(value);

    public Utf8Buffer Member(string name, long value) => Name(name).Number(value);

    public Utf8Buffer Member(string name, long? value)
        => value is long number ? Name(name).Number(number) : Name(name).Raw("null"u8);

    public Utf8Buffer Member(string name, bool value) => Name(name).Bool(value);

    /// <summary>A member whose value is JSON already.</summary>
    public Utf8Buffer RawMember(string name, ReadOnlySpan<byte> json) => Name(name).Raw(json);

    /// <summary>A member that is a time, null where it is 0.</summary>
    public Utf8Buffer TimeMember(string name, long value)
        => value == 0 ? Name(name).Raw("null"u8) : Name(name).Number(value);

    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
        30, 31, (byte)'"', (byte)'\\']);

    /// <summary>A JSON string of a text that is UTF-8 already.</summary>
    public Utf8Buffer Quoted(ReadOnlySpan<byte> utf8)
    {
        Byte('"');
        Escape(utf8);
        return Byte('"');
    }

    private void Escape(ReadOnlySpan<byte> plain)
    {
        while (plain.IndexOfAny(Escaped) is >= 0 and var at)
        {
            Raw(plain[..at]);
            byte b = plain[at];
            plain = plain[(at + 1)..];
            switch (b)
            {
                case (byte)'"': Raw("\\\""u8); break;
                case (byte)'\\': Raw("\\\\"u8); break;
                case (byte)'\n': Raw("\\n"u8); break;
                case (byte)'\r': Raw("\\r"u8); break;
                case (byte)'\t': Raw("\\t"u8); break;
                default:
                    Raw("\\u00"u8).Byte("0123456789abcdef"[b >> 4]).Byte("0123456789abcdef"[b & 15]);
                    break;
            }
        }

        Raw(plain);
    }

    private void Reserve(int count)
    {
        if (_bytes.Length - _length < count)
        {
            Array.Resize(ref _bytes,
                (int)Math.Min(Array.MaxLength, Math.Max((long)_bytes.Length * 2, (long)_length + count)));
        }
    }
}
