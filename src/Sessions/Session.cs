using System.Buffers;
using System.Runtime.CompilerServices;
using Sessions.Coordination.Locks;
using Sessions.Events;
using Sessions.Events.Pages;
using Sessions.Images;
using Sessions.Json;
using Sessions.Lifecycle;
using Sessions.Model;
using Sessions.Sharing;
using Sessions.Storage.Commit;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions;

/// <summary>
/// One session as seen by one owner, or, from <see cref="SessionStore.ResolveShare"/>, the part of it
/// that is shared, which can only be read. Any thread may call anything at any time.
/// </summary>
public sealed partial class Session : IDisposable
{
    private const int AheadBytesMin = 64 * 1024;

    private readonly SessionStore _store;
    private readonly Row _row;
    private readonly string? _shareId;
    private readonly WriterRight _right;
    private volatile bool _isDisposed;
    private int _looks; // counts loosely: threads may lose one another's

    internal Session(SessionStore store, Row row, string? shareId)
        => (_store, _row, _shareId, _right) = (store, row, shareId, new WriterRight(store.Engine.Locks, row));

    /// <summary>The id; never changes.</summary>
    public string Id => _row.Id;

    private StoreCore Core => _store.Core;

    /// <summary>The numbers, without JSON.</summary>
    public SessionStat GetStat()
    {
        bool isAborted = false;
        SessionInfo info = _shareId is not null ? Visible() : Current(out isAborted);
        StatFlags flags = _shareId is not null ? StatFlags.ReadOnly // its lock and aborts are the owner's
            : (isAborted ? StatFlags.Aborted : 0) | (info.Archived ? StatFlags.Archived : 0)
                | (IsLocked() ? StatFlags.Locked : 0);
        return new SessionStat(flags, info.Revision, info.LastSeq, info.EventCount, info.MessageCount, info.AbortCount,
            info.CreatedAt, info.UpdatedAt, info.LastEventAt);
    }

    /// <summary>Writes the info as JSON: always what was last published.</summary>
    public void WriteInfo(IBufferWriter<byte> output) => output.Write(Visible().Shown);

    /// <summary>Sets the user's title, at most 16 KiB of UTF-8; "" goes back to the default.</summary>
    public void UpdateTitle(string title)
    {
        Checks.Title(title);
        Change(info => InfoPatch.Retitle(info, title));
    }

    /// <summary>Sets a generated title unless the user has set one; true where it was applied.</summary>
    public bool SuggestTitle(string title)
    {
        Checks.Title(title);
        if (title.Length == 0)
        {
            throw Errors.Argument("title", "title must not be empty; a suggestion is 1 byte to 16 KiB.");
        }

        bool applied = false;
        Change(info =>
        {
            applied = info.TitleSource != "user";
            return !applied || (info.Title == title && info.TitleSource == "generated")
                ? info : info with { Title = title, TitleSource = "generated" };
        });
        return applied;
    }

    /// <summary>Changes the metadata by merge patch (RFC 7396).</summary>
    public void UpdateMetadata(ReadOnlySpan<byte> mergePatch)
    {
        byte[] metadata = JsonArgument.CompactText(mergePatch, "merge_patch_json", isObject: true);
        var patch = new InfoPatch { Metadata = metadata };
        Change(Ahead(patch, mergePatch.Length).Apply);
    }

    /// <summary>Changes title, archived, metadata and facts by merge patch, all or nothing; with an
    /// expected revision (0: any) only where that is the current one, else Conflict. Returns the revision.</summary>
    public long Update(ReadOnlySpan<byte> mergePatch, long expectedRevision = 0)
    {
        Checks.Number(expectedRevision, "expected_revision");
        return Change(Ahead(InfoPatch.Read(mergePatch), mergePatch.Length).Apply, expectedRevision);
    }

