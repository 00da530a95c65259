using System.Buffers;
using System.Text;

namespace Sessions.Platform.Unix;

/// <summary>
/// Names of files between .NET and the system. A name is any bytes there; one that is not UTF-8 has each
/// odd byte as a lone surrogate (U+DC80 to U+DCFF) here, so that whatever a folder lists can also be named.
/// </summary>
internal static class UnixName
{
    /// <summary>Bytes of a buffer for a path; PATH_MAX of Linux. A longer path fails as the kernel would.</summary>
    public const int Bytes = 4096;

    private const char FirstOddByte = '\uDC80';
    private const char LastOddByte = '\uDCFF';

    /// <summary>Writes the path's bytes and a zero into a buffer of <see cref="Bytes"/> bytes; false where it is
    /// too long.</summary>
    public static bool TryWrite(string path, Span<byte> buffer)
    {
        if (path.Length >= Bytes)
        {
            return false;
        }

        int written;
        if (!path.AsSpan().ContainsAnyInRange(FirstOddByte, LastOddByte))
        {
            if (!Encoding.UTF8.TryGetBytes(path, buffer[..^1], out written))
            {
                return false;
            }
        }
        else if (!TryWriteOdd(path, buffer[..^1], out written))
        {
            return false;
        }

        buffer[written] = 0;
        return true;
    }

    /// <summary>The name that the bytes are.</summary>
    public static string Read(ReadOnlySpan<byte> name)
    {
        if (System.Text.Unicode.Utf8.IsValid(name))
        {
            return Encoding.UTF8.GetString(name);
        }

        var text = new StringBuilder(name.Length);
        while (name.Length > 0)
        {
            if (Rune.DecodeFromUtf8(name, out Rune rune, out int used) == OperationStatus.Done)
            {
                text.Append(rune.ToString());
                name = name[used..];
            }
            else
            {
                text.Append((char)(FirstOddByte + name[0] - 0x80)); // what is not UTF-8 is never below 0x80
                name = name[1..];
            }
        }

        return text.ToString();
    }

    // A surrogate that has its other half is half of one character and no odd byte.
    private static bool TryWriteOdd(string path, Span<byte> buffer, out int written)
    {
        written = 0;
        ReadOnlySpan<char> rest = path;
        while (rest.Length > 0)
        {
            int taken = 1;
            if (rest[0] is >= FirstOddByte and <= LastOddByte)
            {
                if (written >= buffer.Length)
                {
                    return false;
                }

                buffer[written++] = (byte)(rest[0] - FirstOddByte + 0x80);
            }
            else
            {
                OperationStatus status = Rune.DecodeFromUtf16(rest, out Rune rune, out taken);
                if (!(status == OperationStatus.Done ? rune : Rune.ReplacementChar)
                    .TryEncodeToUtf8(buffer[written..], out int bytes))
                {
                    return false;
                }

                written += bytes;
            }

            rest = rest[taken..];
        }

        return true;
    }
}
