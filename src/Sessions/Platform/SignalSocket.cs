using Sessions.Platform.Unix;
using Sessions.Platform.Windows;

namespace Sessions.Platform;

/// <summary>
/// A pair of connected sockets of which a host polls one: readable while it is set. There is at most one byte
/// in it, whatever a host that drains it does. One thread at a time. Failures are <see cref="DiskException"/>s.
/// </summary>
internal abstract class SignalSocket : IDisposable
{
    /// <summary>The end that is polled.</summary>
    public abstract nint Handle { get; }

    /// <summary>Makes one, not set.</summary>
    public static SignalSocket Open()
        => OperatingSystem.IsWindows() ? WindowsSignalSocket.Open() : UnixSignalSocket.Open();

    /// <summary>Makes it readable, again where somebody took the byte.</summary>
    public abstract void Set();

    /// <summary>Takes back what makes it readable.</summary>
    public abstract void Clear();

    /// <summary>Makes it readable for good: its end.</summary>
    public abstract void End();

    /// <summary>Another descriptor of the end that is polled, which the caller closes.</summary>
    public abstract nint Duplicate();

    public abstract void Dispose();
}
