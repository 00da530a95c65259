using System.Buffers;
using System.Text.Unicode;

namespace Sessions.Json;

/// <summary>
/// Validates JSON (RFC 8259) without an exception: a log that is damaged all over has millions of lines, and each
/// exception costs as much as reading thousands of them. It takes what
/// <see cref="System.Text.Json.Utf8JsonReader"/> takes, to the same depth.
/// </summary>
internal static class JsonCheck
{
    private const int DepthMax = JsonText.OwnDepthMax; // our own files wrap what hosts hand in

    private static readonly SearchValues<byte> InString = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
        30, 31, (byte)'"', (byte)'\\']);

    /// <summary>True where the bytes are one whole object in UTF-8, perhaps with white space around it.</summary>
    public static bool IsObject(ReadOnlySpan<byte> json)
    {
        var scan = new Scan(json);
        return scan.Skip() && json[scan.At] == '{' && Utf8.IsValid(json) && scan.IsWhole(stackalloc bool[DepthMax]);
    }

    /// <summary>The same for a value of any kind, nested no deeper than a host may hand in.</summary>
    public static bool IsValue(ReadOnlySpan<byte> json)
    {
        var scan = new Scan(json);
        return scan.Skip() && Utf8.IsValid(json) && scan.IsWhole(stackalloc bool[JsonText.DepthMax]);
    }

    private ref struct Scan(ReadOnlySpan<byte> json)
    {
        private readonly ReadOnlySpan<byte> _json = json;

        public int At { get; private set; }

        /// <summary>Goes over white space; false at the end.</summary>
        public bool Skip()
        {
            while (At < _json.Length && _json[At] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
            {
                At++;
            }

            return At < _json.Length;
        }

        /// <summary>Takes one value and all that is in it, and the white space up to the end.</summary>
        /// <param name="isObject">Room for which of the open containers are objects.</param>
        public bool IsWhole(scoped Span<bool> isObject)
        {
            int depth = 0;
            while (true)
            {
                byte first = _json[At];
                if (first is (byte)'{' or (byte)'[')
                {
                    if (depth == isObject.Length)
                    {
                        return false;
                    }

                    At++;
                    isObject[depth++] = first == '{';
                    if (!Skip())
                    {
                        return false;
                    }

                    if (_json[At] != (first == '{' ? '}' : ']'))
                    {
                        if (first == '{' && !Name())
                        {
                            return false;
                        }

                        continue;
                    }
                }
                else if (!Scalar(first))
                {
                    return false;
                }

                if (!Close(isObject, ref depth, out bool isOver))
                {
                    return false;
                }

                if (isOver)
                {
                    return true;
                }
            }
        }

        // Behind a value: closes what ends there, up to the next value or the end of all.
        private bool Close(scoped ReadOnlySpan<bool> isObject, ref int depth, out bool isOver)
        {
            isOver = false;
            while (true)
            {
                if (depth == 0)
                {
                    isOver = true;
                    return !Skip();
                }

                if (!Skip())
                {
                    return false;
                }

                bool inObject = isObject[depth - 1];
                if (_json[At] == ',')
                {
                    At++;
                    return Skip() && (!inObject || Name());
                }

                if (_json[At] != (inObject ? '}' : ']'))
                {
                    return false;
                }

                At++;
                depth--;
            }
        }

        // A name, its colon, and the white space up to the value.
        private bool Name()
        {
            if (_json[At] != '"' || !String() || !Skip() || _json[At] != ':')
            {
                return false;
            }

            At++;
            return Skip();
        }

        private bool Scalar(byte first) => first switch
        {
            (byte)'"' => String(),
            (byte)'t' => Word("true"u8),
            (byte)'f' => Word("false"u8),
            (byte)'n' => Word("null"u8),
            _ => Number(),
        };

        private bool Word(ReadOnlySpan<byte> word)
        {
            bool isIt = _json[At..].StartsWith(word);
            At += isIt ? word.Length : 0;
            return isIt;
        }

        private bool String()
        {
            At++;
            while (true)
            {
                int found = _json[At..].IndexOfAny(InString);
                if (found < 0)
                {
                    return false;
                }

                At += found + 1;
                switch (_json[At - 1])
                {
                    case (byte)'"':
                        return true;
                    case (byte)'\\' when At < _json.Length && "\"\\/bfnrt"u8.Contains(_json[At]):
                        At++;
                        break;
                    case (byte)'\\' when At + 4 < _json.Length && _json[At] == 'u' && IsHex(_json.Slice(At + 1, 4)):
                        At += 5;
                        break;
                    default:
                        return false;
                }
            }
        }

        private static bool IsHex(ReadOnlySpan<byte> digits)
        {
            foreach (byte digit in digits)
            {
                if (!char.IsAsciiHexDigit((char)digit))
                {
                    return false;
                }
            }

            return true;
        }

        private bool Number()
        {
            At += _json[At] == '-' ? 1 : 0;
            bool startsWithZero = At < _json.Length && _json[At] == '0';
            int digits = Digits();
            if (digits == 0 || (startsWithZero && digits > 1))
            {
                return false;
            }

            if (At < _json.Length && _json[At] == '.')
            {
                At++;
                if (Digits() == 0)
                {
                    return false;
                }
            }

            if (At < _json.Length && _json[At] is (byte)'e' or (byte)'E')
            {
                At++;
                At += At < _json.Length && _json[At] is (byte)'+' or (byte)'-' ? 1 : 0;
                return Digits() > 0;
            }

            return true;
        }

        private int Digits()
        {
            int start = At;
            while (At < _json.Length && char.IsAsciiDigit((char)_json[At]))
            {
                At++;
            }

            return At - start;
        }
    }
}
