namespace Sessions.Storage.Commit;

/// <summary>Whoever enters the store lock finishes first what a dead holder of it began.</summary>
internal interface ITakeover
{
    /// <summary>Under the store lock, before anything is written: the store is the one that was opened, and sound.
    /// Throws where nothing may be written.</summary>
    void Enter(BatchRunner runner);

    /// <summary>Finishes what this process itself began and could not.</summary>
    void Resume(BatchRunner runner);
}
