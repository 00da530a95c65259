using System.Buffers;
using System.Runtime.CompilerServices;
using Sessions.Check;
using Sessions.Json;
using Sessions.Lifecycle;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Rules;
using Sessions.Sharing;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Recovery;
using Sessions.Storage.Rows;

namespace Sessions;

/// <summary>
/// A store of sessions in one folder, which any number of processes may have open at once. Any
/// thread may call anything at any time. Failures are <see cref="SessionException"/>s.
/// </summary>
public sealed partial class SessionStore : IDisposable
{
    private const string DefaultShareBaseUrl = "sessions:share/";
    private const long DefaultPurgeAgeMs = 30L * 24 * 60 * 60 * 1000;

    private SessionStore(StoreEngine engine, string path) => (Engine, Path) = (engine, path);

    internal StoreEngine Engine { get; }

    internal StoreCore Core => Engine.Core;

    internal string Path { get; }

    internal string ShareBaseUrl => Core.Options.ShareBaseUrl ?? DefaultShareBaseUrl;

    /// <summary>Opens the store at the path (null: $SESSIONS_HOME, else the platform's data folder).
    /// Makes it where there is none, takes an older format to the current one, and recovers what a
    /// crash left, as far as the flags allow.</summary>
    public static SessionStore Open(string? path = null, SessionStoreOptions? options = null)
    {
        string folder = Locate(path);
        options ??= new SessionStoreOptions();
        Checks.Flags((uint)options.Flags, 31);
        if (options.Durability is not (Durability.Full or Durability.Relaxed))
        {
            throw Errors.Argument("durability", "durability must be SESSION_DURABILITY_FULL or _RELAXED.");
        }

        Checks.Name(options.ClientType, "client_type");
        IDisk disk = RealDisk.Open(folder, options.Flags.HasFlag(StoreFlags.SharedOwners));
        return Open(new StoreEnvironment { Disk = disk, BootId = Machine.BootId, OwnsDisk = true }, options, folder);
    }

    internal static SessionStore Open(StoreEnvironment environment, SessionStoreOptions? options = null,
        string path = "", IReadOnlyList<IMigrationStep>? migrations = null)
        => new(StoreEngine.Open(environment, options ?? new SessionStoreOptions(), migrations), path);

    /// <summary>Writes the store's info as JSON: counts, what the open recovered, what is kept aside.</summary>
    public void WriteInfo(IBufferWriter<byte> output)
    {
        ThrowIfClosed();
        Run(() => StoreInfo.Write(Core, Path, Engine.Locks.CountHeld, output));
    }

    /// <summary>Changes rules that all processes share, by merge patch (RFC 7396): the store's own, or
    /// those of one workspace.</summary>
    public void Configure(string? workspaceId, ReadOnlySpan<byte> mergePatch)
    {
        ThrowIfClosed();
        Checks.Name(workspaceId, "workspace_id");
        byte[] patch = JsonArgument.Compact(mergePatch, "merge_patch_json", isObject: true);
        StoreConfig.Check(patch, workspaceId is not null);
        Commit(new ConfigRequest(workspaceId, patch));
    }

    /// <summary>Makes everything committed so far durable and brings all files up to date. On return no file of
    /// the store has what was removed for good before the call (docs/ARCHITECTURE.md, "Gone for good").</summary>
    public void Flush()
    {
        ThrowIfClosed();
        Engine.Jobs.Run(Flush);
    }

    /// <summary>The same as a job: writes up to which record everything is durable.</summary>
    internal void Flush(JobContext context, IBufferWriter<byte> output)
    {
        Flush(context);
        var b = new Utf8Buffer(32);
        output.Write(b.Byte('{').Member("lsn", Core.State.Synced).Byte('}').Written);
    }

    private void Flush(JobContext context)
    {
        if (Core.IsReadOnly)
        {
            throw Errors.ReadOnly();
        }

        Run(() =>
        {
            ShareEnds.Sweep(Core, Commit);
            Engine.Checkpointer.FlushAndErase(context);
        });
    }

    /// <summary>Checks the store and writes a report; harm found is no failure. The deep check reads
    /// every event.</summary>
    public void WriteVerifyReport(bool deep, IBufferWriter<byte> output)
    {
        ThrowIfClosed();
        Engine.Jobs.Run(context => WriteVerifyReport(deep, context, output));
    }

    internal void WriteVerifyReport(bool deep, JobContext context, IBufferWriter<byte> output)
        => Run(() => Verifier.Write(Core, Engine.Checkpointer, Commit, deep, context, output));

