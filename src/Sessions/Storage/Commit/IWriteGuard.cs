using Sessions.Storage.Journal;

namespace Sessions.Storage.Commit;

/// <summary>The right of a handle to write a conversation. The leader of a batch checks it before each request that
/// bears one, under the store lock and the rows' gate.</summary>
internal interface IWriteGuard : IWriter
{
    /// <summary>Throws where the handle may not write.</summary>
    void Check(Transaction transaction);
}
