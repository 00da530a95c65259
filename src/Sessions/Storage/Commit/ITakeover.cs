namespace Sessions.Storage.Commit;

/// <summary>Work that comes first under the store lock: a takeover finishes what a dead holder of the lock
/// began.</summary>
internal interface ITakeover
{
    /// <summary>Under the store lock, before anything is written: the store is the one that was opened, and sound.
    /// Throws where nothing may be written.</summary>
    void Enter(BatchRunner runner);

    /// <summary>Finishes what this process itself began and could not.</summary>
    void Resume(BatchRunner runner);
}
