using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Handling;

/// <summary>
/// The C under the exports that tests call in this process, for states of theirs that no host can
/// bring about: errors.c, compiled when it is first needed. The built library hides its own.
/// </summary>
internal static unsafe class OwnBoundary
{
    private static readonly Lazy<nint> s_library = new(() => Library.IsHalf ? Library.Loaded : Compile());

    /// <summary>Skips the test where compilers are others.</summary>
    public static void Need() => Assert.SkipWhen(OperatingSystem.IsWindows(), "compiles C as gcc and clang do");

    /// <summary>This thread's last error there.</summary>
    public static Error LastError()
    {
        var lastError = (delegate* unmanaged<session_error*>)NativeLibrary.GetExport(s_library.Value,
            "session_last_error");
        return Call.Copy(lastError());
    }

    [ModuleInitializer]
    internal static void Use() => NativeLibrary.SetDllImportResolver(typeof(Handles).Assembly,
        (name, _, _) => name == "boundary" ? s_library.Value : 0);

    private static nint Compile()
    {
        string folder = Directory.CreateTempSubdirectory("sessions-native-").FullName;
        try
        {
            string file = Path.Combine(folder, "boundary.so");
            string[] arguments =
            [
                "-std=gnu11", "-shared", "-fPIC", $"-I{Path.Combine(Library.Root, "include")}",
                Path.Combine(Library.Root, "src", "Sessions.Native", "c", "errors.c"), "-o", file, "-pthread",
            ];
            string compiler = Environment.GetEnvironmentVariable("CC") is { Length: > 0 } given ? given : "cc";
            using Process process = Process.Start(new ProcessStartInfo(compiler, arguments))!;
            process.WaitForExit();
            return process.ExitCode == 0 ? NativeLibrary.Load(file)
                : throw new InvalidDataException("errors.c could not be compiled");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
