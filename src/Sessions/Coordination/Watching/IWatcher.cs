namespace Sessions.Coordination.Watching;

/// <summary>Who is told of changes by the feed's thread.</summary>
internal interface IWatcher
{
    /// <summary>What it is told, and how far it has come.</summary>
    ChangeSource Source { get; }

    /// <summary>Polls for news and wakes whoever waits for them. Returns false if the feed is to poll again soon: a
    /// call of the host uses the watch, or there is more to read than one poll reads.</summary>
    bool Look();

    /// <summary>The store is closed.</summary>
    void End();
}
