using System.Globalization;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Commit;

/// <summary>
/// Erases what was removed for good from all files. A purge removes a session's folder at once, but the journal
/// still has its lines, the index its info, and scratch files the small files that were swapped out. The next
/// checkpoint begins a new segment, retires all older ones, writes the index anew, and removes the scratch files.
/// The shared page records the debt, so the next process with a checkpoint pays it, also after a kill.
/// </summary>
internal static class Erasure
{
    /// <summary>True for a frame that removes text for good.</summary>
    public static bool IsOwedFor(Frame frame)
    {
        foreach (Change change in frame.Changes)
        {
            if (change.Kind == ChangeKind.Purge || change is { Kind: ChangeKind.Rewrite, Kept.Length: 0 })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Notes in the page which of the frames that are about to be published remove text for good. Call under
    /// the store lock.</summary>
    public static void Note(SharedState state, List<Frame> frames)
    {
        foreach (Frame frame in frames)
        {
            if (IsOwedFor(frame))
            {
                state.Purged = frame.Lsn;
            }
        }
    }

    /// <summary>Removes the scratch files of every process. Call under the store lock: nobody is writing into one
    /// then, and a pool that finds its file gone makes another.</summary>
    public static void RemoveScratch(IDisk disk)
    {
        if (disk.Stat(Layout.Temporary) is not { IsFolder: true })
        {
            return;
        }

        foreach (DiskName name in disk.List(Layout.Temporary))
        {
            if (!name.IsFolder && IsScratch(name.Name))
            {
                disk.UnlinkIfThere(Layout.Temporary + "/" + name.Name); // who closes empties its pool meanwhile
            }
        }
    }

    // "i-", 12 hexadecimal digits, "-", a number. What is on its way into files/ has a word there.
    private static bool IsScratch(string name)
        => name.Length > 15 && name.StartsWith("i-", StringComparison.Ordinal) && name[14] == '-'
            && StoreLock.TryOwnerByte(name[..14], out _)
            && long.TryParse(name.AsSpan(15), NumberStyles.None, CultureInfo.InvariantCulture, out _);
}

/// <summary>Ends the current segment, so that the next checkpoint retires it.</summary>
internal sealed class SwitchRequest(StoreCore core) : CommitRequest
{
    public override bool MayUseReserve => true;

    public override bool IsAlone => true;

    /// <summary>The last LSN that stands in older segments; 0 where nothing was done.</summary>
    public long Lsn { get; private set; }

    public override void Prepare(BatchRunner runner)
    {
        runner.SyncAll();
        if (core.Replica.Segment != 0)
        {
            runner.Switch(0, Math.Max(0, core.State.Floor - core.State.Published));
        }

        Lsn = core.State.Published;
    }

    public override void Run(Transaction transaction)
    {
    }
}
