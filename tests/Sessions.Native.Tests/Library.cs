using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sessions.Bindings;

namespace Sessions.Native.Tests;

/// <summary>The built library under test: $SESSIONS_LIBRARY, else out/lib of this tree.</summary>
internal static class Library
{
    /// <summary>The root of the tree.</summary>
    public static readonly string Root = FindRoot();

    /// <summary>The library's file.</summary>
    public static readonly string File = FindLibrary();

    [ModuleInitializer]
    internal static void Use() =>
        NativeLibrary.SetDllImportResolver(typeof(Methods).Assembly,
            (name, _, _) => name == "sessions" ? NativeLibrary.Load(File) : 0);

    private static string FindRoot()
    {
        string folder = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!;
        while (!System.IO.File.Exists(Path.Combine(folder, "Sessions.sln")))
        {
            folder = Path.GetDirectoryName(folder)
                ?? throw new FileNotFoundException("no Sessions.sln above the tests");
        }

        return folder;
    }

    private static string FindLibrary()
    {
        string name = OperatingSystem.IsWindows() ? "sessions.dll"
            : OperatingSystem.IsMacOS() ? "libsessions.dylib" : "libsessions.so";
        return Environment.GetEnvironmentVariable("SESSIONS_LIBRARY") is { Length: > 0 } given
            ? Path.GetFullPath(given)
            : Path.Combine(FindRoot(), "out", "lib", name);
    }
}
