using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Storage.Page;

namespace Sessions.Storage.Rows;

/// <content>The folders of sessions that are about to be written to.</content>
internal sealed partial class RowTable
{
    /// <summary>The sessions whose files could not be written.</summary>
    public HeldSessions Held { get; } = new();

    /// <summary>Takes lines that are not in a log, since that cannot be written, from the journal. Under the store lock
    /// and the gate.</summary>
    public void LayOverWhatIsHeld(Row row, Func<string, List<(long Offset, ReadOnlyMemory<byte> Bytes)>> linesOf)
    {
        string path = row.Folder + "/" + Layout.EventsFile;
        if (row.Tail is null && row.LogLength > 0 && !(disk.Glance(path)?.Length >= row.LogLength))
        {
            List<TailLines> lines = [.. linesOf(row.Id).Select(l => new TailLines(0, l.Offset, l.Bytes))];
            row.Tail = lines.Count > 0 ? lines : null;
        }
    }

    /// <summary>Refuses a session whose folder is no folder, or belongs to somebody else, before a frame speaks of it:
    /// the frame could not be carried out, and every later commit would wait for it. Looked at once for each row, under
    /// the store lock; a session that is still in the journal alone has no folder yet.</summary>
    public void RequireFolder(Row row)
    {
        if (Held.FailureOf(row.Id) is { } failure)
        {
            throw failure.Again();
        }

        if (row.HasOwnFolder || disk.Stat(row.Folder) is not { } entry)
        {
            return;
        }

        Require(row.Folder, entry, row.Id);
        string parent = Layout.Parent(row.Folder);
        Require(parent, disk.Stat(parent), row.Id);
        row.HasOwnFolder = true;
    }

    /// <summary>The same for the folder that a new session is about to be made in, or the nearest one above that is
    /// there.</summary>
    public void RequirePlace(string id)
    {
        string folder = Layout.DayFolder(id);
        while (folder.Length > 0 && disk.Stat(folder) is null)
        {
            folder = Layout.Parent(folder);
        }

        if (folder.Length > 0)
        {
            Require(folder, disk.Stat(folder), id);
        }
    }

    private static void Require(string folder, DiskEntry? entry, string id)
    {
        if (entry is { IsFolder: false })
        {
            throw Errors.Misplaced(folder);
        }

        if (entry is { IsOfOthers: true } others)
        {
            throw Errors.OfOthers(folder, others.Owner, others.Mode);
        }

        if (entry is { IsOpenToOwner: false })
        {
            throw Errors.Corrupt("A folder may not be written to by its owner; the rest of the store is usable.",
                folder, id);
        }
    }

    /// <summary>False for a session that no image can be written of: its file is damaged and no index knows it, or its
    /// folder is none to write to.</summary>
    public bool CanWrite(Row row)
    {
        try
        {
            RequireFolder(row);
            return CanRead(row);
        }
        catch (SessionException e) when (e.Status is SessionStatus.Corrupt or SessionStatus.AccessDenied)
        {
            return false;
        }
    }
}
