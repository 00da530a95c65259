using System.Buffers;
using Sessions.Json;

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
        bool isLineOpen = false, isAfterBlank = true;
        int item = 0; // how deep the text of the last list's item stands
        while (!text.IsEmpty)
        {
            ReadOnlySpan<byte> line = TakeLine(ref text, out ReadOnlySpan<byte> end);
            if (fence.Run > 0)
            {
                bool closes = fence.IsClosedBy(line);
                WriteCode(output, closes && !fence.IsInPlace ? line.TrimStart(" \t"u8) : line, fence);
                fence = closes ? default : fence;
            }
            else if (Fence.Opens(line, out fence) || Fence.OpensInItem(line, isAfterBlank, out fence))
            {
                // In a list a fence ends with the list. So unless all of it goes on as deep, up to its end, it
                // begins at the margin, where everybody sees the same.
                item = fence.Marker > 0 ? fence.Marker : item;
                fence = fence with { IsInPlace = fence.IsInPlace && GoesOnAsDeep(text, fence, item) };
                WriteOpening(output, line, fence);
                isOdd = false;
            }
            else if (IsBlank(line))
            {
                output.Raw(line);
                isOdd = false;
            }
            else
            {
                int marker = Fence.ItemDepth(line);
                item = marker > 0 ? marker : isAfterBlank && line[0] is not ((byte)' ' or (byte)'\t') ? 0 : item;
                WriteInline(output, line, ref isOdd);
            }

            output.Raw(end);
            (isLineOpen, isAfterBlank) = (end.IsEmpty, IsBlank(line));
        }

        if (fence.Run > 0)
        {
            output.Raw(isLineOpen ? "\n"u8 : default);
            for (int i = fence.IsInPlace ? fence.Indent : 0; i > 0; i--)
            {
                output.Byte(' ');
            }

            output.Raw(fence.Mark == '`' ? "```"u8 : "~~~"u8);
            for (int i = FenceLength; i < fence.Run; i++)
            {
                output.Byte((char)fence.Mark);
            }
        }
    }

    // Behind a marker that goes to the margin there is nothing to list: it is text.
    private static void WriteOpening(Utf8Buffer output, ReadOnlySpan<byte> line, Fence fence)
    {
        if (fence.IsInPlace)
        {
            WriteCode(output, line, fence);
            return;
        }

        foreach (byte b in line[..fence.Marker].Trim(" \t"u8))
        {
            output.Raw(b is (byte)' ' or (byte)'\t' || char.IsAsciiDigit((char)b) ? default : "\\"u8).Byte((char)b);
        }

        output.Raw(fence.Marker > 0 ? "\n"u8 : default).Raw(line[fence.Marker..].TrimStart(" \t"u8));
    }

    // Not every renderer sees a fence on the line of a list's marker; so nothing in one is markup for those either.
    private static void WriteCode(Utf8Buffer output, ReadOnlySpan<byte> line, Fence fence)
    {
        while (fence.IsInPlace && fence.Marker > 0 && line.IndexOf((byte)'<') is >= 0 and var at)
        {
            output.Raw(line[..at]).Raw(IsMarkup(line[at..]) ? "&lt;"u8 : "<"u8);
            line = line[(at + 1)..];
        }

        output.Raw(line);
    }

    private static bool IsMarkup(ReadOnlySpan<byte> text) => text is [(byte)'<', var next, ..]
        && (char.IsAsciiLetter((char)next) || next is (byte)'/' or (byte)'!' or (byte)'?');

    // How far a tab reaches depends on what stands before the line, so it counts as one column, and none may
    // stand before the end. Where the text ends first, in the item of a list, the end is written as deep as the
    // beginning.
    private static bool GoesOnAsDeep(ReadOnlySpan<byte> text, Fence fence, int item)
    {
        while (!text.IsEmpty)
        {
            ReadOnlySpan<byte> line = TakeLine(ref text, out _);
            if (fence.IsClosedBy(line))
            {
                return Fence.SpacesOf(line) is var spaces && spaces >= fence.Indent
                    && spaces <= (fence.Marker > 0 ? fence.Indent : 0) + IndentMax;
            }

            if (!IsBlank(line) && line.Length - line.TrimStart(" \t"u8).Length < fence.Indent)
            {
                return false;
            }
        }

        return item > 0 && fence.Indent >= item;
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
                case (byte)'<' when IsMarkup(line):
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
    /// <param name="Indent">How deep what it holds has to be, in spaces: as deep as itself. More than a fence in place
    /// can have where a tab is among them.</param>
    /// <param name="IsInPlace">It may stay where it stands, or does.</param>
    /// <param name="Marker">Bytes of the list's marker that stands before it on its line, with the white space; 0:
    /// none.</param>
    private readonly record struct Fence(byte Mark, int Run, int Indent, bool IsInPlace, int Marker = 0)
    {
        // A marker with more digits is none.
        private const int DigitsMax = 9;

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

            int indent = SpacesOf(line);
            fence = new Fence(rest[0], run, indent, IsInPlace: indent is > 0 and <= IndentMax);
            return true;
        }

        /// <summary>The same behind the marker of a list's item, or several of them. In place it may stay behind one
        /// that begins an item for everybody: in a paragraph only a bullet or the number 1 does.</summary>
        public static bool OpensInItem(ReadOnlySpan<byte> line, bool isAfterBlank, out Fence fence)
        {
            fence = default;
            int at = SpacesOf(line), items = 0;
            bool begins = at <= IndentMax;
            at = line.Length - line.TrimStart(" \t"u8).Length;
            while (MarkerLength(line[at..], out bool isFirst) is > 0 and var length)
            {
                at += length;
                begins &= items++ == 0 && (isFirst || isAfterBlank);
            }

            if (items == 0 || !Opens(line[at..], out fence))
            {
                return false;
            }

            fence = fence with { Indent = at, IsInPlace = begins, Marker = at };
            return true;
        }

        /// <summary>How deep the text of an item stands that begins on the line; 0: none does.</summary>
        public static int ItemDepth(ReadOnlySpan<byte> line)
        {
            int at = line.Length - line.TrimStart(" \t"u8).Length;
            return MarkerLength(line[at..], out _) is > 0 and var length ? at + length : 0;
        }

        // With the spaces behind it, of which five would make code of what follows; 0: there is none.
        private static int MarkerLength(ReadOnlySpan<byte> text, out bool isFirst)
        {
            int digits = Math.Max(text.IndexOfAnyExceptInRange((byte)'0', (byte)'9'), 0);
            ReadOnlySpan<byte> mark = text[digits..];
            isFirst = digits == 0 || text[..digits].TrimStart((byte)'0').SequenceEqual("1"u8);
            bool isMarker = !mark.IsEmpty && (digits == 0 ? mark[0] is (byte)'-' or (byte)'*' or (byte)'+'
                : digits <= DigitsMax && mark[0] is (byte)'.' or (byte)')');
            int spaces = isMarker ? SpacesOf(mark[1..]) : 0;
            return spaces is > 0 and <= IndentMax + 1 ? digits + 1 + spaces : 0;
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
