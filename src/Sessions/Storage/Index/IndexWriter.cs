using Sessions.Json;
using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Index;

/// <summary>A row for the index: compact info, or empty where the session is gone.</summary>
internal readonly record struct IndexRow(string Id, ReadOnlyMemory<byte> Info);

/// <summary>Writes the index, by one process at a time: a chunk at its end, or all of it anew when
/// more than half of it is old.</summary>
internal static class IndexWriter
{
    private const long OldRowsMin = 1000;

    /// <summary>Adds rows and closes them at an LSN. Without an index that can be added to, all of it
    /// is made from the folders, without the sessions that are told to be later. Written whole it keeps nothing of
    /// sessions that are gone. On return it is on stable storage.</summary>
    public static void Write(IDisk disk, Quarantine quarantine, IndexClosing? index, IReadOnlyList<IndexRow> rows,
        long lsn, (long Ms, long N) ids, bool isWhole = false, Func<string, bool>? isLater = null)
    {
        if (!isWhole && index is not null && index.Rows + rows.Count <= (2 * index.Count) + OldRowsMin)
        {
            try
            {
                Append(disk, index, rows, lsn, ids);
                return;
            }
            catch (DiskException e) when (e.Error == DiskError.NotFound || Obstacle.HidesContent(e))
            {
                index = null; // a recovery beside us, or a person, has just removed it
            }
        }

        WriteWhole(disk, quarantine, index, rows, isLater, lsn, ids);
    }

    private static void Append(IDisk disk, IndexClosing index, IReadOnlyList<IndexRow> rows, long lsn,
        (long Ms, long N) ids)
    {
        var output = new Utf8Buffer(4096);
        foreach (IndexRow row in rows)
        {
            IndexFile.WriteRow(output, row.Id, row.Info.Span);
        }

        IndexFile.WriteClosing(output, new IndexClosing
        {
            Lsn = lsn,
            IdMs = ids.Ms,
            IdN = ids.N,
            Count = index.Count,
            Rows = index.Rows + rows.Count,
            Start = index.End,
            RowsCrc = Crc32C.Compute(output.Written),
        });
        using IDiskFile file = disk.OpenOwn(Layout.IndexFile, OpenMode.ReadWrite);
        if (file.Length > index.End)
        {
            file.SetLength(index.End); // a chunk that a crash left without its closing line
        }

        file.Write(output.Written, index.End);
        file.Sync();
    }

    private static void WriteWhole(IDisk disk, Quarantine quarantine, IndexClosing? index,
        IReadOnlyList<IndexRow> changed, Func<string, bool>? isLater, long lsn, (long Ms, long N) ids)
    {
        var rows = new Dictionary<string, ReadOnlyMemory<byte>>();
        if (index is null || !IndexFile.TryLoad(disk, index.Lsn, Add))
        {
            FolderScan.Load(disk, quarantine, Add);
            foreach (string id in (string[])[.. rows.Keys.Where(id => isLater is not null && isLater(id))])
            {
                rows.Remove(id);
            }
        }

        foreach (IndexRow row in changed)
        {
            if (row.Info.IsEmpty)
            {
                rows.Remove(row.Id);
            }
            else
            {
                rows[row.Id] = row.Info;
            }
        }

        var output = new Utf8Buffer(64 * 1024);
        foreach ((string id, ReadOnlyMemory<byte> info) in rows)
        {
            IndexFile.WriteRow(output, id, info.Span);
        }

        IndexFile.WriteClosing(output, new IndexClosing
        {
            Lsn = lsn,
            IdMs = ids.Ms,
            IdN = ids.N,
            Count = rows.Count,
            Rows = rows.Count,
            Start = 0,
            RowsCrc = Crc32C.Compute(output.Written),
        });
        Put(disk, quarantine, output.Written);

        void Add(RowHead head, ReadOnlyMemory<byte> slice)
        {
            if (head.IsGone)
            {
                rows.Remove(head.Id);
            }
            else
            {
                rows[head.Id] = slice;
            }
        }
    }

    private static void Put(IDisk disk, Quarantine quarantine, ReadOnlySpan<byte> written)
    {
        const string scratch = Layout.Temporary + "/index";
        disk.CreateFolder(Layout.Temporary);
        quarantine.Vacate(scratch); // a power cut may have left it as one more name of the index that is read
        disk.WriteAll(scratch, written);
        if (disk.Stat(Layout.IndexFile) is { IsFile: false })
        {
            quarantine.PutAside(Layout.IndexFile);
        }

        disk.Rename(scratch, Layout.IndexFile);
        disk.SyncFolder("");
    }
}
