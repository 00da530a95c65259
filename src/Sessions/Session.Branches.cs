using System.Buffers;
using Sessions.Events.Branches;
using Sessions.Lifecycle;
using Sessions.Model;
using Sessions.Storage.Log;

namespace Sessions;

/// <summary>Branches and rewinds.</summary>
public sealed partial class Session
{
    /// <summary>
    /// Makes a branch: a new session with this one as its parent, which sees this one's events up to
    /// <paramref name="atSeq"/> (0: the last one) under the same numbers, and then its own. Nothing is copied
    /// where the file system has hard links, and the branch keeps its history whatever becomes of this
    /// session. A number in the middle of a long log costs a read of what lies between it and the nearer end.
    /// </summary>
    public Session Fork(long atSeq = 0, SessionCreateOptions? options = null)
    {
        Checks.Number(atSeq, "at_seq");
        SessionInfo pattern = SessionStore.NewInfo(Id, options);
        RequireWritable();
        while (true)
        {
            SessionInfo info = Current();
            FoundBranchPoint? found = atSeq == 0 || atSeq >= info.LastSeq ? null : FindBranchPoint(info, atSeq);
            // Always on stable storage on return: until then the links could not be made, and nobody could read it.
            var request = new ForkRequest(Core, pattern, _row, atSeq, found);
            Commit(request);
            if (!request.IsStale)
            {
                return _store.OpenSession(request.Id);
            }
        }
    }

    /// <summary>Hides the events behind a number (0: all) without erasing them; a "rewind" event says so.
    /// Nothing happens where none is behind it.</summary>
    public void Rewind(long toSeq)
    {
        Checks.Number(toSeq, "to_seq");
        RequireWritable();
        Commit(new RewindRequest(Core, _row, toSeq) { Full = _store.IsFull, Right = _right });
    }

    /// <summary>Shows again what the last rewind that was not undone hid; NotFound where there is none.</summary>
    public void UndoRewind()
    {
        RequireWritable();
        Commit(new UndoRewindRequest(Core, _row) { Full = _store.IsFull, Right = _right });
    }

    /// <summary>Writes the family of this session as JSON: the oldest living ancestor and all its living
    /// descendants, each behind its parent, in the order they were made.</summary>
    public void WriteTree(IBufferWriter<byte> output)
        => _store.Engine.Jobs.Run(context => WriteTree(context, output));

    internal void WriteTree(JobContext context, IBufferWriter<byte> output) => _store.Run(() =>
    {
        context.ThrowIfCancelled();
        Current();
        if (_shareId is not null)
        {
            Share();
            throw Errors.Denied("share.read_only");
        }

        lock (Core.Rows.Gate)
        {
            FamilyTree.Write(Core.Rows, _row, output);
        }
    });

    private FoundBranchPoint FindBranchPoint(SessionInfo info, long atSeq) => _store.Run(() =>
    {
        int rewrites = _row.Rewrites; // before the log: one replaced in between is then looked at again
        (LogView log, LogState state) = OpenLog(info);
        using (log)
        {
            return new FoundBranchPoint(BranchPoint.At(Id, info, log, state, atSeq), state, rewrites);
        }
    });
}
