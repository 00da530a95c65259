using System.Buffers;
using System.Text;

namespace Sessions;

/// <summary>Keeps the newest notes, numbered from 1.</summary>
internal sealed class NoteRing(int capacity)
{
    private readonly object _lock = new();
    private readonly Note[] _notes = new Note[capacity];
    private ulong _last;

    /// <summary>Adds one.</summary>
    internal void Add(long at, string level, string message)
    {
        lock (_lock)
        {
            _last++;
            _notes[_last % (ulong)capacity] = new Note(at, level, message);
        }
    }

    /// <summary>Writes {"notes":[...],"next_after":n} with the notes after a number (limit 0: all).</summary>
    internal void Write(ulong after, uint limit, IBufferWriter<byte> output)
    {
        var json = new StringBuilder("{\"notes\":[");
        ulong next = after;
        lock (_lock)
        {
            ulong oldest = _last > (ulong)capacity ? _last - (ulong)capacity + 1 : 1;
            ulong count = limit == 0 ? ulong.MaxValue : limit;
            for (ulong number = Math.Max(after + 1, oldest); number <= _last && count > 0; number++, count--)
            {
                Note note = _notes[number % (ulong)capacity];
                json.Append(next == after ? "" : ",");
                json.Append($$"""{"n":{{number}},"at":{{note.At}},"level":"{{note.Level}}","message":""");
                AppendString(json, note.Message);
                json.Append('}');
                next = number;
            }
        }

        json.Append($$"""],"next_after":{{next}}}""");
        Encoding.UTF8.GetBytes(json.ToString(), output);
    }

    private static void AppendString(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' or '\\' => json.Append('\\').Append(c),
                '\n' => json.Append("\\n"),
                < ' ' => json.Append($"\\u{(int)c:x4}"),
                _ => json.Append(c),
            };
        }

        json.Append('"');
    }

    private readonly record struct Note(long At, string Level, string Message);
}
