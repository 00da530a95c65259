using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Sessions.Jobs;

namespace Sessions.Native;

/// <summary>Closing stores, also many at once, and what else the library has running.</summary>
internal static class Stores
{
    private const int ClosingStackBytes = 256 * 1024;

    private static readonly List<Thread> s_closing = [];

    /// <summary>Closes stores side by side, and stops the jobs that belong to none; false where one was not
    /// done in time, also one that an earlier call began to close. Where no thread can be started, the calling thread
    /// closes the store, and may exceed the timeout.</summary>
    internal static bool CloseAll(IEnumerable<SessionStore> stores, uint timeoutMs)
    {
        long started = Stopwatch.GetTimestamp();
        ExceptionDispatchInfo? failure = null;
        Thread[] closing;
        var own = new List<Action>();
        lock (s_closing)
        {
            s_closing.RemoveAll(thread => !thread.IsAlive);
            var ends = new List<Action>();
            foreach (SessionStore store in stores.Where(store => !store.Engine.IsClosed))
            {
                ends.Add(() => Close(store));
            }

            if (Job.HasStoreless)
            {
                ends.Add(Job.StopStoreless);
            }

            foreach (Action end in ends)
            {
                if (!TryStart(() => Run(end)))
                {
                    own.Add(end);
                }
            }

            closing = [.. s_closing];
        }

        own.ForEach(Run);
        foreach (Thread thread in closing)
        {
            double left = timeoutMs == uint.MaxValue ? Timeout.Infinite
                : Math.Clamp(timeoutMs - Stopwatch.GetElapsedTime(started).TotalMilliseconds, 0, int.MaxValue);
            if (!thread.Join((int)left))
            {
                return false;
            }
        }

        failure?.Throw();
        return true;

        void Run(Action end)
        {
            try
            {
                end();
            }
            catch (Exception exception)
            {
                // Nothing may leave a thread: it would end the host. And one store's failure leaves no other open.
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        }
    }

    private static bool TryStart(Action action)
    {
        var thread = new Thread(() => action(), ClosingStackBytes) { IsBackground = true };
        try
        {
            thread.Start();
        }
        catch (OutOfMemoryException e)
        {
            LogRing.Add("warning", $"No thread is to be had to close a store; the caller closes it: {e.Message}");
            return false;
        }

        s_closing.Add(thread);
        return true;
    }

    /// <summary>Closes a store; fine where session_shutdown has done so.</summary>
    internal static void Close(SessionStore store)
    {
        if (!store.Engine.IsClosed)
        {
            store.Close();
        }
    }
}
