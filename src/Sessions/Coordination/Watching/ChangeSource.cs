using Sessions.Json;

namespace Sessions.Coordination.Watching;

/// <summary>What one watch has still to tell. One thread at a time.</summary>
internal abstract class ChangeSource : IDisposable
{
    /// <summary>Behind which LSN it reads frames from the feed's memory; <see cref="long.MaxValue"/>: it does
    /// not read there.</summary>
    public virtual long Position => long.MaxValue;

    /// <summary>True where there is something to tell, of all that this process has taken in. Reads about so
    /// many bytes of the journal at most; what lies behind them is for the next time.</summary>
    public abstract bool Look(long bytesMax = long.MaxValue);

    /// <summary>True where the last look ended for its bytes, and there is more to look at.</summary>
    public virtual bool IsCut => false;

    /// <summary>Writes a page of it: at most so many changes (0: as many as fit), but one where there is one.</summary>
    public abstract void WritePage(Utf8Buffer b, uint limit);

    /// <summary>Something that no frame has; under the rows' gate.</summary>
    public abstract void Add(LocalChange change);

    public virtual void Dispose()
    {
    }
}
