using System.Buffers;
using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>Text from outside as HTML: nothing in it is markup of the page but the little that is
/// made here of an agent's Markdown (fences, headings, bold, code).</summary>
internal static class HtmlText
{
    // What opens or closes markup and attributes, and what a page must not contain.
    private static readonly SearchValues<byte> Special = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127,
        (byte)'&', (byte)'<', (byte)'>', (byte)'"', (byte)'\'']);

    private static readonly SearchValues<byte> Marks = SearchValues.Create("`*"u8);

    /// <summary>Text between tags or in quotes of an attribute: names, code, all that is no prose. Control
    /// characters become their pictures, and what changes the direction of text is seen.</summary>
    public static void Escape(Utf8Buffer output, ReadOnlySpan<byte> text)
    {
        for (int next; (next = Bidi.Next(text)) >= 0;)
        {
            Prose(output, text[..next]);
            text = text[(next + Bidi.Show(output, text[next..]))..];
        }

        Prose(output, text);
    }

    /// <summary>The same of prose, where languages that are written from right to left need such marks. The
    /// block it stands in ends whatever they do.</summary>
    public static void Prose(Utf8Buffer output, ReadOnlySpan<byte> text)
    {
        while (true)
        {
            int plain = text.IndexOfAny(Special);
            if (plain < 0)
            {
                output.Raw(text);
                return;
            }

            output.Raw(text[..plain]);
            byte b = text[plain];
            output.Raw(b switch
            {
                (byte)'&' => "&amp;"u8,
                (byte)'<' => "&lt;"u8,
                (byte)'>' => "&gt;"u8,
                (byte)'"' => "&quot;"u8,
                (byte)'\'' => "&#39;"u8,
                127 => "\u2421"u8,
                _ => [0xe2, 0x90, (byte)(0x80 + b)],
            });
            text = text[(plain + 1)..];
        }
    }

    /// <summary>What an agent wrote.</summary>
    public static void Markdown(Utf8Buffer output, ReadOnlySpan<byte> text)
    {
        int fence = 0, blank = 0;
        byte mark = 0;
        bool isOpen = false;
        foreach (Range range in text.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = text[range];
            int run = FenceOf(line, out byte with);
            if (fence > 0)
            {
                if (run >= fence && with == mark && line.TrimEnd((byte)'\r').TrimEnd((byte)' ')[^1] == mark)
                {
                    output.Raw("</code></pre>"u8);
                    fence = 0;
                    continue;
                }

                Escape(output, line);
                output.Byte('\n');
                continue;
            }

            if (run > 0)
            {
                output.Raw(isOpen ? "</div><pre><code>"u8 : "<pre><code>"u8);
                (fence, mark, isOpen, blank) = (run, with, false, 0);
                continue;
            }

            if (line.Trim((byte)'\r').Trim((byte)' ').IsEmpty)
            {
                blank++;
                continue;
            }

            // Empty lines count between lines, not at the edges of a block.
            output.Raw(isOpen ? "\n"u8 : "<div class=\"t\" dir=\"auto\">"u8);
            for (; isOpen && blank > 0; blank--)
            {
                output.Byte('\n');
            }

            (isOpen, blank) = (true, 0);
            Line(output, line);
        }

        output.Raw(fence > 0 ? "</code></pre>"u8 : isOpen ? "</div>"u8 : ""u8);
    }

    // How long a fence the line begins with; 0 where it is none.
    private static int FenceOf(ReadOnlySpan<byte> line, out byte mark)
    {
        line = line.TrimStart((byte)' ');
        mark = line.IsEmpty ? (byte)0 : line[0];
        if (mark is not ((byte)'`' or (byte)'~'))
        {
            return 0;
        }

        int end = line.IndexOfAnyExcept(mark), run = end < 0 ? line.Length : end;
        return run >= 3 && (mark == '~' || !line[run..].Contains(mark)) ? run : 0;
    }

    private static void Line(Utf8Buffer output, ReadOnlySpan<byte> line)
    {
        int level = line.IndexOfAnyExcept((byte)'#');
        if (level is > 0 and <= 6 && line[level] == ' ')
        {
            output.Raw("<b class=\"h\">"u8);
            Inline(output, line[(level + 1)..]);
            output.Raw("</b>"u8);
            return;
        }

        Inline(output, line);
    }

    private static void Inline(Utf8Buffer output, ReadOnlySpan<byte> line)
    {
        while (true)
        {
            int at = line.IndexOfAny(Marks);
            if (at < 0)
            {
                Prose(output, line);
                return;
            }

            Prose(output, line[..at]);
            line = line[at..];
            bool isCode = line[0] == '`';
            ReadOnlySpan<byte> mark = isCode ? "`"u8 : "**"u8;
            int end = line.StartsWith(mark) ? line[mark.Length..].IndexOf(mark) : -1;
            if (end <= 0)
            {
                int skip = line.IndexOfAnyExcept(line[0]);
                skip = skip < 0 ? line.Length : skip;
                Prose(output, line[..skip]);
                line = line[skip..];
                continue;
            }

            output.Raw(isCode ? "<code>"u8 : "<b>"u8);
            ReadOnlySpan<byte> inside = line.Slice(mark.Length, end);
            if (isCode)
            {
                Escape(output, inside);
            }
            else
            {
                Prose(output, inside);
            }

            output.Raw(isCode ? "</code>"u8 : "</b>"u8);
            line = line[((2 * mark.Length) + end)..];
        }
    }
}
