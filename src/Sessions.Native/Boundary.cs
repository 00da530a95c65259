using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>What the C objects of the library offer to the managed code (c/boundary.h).</summary>
internal static unsafe partial class Boundary
{
    private const string Objects = "boundary"; // linked in, never loaded

    [LibraryImport(Objects, EntryPoint = "sessions_set_error")]
    internal static partial void SetError(int status, int osError, long offset, byte* message,
        nuint messageLength, byte* details, nuint detailsLength);

    [LibraryImport(Objects, EntryPoint = "sessions_set_fixed_error")]
    internal static partial void SetFixedError(int status);

    [LibraryImport(Objects, EntryPoint = "sessions_descriptor_opened")]
    internal static partial void DescriptorOpened(int descriptor);

    [LibraryImport(Objects, EntryPoint = "sessions_descriptor_closed")]
    internal static partial void DescriptorClosed(int descriptor);

    [LibraryImport(Objects, EntryPoint = "sessions_wake")]
    internal static partial void Wake(delegate* unmanaged[Cdecl]<void*, void> wake, void* user);
}
