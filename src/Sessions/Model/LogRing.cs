using System.Buffers;
using System.Text;

namespace Sessions;

/// <summary>The newest 1,000 notes of this process about its own doings; hosts pull them.</summary>
internal static class LogRing
{
    private const int Capacity = 1000;

    private static readonly object s_lock = new();
    private static readonly Note[] s_notes = new Note[Capacity];
    private static ulong s_last;

    /// <summary>Notes something. Levels: "info", "warning", "error".</summary>
    internal static void Add(string level, string message)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        lock (s_lock)
        {
            s_last++;
            s_notes[s_last % Capacity] = new Note(now, level, message);
        }
    }

    /// <summary>Writes the notes after a number (limit 0: all) as JSON.</summary>
    internal static void Write(ulong after, uint limit, IBufferWriter<byte> output)
    {
        lock (s_lock)
        {
            ulong oldest = s_last > Capacity ? s_last - Capacity + 1 : 1;
            ulong number = after < oldest ? oldest : after + 1;
            ulong end = limit == 0 || s_last < limit + number ? s_last : number + limit - 1;
            output.Write("""{"notes":["""u8);
            string separator = "";
            for (; number <= end; number++)
            {
                Note note = s_notes[number % Capacity];
                Put(output, $$"""{{separator}}{"n":{{number}},"at":{{note.At}},"level":"{{note.Level}}","message":""");
                PutString(output, note.Message);
                output.Write("}"u8);
                separator = ",";
            }

            Put(output, $$"""],"next_after":{{Math.Max(number - 1, after)}}}""");
        }
    }

    private static void Put(IBufferWriter<byte> output, string text) => Encoding.UTF8.GetBytes(text, output);

    private static void PutString(IBufferWriter<byte> output, string text)
    {
        var escaped = new StringBuilder(text.Length + 2).Append('"');
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' or '\\' => escaped.Append('\\').Append(c),
                < ' ' => escaped.Append($"\\u{(int)c:x4}"),
                _ => escaped.Append(c),
            };
        }

        Put(output, escaped.Append('"').ToString());
    }

    private readonly record struct Note(long At, string Level, string Message);
}
