using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Sessions.Json;

/// <summary>What a JSON string says. A host may write half of a surrogate pair as an escape, which is
/// JSON but no Unicode text; it stands for itself here, so that such names can still be told apart.</summary>
internal static class JsonString
{
    /// <summary>The text of the string that the reader stands on, a name or a value.</summary>
    public static string Decode(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return Encoding.UTF8.GetString(reader.ValueSpan);
        }

        string raw = Encoding.UTF8.GetString(reader.ValueSpan);
        var text = new StringBuilder(raw.Length);
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }

            char escaped = raw[++i];
            if (escaped == 'u')
            {
                text.Append((char)int.Parse(raw.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture));
                i += 4;
            }
            else
            {
                text.Append(escaped switch
                {
                    'b' => '\b',
                    'f' => '\f',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    _ => escaped,
                });
            }
        }

        return text.ToString();
    }
}
