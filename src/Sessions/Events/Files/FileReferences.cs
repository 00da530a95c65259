using Sessions.Model;
using Sessions.Storage.Log;

namespace Sessions.Events.Files;

/// <summary>Finds the ids of files that a conversation refers to, in whatever member they stand.</summary>
internal static class FileReferences
{
    private const int Digits = 32;

    /// <summary>Adds the ids in the lines after a number; false where it was stopped on the way.</summary>
    public static bool TryAdd(LogView log, LogState state, long afterSeq, HashSet<string> ids,
        JobContext? context = null)
    {
        long first = Math.Max(afterSeq + 1, state.FirstSeq);
        var reader = new LineReader(log, first <= 1 ? 0 : LogSearch.After(log, first - 1));
        while (reader.TryRead(out ReadOnlySpan<byte> line))
        {
            if (context is { IsStopped: true })
            {
                return false;
            }

            Add(line, ids); // a damaged line too: what it meant is still there
        }

        return true;
    }

    /// <summary>Adds the ids in a text.</summary>
    public static void Add(ReadOnlySpan<byte> line, HashSet<string> ids)
    {
        int at;
        while ((at = line.IndexOf("f_"u8)) >= 0)
        {
            line = line[(at + 2)..];
            if (line.Length >= Digits && line[..Digits].IndexOfAnyExcept("0123456789abcdef"u8) < 0)
            {
                ids.Add("f_" + System.Text.Encoding.ASCII.GetString(line[..Digits]));
            }
        }
    }
}
