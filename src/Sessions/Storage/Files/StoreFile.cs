using System.Text;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>store.json: what makes a folder a store. Replaced only by a migration.</summary>
internal sealed record StoreFile(string StoreId, int Version, long CreatedAt)
{
    public const int CurrentVersion = 1;
    public const int IdLength = 19; // st_ and 16 hexadecimal digits

    /// <summary>Bytes that the file may have: a later version may say more in it, but not another order of
    /// magnitude.</summary>
    public const int BytesMax = 1024 * 1024;

    private const string Format = "sessions";

    // To look and to rename takes microseconds; a process that was stopped in between is waited for so long.
    private const int TurnMs = 5000;

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

    /// <summary>What the checksums of a store's journal begin with.</summary>
    public static uint SeedOf(string storeId) => Crc32C.Compute(Encoding.UTF8.GetBytes(storeId));

    /// <summary>True for what the id of a store may be.</summary>
    public static bool IsId(string? id) => id is { Length: IdLength } && id.StartsWith("st_", StringComparison.Ordinal)
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
            Place(disk, scratch);
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

    // A link appears or fails. Where there are no links, or a sandbox refuses them to this process, the rename would
    // replace what another process has made since the look, so one process at a time looks and gives the name. The
    // file that carries the lock goes with a sweep, which only comes where store.json is there already.
    private static void Place(IDisk disk, string scratch)
    {
        const string turn = Layout.Temporary + "/store-turn";
        disk.Open(turn, OpenMode.OpenOrCreate).Dispose();
        using ILockFile locks = disk.OpenLocks(turn, readOnly: false);
        if (!SpinWait.SpinUntil(() => locks.TryLock(0, exclusive: true), TurnMs))
        {
            throw Errors.Busy("The turn to make the store");
        }

        bool isThere = disk.Stat(Layout.StoreFile) is not null;
        if (!isThere && !FileLinks.TryLink(disk, scratch, Layout.StoreFile))
        {
            disk.Rename(scratch, Layout.StoreFile);
        }
        else
        {
            disk.Unlink(scratch);
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
