using System.Text.RegularExpressions;

namespace Sessions.Tests.Hostile;

/// <summary>Reads what strace -ff -y -k wrote of a program, a file of each thread: the calls that the library made, by
/// their stacks, against the rule of stores. A store is what the library asked for a store.json.</summary>
internal sealed partial class ProgramTrace
{
    private readonly HashSet<string> _stores = [];
    private readonly StoreTrace _trace;

    public ProgramTrace(string[] files)
    {
        _trace = new StoreTrace(_stores);
        List<string> calls = [.. files.SelectMany(OfLibrary)];
        foreach (string call in calls)
        {
            if (StoreFile().Match(call) is { Success: true } match)
            {
                _stores.Add(match.Groups["folder"].Value);
            }
        }

        foreach (string call in calls)
        {
            _trace.Add("1 " + call); // where strace -f has the thread's number
        }
    }

    /// <summary>Fails where a call broke the rule, and where fewer than that were seen in each store.</summary>
    public void Verify(int fewest) => _trace.Verify(fewest * Math.Max(1, _stores.Count));

    // The lines behind a call are its stack.
    private static IEnumerable<string> OfLibrary(string file)
    {
        string? call = null;
        foreach (string line in File.ReadLines(file))
        {
            if (!line.StartsWith(" > ", StringComparison.Ordinal))
            {
                call = line;
            }
            else if (call is not null && line.Contains("/libsessions.so", StringComparison.Ordinal))
            {
                yield return call;
                call = null;
            }
        }
    }

    [GeneratedRegex("""\((?:[0-9]+|AT_FDCWD)<(?<folder>[^>]*)>, "store.json""")]
    private static partial Regex StoreFile();
}
