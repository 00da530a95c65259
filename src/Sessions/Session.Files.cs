using System.Buffers;
using System.Globalization;
using Sessions.Events.Files;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Rules;
using Sessions.Storage.Files;
using Sessions.Storage.Rows;

namespace Sessions;

/// <content>Files that are kept with the session.</content>
public sealed partial class Session
{
    private static long s_staged;

    /// <summary>
    /// Keeps a file with the session and writes {"file_id","name","mime_type","bytes","sha256","existing"}.
    /// The same content again is the same file. It is on stable storage on return. The name has 1 to 255
    /// bytes without separators and control characters, and its extension must fit the content. A file
    /// above the store's limits (10 MiB an image, 50 MiB any other, see
    /// <see cref="SessionStore.Configure"/>) is a Limit, and through a share it is AccessDenied.
    /// </summary>
    public void PutFile(string name, ReadOnlySpan<byte> data, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(name);
        FileNames.Check(name);
        RequireWritable();
        if (Core.IsReadOnly)
        {
            throw Errors.ReadOnly();
        }

        FileKind kind = FileSniffer.Sniff(data);
        string limit = StoreConfig.LimitOf(kind.IsImage);
        Checks.AtMost(data.Length, _store.Run(() => FileBytesMax(kind.IsImage)), limit);
        string mime = FileNames.Mime(name, kind);
        string digest = Convert.ToHexStringLower(Sha256.Hash(data));
        bool isExisting;
        try
        {
            isExisting = Put(digest, kind.Extension, data);
        }
        catch (DiskException e)
        {
            throw Core.Failed(e);
        }

        var b = new Utf8Buffer(512);
        b.Byte('{').Member("file_id", SessionFiles.Id(digest)).Member("name", name).Member("mime_type", mime)
            .Member("bytes", data.Length).Member("sha256", digest).Member("existing", isExisting).Byte('}');
        output.Write(b.Written);
    }

    /// <summary>The same with the content of a file somewhere else on this machine, which is read first.</summary>
    internal void PutFile(string name, string path, JobContext context, IBufferWriter<byte> output)
    {
        long most = _store.Run(() => Math.Max(FileBytesMax(isImage: true), FileBytesMax(isImage: false)));
        byte[] data = ForeignFile.Read(path, most, (done, total) =>
        {
            context.ThrowIfCancelled();
            context.Report(done, total);
        });
        context.ThrowIfCancelled();
        PutFile(name, data, output);
    }

    /// <summary>Where the session's folder lies, as an absolute path; it is there on return. NotFound in a store that
    /// is open to read only, where the journal alone knows of the session.</summary>
    public string GetPath()
    {
        RequireWritable(); // a path leads to the whole session, which no share shows
        for (bool isFlushed = false; ; isFlushed = true)
        {
            Current();
            DiskEntry? found = _store.Look(_ => Core.Disk.Stat(_row.Folder));
            if (found is { IsFolder: true })
            {
                return System.IO.Path.Combine(_store.Path, _row.Folder);
            }

            if (found is not null)
            {
                throw Errors.Misplaced(_row.Folder);
            }

            if (isFlushed || Core.IsReadOnly)
            {
                throw isFlushed ? Errors.Corrupt("The session's folder is gone.", _row.Folder, Id)
                    : Errors.NotFound("folder of that session yet", Id);
            }

            _store.Flush(); // relaxed, its folder is made when its frame is on stable storage
        }
    }

    /// <summary>Where a file lies, as an absolute path; NotFound where there is none with that id.</summary>
    public string GetFilePath(string fileId)
    {
        ArgumentNullException.ThrowIfNull(fileId);
        RequireWritable(); // a path leads to the whole session, which no share shows
        Current();
        string path = _store.Look(_ => FindFile(fileId))
            ?? throw new SessionException(SessionStatus.NotFound, "There is no such file.",
                Errors.Details(b => b.Member("file_id", fileId)));
        return System.IO.Path.Combine(_store.Path, path);
    }

    // A branch whose links are not made yet has the files of what it is a branch of.
    private string? FindFile(string fileId)
    {
        string? path = SessionFiles.Find(Core.Disk, _row.Folder, fileId);
        for (Row? origin = _row.Origin; path is null && origin is not null; origin = origin.Origin)
        {
            path = SessionFiles.Find(Core.Disk, origin.Folder, fileId);
        }

        return path;
    }

    private long FileBytesMax(bool isImage)
    {
        lock (Core.Rows.Gate)
        {
            Core.Refresh();
            return StoreConfig.FileBytesMax(Core.Rows.ReadConfig(), isImage);
        }
    }

    private bool Put(string digest, string extension, ReadOnlySpan<byte> data)
    {
        Current();
        Core.RequireSound(); // before the first sync: none is tried again
        IDisk disk = Core.Disk;
        string path = SessionFiles.Path(_row.Folder, digest, extension);
        if (SessionFiles.Holds(disk, path, data) && Place(null, digest, extension) is { } folder)
        {
            MakeDurable(folder); // whoever put it may have been killed before that
            return true;
        }

        if (disk.Stat(path) is not null)
        {
            // Damaged. The content that was meant is at hand again, and takes its place.
            Core.Quarantine.KeepFile(path, Id, SessionFiles.Mismatch, mayBeLinked: true);
            Core.Quarantine.Settle();
        }

        string staged = Stage(data);
        try
        {
            Core.Step(Step.FileStaged);
            MakeDurable(Place(staged, digest, extension)!);
        }
        finally
        {
            if (disk.Stat(staged) is not null)
            {
                disk.Unlink(staged);
            }
        }

        return false;
    }

    // The content, where no reader looks, on stable storage.
    private string Stage(ReadOnlySpan<byte> data)
    {
        string staged = string.Create(CultureInfo.InvariantCulture,
            $"{Layout.Temporary}/{Core.InstanceId}-file-{Interlocked.Increment(ref s_staged)}");
        Core.Disk.CreateFolder(Layout.Temporary); // somebody may have removed it under the store
        bool isWhole = false;
        try
        {
            using IDiskFile file = Core.Disk.Open(staged, OpenMode.CreateNew);
            file.Write(data, 0);
            file.SyncStaged();
            isWhole = true;
            return staged;
        }
        finally
        {
            if (!isWhole && Core.Disk.Stat(staged) is not null)
            {
                Core.Disk.Unlink(staged);
            }
        }
    }

    // The folder it is in then; null where nothing was staged and it is gone. Relaxed, a session may have
    // no folder yet: the frame that makes it is not on stable storage.
    private string? Place(string? staged, string digest, string extension)
    {
        for (bool isFlushed = false; ; isFlushed = true)
        {
            var request = new PutFileRequest(Core.Disk, _row, staged, digest, extension) { Full = false };
            Commit(request);
            if (request.Folder is { } folder)
            {
                Core.Step(Step.FilePlaced);
                return request.IsThere ? folder : null;
            }

            if (isFlushed)
            {
                throw Errors.Corrupt("The session's folder is gone.", _row.Folder, Id);
            }

            _store.Flush();
        }
    }

    private void MakeDurable(string folder)
    {
        try
        {
            Core.Disk.SyncFolder($"{folder}/{Layout.FilesFolder}");
            Durably.SyncNames(Core.Disk, folder);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            LogRing.Add("debug", $"Deleted while a file was put into it: {e.Path}");
            Current();
            throw;
        }
    }
}