    /// <summary>Removes for good what was deleted before that time (unix ms; 0: 30 days ago); returns
    /// how many sessions. Nothing is ever purged by itself.</summary>
    public int Purge(long deletedBefore = 0)
    {
        ThrowIfClosed();
        Checks.Number(deletedBefore, "deleted_before");
        int count = 0;
        Engine.Jobs.Run(context => count = Purge(deletedBefore, context));
        return count;
    }

    internal int Purge(long deletedBefore, JobContext context)
    {
        long before = deletedBefore == 0 ? Core.Now - DefaultPurgeAgeMs : deletedBefore;
        int count = 0;
        while (true)
        {
            context.ThrowIfCancelled();
            var request = new PurgeRequest(before);
            Commit(request);
            count += request.Count;
            context.Report(count, 0);
            if (!request.HasMore)
            {
                PurgePruned(before, context);
                return count;
            }
        }
    }

    /// <summary>Rebuilds a damaged store from its files and from every whole frame of its journal, and
    /// writes a report. The store must not be open anywhere. Options: {"shared_owners":true} for a store that is
    /// opened with <see cref="StoreFlags.SharedOwners"/>.</summary>
    public static void Salvage(string? path, ReadOnlySpan<byte> optionsJson, IBufferWriter<byte> output)
        => Salvage(path, PathOptions.Read(optionsJson), new JobContext(), output);

    internal static void Salvage(string? path, PathOptions options, JobContext context, IBufferWriter<byte> output)
    {
        using IDisk disk = RealDisk.Open(Locate(path), options.SharedOwners);
        Salvage(new StoreEnvironment { Disk = disk, BootId = Machine.BootId }, output, context);
    }

    internal static void Salvage(StoreEnvironment environment, IBufferWriter<byte> output, JobContext? context = null)
        => DiskErrors.Run(environment.Disk, () =>
        {
            Salvager.Run(environment, context ?? new JobContext(), output);
            return true;
        });

    /// <summary>Takes a store that is open nowhere to the current format, as an open does, and writes what it
    /// had and what it has.</summary>
    internal static void Migrate(string? path, PathOptions options, JobContext context, IBufferWriter<byte> output)
    {
        using IDisk disk = RealDisk.Open(Locate(path), options.SharedOwners);
        Migrate(new StoreEnvironment { Disk = disk, BootId = Machine.BootId }, context, output);
    }

    internal static void Migrate(StoreEnvironment environment, JobContext context, IBufferWriter<byte> output,
        IReadOnlyList<IMigrationStep>? steps = null)
    {
        int from = DiskErrors.Run(environment.Disk,
            () => Migration.RunAlone(environment, steps ?? Migration.Steps, context));
        var b = new Utf8Buffer(64);
        output.Write(b.Byte('{').Member("from_version", (long)from)
            .Member("to_version", (long)StoreFile.CurrentVersion).Byte('}').Written);
    }

    /// <summary>Final: waits on sessions end, running commits finish, handles answer Closed from now
    /// on. Throws what the last write met; the store is closed all the same.</summary>
    public void Close() => Engine.Close();

    /// <summary>Creates a session. A repeat of an idempotency key opens the first one.</summary>
    public Session Create(string? parentId = null, SessionCreateOptions? options = null)
    {
        ThrowIfClosed();
        if (parentId is not null)
        {
            SessionIds.Require(parentId, "parent_id");
        }

        var request = new CreateRequest(Core, NewInfo(parentId, options)) { Full = IsFull };
        Commit(request);
        return OpenSession(request.Id);
    }

    /// <summary>What a new session is to be, without its id.</summary>
    internal static SessionInfo NewInfo(string? parentId, SessionCreateOptions? options)
    {
        options ??= new SessionCreateOptions();
        Checks.Name(options.IdempotencyKey, "idempotency_key");
        if (options.DecisionId is not null)
        {
            throw Errors.NotFound("decision");
        }

        if (options.Title is { } title)
        {
            Checks.Title(title);
        }

        return InfoPatch.Retitle(new SessionInfo
        {
            Id = "",
            ParentId = parentId,
            IdempotencyKey = options.IdempotencyKey,
            Metadata = Object(options.Metadata, "metadata_json", "metadata_bytes_max"),
            Facts = Object(options.Facts, "facts_json", "facts_bytes_max"),
        }, options.Title ?? "");
    }

