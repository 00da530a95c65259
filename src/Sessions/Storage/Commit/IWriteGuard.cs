using Sessions.Storage.Journal;

namespace Sessions.Storage.Commit;

/// <summary>Decides whether a handle may write now. Whoever leads a batch asks it before each request that bears one,
/// under the store lock and the rows' gate.</summary>
internal interface IWriteGuard : IWriter
{
    /// <summary>Throws where the handle may not write.</summary>
    void Check(Transaction transaction);
}