    /// <summary>Deletes the session; through the trash unless the policy says otherwise.</summary>
    public void Delete(DeletePolicy policy = DeletePolicy.Cascade)
    {
        if ((policy & ~DeletePolicy.NoTrash)
            is not (DeletePolicy.Cascade or DeletePolicy.Orphan or DeletePolicy.Refuse))
        {
            throw Errors.Argument("policy",
                "policy must be SESSION_DELETE_CASCADE, _ORPHAN or _REFUSE, with or without _NO_TRASH.");
        }

        RequireWritable();
        Commit(new DeleteRequest(Core, _row, policy));
    }

    /// <summary>Appends one event; returns its number. A repeat of an id writes nothing and answers
    /// the first number. The data is any JSON, kept token for token; with <see cref="AppendFlags.Check"/>
    /// that of a known type must fit docs/EVENTS.md.</summary>
    public long Append(string type, ReadOnlySpan<byte> data, in AppendOptions options = default)
    {
        Checks.Flags((uint)options.Flags, 7);
        NewEvent e = NewEvents.One(type, data, options);
        RequireWritable();
        var request = new AppendRequest(Core, _row, [e]) { Full = IsFull(options.Flags), Right = _right };
        Commit(request);
        return request.Seqs[0];
    }

    /// <summary>Appends a JSON array of events in one commit, all or nothing, and writes the numbers.</summary>
    public void AppendBatch(ReadOnlySpan<byte> eventsJson, AppendFlags flags, IBufferWriter<byte> output)
    {
        Checks.Flags((uint)flags, 7);
        List<NewEvent> events = NewEvents.Read(eventsJson, flags.HasFlag(AppendFlags.Check));
        RequireWritable();
        var request = new AppendRequest(Core, _row, events) { Full = IsFull(flags), Right = _right };
        if (events.Count > 0)
        {
            Commit(request);
        }

        NewEvents.WriteAnswer(request, output);
    }

    /// <summary>Writes a page of the events after a number: at most so many (0: as many as fit) and at
    /// most 1 MiB, but at least one.</summary>
    public void WriteEvents(long afterSeq, uint limit, IBufferWriter<byte> output)
    {
        Checks.Number(afterSeq, "after_seq");
        WritePage(output, (log, state, range, last, b) =>
            EventPage.WriteAfter(log, state, range, last, afterSeq, limit, b));
    }

    /// <summary>Writes a page of the last events before a number (0: before the end), oldest first.</summary>
    public void WriteLastEvents(long beforeSeq, uint limit, IBufferWriter<byte> output)
    {
        Checks.Number(beforeSeq, "before_seq");
        WritePage(output, (log, state, range, last, b) =>
            EventPage.WriteLast(log, state, range, last, beforeSeq, limit, b));
    }

