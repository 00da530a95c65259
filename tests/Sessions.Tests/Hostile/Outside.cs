using System.Buffers.Binary;
using System.Text;
using Sessions.Platform;

namespace Sessions.Tests.Hostile;

/// <summary>What lies beside a store and is none of its business: a home with a diary, and a file to which a name in
/// the store may be a hard link. It tells whether anybody opened, read or changed any of it.</summary>
internal sealed class Outside : IDisposable
{
    public const string Secret = "CANARY-c0ffee";
    // All but that something was closed: a process that is being made holds this one's descriptors for a moment, so
    // that comes when it will; and what is closed was opened.
    private const uint AllEvents = 0xFFF & ~0x18u;
    private const uint Modified = 0x2;

    private readonly string _around;
    private readonly string _store;
    private readonly int _watch;
    private readonly Dictionary<int, string> _watched = [];
    private TreeImage? _before;

    /// <summary>Makes it beside a store that is several folders deep, so that ways up from the store end where
    /// this looks.</summary>
    public Outside(string around, string store)
    {
        _around = around;
        _store = store;
        Folder = Path.Combine(Path.GetDirectoryName(store)!, "outside");
        Directory.CreateDirectory(Path.Combine(Home, "sub"));
        foreach (string name in new[] { "home/diary", "home/diary.jsonl", "home/diary.secret", "home/sub/letter",
            "login", "linked" })
        {
            File.WriteAllText(Path.Combine(Folder, name), $"#!/bin/sh\necho {Secret} {name}\n");
        }

        // A name of its own always stays, so that a name in the store may go without a trace here.
        SystemCalls.Link(Linked, Linked + ".too");
        _watch = SystemCalls.NewWatch();
    }

    public string Folder { get; }

    public string Home => Path.Combine(Folder, "home");

    /// <summary>A file for links.</summary>
    public string Login => Path.Combine(Folder, "login");

    /// <summary>A file for hard links. That it is opened and read does no harm, since it cannot be told before and
    /// whoever made the link could read it; that it is changed, and that its text is shown, does.</summary>
    public string Linked => Path.Combine(Folder, "linked");

    // One that stands in the store too, as a branch's history does, may be read there.
    private static bool HasOtherNames(string path)
    {
        using IDisk disk = RealDisk.Open(Path.GetDirectoryName(path)!, sharesOwners: true);
        return disk.Stat(Path.GetFileName(path)) is { IsFolder: false, Links: > 1 };
    }

    /// <summary>From here on everything counts.</summary>
    public void Watch()
    {
        foreach (string path in Directory.GetFileSystemEntries(Folder, "*", SearchOption.AllDirectories)
            .Append(Folder))
        {
            uint events = HasOtherNames(path) ? Modified : AllEvents;
            _watched[SystemCalls.Watch(_watch, path, events)] = path;
        }

        _before = TreeImage.Of(_around, _store);
        Drain(); // that was this process
    }

    /// <summary>What was done to it since then.</summary>
    public IEnumerable<string> Touched()
    {
        List<string> touched = [.. Drain().Distinct()];
        touched.AddRange(_before!.Differences(TreeImage.Of(_around, _store)));
        Drain();
        return touched;
    }

    public void Dispose() => SystemCalls.Close(_watch);

    private List<string> Drain()
    {
        List<string> events = [];
        byte[] buffer = new byte[65_536];
        while (SystemCalls.Read(_watch, buffer, buffer.Length) is > 0 and var length)
        {
            for (int at = 0; at < length;)
            {
                int number = BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(at));
                uint mask = BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(at + 4));
                int name = BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(at + 12));
                string inner = Encoding.UTF8.GetString(buffer, at + 16, name).TrimEnd('\0');
                at += 16 + name;
                events.Add($"outside: {Path.GetRelativePath(Folder, _watched[number])} {inner} had {Words(mask)}");
            }
        }

        return events;
    }

    private static string Words(uint mask)
    {
        string[] words = ["read", "modified", "attributes changed", "closed after writing", "closed", "opened",
            "moved from", "moved to", "created in", "deleted in", "deleted", "moved"];
        return string.Join(", ", words.Where((_, bit) => (mask >> bit & 1) != 0));
    }
}
