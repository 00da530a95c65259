using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Sessions.Native;

/// <summary>Closing stores, also many at once.</summary>
internal static class Stores
{
    private const int ClosingStackBytes = 256 * 1024;

    /// <summary>Closes stores side by side; false where one was not done in time.</summary>
    internal static bool CloseAll(List<SessionStore> stores, uint timeoutMs)
    {
        long started = Stopwatch.GetTimestamp();
        List<Thread> threads = [];
        ExceptionDispatchInfo? failure = null;
        foreach (SessionStore store in stores)
        {
            var thread = new Thread(() =>
            {
                try
                {
                    Close(store);
                }
                catch (Exception exception)
                {
                    // Nothing may leave a thread: it would end the host.
                    failure = ExceptionDispatchInfo.Capture(exception);
                }
            }, ClosingStackBytes);
            thread.IsBackground = true;
            thread.Start();
            threads.Add(thread);
        }

        foreach (Thread thread in threads)
        {
            if (timeoutMs == uint.MaxValue)
            {
                thread.Join();
                continue;
            }

            double left = timeoutMs - Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            if (!thread.Join((int)Math.Clamp(left, 0, int.MaxValue)))
            {
                return false;
            }
        }

        failure?.Throw();
        return true;
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
