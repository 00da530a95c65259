using System.Buffers;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Storage.Upkeep;

namespace Sessions;

/// <content>Backups.</content>
public sealed partial class SessionStore
{
    /// <summary>
    /// Copies the store to a folder, as it is at one moment while any process goes on working in it, and writes a
    /// report. The folder is a store, closed in order, with the same id. It appears whole, in the place of the backup
    /// that was there; a folder with anything else in it is Exists.
    /// </summary>
    public void Backup(string path, IBufferWriter<byte> output)
    {
        ThrowIfClosed();
        string folder = BackupPath(path);
        Engine.Jobs.Run(context => Backup(folder, context, output));
    }

    /// <summary>A full path for it.</summary>
    internal static string BackupPath(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Locate(path);
    }

    internal void Backup(string folder, JobContext context, IBufferWriter<byte> output)
    {
        if (Core.IsReadOnly)
        {
            throw Errors.ReadOnly();
        }

        using BackupPlace place = new(folder, IsBackup, Core.Options.Flags.HasFlag(StoreFlags.SharedOwners));
        BackupCopy copy = new(Core, Engine.Checkpointer, Commit, place.Staged, context);
        DiskErrors.Run(place.Parent, () =>
        {
            place.Begin(Run(() => Core.Disk.Stat("")!.Value.Identity));
            copy.Run();
            using (HoldClosed(folder))
            {
                place.Publish();
            }

            return true;
        });
        var b = new Utf8Buffer(256);
        b.Byte('{').Member("path", folder).Member("lsn", copy.Lsn).Member("sessions", copy.Sessions)
            .Member("bytes", copy.Files.Bytes).Raw(",\"left_out\":["u8);
        for (int i = 0; i < copy.Files.LeftOut.Count; i++)
        {
            b.Raw(i == 0 ? ""u8 : ","u8).Text(copy.Files.LeftOut[i]);
        }

        output.Write(b.Raw("]}"u8).Written);
    }

    // One that a program has open is not taken away from under it.
    private static ILockFile? HoldClosed(string folder)
    {
        using IDisk disk = RealDisk.Open(folder, sharesOwners: true);
        if (disk.Stat(Layout.StoreFile) is not { IsFile: true })
        {
            return null;
        }

        ILockFile locks = disk.OpenLocks(Layout.StoreFile, readOnly: false);
        if (locks.TryLock(StoreLock.Alive, exclusive: true))
        {
            return locks;
        }

        locks.Dispose();
        throw Errors.Busy("The backup that is to be replaced, which is open somewhere,");
    }

    private bool IsBackup(IDisk disk)
    {
        try
        {
            return StoreFile.Read(disk)?.StoreId == Core.StoreId && !IsLater(disk);
        }
        catch (SessionException e)
        {
            LogRing.Add("info", $"No backup of this store: {e.Message}");
            return false;
        }
    }

    // The store that this one is a backup of, or a backup that somebody went on in: it has what this one has not.
    private bool IsLater(IDisk disk)
    {
        using var journal = new JournalFiles(disk, Core.Seed, Core.InstanceId);
        long last = Math.Max(JournalScan.Read(disk, journal).LastLsn, IndexFile.ReadClosing(disk)?.Lsn ?? 0);
        return last > Core.State.Published;
    }
}
