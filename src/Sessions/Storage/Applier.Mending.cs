using Sessions.Coordination;
using Sessions.Platform;

namespace Sessions.Storage;

/// <content>What a checkpoint looks at before the journal goes: the files are still those that were written.</content>
internal sealed partial class Applier
{
    /// <summary>The sessions whose logs this process keeps open.</summary>
    public IReadOnlyCollection<string> OpenLogs => _logs.Ids;

    /// <summary>False where a file of a session is gone, or its log is shorter than that. Without the store lock the
    /// session may be on its way elsewhere.</summary>
    public static bool HasFiles(IDisk disk, Row row, long logLength) => row.IsGone || row.Info is null
        || (IsThere(disk, row.Folder + "/" + Layout.SessionFile) && Missing(disk, row) is null
            && (logLength <= 0 || disk.Glance(row.Folder + "/" + Layout.EventsFile)?.Length >= logLength));

    /// <summary>The same under the store lock, which the caller holds; then it is put right.</summary>
    public void Mend(Row row, long applied)
    {
        long length = row.FileLength;
        string path = row.Folder + "/" + Layout.EventsFile;
        if (HasFiles(_disk, row, length) && (row.IsGone || _logs.IsInPlace(row.Id, path)))
        {
            return;
        }

        LogRing.Add("warning", $"Files of {row.Id} were removed or replaced; they are made anew.");
        KnownQueue.TakeIn(row);
        var session = new FoldedSession(row.Id) { Lsn = applied };
        _folders.Clear();
        Clearing(() =>
        {
            EnsureFolder(row.Folder);
            if (length > 0)
            {
                _logs.Mend(session, path, length);
            }

            while (Missing(_disk, row) is { } missing)
            {
                Replace(row.Folder + "/" + missing.Name, missing.Image.Span, isWithoutFrame: true);
            }

            if (!IsThere(_disk, row.Folder + "/" + Layout.SessionFile) && row.Info is { } info)
            {
                Replace(row.Folder + "/" + Layout.SessionFile, info.Json, isWithoutFrame: true);
            }
        });
    }

    // The first small file of which the content is known and that is not there.
    private static (string Name, ReadOnlyMemory<byte> Image)? Missing(IDisk disk, Row row)
    {
        if (row.Log is { IsPlain: false } log && !IsThere(disk, row.Folder + "/" + Layout.LogStateFile))
        {
            return (Layout.LogStateFile, log.Write(row.Id));
        }

        if (row.Shares is { Length: > 0 } shares && !IsThere(disk, row.Folder + "/" + Layout.SharesFile))
        {
            return (Layout.SharesFile, shares);
        }

        for (int i = 0; i < row.Sides?.Length; i++)
        {
            if (row.Sides[i] is { Length: > 0 } side && !IsThere(disk, row.Folder + "/" + SideFile.Names[i]))
            {
                return (SideFile.Names[i], side);
            }
        }

        return null;
    }

    private static bool IsThere(IDisk disk, string path) => disk.Glance(path) is not null;
}
