namespace Sessions;

/// <summary>The locks that handles of this store hold.</summary>
public sealed partial class SessionStore
{
    /// <summary>How many locks handles of this store hold now.</summary>
    public int ActiveLockCount
    {
        get
        {
            ThrowIfClosed();
            return Run(Engine.Locks.CountHeld);
        }
    }

    /// <summary>Lets go of all locks that handles of this store hold, in one commit; of those that were taken over
    /// nothing is said.</summary>
    public void ReleaseAllLocks()
    {
        ThrowIfClosed();
        if (Core.IsReadOnly)
        {
            return; // it has none
        }

        Engine.Locks.ReleaseAll(Commit);
    }
}
