using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;

namespace Sessions.Storage.Commit;

/// <content>What becomes of a batch that meets anything but a refused request.</content>
internal sealed partial class BatchRunner
{
    private readonly DescriptorReserve _reserve = new(core.Disk);

    /// <summary>Lets go of the files that are kept open between batches.</summary>
    public void LetGo()
    {
        _journal.Dispose();
        _reserve.Dispose();
        Applier.LetGo();
    }

    // Nothing happened before the write, and each request says why. Behind it the frames count: they are ended in this
    // very call, as they would be for a holder that died. Only where that fails, too, is the store poisoned.
    private Exception? End(List<CommitRequest> requests, Exception e)
    {
        core.Heed(e as DiskException);
        if (_isWritten && core.State.Health == StoreHealth.Sound && TryFinish(e))
        {
            core.State.Holder = 0;
            return null;
        }

        Exception failure = e switch
        {
            DiskException disk => DiskErrors.From(disk, core.Disk),
            OutOfMemoryException => Errors.NoMemory(e),
            _ => e,
        };
        foreach (CommitRequest request in requests)
        {
            request.Failure ??= failure;
        }

        if (failure is not SessionException)
        {
            LogRing.Add("error", $"A commit ended in {e.GetType().Name}: {e.Message}");
        }

        if (_isWritten)
        {
            core.Poison($"{e.GetType().Name} between a write and its publishing"); // nobody may build on it
        }

        return failure;
    }

    private bool TryFinish(Exception e)
    {
        LogRing.Add("error", $"{e.GetType().Name} behind the write of a commit, which is ended as a dead holder's is: "
            + e.Message);
        try
        {
            _transaction.End();
            Applier.Forget();
            takeover.Resume(this);
            return core.State.Published >= _written;
        }
        catch (Exception again)
        {
            core.Heed(again as DiskException);
            LogRing.Add("error", $"It could not be: {again.GetType().Name}: {again.Message}");
            return false;
        }
    }

    // What cannot be applied now stays pending: the journal has it, every handle shows it, and the
    // next commit tries again before it does anything of its own.
    private SessionException? TryApply(List<Frame> frames, long lsn)
    {
        try
        {
            Apply(frames);
        }
        catch (DiskException e)
        {
            LogRing.Add("warning", $"The files are behind the journal: {e.Message}");
            return core.Failed(e);
        }
        catch (OutOfMemoryException e)
        {
            LogRing.Add("warning", "The files are behind the journal: there is not enough memory.");
            return Errors.NoMemory(e);
        }

        core.State.Applied = lsn;
        return null;
    }

    private void Apply(List<Frame> frames)
    {
        var fold = new Fold();
        foreach (Frame frame in frames)
        {
            fold.Add(frame);
        }

        try
        {
            Applier.Apply(fold);
        }
        catch (DiskException e) when (e.Error == DiskError.NoDescriptor)
        {
            _reserve.Dispose(); // it is for this
            Applier.LetGo();
            Applier.Apply(fold);
        }

        Hold();
    }
}
