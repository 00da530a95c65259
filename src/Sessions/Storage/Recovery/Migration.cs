using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Page;

namespace Sessions.Storage.Recovery;

/// <summary>
/// One step from a format version to the next. It runs alone on a store whose old files are kept in
/// backup/, may be cut at any point and is then run again from its start, so it must not mind
/// finding its own work half done.
/// </summary>
internal interface IMigrationStep
{
    int From { get; }

    void Run(IDisk disk);
}

/// <summary>Takes a store of an older format step by step to the current one.</summary>
internal static class Migration
{
    /// <summary>The steps that this version knows. Version 1 is the first format, so there are none.</summary>
    public static readonly IReadOnlyList<IMigrationStep> Steps = [];

    /// <summary>Takes a store that is open nowhere along; answers the format it had.</summary>
    public static int RunAlone(StoreEnvironment environment, IReadOnlyList<IMigrationStep> steps, JobContext context)
    {
        IDisk disk = environment.Disk;
        while (true)
        {
            StoreFile file = (disk.Stat("") is { IsFolder: true } ? StoreFile.Read(disk) : null)
                ?? throw Errors.NotFound("store");
            if (file.Version == StoreFile.CurrentVersion)
            {
                return file.Version;
            }

            if (file.Version > StoreFile.CurrentVersion)
            {
                throw Unsupported(file.Version);
            }

            if (!disk.Capabilities.IsLocal)
            {
                throw Errors.NotLocal(disk.Capabilities.FileSystem);
            }

            using ILockFile locks = disk.OpenLocks(Layout.StoreFile, readOnly: false);
            if (!StoreLock.TryTakeStore(locks))
            {
                throw Errors.Busy("The store, which is open elsewhere,");
            }

            if (locks.IsLinked) // else somebody did it meanwhile
            {
                Run(environment, file, steps, context);
                return file.Version;
            }
        }
    }

    /// <summary>Runs all steps; alone in the store. Returns store.json as it is then.</summary>
    public static StoreFile Run(StoreEnvironment environment, StoreFile file, IReadOnlyList<IMigrationStep> steps,
        JobContext? context = null)
    {
        context ??= new JobContext();
        IDisk disk = environment.Disk;
        while (file.Version < StoreFile.CurrentVersion)
        {
            IMigrationStep step = steps.FirstOrDefault(s => s.From == file.Version) ?? throw Unsupported(file.Version);
            string backup = $"{Layout.Backup}/v{file.Version}";
            if (disk.Stat(backup + "/complete") is null)
            {
                Copy(disk, "", backup, context);
                disk.WriteAll(backup + "/complete", default);
                disk.SyncFolder(backup);
                disk.SyncFolder(Layout.Backup);
                disk.SyncFolder("");
            }

            environment.AtStep?.Invoke(Step.MigrationCopied);
            disk.CreateFolder(Layout.Temporary);
            context.ThrowIfCancelled();
            step.Run(disk);
            if (!disk.TrySyncAll())
            {
                SyncTree(disk, "");
            }

            environment.AtStep?.Invoke(Step.MigrationStepped);
            file = file with { Version = file.Version + 1 };
            const string scratch = Layout.Temporary + "/store-migrated";
            if (disk.Stat(scratch) is not null)
            {
                disk.Unlink(scratch); // a power cut may have left it as one more name of store.json
            }

            disk.WriteAll(scratch, file.Bytes());
            disk.Rename(scratch, Layout.StoreFile);
            disk.SyncFolder("");
            LogRing.Add("info", $"The store is now of format {file.Version}; {backup} has it as it was.");
        }

        return file;
    }

    public static SessionException Unsupported(int version) => new(SessionStatus.Version,
        $"The store is of format {version}; this library writes format {StoreFile.CurrentVersion}.",
        Errors.Details(b => b.Member("what", "store").Member("format_version", version)
            .Member("supported", StoreFile.CurrentVersion)));

    private static void Copy(IDisk disk, string from, string to, JobContext context)
    {
        EnsureFolder(disk, to);
        foreach (DiskName name in disk.List(from))
        {
            context.ThrowIfCancelled();
            string source = from.Length == 0 ? name.Name : from + "/" + name.Name;
            if (source is Layout.Backup or Layout.Temporary or Layout.Locks)
            {
                continue;
            }

            if (name.IsFolder)
            {
                Copy(disk, source, to + "/" + name.Name, context);
            }
            else
            {
                FileHoles.Copy(disk, source, to + "/" + name.Name, context);
                context.Report(context.Done + 1, 0); // how many there are, nobody has counted
            }
        }

        disk.SyncFolder(to);
    }

    private static void EnsureFolder(IDisk disk, string path)
    {
        if (path.Length > 0)
        {
            EnsureFolder(disk, Layout.Parent(path));
            disk.CreateFolder(path);
        }
    }

    /// <summary>Makes a folder durable with all that is in it, file by file.</summary>
    public static void SyncTree(IDisk disk, string folder)
    {
        foreach (DiskName name in disk.List(folder))
        {
            string path = folder.Length == 0 ? name.Name : folder + "/" + name.Name;
            if (name.IsFolder)
            {
                SyncTree(disk, path);
            }
            else
            {
                using IDiskFile file = disk.Open(path, OpenMode.ReadWrite, mayBeLinked: true);
                file.Sync();
            }
        }

        disk.SyncFolder(folder);
    }
}
