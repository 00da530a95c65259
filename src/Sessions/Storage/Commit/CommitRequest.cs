namespace Sessions.Storage.Commit;

/// <summary>What a caller wants committed. Prepared outside all locks; <see cref="Run"/> is called
/// under the store lock, by whichever caller leads.</summary>
internal abstract class CommitRequest
{
    /// <summary>True where the caller waits for stable storage.</summary>
    public bool Full { get; init; } = true;

    /// <summary>True for what must go on a full disk: delete, abort, clear, purge.</summary>
    public virtual bool MayUseReserve => false;

    /// <summary>About how many bytes its frame takes.</summary>
    public virtual int SizeHint => 1024;

    /// <summary>The right of the handle that writes the conversation by it; null for what needs none, which is all
    /// that is not the conversation, and the library's own work.</summary>
    public IWriteGuard? Right { get; init; }

    /// <summary>What it failed with; its changes are then absent.</summary>
    public Exception? Failure { get; set; }

    /// <summary>True from the moment that its frame is written, however that ends: it may be on stable storage, and
    /// what it speaks of is not taken away any more.</summary>
    public bool IsWritten { get; set; }

    /// <summary>True where its frame must stand in no batch with others.</summary>
    public virtual bool IsAlone => false;

    /// <summary>What one that is alone does under the store lock before it runs: everything published is
    /// to be on stable storage and in the files by then.</summary>
    public virtual void Prepare(BatchRunner runner)
    {
    }

    /// <summary>Undoes what a run did beside the transaction: the request has failed, or runs again. Under the
    /// store lock; must not throw, and does nothing where there is nothing to undo.</summary>
    public virtual void TakeBack()
    {
    }

    /// <summary>
    /// Looks at the working state and adds changes. Everything that can fail comes before the first
    /// change: a request that throws must have added none. Where a batch meets a full disk it is given
    /// up and what may use the reserve runs once more, so a run begins with no results of an earlier one.
    /// </summary>
    public abstract void Run(Transaction transaction);
}
