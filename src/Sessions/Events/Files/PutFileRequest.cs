using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Rows;

namespace Sessions.Events.Files;

/// <summary>Gives a file that is whole and durable its name in the session's folder, or looks that it is
/// still there, under the store lock, where nobody moves that folder or prunes it. It changes nothing
/// that a frame would have to speak of.</summary>
internal sealed class PutFileRequest(IDisk disk, Row row, string? staged, string digest, string extension)
    : CommitRequest
{
    /// <summary>Where the session is; null where its folder waits for the frame that makes it.</summary>
    public string? Folder { get; private set; }

    /// <summary>False where nothing was staged and there is no such file.</summary>
    public bool IsThere { get; private set; }

    public override void Run(Transaction transaction)
    {
        transaction.Live(row);
        string folder = row.Folder, path = SessionFiles.Path(folder, digest, extension);
        (Folder, IsThere) = (disk.Stat(folder) is null ? null : folder, false);
        if (Folder is null)
        {
            return;
        }

        if (staged is not null && disk.Stat(staged) is not null) // else an earlier run has done it
        {
            disk.CreateFolder($"{folder}/{Layout.FilesFolder}");
            disk.Rename(staged, path);
        }

        IsThere = disk.Stat(path) is not null;
        if (IsThere)
        {
            disk.SetModified(path, transaction.Now); // from now on a prune spares it for an hour
        }
    }
}
