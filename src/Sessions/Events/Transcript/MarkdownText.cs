using System.Buffers;
using Sessions.Storage;

namespace Sessions.Events.Transcript;

/// <summary>
/// Markdown that people and agents wrote, so that it may stand between other text: no HTML in it is markup, a
/// fence that it opens is closed, and so is what changes the direction of text. Everything else stays as it is.
/// Where code begins and ends is read as CommonMark reads it; where a renderer might see that in another way,
/// it counts as text, and a "&lt;" in it is written as an entity.
/// </summary>
internal static class MarkdownText
{
    private const int FenceLength = 3;
    private const int IndentMax = 3; // with more of it a line is code, or goes on with a paragraph

    private static readonly SearchValues<byte> Marks = SearchValues.Create("`<\\"u8);

    public static void Write(Utf8Buffer output, ReadOnlySpan<byte> text)
    {
        if (text.Contains((byte)'<') || text.IndexOf("```"u8) >= 0 || text.IndexOf("~~~"u8) >= 0)
        {
            WriteLines(output, text);
        }
        else
        {
            output.Raw(text);
        }

        if (Bidi.Next(text) >= 0)
        {
            Bidi.Close(output, text);
        }
    }

    /// <summary>Takes a line off the beginning of a text; CR, LF and CRLF end one, as in CommonMark.</summary>
    public static ReadOnlySpan<byte> TakeLine(scoped ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> end)
    {
        int at = text.IndexOfAny((byte)'\r', (byte)'\n');
        ReadOnlySpan<byte> line = at < 0 ? text : text[..at];
        text = text[line.Length..];
        end = text is [(byte)'\r', (byte)'\n', ..] ? text[..2] : text.IsEmpty ? text : text[..1];
        text = text[end.Length..];
        return line;
    }

    private static void WriteLines(Utf8Buffer output, ReadOnlySpan<byte> text)
    {
        Fence fence = default;
        bool isOdd = false; // a run of backticks in this paragraph has no partner on its line
        bool isLineOpen = false;
        while (!text.IsEmpty)
        {
            ReadOnlySpan<byte> line = TakeLine(ref text, out ReadOnlySpan<byte> end);
            if (fence.Run > 0)
            {
                bool closes = fence.IsClosedBy(line);
                output.Raw(closes && !fence.IsInPlace ? line.TrimStart(" \t"u8) : line);
                fence = closes ? default : fence;
            }
            else if (Fence.Opens(line, out fence))
            {
                // In a list a fence ends with the list. So unless all of it goes on as deep, up to its end, it
                // begins at the margin, where everybody sees the same.
                fence = fence with { IsInPlace = IsClosedWithin(text, fence) };
                output.Raw(fence.IsInPlace ? line : line.TrimStart(" \t"u8));
                isOdd = false;
            }
            else if (IsBlank(line))
            {
                output.Raw(line);
                isOdd = false;
            }
            else
            {
                WriteInline(output, line, ref isOdd);
            }

            output.Raw(end);
            isLineOpen = end.IsEmpty;
        }

        if (fence.Run > 0)
        {
            output.Raw(isLineOpen ? "\n"u8 : default).Raw(fence.Mark == '`' ? "```"u8 : "~~~"u8);
            for (int i = FenceLength; i < fence.Run; i++)
            {
                output.Byte((char)fence.Mark);
            }
        }
    }

    // How far a tab reaches depends on what stands before the line, so it counts as one column, and none may
    // stand before the end.
    private static bool IsClosedWithin(ReadOnlySpan<byte> text, Fence fence)
    {
        bool isLikely = fence.Indent is > 0 and <= IndentMax;
        while (isLikely && !text.IsEmpty)
        {
            ReadOnlySpan<byte> line = TakeLine(ref text, out _);
            if (fence.IsClosedBy(line))
            {
                return Fence.SpacesOf(line) is var spaces && spaces >= fence.Indent && spaces <= IndentMax;
            }

            isLikely = IsBlank(line) || line.Length - line.TrimStart(" \t"u8).Length >= fence.Indent;
        }

        return false;
    }

