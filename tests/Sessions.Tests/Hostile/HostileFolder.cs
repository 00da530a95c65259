using System.Globalization;

namespace Sessions.Tests.Hostile;

/// <summary>Where hostile stores are made: in memory where this machine lets us mount it, since thousands of them
/// are synced, and else in the temporary folder. Two seed stores are in it, of which each case takes a copy.</summary>
public sealed class HostileFolder : IDisposable
{
    /// <summary>Who owns the stores and works with them, where the tests run as root; else nobody else does.</summary>
    public static readonly int User = SystemCalls.IsRoot ? 65534 : -1;

    /// <summary>Somebody else, who has no rights either.</summary>
    public const int Stranger = 65533;

    private const int Detach = 2;

    private readonly string _folder;
    private readonly bool _isMounted;
    private readonly HostileSeed? _closed;
    private readonly HostileSeed? _killed;
    private readonly string? _reason; // why nothing can be run here
    private int _cases;

    public HostileFolder()
    {
        _folder = ""; // a fixture that skips would fail its tests
        _reason = HostileLibrary.WhyNot;
        if (_reason is not null)
        {
            return;
        }

        _folder = Directory.CreateTempSubdirectory("sessions-hostile-").FullName;
        if (SystemCalls.IsRoot)
        {
            _isMounted = SystemCalls.Mount("none", _folder, "tmpfs", 0, "mode=0755,size=1g") == 0;
            SystemCalls.Mode(_folder, 0x1ED);
            if (!IsOpenToAll(_folder))
            {
                _reason = $"Nobody without rights can come to {_folder}.";
                return;
            }
        }

        _closed = Make("closed");
        _killed = Make("killed");
    }

    /// <summary>A store that was closed: its files are the record.</summary>
    internal HostileSeed Closed => Require(_closed);

    /// <summary>A store whose process was killed: its journal is the record.</summary>
    internal HostileSeed Killed => Require(_killed);

    internal HostileSeed[] Seeds => [Closed, Killed];

    /// <summary>The argument that makes a host that user.</summary>
    public static string UserText => User.ToString(CultureInfo.InvariantCulture);

    /// <summary>A new folder that the user owns, for one case.</summary>
    public string NewFolder()
    {
        Require();
        string path = Path.Combine(_folder,
            Interlocked.Increment(ref _cases).ToString("D6", CultureInfo.InvariantCulture));
        Directory.CreateDirectory(path);
        Give(path);
        return path;
    }

    /// <summary>Gives everything that is root's to the user.</summary>
    public static void Give(string path)
    {
        if (User < 0)
        {
            return;
        }

        Node node = SystemCalls.Look(path);
        if (node.User == 0)
        {
            SystemCalls.Own(path, User);
        }

        if (node.IsFolder)
        {
            foreach (string inner in Directory.GetFileSystemEntries(path).Where(i => i.Length < TreeImage.PathLength))
            {
                Give(inner);
            }
        }
    }

    public void Dispose()
    {
        if (_isMounted)
        {
            Assert.Equal(0, SystemCalls.Unmount(_folder, Detach));
        }

        if (_folder.Length > 0)
        {
            Remove(_folder);
        }
    }

    /// <summary>Removes a folder, whatever a case made of it.</summary>
    public static void Remove(string folder)
    {
        if (!SystemCalls.IsRoot)
        {
            HostileLibrary.Run("chmod", "-R", "u+rwX", folder);
        }

        HostileLibrary.Run("rm", "-rf", folder);
    }

    // Skips the test that asks where there is nothing to run.
    private void Require() => Assert.SkipUnless(_reason is null, _reason ?? "");

    private HostileSeed Require(HostileSeed? seed)
    {
        Require();
        return seed!;
    }

    private HostileSeed Make(string kind)
    {
        string folder = NewFolder();
        string store = Path.Combine(folder, "store");
        string roles = Path.Combine(folder, "roles");
        using var host = new HostileHost(UserText, "seed", store, roles, kind);
        host.End();
        Assert.True(File.Exists(roles), string.Join('\n', host.Faults)); // written last, before it is killed
        var seed = new HostileSeed(kind, store, roles);
        seed.MemoryKib = CaseRunner.Measure(seed, NewFolder());
        return seed;
    }

    private static bool IsOpenToAll(string? folder)
    {
        for (; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if ((SystemCalls.Look(folder).Mode & 1) == 0)
            {
                return false;
            }
        }

        return true;
    }
}
