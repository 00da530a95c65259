using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Sessions.Native;

/// <summary>Reads arguments and refuses what the contract does not allow, by the argument's name.</summary>
internal static unsafe class Argument
{
    /// <summary>The largest integer the contract knows: doubles are exact up to it.</summary>
    internal const ulong IntegerMax = (1UL << 53) - 1;

    private const uint StructBytesMax = 4096;

    /// <summary>A NUL-terminated text that must be there.</summary>
    internal static string Text(byte* value, string name) => Encoding.UTF8.GetString(Utf8(value, name));

    /// <summary>A NUL-terminated text; null where there is none.</summary>
    internal static string? OptionalText(byte* value, string name) => value == null ? null : Text(value, name);

    /// <summary>A NUL-terminated text that must be there, as it is.</summary>
    internal static ReadOnlySpan<byte> Utf8(byte* value, string name)
    {
        NotNull(value, name);
        return Valid(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(value), name);
    }

    /// <summary>A NUL-terminated text, copied; null where there is none.</summary>
    internal static ReadOnlyMemory<byte>? OptionalCopy(byte* value, string name) =>
        value == null ? default(ReadOnlyMemory<byte>?) : Utf8(value, name).ToArray();

    /// <summary>A text with its length.</summary>
    internal static ReadOnlySpan<byte> Utf8(byte* value, nuint length, string name)
        => Valid(Bytes(value, length, name), name);

    /// <summary>A piece of a text with its length; what it is worth is seen later.</summary>
    internal static ReadOnlySpan<byte> Bytes(byte* value, nuint length, string name)
    {
        NotNull(value, name);
        if (length > int.MaxValue)
        {
            throw new SessionException(SessionStatus.Limit, $"{name} is too long.",
                $$"""{"limit":"event_bytes_max","max":67108864,"actual":{{length}}}""");
        }

        return new ReadOnlySpan<byte>(value, (int)length);
    }

    /// <summary>Bytes with their length; NULL is fine where that is 0.</summary>
    internal static ReadOnlySpan<byte> Bytes(void* value, nuint length, string name, string limit)
    {
        if (length > 0)
        {
            NotNull(value, name);
        }

        return length <= int.MaxValue ? new ReadOnlySpan<byte>(value, (int)length) : throw new SessionException(
            SessionStatus.Limit, $"{name} is too long.",
            $$"""{"limit":"{{limit}}","max":{{int.MaxValue}},"actual":{{length}}}""");
    }

    /// <summary>A pointer that must be there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void NotNull(void* value, string name)
    {
        if (value == null)
        {
            throw Null(name);
        }
    }

    /// <summary>A sequence number, revision or the like.</summary>
    internal static long Integer(ulong value, string name) =>
        value <= IntegerMax ? (long)value : throw OutOfRange(name, "from 0 to 2^53-1");

    /// <summary>A time in unix milliseconds.</summary>
    internal static long Time(long value, string name) =>
        (ulong)value <= IntegerMax ? value : throw OutOfRange(name, "from 0 to 2^53-1");

    /// <summary>One of 0 to <paramref name="max"/>.</summary>
    internal static int Choice(int value, int max, string name) =>
        (uint)value <= (uint)max ? value : throw OutOfRange(name, $"from 0 to {max}");

    /// <summary>A field that must be 0.</summary>
    internal static void Reserved(uint value, string name)
    {
        if (value != 0)
        {
            throw OutOfRange(name, "0");
        }
    }

    /// <summary>Flags of which only some are known.</summary>
    internal static uint Flags(uint value, uint known)
    {
        uint unknown = value & ~known;
        return unknown == 0 ? value : throw new SessionException(SessionStatus.InvalidArgument,
            $"flags must have no bits but 0x{known:X}.", $$"""{"argument":"flags","unknown_bits":{{unknown}}}""");
    }

    /// <summary>The size word of a struct that the host fills. A larger struct of a newer host is
    /// fine as long as what this version does not know is left at its default.</summary>
    internal static void InStruct(void* value, uint known, string type, string name)
    {
        uint size = OutStruct(value, known, name);
        ReadOnlySpan<byte> tail = new ReadOnlySpan<byte>(value, (int)size)[(int)known..];
        if (tail.ContainsAnyExcept((byte)0))
        {
            throw new SessionException(SessionStatus.Version, $"{type} has fields that this version does not know.",
                $$"""{"what":"struct","type":"{{type}}","size":{{size}},"known":{{known}}}""");
        }
    }

    /// <summary>The size word of a struct that the library fills.</summary>
    internal static uint OutStruct(void* value, uint smallest, string name)
    {
        NotNull(value, name);
        uint size = *(uint*)value;
        return size >= smallest && size <= StructBytesMax ? size : throw new SessionException(
            SessionStatus.InvalidArgument, $"{name}.size must be what SESSION_INIT sets, {smallest} bytes here.",
            $$"""{"argument":"{{name}}.size","size":{{size}},"known":{{smallest}}}""");
    }

    private static SessionException Null(string name) =>
        new(SessionStatus.InvalidArgument, $"{name} must not be NULL.", Details(name));

    private static SessionException OutOfRange(string name, string what) =>
        new(SessionStatus.InvalidArgument, $"{name} must be {what}.", Details(name));

    private static string Details(string name) => $$"""{"argument":"{{name}}"}""";

    private static ReadOnlySpan<byte> Valid(ReadOnlySpan<byte> text, string name)
    {
        if (!System.Text.Unicode.Utf8.IsValid(text))
        {
            int offset = 0;
            while (Rune.DecodeFromUtf8(text[offset..], out _, out int consumed) == System.Buffers.OperationStatus.Done)
            {
                offset += consumed;
            }

            throw new SessionException(SessionStatus.InvalidUtf8, $"{name} is not UTF-8.",
                $$"""{"argument":"{{name}}","offset":{{offset}}}""", offset);
        }

        return text;
    }
}
