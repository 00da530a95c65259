using System.Text;

namespace Sessions;

/// <summary>What is asked of arguments, in one place.</summary>
internal static class Checks
{
    /// <summary>The text's length in UTF-8; a lone surrogate, which no UTF-8 has, is InvalidUtf8.</summary>
    public static int Bytes(string text, string argument)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
            {
                continue;
            }

            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
            {
                throw Errors.InvalidUtf8(argument, Encoding.UTF8.GetByteCount(text.AsSpan(0, i)));
            }

            i++;
        }

        return Encoding.UTF8.GetByteCount(text);
    }

    public static void Title(string title)
    {
        ArgumentNullException.ThrowIfNull(title);
        AtMost(Bytes(title, "title"), Limits.TitleBytesMax, "title_bytes_max");
    }

    /// <summary>Words and names: 1 to 128 bytes without control characters.</summary>
    public static void Name(string? name, string argument)
    {
        if (name is null)
        {
            return;
        }

        if (Bytes(name, argument) is 0 or > Limits.IdBytesMax || name.AsSpan().ContainsAnyInRange('\0', '\x1f')
            || name.Contains('\x7f'))
        {
            throw Errors.Argument(argument, $"{argument} must have 1 to 128 bytes without control characters.");
        }
    }

    public static void AtMost(long actual, long max, string limit)
    {
        if (actual > max)
        {
            throw Errors.Limit(limit, max, actual);
        }
    }

    /// <summary>A flags argument with nothing but bits that are known.</summary>
    public static void Flags(uint flags, uint known)
    {
        if ((flags & ~known) != 0)
        {
            throw new SessionException(SessionStatus.InvalidArgument, $"flags must have no bits but 0x{known:X}.",
                Errors.Details(b => b.Member("argument", "flags").Member("unknown_bits", flags & ~known)));
        }
    }

    public static void Number(long value, string argument)
    {
        if (value is < 0 or > Limits.IntegerMax)
        {
            throw Errors.Argument(argument, $"{argument} must lie between 0 and 2^53-1.");
        }
    }
}
