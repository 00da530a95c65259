using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>What the C objects of the library offer to the managed code (c/boundary.h).</summary>
internal static unsafe partial class Boundary
{
    private const string Objects = "boundary"; // linked in, never loaded

    /// <summary>Bytes of the C side's sessions_signals.</summary>
    internal const int SignalBytes = 128;

    [LibraryImport(Objects, EntryPoint = "sessions_set_error")]
    internal static partial void SetError(int status, int osError, long offset, byte* message,
        nuint messageLength, byte* details, nuint detailsLength);

    [LibraryImport(Objects, EntryPoint = "sessions_set_fixed_error")]
    internal static partial void SetFixedError(int status);

    [LibraryImport(Objects, EntryPoint = "sessions_descriptor_opened")]
    internal static partial void DescriptorOpened(int descriptor);

    [LibraryImport(Objects, EntryPoint = "sessions_descriptor_closed")]
    internal static partial void DescriptorClosed(int descriptor);

    [LibraryImport(Objects, EntryPoint = "sessions_block_signals")]
    internal static partial void BlockSignals(byte* before);

    [LibraryImport(Objects, EntryPoint = "sessions_restore_signals")]
    internal static partial void RestoreSignals(byte* before);
}
