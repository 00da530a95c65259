namespace Sessions.Storage.Journal;

/// <summary>Who writes a conversation: a handle of this store.</summary>
internal interface IWriter
{
    /// <summary>The epoch of the lock under which it writes; 0: none.</summary>
    long Epoch { get; }

    /// <summary>True once the host destroyed the handle.</summary>
    bool IsOver { get; }
}
