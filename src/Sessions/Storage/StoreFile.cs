using Sessions.Platform;

namespace Sessions.Storage;

/// <summary>store.json: what makes a folder a store. Replaced only by a migration.</summary>
internal sealed record StoreFile(string StoreId, int Version, long CreatedAt)
{
    public const int CurrentVersion = 1;
    public const int IdLength = 19; // st_ and 16 hexadecimal digits

    /// <summary>Bytes that the file may have: a later version may say more in it, but not another order of
    /// magnitude.</summary>
    public const int BytesMax = 1024 * 1024;

    private const string Format = "sessions";

    /// <summary>The file's content; null where there is no file; Corrupt where it cannot be read.</summary>
    public static StoreFile? Read(IDisk disk)
    {
        UnreadableFile read;
        try
        {
            read = SmallFile.ReadWhole(disk, Layout.StoreFile, BytesMax, mayBeLinked: true);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return null;
        }

        try
        {
            string? format = null, id = null;
            long version = 0, created = 0;
            foreach (JsonMember m in JsonMembers.Of(
                read.IsWhole && CheckedJson.Read(read.Bytes) is { } compact ? compact : throw new FormatException()))
            {
                switch (m.Name)
                {
                    case "format": format = m.Text; break;
                    case "format_version": version = m.Number; break;
                    case "store_id": id = m.Text; break;
                    case "created_at": created = m.Number; break;
                    default: break; // a newer version's, which the version number speaks of
                }
            }

            // What a newer version's id looks like is not known here; with it nothing else of the store is read.
            return format == Format && version is >= 0 and <= int.MaxValue
                && (version > CurrentVersion ? id is { Length: > 0 } : IsId(id))
                ? new StoreFile(id!, (int)version, created) : throw new FormatException();
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or System.Text.Json.JsonException)
        {
            throw Errors.Corrupt("store.json is damaged.", Layout.StoreFile);
        }
    }

    private static bool IsId(string? id) => id is { Length: IdLength } && id.StartsWith("st_", StringComparison.Ordinal)
        && Plausible.IsHex(id.AsSpan(3));

    /// <summary>Makes the file unless another process is first, with an id of its own unless one is given. The
    /// name appears with its content.</summary>
    public static StoreFile Create(StoreEnvironment environment, string? storeId = null)
    {
        IDisk disk = environment.Disk;
        Span<byte> random = stackalloc byte[8];
        environment.FillRandom(random);
        string suffix = Convert.ToHexStringLower(random);
        var file = new StoreFile(storeId ?? "st_" + suffix, CurrentVersion, environment.Time.GetUtcNow()
            .ToUnixTimeMilliseconds());
        disk.CreateFolder(Layout.Temporary);
        string scratch = $"{Layout.Temporary}/store-{suffix}";
        try
        {
            disk.WriteAll(scratch, file.Bytes());
            if (!TryLink(disk, scratch) && disk.Stat(Layout.StoreFile) is null)
            {
                disk.Rename(scratch, Layout.StoreFile);
                disk.SyncFolder("");
                return file;
            }

            disk.Unlink(scratch);
        }
        catch (DiskException e) when (e.Error is DiskError.Exists or DiskError.NotFound)
        {
            // Another process was first; it may even have it open and have swept the scratch files. Ours,
            // if it is still there, goes with the next sweep.
            if (Read(disk) is null)
            {
                throw;
            }
        }

        disk.SyncFolder("");
        return Read(disk)!;
    }

    // A file system may have no links, and a sandbox may refuse them.
    private static bool TryLink(IDisk disk, string scratch)
    {
        if (!disk.Capabilities.HardLinks)
        {
            return false;
        }

        try
        {
            disk.Link(scratch, Layout.StoreFile);
            return true;
        }
        catch (DiskException e) when (e.Error == DiskError.Unsupported)
        {
            LogRing.Add("debug", $"store.json gets its name by a rename: {e.Message}");
            return false;
        }
    }

    public byte[] Bytes()
    {
        var compact = new Utf8Buffer();
        compact.Byte('{').Member("format", Format).Member("format_version", Version).Member("store_id", StoreId)
            .Member("created_at", CreatedAt).Byte('}');
        var text = new Utf8Buffer();
        CheckedJson.Write(compact.Written, text);
        return text.ToArray();
    }
}
