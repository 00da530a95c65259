using System.Runtime.InteropServices;
using Sessions.Tests.Hostile;

namespace Sessions.Tests.Damage.Harm;

/// <summary>
/// A thread of a user without rights: to root, permissions of files say nothing. Where the tests run as root the thread
/// alone gives its rights up, by the bare calls of the system (those of the C library change all threads), and has them
/// no more until it ends.
/// </summary>
internal static partial class Nobody
{
    private static readonly TimeSpan s_guard = TimeSpan.FromSeconds(90);

    /// <summary>The user; -1: the one that runs the tests.</summary>
    public static int User => HostileFolder.User;

    /// <summary>Runs an action; fails where nothing that it counts goes on for a while.</summary>
    public static void Run(Action action, Func<(long Count, string What)> progress)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                GiveUpRights();
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
        for (long last = -1; !thread.Join(s_guard);)
        {
            (long count, string what) = progress();
            Assert.True(count != last, $"This does not end: {what}");
            last = count;
        }

        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    private static void GiveUpRights()
    {
        if (User < 0)
        {
            return;
        }

        (nint groups, nint group, nint user) = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => (116, 119, 117),
            Architecture.Arm64 => (159, 149, 147),
            _ => throw new PlatformNotSupportedException(),
        };
        nint id = User;
        Assert.Equal(0, Call(groups, 0, 0, 0));
        Assert.Equal(0, Call(group, id, id, id));
        Assert.Equal(0, Call(user, id, id, id));
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Call(nint number, nint first, nint second, nint third);
}
