using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Recovery;

/// <content>What processes that were killed left behind.</content>
internal sealed partial class StoreRecovery
{
    // Scratch files and staged sessions that crashed processes left; no other process is here to own them.
    private void Sweep()
    {
        SweepScratch();
        _journal.Sweep();
    }

    /// <summary>Removes all that is in tmp/. Call it alone in the store.</summary>
    public void SweepScratch()
    {
        var trees = new Trees(core.Disk, core.InstanceId);
        foreach (DiskName name in core.Disk.ListIfThere(Layout.Temporary))
        {
            Remove(trees, name, Layout.Temporary + "/" + name.Name);
        }
    }

    // What cannot be removed is no reason not to open. A process that lost the race to make the store
    // removes its own scratch file at the same moment, and another user may have put a folder there that this one
    // may not empty.
    private void Remove(Trees trees, DiskName name, string path)
    {
        try
        {
            if (name.IsFolder)
            {
                trees.Remove(path);
            }
            else
            {
                StagedMark.Sweep(core.Disk, path);
                core.Disk.Unlink(path);
            }
        }
        catch (DiskException e)
        {
            LogRing.Add(e.Error == DiskError.NotFound ? "info" : "warning", $"{path} was not removed: {e.Message}");
        }
    }
}
