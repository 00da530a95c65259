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

    private static readonly Lazy<nint> s_loaded = new(Load);

    /// <summary>Its handle in the loader.</summary>
    public static nint Loaded => s_loaded.Value;

    /// <summary>Whether only the C half is the built library, see <see cref="ManagedHalf"/>.</summary>
    public static bool IsHalf => ManagedHalf.IsMissing(Loaded);

    [ModuleInitializer]
    internal static void Use() =>
        NativeLibrary.SetDllImportResolver(typeof(Methods).Assembly,
            (name, _, _) => name == "sessions" ? Loaded : 0);

    private static nint Load()
    {
        nint library = NativeLibrary.Load(File);
        if (ManagedHalf.IsMissing(library))
        {
            ManagedHalf.StandIn(library);
        }

        return library;
    }

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