    private static void WriteInline(Utf8Buffer output, ReadOnlySpan<byte> line, ref bool isOdd)
    {
        while (true)
        {
            int at = line.IndexOfAny(Marks);
            if (at < 0)
            {
                output.Raw(line);
                return;
            }

            output.Raw(line[..at]);
            line = line[at..];
            int length = 1;
            switch (line[0])
            {
                case (byte)'`':
                    int end = line.IndexOfAnyExcept((byte)'`');
                    length = end < 0 ? line.Length : end;
                    int code = isOdd ? 0 : CodeLength(line, length);
                    isOdd |= code == 0;
                    length = Math.Max(length, code);
                    output.Raw(line[..length]);
                    break;
                case (byte)'\\' when !isOdd && line is [_, (byte)'`' or (byte)'<' or (byte)'\\', ..]:
                    length = 2;
                    output.Raw(line[..2]);
                    isOdd |= line is [_, (byte)'`', (byte)'`', ..]; // how long is the run behind it?
                    break;
                case (byte)'<' when line is [_, var next, ..]
                    && (char.IsAsciiLetter((char)next) || next is (byte)'/' or (byte)'!' or (byte)'?'):
                    output.Raw("&lt;"u8);
                    break;
                default:
                    output.Raw(line[..1]);
                    break;
            }

            line = line[length..];
        }
    }

    // The length of the code that a run of backticks opens on this line; 0 where none closes it, or where a
    // table would have it in two cells.
    private static int CodeLength(ReadOnlySpan<byte> line, int run)
    {
        for (int at = run; at < line.Length;)
        {
            int found = line[at..].IndexOf((byte)'`');
            if (found < 0)
            {
                return 0;
            }

            at += found;
            int other = line[at..].IndexOfAnyExcept((byte)'`');
            other = other < 0 ? line.Length - at : other;
            at += other;
            if (other == run)
            {
                return line[..at].Contains((byte)'|') ? 0 : at;
            }
        }

        return 0;
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => !line.ContainsAnyExcept((byte)' ', (byte)'\t');

    /// <summary>A fence that is open.</summary>
    /// <param name="Mark">A backtick or a tilde.</param>
    /// <param name="Run">How many; 0: none is open.</param>
    /// <param name="Indent">Spaces before them; more than a fence in place can have where a tab is among
    /// them.</param>
    /// <param name="IsInPlace">It was written where it stood.</param>
    private readonly record struct Fence(byte Mark, int Run, int Indent, bool IsInPlace)
    {
        public static bool Opens(ReadOnlySpan<byte> line, out Fence fence)
        {
            ReadOnlySpan<byte> rest = line.TrimStart(" \t"u8);
            fence = default;
            if (rest.IsEmpty || rest[0] is not ((byte)'`' or (byte)'~'))
            {
                return false;
            }

            int run = RunOf(rest);
            if (run < FenceLength || (rest[0] == '`' && rest[run..].Contains((byte)'`')))
            {
                return false;
            }

            fence = new Fence(rest[0], run, SpacesOf(line), IsInPlace: false);
            return true;
        }

        // However deep: a line that a renderer might take for the end is made one.
        public bool IsClosedBy(ReadOnlySpan<byte> line)
        {
            ReadOnlySpan<byte> rest = line.TrimStart(" \t"u8);
            return !rest.IsEmpty && rest[0] == Mark && RunOf(rest) is var run && run >= Run && IsBlank(rest[run..]);
        }

        public static int SpacesOf(ReadOnlySpan<byte> line)
        {
            int spaces = line.IndexOfAnyExcept((byte)' ');
            return spaces >= 0 && line[spaces] == '\t' ? int.MaxValue : Math.Max(spaces, 0);
        }

        private static int RunOf(ReadOnlySpan<byte> text)
        {
            int end = text.IndexOfAnyExcept(text[0]);
            return end < 0 ? text.Length : end;
        }
    }
}
