using System.Diagnostics;

namespace Sessions.Tests.Hostile;

/// <summary>The built library, $SESSIONS_LIBRARY or out/lib of this tree, and the program in tests/hostile that
/// calls it, compiled once.</summary>
internal static class HostileLibrary
{
    private static readonly Lazy<string> s_program = new(Compile);

    /// <summary>Why the host cannot run here; null where it can.</summary>
    public static string? WhyNot => !OperatingSystem.IsLinux() ? "Reads /proc and watches with inotify."
        : File.Exists(Library) ? null : "There is no built library; see ./build.sh lib.";

    /// <summary>Where the host is. Whoever asks is skipped where there is nothing to run.</summary>
    public static string Program
    {
        get
        {
            Assert.SkipUnless(WhyNot is null, WhyNot ?? "");
            return s_program.Value;
        }
    }

    /// <summary>The programs of tests/c that use the whole library by themselves.</summary>
    public static IEnumerable<string> Programs => Directory.GetFiles(Path.Combine(Root, "tests", "c"), "*.c")
        .Select(f => Path.GetFileNameWithoutExtension(f))
        .Except(["boundary", "fulldisk", "module", "tsan_signals"]).Order(StringComparer.Ordinal);

    /// <summary>Compiles one of them into a folder.</summary>
    public static string Compile(string program, string folder)
    {
        string output = Path.Combine(folder, program);
        Build(output, Path.Combine(Root, "tests", "c", program + ".c"));
        return output;
    }

    private static string Root
    {
        get
        {
            string folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "Sessions.sln")))
            {
                folder = Path.GetDirectoryName(folder) ?? throw new FileNotFoundException("no Sessions.sln above");
            }

            return folder;
        }
    }

    private static string Library => Environment.GetEnvironmentVariable("SESSIONS_LIBRARY") is { Length: > 0 } given
        ? Path.GetFullPath(given)
        : Path.Combine(Root, "out", "lib", "libsessions.so");

    /// <summary>Runs a program to its end; its output. Fails the test where the program does.</summary>
    public static string Run(string program, params string[] arguments) => Run(null, program, arguments);

    /// <summary>The same, but it may end with a failure that says that on its standard error.</summary>
    public static string Run(string? allowed, string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        bool isFine = process.ExitCode == 0
            || (allowed is not null && errors.Result.Contains(allowed, StringComparison.Ordinal));
        Assert.True(isFine, $"{program}: {process.ExitCode}: {errors.Result}{output}");
        return output;
    }

    private static string Compile()
    {
        string output = Path.Combine(AppContext.BaseDirectory, "hostile-host");
        string fresh = $"{output}.{Environment.ProcessId}";
        Build(fresh, Directory.GetFiles(Path.Combine(Root, "tests", "hostile"), "*.c"));
        File.Move(fresh, output, overwrite: true);
        return output;
    }

    private static void Build(string output, params string[] sources)
    {
        string compiler = Environment.GetEnvironmentVariable("CC") is { Length: > 0 } given ? given : "cc";
        string folder = Path.GetDirectoryName(Library)!;
        Run(compiler, ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-I", Path.Combine(Root, "include"),
            .. sources, "-L", folder, "-lsessions", $"-Wl,-rpath,{folder}", "-pthread", "-o", output]);
    }
}
