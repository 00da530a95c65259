using System.Globalization;
using System.Text.RegularExpressions;
using Sessions.Storage.Files;

namespace Sessions.Tests.Hostile;

/// <summary>A store as the library made it, and what each session in it is for.</summary>
internal sealed partial class HostileSeed
{
    private readonly Dictionary<string, string> _roles = []; // by id

    public HostileSeed(string name, string folder, string list)
    {
        Name = name;
        Folder = folder;
        List = list;
        foreach (string[] words in File.ReadLines(list).Select(l => l.Split(' ')).Where(w => w.Length == 2))
        {
            _roles[words[1]] = words[0];
        }
    }

    public string Name { get; }

    public string Folder { get; }

    /// <summary>The file that tells a host of the roles.</summary>
    public string List { get; }

    /// <summary>The most memory that a host needs which does all there is to do with this store, KiB.</summary>
    public long MemoryKib { get; set; }

    /// <summary>The id of a session by what it is for.</summary>
    public string Id(string role) => _roles.First(r => r.Value == role).Key;

    /// <summary>Where it is.</summary>
    public string SessionFolder(string role) => Layout.LiveFolder(Id(role));

    /// <summary>All names in it, relative to it.</summary>
    public List<string> Names()
        => [.. Directory.GetFileSystemEntries(Folder, "*", SearchOption.AllDirectories)
            .Select(p => Path.GetRelativePath(Folder, p)).Order(StringComparer.Ordinal)];

    /// <summary>A name as it is in each run: without what a clock or chance put into it.</summary>
    public string Alias(string name)
    {
        foreach ((string id, string role) in _roles)
        {
            name = Regex.Replace(name, $@"\b{Regex.Escape(id)}(?![0-9_])", $"{{{role}}}");
        }

        name = Chance().Replace(name, "$1*");
        return Day().Replace(name, "sessions/day");
    }

    /// <summary>Whom it concerns: the sessions that the name names, and whose past or branch they are; null for what
    /// concerns all.</summary>
    public IReadOnlySet<string>? Concerns(string name)
    {
        HashSet<string> roles = [.. _roles.Where(r => Regex.IsMatch(name, $@"\b{Regex.Escape(r.Key)}(?![0-9_])"))
            .Select(r => r.Value)];
        if (roles.Contains("alpha") || roles.Contains("gamma"))
        {
            roles.UnionWith(["alpha", "gamma"]);
        }

        return roles.Count == 0 ? null : roles;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} with {_roles.Count}");

    [GeneratedRegex(@"((?:^|/|\b)(?:sh_|i-))[0-9a-f]{12}(?:-[0-9]+)?|(?<=pruned/)[0-9]+(?=-)")]
    private static partial Regex Chance();

    [GeneratedRegex(@"sessions/[0-9]{4}/[0-9]{2}/[0-9]{2}")]
    private static partial Regex Day();
}
