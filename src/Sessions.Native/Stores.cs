using System.Diagnostics;

namespace Sessions.Native;

/// <summary>Opening and closing stores where more than one call of the engine is needed.</summary>
internal static unsafe class Stores
{
    private const int ClosingStackBytes = 256 * 1024;

    /// <summary>Opens a store. The threads that it starts do not take the host's signals.</summary>
    internal static SessionStore Open(string? path, SessionStoreOptions? options)
    {
        byte* signals = stackalloc byte[Boundary.SignalBytes];
        Boundary.BlockSignals(signals);
        try
        {
            return SessionStore.Open(path, options);
        }
        finally
        {
            Boundary.RestoreSignals(signals);
        }
    }

    /// <summary>Closes stores side by side; false where one was not done in time.</summary>
    internal static bool CloseAll(List<SessionStore> stores, uint timeoutMs)
    {
        long started = Stopwatch.GetTimestamp();
        List<Thread> threads = [];
        SessionException? failure = null;
        byte* signals = stackalloc byte[Boundary.SignalBytes];
        Boundary.BlockSignals(signals);
        foreach (SessionStore store in stores)
        {
            var thread = new Thread(() =>
            {
                try
                {
                    Close(store);
                }
                catch (SessionException exception)
                {
                    failure = exception;
                }
            }, ClosingStackBytes);
            thread.IsBackground = true;
            thread.Start();
            threads.Add(thread);
        }

        Boundary.RestoreSignals(signals);

        foreach (Thread thread in threads)
        {
            if (timeoutMs == uint.MaxValue)
            {
                thread.Join();
                continue;
            }

            TimeSpan left = TimeSpan.FromMilliseconds(timeoutMs) - Stopwatch.GetElapsedTime(started);
            if (!thread.Join(left > TimeSpan.Zero ? left : TimeSpan.Zero))
            {
                return false;
            }
        }

        return failure is null ? true : throw failure;
    }

    /// <summary>Closes a store; fine where session_shutdown has done so.</summary>
    internal static void Close(SessionStore store)
    {
        try
        {
            store.Close();
        }
        catch (SessionException exception) when (exception.Status == SessionStatus.Closed)
        {
            LogRing.Add("info", "A store was closed a second time.");
        }
    }
}
