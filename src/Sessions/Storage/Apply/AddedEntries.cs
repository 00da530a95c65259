using Sessions.Images;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Apply;

/// <summary>What a queue comes to where frames have entries that were added to it, and perhaps no image.</summary>
internal static class AddedEntries
{
    /// <summary>Lays what was added over the image of the fold, or else over what is in the file, where some of it may
    /// be already. A file that is gone or damaged is made from what the journal has.</summary>
    public static void Complete(StoreCore core, string folder, FoldedSession session)
    {
        if (session.Added is not { } added)
        {
            return;
        }

        session.Sides ??= new ReadOnlyMemory<byte>?[SmallFileKind.All.Count];
        ref ReadOnlyMemory<byte>? image = ref session.Sides[SmallFileKind.Queue.Index];
        if (image is null)
        {
            session.IsQueueCompleted = true;
            image = InFile(core.Disk, folder + "/" + Layout.QueueFile, session.Id) ?? InJournal(core, session);
        }

        image = QueueCodec.WithAdded(QueueCodec.ReadKnown(image.Value.ToArray()), added, session.Id).Image;
        session.Added = null;
    }

    private static byte[]? InFile(IDisk disk, string path, string id)
        => SmallFile.TryRead(disk, path, c => SmallFileKind.Queue.CanRead(c, id), out _);

    private static ReadOnlyMemory<byte> InJournal(StoreCore core, FoldedSession session)
    {
        using var journal = new JournalFiles(core.Disk, core.Seed, core.InstanceId);
        var known = new FoldedSession(session.Id);
        foreach (Frame frame in JournalScan.Read(core.Disk, journal).Frames)
        {
            foreach (Change change in frame.Lsn <= session.Lsn ? frame.Changes : [])
            {
                if (change.Small == SmallFileKind.Queue && change.Id == session.Id)
                {
                    known.Take(change);
                }
            }
        }

        ReadOnlyMemory<byte> image = known.Sides?[SmallFileKind.Queue.Index] ?? default;
        return known.Added is not { } added ? image
            : QueueCodec.WithAdded(QueueCodec.ReadKnown(image.ToArray()), added, session.Id).Image;
    }
}
