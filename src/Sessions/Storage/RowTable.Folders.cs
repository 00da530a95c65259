using Sessions.Platform;

namespace Sessions.Storage;

/// <content>The folders of sessions that are about to be written to.</content>
internal sealed partial class RowTable
{
    /// <summary>Refuses a session whose folder is no folder, or belongs to somebody else, before a frame speaks of it:
    /// the frame could not be carried out, and every later commit would wait for it. Looked at once for each row, under
    /// the store lock; a session that is still in the journal alone has no folder yet.</summary>
    public void RequireFolder(Row row)
    {
        if (row.HasOwnFolder || disk.Stat(row.Folder) is not { } entry)
        {
            return;
        }

        if (!entry.IsFolder)
        {
            throw Errors.Misplaced(row.Folder);
        }

        if (entry.IsOfOthers)
        {
            throw Errors.OfOthers(row.Folder, entry.Owner, entry.Mode);
        }

        if (!entry.IsOpenToOwner)
        {
            throw Errors.Corrupt("The session's folder may not be written to; the rest of the store is usable.",
                row.Folder, row.Id);
        }

        row.HasOwnFolder = true;
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
