using System.Globalization;
using System.Text;

namespace Sessions.Json;

/// <summary>What the inside of a JSON string says, as UTF-8. Half of a surrogate pair, which is JSON but no
/// Unicode text, becomes U+FFFD.</summary>
internal static class Unescape
{
    private const string Replacement = "\ufffd";

    /// <summary>The text itself where nothing in it is escaped.</summary>
    public static ReadOnlySpan<byte> Utf8(ReadOnlySpan<byte> raw)
    {
        if (!raw.Contains((byte)'\\'))
        {
            return raw;
        }

        var text = new Utf8Buffer(raw.Length);
        Append(text, raw);
        return text.Written;
    }

    public static void Append(Utf8Buffer output, ReadOnlySpan<byte> raw)
    {
        while (true)
        {
            int plain = raw.IndexOf((byte)'\\');
            if (plain < 0 || plain + 1 >= raw.Length)
            {
                output.Raw(raw);
                return;
            }

            output.Raw(raw[..plain]);
            raw = raw[plain..];
            if (raw[1] == 'u')
            {
                raw = raw[AppendCodePoint(output, raw)..];
                continue;
            }

            output.Byte((char)raw[1] switch
            {
                'b' => '\b',
                'f' => '\f',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                char other => other,
            });
            raw = raw[2..];
        }
    }

    // Returns how many bytes of the text it stands for.
    private static int AppendCodePoint(Utf8Buffer output, ReadOnlySpan<byte> raw)
    {
        Span<byte> utf8 = stackalloc byte[4];
        int length = 6;
        if (!TryUnit(raw, out char unit))
        {
            length = Math.Min(length, raw.Length);
            output.Raw(Encoding.UTF8.GetBytes(Replacement));
        }
        else if (Rune.TryCreate(unit, out Rune rune))
        {
            output.Raw(utf8[..rune.EncodeToUtf8(utf8)]);
        }
        else if (raw.Length > 6 && TryUnit(raw[6..], out char low) && Rune.TryCreate(unit, low, out rune))
        {
            length = 12;
            output.Raw(utf8[..rune.EncodeToUtf8(utf8)]);
        }
        else
        {
            output.Raw(Encoding.UTF8.GetBytes(Replacement));
        }

        return length;
    }

    private static bool TryUnit(ReadOnlySpan<byte> raw, out char unit)
    {
        unit = '\0';
        if (raw.Length < 6 || raw[0] != '\\' || raw[1] != 'u'
            || !ushort.TryParse(raw.Slice(2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out ushort value))
        {
            return false;
        }

        unit = (char)value;
        return true;
    }
}
