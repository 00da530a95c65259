using System.Globalization;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Rules;

namespace Sessions.Storage.Files;

/// <summary>Where everything is in a store's folder. docs/FORMAT.md describes it; keep both in step.</summary>
internal static class Layout
{
    public const string StoreFile = "store.json";
    public const string ConfigFile = StoreConfig.FileName;
    public const string StreamsFile = "streams.json";
    public const string IndexFile = "index.jsonl";
    public const string Journal = "journal";
    public const string SpareSegment = "journal/next.log";
    public const string Locks = "locks";
    public const string SharedPage = "locks/shared";
    public const string Temporary = "tmp";
    public const string Sessions = "sessions";
    public const string NamedFolder = "sessions/named";
    public const string Trash = "trash";
    public const string Quarantine = "quarantine";
    public const string Backup = "backup";
    public const string SessionFile = "session.json";
    public const string EventsFile = "events.jsonl";
    public const string LogStateFile = "log.json";
    public const string PrunedFolder = "trash/pruned";
    public const string HistoryFolder = "history";
    private const string UnfinishedSuffix = ".new";
    private const string SecretSuffix = ".secret";
    public const string SharesFile = "shares.json";
    public const string LockFile = "lock.json";
    public const string QueueFile = "queue.json";
    public const string ButtonsFile = "action_buttons.json";
    public const string FilesFolder = "files";

    /// <summary>The highest number of a segment: its name has twelve digits.</summary>
    public const long SegmentMax = 999_999_999_999;

    public static string Segment(long number)
        => string.Create(CultureInfo.InvariantCulture, $"journal/{number:D12}.log");

    public static bool TrySegment(string name, out long number)
    {
        number = 0;
        return name.Length == 16 && name.EndsWith(".log", StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(0, 12), NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && number > 0;
    }

    /// <summary>A segment in the making. It stands among the finished ones, not in tmp/, so that a file
    /// system that keeps apart what is in different folders (ext4, see <see cref="IDisk.SpreadFolders"/>)
    /// makes it there.</summary>
    public static string UnfinishedSegment(string name) => $"journal/{name}{UnfinishedSuffix}";

    public static bool IsUnfinishedSegment(string name) => name.EndsWith(UnfinishedSuffix, StringComparison.Ordinal);

    /// <summary>The folder that the sessions made on one day (UTC) share.</summary>
    public static string DayFolder(string id)
    {
        if (!SessionIds.TryParse(id, out long ms, out _))
        {
            return NamedFolder;
        }

        DateTimeOffset day = DateTimeOffset.FromUnixTimeMilliseconds(ms);
        return string.Create(CultureInfo.InvariantCulture, $"sessions/{day.Year:D4}/{day.Month:D2}/{day.Day:D2}");
    }

    public static string LiveFolder(string id) => DayFolder(id) + "/" + id;

    public static string TrashFolder(long lsn) => string.Create(CultureInfo.InvariantCulture, $"trash/{lsn}");

    public static string TrashFolder(long lsn, string id)
        => string.Create(CultureInfo.InvariantCulture, $"trash/{lsn}/{id}");

    /// <summary>The folder of a session that is live (0) or was taken by the delete at that LSN.</summary>
    public static string Folder(string id, long deletionLsn)
        => deletionLsn == 0 ? LiveFolder(id) : TrashFolder(deletionLsn, id);

    public static string Secret(string folder, string shareId) => folder + "/" + shareId + SecretSuffix;

    /// <summary>The share whose secret has that name; null where the name is no such one.</summary>
    public static string? SecretOf(string name) => name.EndsWith(SecretSuffix, StringComparison.Ordinal)
        && ShareIds.IsValid(name[..^SecretSuffix.Length]) ? name[..^SecretSuffix.Length] : null;

    /// <summary>Where the log of a session that was pruned is kept: when (unix ms), by which frame.</summary>
    public static string Pruned(long at, long lsn, string id)
        => string.Create(CultureInfo.InvariantCulture, $"{PrunedFolder}/{at}-{lsn}-{id}.jsonl");

    /// <summary>When the log of that name was pruned; false where the name is no such one.</summary>
    public static bool TryPrunedAt(string name, out long at)
    {
        int dash = name.IndexOf('-', StringComparison.Ordinal);
        at = 0;
        return dash > 0 && long.TryParse(name.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out at);
    }

    /// <summary>The session whose log was pruned and has that name; null where the name is no such one.</summary>
    public static string? PrunedOf(string name)
    {
        int first = name.IndexOf('-', StringComparison.Ordinal);
        int second = first < 0 ? -1 : name.IndexOf('-', first + 1);
        return second > 0 && name.EndsWith(".jsonl", StringComparison.Ordinal) ? name[(second + 1)..^6] : null;
    }

    /// <summary>A branch's link to the log of an ancestor.</summary>
    public static string History(string folder, string ancestorId) => $"{folder}/{HistoryFolder}/{ancestorId}.jsonl";

    /// <summary>True for a path that a file of a store may have: names with one slash between them, none of which
    /// leads anywhere else.</summary>
    public static bool IsInside(string path)
        => StorePath.IsDown(path) && !path.Contains('\\', StringComparison.Ordinal);

    /// <summary>The session that a path below sessions/ or trash/ belongs to; null for any other path.</summary>
    public static string? SessionOf(string path)
    {
        string[] parts = path.Split('/');
        int at = parts[0] == Trash || path.StartsWith(NamedFolder + "/", StringComparison.Ordinal) ? 2
            : parts[0] == Sessions ? 4 : int.MaxValue;
        return at < parts.Length && SessionIds.IsValid(parts[at]) ? parts[at] : null;
    }

    public static string Parent(string path)
    {
        int slash = path.LastIndexOf('/');
        return slash < 0 ? "" : path[..slash];
    }

    public static string Name(string path) => path[(path.LastIndexOf('/') + 1)..];
}
