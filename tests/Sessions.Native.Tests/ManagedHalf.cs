using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Text;

namespace Sessions.Native.Tests;

/// <summary>
/// For `build.sh coverage`: a library that is only the C half of the real one (tests/coverage.sh) gets
/// the exports of Sessions.Native.dll behind it, run by this process, so that they can be measured.
/// The assembly is loaded a second time, because some tests use its handle table for themselves.
/// </summary>
internal static unsafe class ManagedHalf
{
    /// <summary>Whether the library is such a half.</summary>
    internal static bool IsMissing(nint library) => NativeLibrary.TryGetExport(library, "sessions_stand_in", out _);

    /// <summary>Puts the managed exports behind the library's C functions.</summary>
    internal static void StandIn(nint library)
    {
        Assembly exports = new AssemblyLoadContext("exports").LoadFromAssemblyPath(typeof(Handles).Assembly.Location);
        NativeLibrary.SetDllImportResolver(exports, (name, _, _) => name == "boundary" ? library : 0);
        var standIn = (delegate* unmanaged<byte*, nint, int>)NativeLibrary.GetExport(library, "sessions_stand_in");
        int missing = -1;
        foreach (MethodInfo method in exports.GetTypes().SelectMany(type =>
            type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)))
        {
            if (method.GetCustomAttribute<UnmanagedCallersOnlyAttribute>()?.EntryPoint is { } name)
            {
                fixed (byte* text = Encoding.ASCII.GetBytes(name + '\0'))
                {
                    missing = standIn(text, method.MethodHandle.GetFunctionPointer());
                }

                if (missing < 0)
                {
                    throw new EntryPointNotFoundException($"the C half does not call {name}");
                }
            }
        }

        if (missing != 0)
        {
            throw new EntryPointNotFoundException("the C half calls a managed function that is not there");
        }
    }
}