    /// <summary>Lets go of this view, and of the lock where it holds it; waits on it end with Cancelled. Never
    /// blocks.</summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _right.End();
            Core.State.Announce();
        }
    }

    // The session as it is, whatever this handle may see of it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // every look at a session goes through here
    private SessionInfo Current()
    {
        BeginLook();
        return Live(Core.TryRead(_row) ?? Read());
    }

    // The same, with whether it is aborted at that moment.
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // that, too
    private SessionInfo Current(out bool isAborted)
    {
        BeginLook();
        if (Core.TryReadQuiet(_row) is { } quiet)
        {
            isAborted = quiet.IsAborted;
            return Live(quiet);
        }

        return LookAtAbort(out isAborted);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] // of both
    private void BeginLook()
    {
        if (_isDisposed)
        {
            throw Errors.Cancelled();
        }

        _store.ThrowIfClosed();
        if ((++_looks & 63) == 0)
        {
            Core.Refresh();
        }
    }

    // The info says so itself, so that it and where the session is are of one moment.
    private SessionInfo Live(SessionInfo info) => info.DeletionLsn == 0 ? info : throw Errors.Deleted(Id);

    private SessionInfo Read() => _store.Run(() => Core.Read(_row));

    private SessionInfo LookAtAbort(out bool isAborted)
    {
        (SessionInfo info, isAborted) = _store.Run(() => Core.LookAtAbort(_row));
        return Live(info);
    }

    private SessionInfo Visible()
    {
        SessionInfo info = Current();
        if (_shareId is not null)
        {
            return SharedView.Of(info, Share(), i => OpenLog(i));
        }

        return info.Share is { ExpiresAt: > 0 } ? WithoutExpired(info) : info;
    }

    // By itself, since the closure would be made at each look where it stood there.
    private SessionInfo WithoutExpired(SessionInfo info) => _store.Look(isSettled =>
    {
        lock (Core.Rows.Gate)
        {
            return Core.Rows.Shown(_row, info, Core.Now, isSettled);
        }
    });

    private ShareRecord Share() => _store.Look(isSettled =>
    {
        lock (Core.Rows.Gate)
        {
            ShareRecord? record = ShareList.Read(Core.Rows.ReadShares(_row, isSettled))
                .Find(r => r.ShareId == _shareId);
            return record is not null && record.CanBeSeen(Core.Now) ? record : throw Errors.NotFound("share");
        }
    });

    private void RequireWritable()
    {
        if (_shareId is not null)
        {
            Current();
            Share();
            throw Errors.Denied("share.read_only");
        }

        if (_isDisposed)
        {
            throw Errors.Cancelled();
        }

        _store.ThrowIfClosed();
        if (!_row.IsLive)
        {
            _store.Run(Current); // it may have been taken back since, by any process
        }
    }

    private long Change(Func<SessionInfo, SessionInfo> change, long expectedRevision = 0)
    {
        RequireWritable();
        var request = new ChangeRequest(_row, change) { ExpectedRevision = expectedRevision, Full = _store.IsFull };
        Commit(request);
        return request.Revision;
    }

    // A large merge is done before the store lock is taken, so that other writers do not wait for it.
    private InfoPatch Ahead(InfoPatch patch, int bytes)
    {
        RequireWritable();
        return bytes >= AheadBytesMin || _row.Info?.Metadata.Length + _row.Info?.Facts.Length >= AheadBytesMin
            ? patch.MergeAhead(_store.Run(Current)) : patch;
    }

    private void Commit(CommitRequest request)
    {
        if (request.Right is not null)
        {
            Core.Own(); // who writes a conversation can be told to live, as long as it does
        }

        _store.Commit(request);
    }

    private bool IsFull(AppendFlags flags) => (flags & ~AppendFlags.Check) switch
    {
        AppendFlags.None => _store.IsFull,
        AppendFlags.Durable => true,
        AppendFlags.Relaxed => false,
        _ => throw Errors.Argument("flags", "An append must be relaxed or durable, not both."),
    };

    // The log as of now, and what has to be known to read it. The caller disposes of it.
    private (LogView Log, LogState State) OpenLog(SessionInfo info, JobContext? context = null)
        => _store.Look(isSettled =>
    {
        lock (Core.Rows.Gate)
        {
            if (isSettled && (_row.IsGone
                || (Core.Disk.Stat(_row.Folder) is null && Core.Rows.Held.FailureOf(Id) is null)))
            {
                throw Errors.Deleted(Id); // since this call looked, or about to be published
            }

            if (isSettled)
            {
                Core.Rows.LayOverWhatIsHeld(_row, id => JournalLines.Of(Core, id, Core.State.Published));
            }

            LogState state = Core.Rows.ReadLog(_row, isSettled);
            bool mustExist = !isSettled && info.LastSeq > state.LastInHistory;
            LogView log = RowLog.Open(Core.Disk, _row, state, mustExist, context);
            log.HidesPlaces = _shareId is not null;
            return (log, state);
        }
    });

    private void WritePage(IBufferWriter<byte> output, Action<LogView, LogState, SeqRange, long, Utf8Buffer> write)
        => _store.Run(() =>
    {
        SessionInfo info = Current();
        SeqRange range = Seen(info);
        (LogView log, LogState state) = OpenLog(info);
        using (log)
        {
            var b = new Utf8Buffer(16 * 1024);
            write(log, state, range, info.LastSeq, b);
            output.Write(b.Written);
        }
    });
}