    /// <summary>Opens a session by its id. One in the trash is Deleted.</summary>
    public Session OpenSession(string id)
    {
        ThrowIfClosed();
        SessionIds.Require(id, "id");
        return Run(() =>
        {
            lock (Core.Rows.Gate)
            {
                Core.Refresh();
                Row row = Core.Rows.Find(id) ?? throw Errors.NotFound("session", id);
                return row.IsLive ? new Session(this, row, null) : throw Errors.Deleted(id);
            }
        });
    }

    /// <summary>Writes a JSON array with one info, or null where an id is unknown, for each id of a
    /// JSON array of ids; with <paramref name="fields"/> only those.</summary>
    public void WriteInfos(ReadOnlySpan<byte> idsJson, string? fields, IBufferWriter<byte> output)
    {
        ThrowIfClosed();
        string[]? names = SessionList.Fields(fields);
        List<string> ids = ReadIds(idsJson);
        Run(() =>
        {
            lock (Core.Rows.Gate)
            {
                Core.Refresh();
                output.Write("["u8);
                for (int i = 0; i < ids.Count; i++)
                {
                    output.Write(i == 0 ? ""u8 : ","u8);
                    if (SessionIds.IsValid(ids[i]) && Core.Rows.Find(ids[i]) is { IsLive: true } row)
                    {
                        Core.Rows.Read(row);
                        SessionList.Write(Core.Rows, row, names, Core.Now, output);
                    }
                    else
                    {
                        output.Write("null"u8);
                    }
                }

                output.Write("]"u8);
            }
        });
    }

    /// <summary>Writes a JSON array of sessions; returns the cursor of the next page, null after the last.</summary>
    public string? WriteList(SessionListOptions? options, IBufferWriter<byte> output)
    {
        ThrowIfClosed();
        return Run(() =>
        {
            lock (Core.Rows.Gate)
            {
                Core.Refresh();
                return SessionList.Write(Core.Rows, options ?? new SessionListOptions(), Core.Now, output);
            }
        });
    }

    /// <summary>Brings back all that the delete which took this session took. One that is live is
    /// left alone.</summary>
    public void Restore(string id)
    {
        ThrowIfClosed();
        SessionIds.Require(id, "id");
        Commit(new RestoreRequest(Core, id));
    }

    /// <summary>Closes, and says nothing of what the last write met; <see cref="Close"/> does.</summary>
    public void Dispose()
    {
        try
        {
            Close();
        }
        catch (SessionException e)
        {
            LogRing.Add("error", $"The last write failed: {e.Message}");
        }
    }

    internal bool IsFull => Core.Options.Durability == Durability.Full;

    [MethodImpl(MethodImplOptions.AggressiveInlining)] // every look of a loop asks
    internal void ThrowIfClosed() => Engine.ThrowIfClosed();

    internal void Commit(CommitRequest request) => Engine.Execute(request);

    internal T Run<T>(Func<T> action) => Engine.Run(action);

    internal void Run(Action action) => Engine.Run(action);

    internal T Look<T>(Func<bool, T> action) => Engine.Look(action);

    private static string Locate(string? path)
    {
        if (path is null)
        {
            return DataFolder.Default();
        }

        if (path.Length == 0 || path.Contains('\0'))
        {
            throw Errors.Argument("path", "path must have at least one character, and no NUL.");
        }

        return DataFolder.Full(path);
    }

    // Kept as it is, nulls and repeated names too: a patch is what changes it, not what makes it.
    private static ReadOnlyMemory<byte> Object(ReadOnlyMemory<byte>? json, string argument, string limit)
    {
        if (json is not { } text)
        {
            return SessionInfo.EmptyObject;
        }

        byte[] compact = JsonArgument.CompactText(text.Span, argument, isObject: true);
        Checks.AtMost(compact.Length, Limits.MetadataBytesMax, limit);
        return compact;
    }

    private static List<string> ReadIds(ReadOnlySpan<byte> idsJson)
    {
        byte[] compact = JsonArgument.Compact(idsJson, "ids_json", isObject: false);
        var ids = new List<string>();
        if (compact[0] != '[')
        {
            throw Errors.Argument("ids_json", "ids_json must be an array of ids.");
        }

        foreach (ReadOnlyMemory<byte> item in JsonMembers.Items(compact))
        {
            ids.Add(item.Span[0] == '"' ? new JsonMember("", default, item).Text
                : throw Errors.Argument("ids_json", "ids_json must be an array of ids."));
        }

        return ids;
    }
}
