namespace Sessions.Tests.Hostile;

/// <summary>Each thing that a name may lead to but should not, in place of each name that a store has or may
/// have.</summary>
internal static class PlaceCases
{
    private const long Hole = 1L << 40;
    private const long SmallHole = 3L << 30;

    // What a store may have that is not in every one.
    private static readonly string[] s_names =
    [
        "tmp/x", "tmp/index", "tmp/store-0123456789abcdef", "tmp/i-000000000000-1", "journal/next.log", "journal/x",
        "journal/000000000003.log", "journal/i-000000000000-segment.new", "locks/store", "quarantine", "quarantine/1",
        "quarantine/1/about.json", "backup", "backup/v1", "backup/v1/complete", "trash", "trash/pruned", "trash/99",
        "config.json", "streams.json", "index.jsonl", "sessions/named", "sessions/named/custom", "sessions/2001", "x",
    ];

    private static readonly string[] s_sessionNames =
    [
        "files", "history", "log.json", "shares.json", "lock.json", "queue.json", "action_buttons.json",
        "sh_000000000000.secret", "events-i-000000000000-1.new", "history/session_1.jsonl", "files/x", "x",
    ];

    private static readonly (string Name, Action<CaseStore, string> Put)[] s_things =
    [
        ("a link to a file", (s, p) => File.CreateSymbolicLink(p, s.Outside.Login)),
        ("a link to a folder", (s, p) => File.CreateSymbolicLink(p, s.Outside.Home)),
        ("a link to nothing", (s, p) => File.CreateSymbolicLink(p, Path.Combine(s.Outside.Folder, "new"))),
        ("a link to itself", (_, p) => File.CreateSymbolicLink(p, p)),
        ("a relative link", (s, p) => File.CreateSymbolicLink(p,
            Path.GetRelativePath(Path.GetDirectoryName(p)!, s.Outside.Home))),
        ("a hard link", (s, p) => SystemCalls.Link(s.Outside.Linked, p)),
        ("a pipe", (_, p) => SystemCalls.Make(p, SystemCalls.Pipe)),
        ("a socket", (_, p) => SystemCalls.Make(p, SystemCalls.Socket)),
        ("a folder", (_, p) => Directory.CreateDirectory(p)),
        ("a folder with something in it", (_, p) => File.WriteAllText(Path.Combine(
            Directory.CreateDirectory(p).FullName, "x"), "x")),
        ("an empty file", (_, p) => File.WriteAllBytes(p, [])),
        ("a file of other text", (_, p) => File.WriteAllText(p, "#!/bin/sh\necho hello\n")),
        ("folders deeper than a path can say", (_, p) => HostileLibrary.Run(HostileLibrary.Program,
            "-1", "deep", p, "3000")),
        ("a hole of 1 TiB", (_, p) => { File.WriteAllBytes(p, []); SystemCalls.Resize(p, Hole); }),
    ];

    /// <summary>All of them for a seed; those that need root where it is there.</summary>
    public static IEnumerable<HostileCase> Of(HostileSeed seed)
    {
        List<string> names = seed.Names();
        foreach (string name in names)
        {
            IEnumerable<HostileCase> cases = InPlace(seed, name).Concat(Changed(seed, name));
            foreach (HostileCase one in cases)
            {
                yield return one;
            }
        }

        IEnumerable<string> others = s_names
            .Concat(s_sessionNames.Select(n => $"{seed.SessionFolder("alpha")}/{n}"))
            .Concat(s_sessionNames.Select(n => $"{seed.SessionFolder("beta")}/{n}"))
            .Append($"tmp/new-{seed.Id("beta")}").Append($"tmp/purged-{seed.Id("beta")}");
        foreach (HostileCase one in others.Except(names).SelectMany(n => InPlace(seed, n)))
        {
            yield return one;
        }
    }

    // Instead of what is there.
    private static IEnumerable<HostileCase> InPlace(HostileSeed seed, string name)
    {
        HostileCase Case(string thing, Action<CaseStore, string> put) => new(seed, seed.Alias(name), thing,
            seed.Concerns(name), store => Replace(store, name, put));
        foreach ((string thing, Action<CaseStore, string> put) in s_things)
        {
            yield return Case(thing, put);
        }

        if (SystemCalls.IsRoot)
        {
            yield return Case("a device without end", (_, p) => SystemCalls.Make(p, SystemCalls.Character, 0x105)) with
            {
                NeedsRoot = true,
            };
        }
    }

    // What is there, as it should not be.
    private static IEnumerable<HostileCase> Changed(HostileSeed seed, string name)
    {
        HostileCase Case(string thing, Action<CaseStore> put)
            => new(seed, seed.Alias(name), thing, seed.Concerns(name), put);
        bool isFolder = Directory.Exists(Path.Combine(seed.Folder, name));
        yield return Case("open to all", s => SystemCalls.Mode(s.At(name), isFolder ? 0x1FFu : 0x1B6u));
        yield return Case("closed to its owner", s => SystemCalls.Mode(s.At(name), 0));
        yield return Case("a link to where it was moved", store =>
        {
            string moved = Path.Combine(store.Outside.Folder, "moved");
            Action<string, string> move = isFolder ? Directory.Move : File.Move;
            move(store.At(name), moved);
            Part(moved, isFolder);
            File.CreateSymbolicLink(store.At(name), moved);
        });
        yield return Case("gone", s => Remove(s.At(name)));
        if (!isFolder)
        {
            yield return Case("with a hole of 1 TiB behind it", s => SystemCalls.Resize(s.At(name), Hole));
            yield return Case("with a hole of 3 GiB behind it", s => SystemCalls.Resize(s.At(name), SmallHole));
            yield return Case("cut to nothing", s => SystemCalls.Resize(s.At(name), 0));
            yield return Case("cut in half",
                s => SystemCalls.Resize(s.At(name), new FileInfo(s.At(name)).Length / 2));
        }

        if (SystemCalls.IsRoot)
        {
            yield return Case("somebody else's", s => SystemCalls.Own(s.At(name), HostileFolder.Stranger)) with
            {
                IsForeign = true,
                NeedsRoot = true,
            };
        }
    }

    // A log that a branch shares with its parent has a name in the store still, which the parent appends to.
    private static void Part(string moved, bool isFolder)
    {
        foreach (string file in isFolder ? Directory.GetFiles(moved, "*", SearchOption.AllDirectories) : [moved])
        {
            string copy = file + ".part";
            HostileLibrary.Run("cp", "-a", "--sparse=always", file, copy);
            File.Move(copy, file, overwrite: true);
        }
    }

    private static void Replace(CaseStore store, string name, Action<CaseStore, string> put)
    {
        string path = store.At(name);
        Remove(path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        put(store, path);
    }

    private static void Remove(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else if (File.Exists(path) || new FileInfo(path).LinkTarget is not null)
        {
            File.Delete(path);
        }
    }
}
