using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sessions.Json;

/// <summary>Finds where values end in compact JSON that was checked when it was recorded, without
/// looking into its strings and numbers: a transcript copies most of what it reads.</summary>
internal static class JsonScan
{
    // What wraps the data of an event adds to what the data may have.
    private const int DepthMax = JsonText.OwnDepthMax;

    private static readonly SearchValues<byte> InString = SearchValues.Create("\"\\"u8);
    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[]"u8);
    private static readonly SearchValues<byte> ScalarEnd = SearchValues.Create(",]}: \t\r\n\""u8);

    /// <summary>True where the bytes are one value and nothing else.</summary>
    public static bool IsOneValue(ReadOnlySpan<byte> json) => ValueLength(json) == json.Length && json.Length > 0;

    /// <summary>Bytes of the value that the text begins with; 0 where it begins with none.</summary>
    public static int ValueLength(ReadOnlySpan<byte> json) => json.IsEmpty ? 0 : json[0] switch
    {
        (byte)'"' => StringLength(json),
        (byte)'{' or (byte)'[' => ContainerLength(json),
        (byte)'-' or (>= (byte)'0' and <= (byte)'9') or (byte)'t' or (byte)'f' or (byte)'n' => ScalarLength(json),
        _ => 0,
    };

    /// <summary>Bytes of the string that the text begins with, quotes included; 0 where it does not end.</summary>
    public static int StringLength(ReadOnlySpan<byte> json)
    {
        int at = 1;
        while (at < json.Length)
        {
            at += UpToMark(json[at..]);
            if (at >= json.Length)
            {
                return 0;
            }

            if (json[at] == '"')
            {
                return at + 1;
            }

            at += 2; // what is escaped ends nothing
        }

        return 0;
    }

    // Bytes before the next quote or backslash. What tools print has an escape at the end of each line, and there the
    // call of a search costs more than the search.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int UpToMark(ReadOnlySpan<byte> text)
    {
        int at = 0;
        while (Vector128.IsHardwareAccelerated && text.Length - at >= Vector128<byte>.Count)
        {
            Vector128<byte> block = Vector128.Create(text[at..]);
            uint marks = (Vector128.Equals(block, Vector128.Create((byte)'"'))
                | Vector128.Equals(block, Vector128.Create((byte)'\\'))).ExtractMostSignificantBits();
            if (marks != 0)
            {
                return at + BitOperations.TrailingZeroCount(marks);
            }

            at += Vector128<byte>.Count;
        }

        int found = text[at..].IndexOfAny(InString);
        return found < 0 ? text.Length : at + found;
    }

    private static int ScalarLength(ReadOnlySpan<byte> json)
    {
        int end = json.IndexOfAny(ScalarEnd);
        return end < 0 ? json.Length : end;
    }

    private static int ContainerLength(ReadOnlySpan<byte> json)
    {
        int at = 0, depth = 0;
        while (true)
        {
            int found = json[at..].IndexOfAny(Structure);
            if (found < 0)
            {
                return 0;
            }

            at += found;
            if (json[at] == '"')
            {
                int length = StringLength(json[at..]);
                if (length == 0)
                {
                    return 0;
                }

                at += length;
                continue;
            }

            depth += json[at] is (byte)'{' or (byte)'[' ? 1 : -1;
            at++;
            if (depth is 0 or > DepthMax)
            {
                return depth == 0 ? at : 0;
            }
        }
    }
}

/// <summary>Walks the members of a compact object.</summary>
internal ref struct MemberScan
{
    private readonly ReadOnlySpan<byte> _json;
    private int _at;

    public MemberScan(ReadOnlySpan<byte> json)
    {
        _json = json;
        _at = json is [(byte)'{', ..] ? 1 : json.Length;
    }

    /// <summary>Raw, without quotes; a name that is spelled with escapes comes decoded.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Raw.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>True where the value is a string.</summary>
    public readonly bool IsText => Value[0] == '"';

    /// <summary>What stands between the quotes of a string, still escaped.</summary>
    public readonly ReadOnlySpan<byte> RawText => Value[1..^1];

    public bool Next()
    {
        if (_at >= _json.Length || _json[_at] != '"')
        {
            return false;
        }

        int name = JsonScan.StringLength(_json[_at..]);
        int colon = _at + name;
        if (name == 0 || colon + 1 >= _json.Length || _json[colon] != ':')
        {
            return false;
        }

        int value = JsonScan.ValueLength(_json[(colon + 1)..]);
        if (value == 0)
        {
            return false;
        }

        Name = _json[(_at + 1)..(colon - 1)];
        if (Name.Contains((byte)'\\'))
        {
            Name = Unescape.Utf8(Name);
        }

        Value = _json.Slice(colon + 1, value);
        _at = colon + 1 + value;
        _at += _at < _json.Length && _json[_at] == ',' ? 1 : 0;
        return true;
    }
}

/// <summary>Walks the items of a compact array.</summary>
internal ref struct ItemScan
{
    private readonly ReadOnlySpan<byte> _json;
    private int _at;

    public ItemScan(ReadOnlySpan<byte> json)
    {
        _json = json;
        _at = json is [(byte)'[', ..] ? 1 : json.Length;
    }

    /// <summary>Raw.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    public bool Next()
    {
        int length = _at < _json.Length ? JsonScan.ValueLength(_json[_at..]) : 0;
        if (length == 0)
        {
            return false;
        }

        Value = _json.Slice(_at, length);
        _at += length;
        _at += _at < _json.Length && _json[_at] == ',' ? 1 : 0;
        return true;
    }
}
