using System.Globalization;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Index;

/// <summary>Reads the sessions from their folders: what the index is made from when it is lost.</summary>
internal static class FolderScan
{
    private static readonly int[] DayDigits = [4, 2, 2];

    /// <summary>Hands over each session that can be read. What cannot is kept aside and passed over.</summary>
    public static void Load(IDisk disk, Quarantine quarantine, Action<RowHead, ReadOnlyMemory<byte>> add)
    {
        foreach ((string folder, string id, long deletion) in Folders(disk))
        {
            string path = folder + "/" + Layout.SessionFile;
            SessionInfo? info = null;
            byte[]? compact = SmallFile.TryRead(disk, path,
                c => (info = InfoCodec.TryRead(c)) is not null && info.Id == id, out UnreadableFile? found);
            if (compact is null && found is null && disk.Stat(folder) is null)
            {
                continue; // moved in between; the journal says where
            }

            if (compact is null || info is null)
            {
                if (found is null)
                {
                    quarantine.Keep(path, id, "missing", default);
                }
                else
                {
                    quarantine.Keep(path, id, found);
                }

                continue;
            }

            if (info.DeletionLsn != deletion)
            {
                info = info with { DeletionLsn = deletion, DeletedAt = deletion == 0 ? 0 : info.DeletedAt };
                compact = info.Json;
            }

            add(new RowHead(info), compact);
        }
    }

    /// <summary>The highest LSN and the last id that names and files bear witness of.</summary>
    public static (long Lsn, long IdMs, long IdN) Floors(IDisk disk)
    {
        long lsn = 0, ms = 0, n = 0;
        foreach ((string folder, string id, long deletion) in Folders(disk))
        {
            lsn = Witness(lsn, deletion);
            if (SessionIds.TryParse(id, out long idMs, out long idN) && (idMs, idN).CompareTo((ms, n)) > 0)
            {
                (ms, n) = (idMs, idN);
            }

            lsn = Witness(lsn, RevisionIn(disk, folder));
        }

        return (lsn, ms, n);
    }

    private static long RevisionIn(IDisk disk, string folder)
        => SmallFile.TryRead(disk, folder + "/" + Layout.SessionFile, null, out _) is { } compact
            && InfoCodec.TryRead(compact) is { } info ? info.Revision : 0;

    // A folder that somebody copied here may name any number. One beyond half of all there are was never given
    // out here, and does not take the other half away.
    private static long Witness(long lsn, long found) => found <= Plausible.LsnMax / 2 ? Math.Max(lsn, found) : lsn;

    /// <summary>Every folder of a session: its path, its id, the LSN of its deletion (0: live).</summary>
    public static IEnumerable<(string Folder, string Id, long Deletion)> Folders(IDisk disk)
    {
        foreach (string day in Days(disk, Layout.Sessions, 0))
        {
            foreach (string folder in Sessions(disk, day))
            {
                yield return (folder, Layout.Name(folder), 0);
            }
        }

        foreach (string folder in Sessions(disk, Layout.NamedFolder))
        {
            yield return (folder, Layout.Name(folder), 0);
        }

        foreach (string deletion in Below(disk, Layout.Trash, static _ => true))
        {
            if (!long.TryParse(Layout.Name(deletion), NumberStyles.None, CultureInfo.InvariantCulture, out long lsn)
                || lsn is 0 or > Plausible.LsnMax)
            {
                continue;
            }

            foreach (string folder in Sessions(disk, deletion))
            {
                yield return (folder, Layout.Name(folder), lsn);
            }
        }
    }

    // A folder with another name is none of ours, whatever is in it.
    private static List<string> Sessions(IDisk disk, string folder) => Below(disk, folder, SessionIds.IsValid);

    private static IEnumerable<string> Days(IDisk disk, string folder, int level)
        => level == DayDigits.Length ? [folder]
            : Below(disk, folder, n => n.Length == DayDigits[level] && n.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0)
                .SelectMany(f => Days(disk, f, level + 1));

    private static List<string> Below(IDisk disk, string folder, Func<string, bool> isOurs)
    {
        var found = new List<string>();
        foreach (DiskName name in NamesIn(disk, folder))
        {
            if (name.IsFolder && isOurs(name.Name))
            {
                found.Add(folder + "/" + name.Name);
            }
        }

        found.Sort(string.CompareOrdinal);
        return found;
    }

    private static IReadOnlyList<DiskName> NamesIn(IDisk disk, string folder)
    {
        try
        {
            return disk.Stat(folder) is { IsFolder: true } ? disk.List(folder) : [];
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound || Obstacle.HidesContent(e))
        {
            return []; // emptied and removed in between, or no folder any more
        }
    }
}
