using System.Text.RegularExpressions;
using Sessions.Storage.Files;
using Sessions.Storage.Recovery;

namespace Sessions.Tests.Hostile;

/// <summary>Reads the lines of strace -f -y and holds each call that takes a path against the rule of stores.</summary>
internal sealed partial class StoreTrace(IReadOnlySet<string> stores)
{
    private static readonly string[] s_opening = ["open", "openat", "openat2", "creat"];

    // They change nothing and open nothing; from the root a wrong answer is all that a swapped folder can make of them.
    private static readonly string[] s_looking = ["statx", "newfstatat", "fstatat64"];

    private static readonly string[] s_names =
    [
        .. Premises.Folders, Layout.StoreFile, Layout.ConfigFile, Layout.StreamsFile, Layout.IndexFile,
    ];

    /// <summary>Lines that break it, with the reason in front.</summary>
    public List<string> Wrong { get; } = [];

    /// <summary>How many calls were made inside the store.</summary>
    public int Calls { get; private set; }

    /// <summary>Fails where a call broke it, and where fewer calls than that were seen.</summary>
    public void Verify(int fewest)
    {
        Assert.True(Wrong.Count == 0, $"{Wrong.Count} calls, such as\n"
            + string.Join('\n', Wrong.GroupBy(w => w.Split('(')[0]).SelectMany(g => g.Take(6))));
        Assert.True(Calls >= fewest, $"Only {Calls} calls were seen.");
    }

    /// <summary>Takes one line in.</summary>
    public void Add(string line)
    {
        Match call = Call().Match(line);
        if (!call.Success)
        {
            return; // a signal, an end, or the second half of a call that another thread came between
        }

        string name = call.Groups["name"].Value;
        string arguments = call.Groups["arguments"].Value;
        foreach (Match path in PathArgument().Matches(arguments))
        {
            string folder = path.Groups["folder"].Success ? path.Groups["folder"].Value : "/";
            if (WhyNot(name, arguments, folder, path.Groups["path"].Value) is { } reason)
            {
                Wrong.Add($"{name}({reason}): {line}");
            }
        }
    }

    // Null where the path is none of the store's, or is reached as it must be.
    private string? WhyNot(string name, string arguments, string folder, string path)
    {
        if (path.StartsWith('/'))
        {
            if (IsOfStore(path) || BehindDescriptor().IsMatch(path))
            {
                Calls++;
                return "an absolute path";
            }

            return null;
        }

        if (path.Length == 0 || (!stores.Contains(folder) && !IsInside(folder)))
        {
            return null; // the descriptor itself, or somewhere else
        }

        Calls++;
        bool isBeneath = name == "openat2" && arguments.Contains("RESOLVE_BENEATH", StringComparison.Ordinal);
        bool isLook = s_looking.Contains(name) && arguments.Contains("AT_SYMLINK_NOFOLLOW", StringComparison.Ordinal);
        if (path.TrimEnd('/').Contains('/') && !((isBeneath || isLook) && stores.Contains(folder)))
        {
            return "more than one name";
        }

        if (path == "..")
        {
            return "a way up";
        }

        bool follows = !isBeneath && s_opening.Contains(name)
            && !arguments.Contains("O_NOFOLLOW", StringComparison.Ordinal)
            && !arguments.Contains("RESOLVE_NO_SYMLINKS", StringComparison.Ordinal)
            && !arguments.Contains("O_EXCL", StringComparison.Ordinal);
        return follows ? "follows links" : null;
    }

    // What a host keeps in a store's folder under a name of its own, another store even, is the host's to name.
    private bool IsOfStore(string path)
    {
        for (string? at = path; Path.GetDirectoryName(at) is { } above; at = above)
        {
            if (stores.Contains(above) && s_names.Contains(Path.GetFileName(at)))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsInside(string path)
    {
        string? above = path;
        while ((above = Path.GetDirectoryName(above)) is not null)
        {
            if (stores.Contains(above))
            {
                return true;
            }
        }

        return false;
    }

    [GeneratedRegex(@"^[0-9]+ +(?<name>[a-z0-9_]+)\((?<arguments>.*?)(\) += |<unfinished)")]
    private static partial Regex Call();

    // A quoted text, with the folder of the descriptor in front of it where there is one.
    [GeneratedRegex("""(?:(?:[0-9]+|AT_FDCWD)<(?<folder>[^>]*)>, |AT_FDCWD, )?"(?<path>(?:[^"\\]|\\.)*)"(?!\.\.\.)""")]
    private static partial Regex PathArgument();

    // The system's link to a descriptor of this process, and something behind it.
    [GeneratedRegex("^/proc/(self|thread-self|[0-9]+)/fd/[0-9]+/.")]
    private static partial Regex BehindDescriptor();
}
