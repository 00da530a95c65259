using System.Runtime.CompilerServices;
using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Page;

namespace Sessions;

/// <content>One call of a handle: what a disk says becomes what the API says.</content>
internal sealed partial class StoreEngine
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // every look of a loop asks
    public void ThrowIfClosed()
    {
        if (IsClosed)
        {
            throw Errors.Closed();
        }
    }

    /// <summary>Commits a request.</summary>
    public void Execute(CommitRequest request)
    {
        try
        {
            Commit(request);
        }
        catch (DiskException e)
        {
            throw DiskErrors.From(e, Core.Disk); // the lock itself failed
        }
    }

    /// <summary>Runs something that reads files.</summary>
    public T Run<T>(Func<T> action) => DiskErrors.Run(Core.Disk, action);

    /// <summary>The same.</summary>
    public void Run(Action action) => Run(() =>
    {
        action();
        return true;
    });

    /// <summary>
    /// Runs something that looks for files by their path. A neighbour may have moved them and not yet
    /// published it, so what is missing is looked for once more under the store lock: only what is
    /// missing there is missing. The action is told which of the two it is.
    /// </summary>
    public T Look<T>(Func<bool, T> action)
    {
        try
        {
            return action(false);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            LogRing.Add("debug", $"Looked for once more: {e.Path}");
        }
        catch (DiskException e)
        {
            throw DiskErrors.From(e, Core.Disk);
        }

        if (Core.IsReadOnly || Core.State.Health != StoreHealth.Sound)
        {
            return Run(() => action(true));
        }

        T result = default!;
        Execute(new LookRequest(() => result = action(true)) { Full = false });
        return result;
    }
}
