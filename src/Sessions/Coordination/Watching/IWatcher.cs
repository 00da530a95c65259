namespace Sessions.Coordination.Watching;

/// <summary>Who is told of changes by the feed's thread.</summary>
internal interface IWatcher
{
    /// <summary>What it is told, and how far it has come.</summary>
    ChangeSource Source { get; }

    /// <summary>Looks for news and tells whoever waits for them; false where it could not look now.</summary>
    bool Look();

    /// <summary>The store is closed.</summary>
    void End();
}
