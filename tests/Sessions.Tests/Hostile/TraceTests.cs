using System.Diagnostics;

namespace Sessions.Tests.Hostile;

/// <summary>What the library asks of the system, seen from outside: nothing inside a store is opened or changed by a
/// path of more than one name, but from the descriptor of its root with the kernel's promise that it stays
/// beneath it.</summary>
public sealed class TraceTests(HostileFolder folder) : IClassFixture<HostileFolder>
{
    private const int FewestCalls = 200;

    // The tracer ends where it wants the stack of a process that is being killed: what it wrote until then counts.
    private const string KilledUnderTrace = "cannot initialize libunwind: No such process";

    private static readonly bool s_isSoak =
        Environment.GetEnvironmentVariable("SESSIONS_SOAK_MINUTES") is { Length: > 0 };

    [Theory]
    [InlineData("closed")]
    [InlineData("killed")]
    public void Nothing_in_a_store_is_reached_by_a_path(string kind)
    {
        string tracer = Tracer();
        HostileSeed seed = folder.Seeds.First(s => s.Name == kind);
        string around = folder.NewFolder();
        try
        {
            CaseStore store = CaseRunner.Copy(seed, around);
            using Outside outside = store.Outside;
            HostileFolder.Give(around);
            string log = Path.Combine(around, "trace");
            using (var host = new HostileHost(tracer, ["-f", "-y", "-s", "4096", "-e", "trace=%file", "-o", log,
                HostileLibrary.Program, HostileFolder.UserText, "read", "write", "salvage", store.Folder, seed.List]))
            {
                bool isThere = host.Phase() && host.Phase() && host.Phase();
                host.End();
                Assert.True(isThere && host.Faults.Count == 0, string.Join('\n', host.Faults));
            }

            var trace = new StoreTrace(new HashSet<string> { store.Folder });
            foreach (string line in File.ReadLines(log))
            {
                trace.Add(line);
            }

            trace.Verify(FewestCalls);
        }
        finally
        {
            HostileFolder.Remove(around);
        }
    }

    /// <summary>The programs of tests/c touch stores by paths, too, so only calls that the library made count. The
    /// stack of each call is read for that, which takes minutes: in a soak.</summary>
    [Theory]
    [MemberData(nameof(Programs))]
    public void No_call_of_a_host_reaches_into_a_store_by_a_path(string program)
    {
        Assert.SkipUnless(s_isSoak, "Only a soak traces the programs of tests/c.");
        string tracer = Tracer();
        string around = folder.NewFolder();
        try
        {
            string log = Path.Combine(around, "trace");
            string built = HostileLibrary.Compile(program, around);
            string temporary = Directory.CreateDirectory(Path.Combine(around, "t")).FullName;
            HostileLibrary.Run(KilledUnderTrace, "env", [$"TMPDIR={temporary}", tracer, "-ff", "-y", "-k", "-s", "4096",
                "-e", "trace=%file", "--quiet=all", "-o", log, built]);
            var trace = new ProgramTrace(Directory.GetFiles(around, "trace.*"));
            trace.Verify(program is "types" or "structs" ? 0 : 1);
        }
        finally
        {
            HostileFolder.Remove(around);
        }
    }

    /// <summary>Programs of tests/c that open stores.</summary>
    public static TheoryData<string> Programs() => s_isSoak
        ? [.. HostileLibrary.Programs] : ["none"];

    // Skips where it is not installed, or may not look into processes.
    private static string Tracer()
    {
        string? tracer = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Select(p => Path.Combine(p, "strace")).FirstOrDefault(File.Exists);
        Assert.SkipUnless(tracer is not null, "strace is not installed.");
        using Process process = Process.Start(new ProcessStartInfo(tracer!, ["-o", "/dev/null", "true"])
        {
            RedirectStandardError = true,
        })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.SkipUnless(process.ExitCode == 0, $"strace may not trace here: {error}");
        return tracer!;
    }
}
