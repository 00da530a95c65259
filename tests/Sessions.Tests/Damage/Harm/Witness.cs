using System.Text.Json;
using Sessions.Tests.Support;

namespace Sessions.Tests.Damage.Harm;

/// <summary>What a session was told to keep, and answered OK to.</summary>
internal sealed class Witness(string id, string title)
{
    public string Id => id;

    /// <summary>What it is a branch of; null: of none.</summary>
    public string? ParentId { get; init; }

    public string Title { get; set; } = title;

    /// <summary>Titles that a call may have set which failed.</summary>
    public HashSet<string> DoubtfulTitles { get; } = [];

    public long Number { get; set; }

    /// <summary>The text of each event; of markers, their type.</summary>
    public SortedDictionary<long, string> Events { get; } = [];

    /// <summary>What calls that failed may have written all the same.</summary>
    public HashSet<string> DoubtfulTexts { get; } = [];

    public List<(long First, long Last)> Hidden { get; } = [];

    public Dictionary<string, string> Queue { get; } = [];

    public List<string> Secrets { get; } = [];

    public Dictionary<string, string> Files { get; } = [];

    public bool IsInTrash { get; set; }

    /// <summary>What was done to files of it, in words; empty: nothing.</summary>
    public List<string> Harms { get; } = [];

    public bool IsHarmed => Harms.Count > 0;

    /// <summary>A call failed that may have happened all the same: only its events are judged.</summary>
    public bool IsBlurred { get; set; }

    /// <summary>Somebody said that something is wrong with it.</summary>
    public bool IsNamed { get; set; }

    /// <summary>True where a store that is open appended to it: what its log is, is known.</summary>
    public bool IsLogKnown { get; set; }

    /// <summary>True where a copy took the place of its log, in which what the journal has since may not be yet: a name
    /// is not looked at with every write (docs/ARCHITECTURE.md), and the next checkpoint completes the copy.</summary>
    public bool IsLogCopied { get; set; }

    /// <summary>Events that the journal had when a file was harmed.</summary>
    public HashSet<long> Kept { get; } = [];

    /// <summary>True where the journal had its last info then.</summary>
    public bool IsTitleKept { get; set; }

    public bool IsQueueKept { get; set; }

    public bool IsShown(long seq) => !Hidden.Exists(h => h.First <= seq && seq <= h.Last);

    public IEnumerable<long> Shown => Events.Keys.Where(IsShown);

    public long LastSeq => Events.Count == 0 ? 0 : Events.Keys.Last();

    /// <summary>A branch of it up to an event.</summary>
    public Witness Branch(string branchId, string branchTitle, long at)
    {
        var branch = new Witness(branchId, branchTitle) { ParentId = id };
        foreach ((long seq, string text) in Events.Where(e => e.Key <= at))
        {
            branch.Events.Add(seq, text);
        }

        branch.Hidden.AddRange(Hidden.Where(h => h.Last < at)); // its marker stands behind it
        branch.DoubtfulTexts.UnionWith(DoubtfulTexts);
        foreach ((string name, string content) in Files)
        {
            branch.Files.Add(name, content);
        }

        return branch;
    }

    /// <summary>What can be read, whatever is wrong with it: number to text, damaged ones apart.</summary>
    public static SortedDictionary<long, string> Read(Session session)
    {
        var read = new SortedDictionary<long, string>();
        long after = 0;
        while (true)
        {
            JsonElement page = session.Events(after);
            JsonElement events = page.GetProperty("events");
            if (events.GetArrayLength() == 0)
            {
                return read;
            }

            foreach (JsonElement e in events.EnumerateArray())
            {
                string type = e.GetProperty("type").GetString()!;
                after = e.GetProperty("seq").GetInt64();
                if (type != "damaged")
                {
                    read[after] = type == "user_prompt" ? e.GetProperty("data").GetProperty("text").GetString()! : type;
                }
            }
        }
    }
}
