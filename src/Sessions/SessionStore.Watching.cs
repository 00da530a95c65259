namespace Sessions;

/// <content>Hearing of changes.</content>
public sealed partial class SessionStore
{
    /// <summary>Opens a watch. What is published from here on, by any process, it will tell; so whoever opens it
    /// before a list, and then applies what it tells, always knows what the store has.</summary>
    public SessionWatch OpenWatch(WatchOptions? options = null)
    {
        ThrowIfClosed();
        return new SessionWatch(Engine, options ?? new WatchOptions());
    }
}
