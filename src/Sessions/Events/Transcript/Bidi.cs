using System.Globalization;
using System.Text;
using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>
/// The characters that change the direction of what follows: U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to
/// U+2069. With them a name or a line of code can be made to read as another one ("Trojan Source"). In prose
/// they have a use, and are kept there; in names, paths, addresses and code they are shown as what they are.
/// </summary>
internal static class Bidi
{
    private const int Length = 3; // but for U+061C, which has two bytes

    /// <summary>Where the first of them stands; -1: nowhere. In most text that is one search for two bytes.</summary>
    public static int Next(ReadOnlySpan<byte> text)
    {
        for (int at = 0; ; at++)
        {
            int found = text[at..].IndexOfAny((byte)0xe2, (byte)0xd8);
            if (found < 0)
            {
                return -1;
            }

            at += found;
            if (At(text[at..]) != 0)
            {
                return at;
            }
        }
    }

    /// <summary>Writes the one that a text begins with so that it is seen, as in "‹U+202E›", and returns how many
    /// bytes it takes.</summary>
    public static int Show(Utf8Buffer output, ReadOnlySpan<byte> text)
    {
        int code = At(text);
        output.Raw("\u2039U+"u8).Raw(Encoding.ASCII.GetBytes(code.ToString("X4", CultureInfo.InvariantCulture)))
            .Raw("\u203a"u8);
        return code == 0x61c ? 2 : Length;
    }

    /// <summary>Writes a text in which each of them is seen.</summary>
    public static void WriteShown(Utf8Buffer output, ReadOnlySpan<byte> text)
    {
        for (int next; (next = Next(text)) >= 0;)
        {
            output.Raw(text[..next]);
            text = text[(next + Show(output, text[next..]))..];
        }

        output.Raw(text);
    }

    /// <summary>Closes what a text has opened and not closed, so that it orders nothing behind itself.</summary>
    public static void Close(Utf8Buffer output, ReadOnlySpan<byte> text)
    {
        var open = new Stack<bool>(); // true: an isolate
        int isolates = 0;
        for (int next; (next = Next(text)) >= 0; text = text[(next + 2)..])
        {
            switch (At(text[next..]))
            {
                case 0x202a or 0x202b or 0x202d or 0x202e: open.Push(false); break;
                case >= 0x2066 and <= 0x2068: open.Push(true); isolates++; break;
                case 0x202c when open.TryPeek(out bool isIsolate) && !isIsolate: open.Pop(); break;
                case 0x2069 when isolates > 0:
                    isolates--;
                    while (!open.Pop())
                    {
                        // the end of an isolate ends what was opened in it
                    }

                    break;
                default: break;
            }
        }

        while (open.TryPop(out bool isolate))
        {
            output.Raw(isolate ? "\u2069"u8 : "\u202c"u8);
        }
    }

    private static int At(ReadOnlySpan<byte> text) => text switch
    {
        [0xd8, 0x9c, ..] => 0x61c,
        [0xe2, 0x80, (>= 0x8e and <= 0x8f) or (>= 0xaa and <= 0xae), ..] => 0x2000 + text[2] - 0x80,
        [0xe2, 0x81, >= 0xa6 and <= 0xa9, ..] => 0x2040 + text[2] - 0x80,
        _ => 0,
    };
}
