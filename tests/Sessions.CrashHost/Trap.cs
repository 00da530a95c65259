using System.Runtime.InteropServices;
using Sessions.Platform;

namespace Sessions.CrashHost;

/// <summary>Stops or kills this process at the n-th time that the store comes by a step.</summary>
internal sealed partial class Trap
{
    private const int SigKill = 9;
    private const int SigStop = 19;

    private Step _step;
    private int _signal;
    private int _left;

    /// <summary>"kill" or "stop" at the n-th next coming by.</summary>
    public void Arm(string what, Step step, int n)
    {
        _signal = what == "kill" ? SigKill : SigStop;
        _left = n;
        _step = step;
    }

    public void Pass(Step step)
    {
        if (step == _step && Interlocked.Decrement(ref _left) == 0)
        {
            // Both act on the whole process, before the call is back.
            if (Kill(Environment.ProcessId, _signal) != 0)
            {
                throw new InvalidOperationException("The signal could not be sent.");
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
