using System.Runtime.InteropServices;
using System.Text.Json;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Watching;

/// <summary>What the tests of watches do with them again and again.</summary>
internal static unsafe partial class Watches
{
    /// <summary>Nothing takes so long; it only keeps a hanging test from hanging for ever.</summary>
    public const uint GuardMs = 60_000;

    /// <summary>The same.</summary>
    public static readonly TimeSpan Guard = TimeSpan.FromMilliseconds(GuardMs);

    /// <summary>A page; there must be one in time.</summary>
    public static JsonElement Next(this SessionWatch watch, uint limit = 0, uint timeoutMs = 0)
        => Stores.Json(b => Assert.True(watch.WriteNext(limit, timeoutMs, b), "The time is over."));

    /// <summary>All changes that there are now, page by page.</summary>
    public static List<JsonElement> All(this SessionWatch watch, uint limit = 0)
    {
        var all = new List<JsonElement>();
        JsonElement page;
        do
        {
            page = watch.Next(limit);
            all.AddRange(page.GetProperty("changes").EnumerateArray());
        }
        while (page.GetProperty("has_more").GetBoolean());
        return all;
    }

    /// <summary>Their kinds.</summary>
    public static List<string> Kinds(this SessionWatch watch) => [.. watch.All().Select(Kind)];

    /// <summary>Waits for changes until so many have come.</summary>
    public static List<JsonElement> Await(this SessionWatch watch, int count)
    {
        var all = new List<JsonElement>();
        while (all.Count < count)
        {
            all.AddRange(watch.Next(0, GuardMs).GetProperty("changes").EnumerateArray());
        }

        return all;
    }

    public static string Kind(JsonElement change) => change.GetProperty("kind").GetString()!;

    public static long Number(this JsonElement element, string name) => element.GetProperty(name).GetInt64();

    public static string? Text(this JsonElement element, string name) => element.GetProperty(name).GetString();

    /// <summary>Whether a socket can be read, looked at once or for so long.</summary>
    public static bool IsReadable(nint socket, int timeoutMs = 0)
    {
        var entry = new PollEntry { Fd = (int)socket, Events = 1 };
        int found = Poll(&entry, 1, timeoutMs);
        Assert.True(found >= 0);
        return found > 0;
    }

    /// <summary>Takes out of a socket what is in it: how many bytes; 0: its end; -1: nothing.</summary>
    public static int Swallow(nint socket)
    {
        byte* bytes = stackalloc byte[64];
        return (int)Receive((int)socket, bytes, 64, 0);
    }

    /// <summary>Takes O_NONBLOCK from a socket and all its duplicates.</summary>
    public static void MakeBlocking(nint socket)
    {
        const int get = 3, set = 4;
        int nonBlocking = OperatingSystem.IsMacOS() ? 4 : 0x800;
        int flags = Control((int)socket, get, 0);
        Assert.True((flags & nonBlocking) != 0 && Control((int)socket, set, flags & ~nonBlocking) == 0);
    }

    /// <summary>How many bytes are in it.</summary>
    public static int Pending(nint socket)
    {
        const int peek = 2;
        byte* bytes = stackalloc byte[64];
        return Math.Max(0, (int)Receive((int)socket, bytes, 64, peek));
    }

    /// <summary>Waits for something that another thread brings about.</summary>
    public static void Until(Func<bool> isSo)
        => Assert.True(SpinWait.SpinUntil(isSo, TimeSpan.FromMilliseconds(GuardMs)), "It never came to be so.");

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int fd, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(PollEntry* entries, nuint count, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "recv")]
    private static partial nint Receive(int fd, byte* buffer, nuint count, int flags);

    private struct PollEntry
    {
        public int Fd;
        public short Events;
        public short Found;
    }
}
