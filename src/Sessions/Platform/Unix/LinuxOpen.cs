namespace Sessions.Platform.Unix;

/// <summary>openat2(2), which glibc does not wrap. Linux has it since 5.6; a sandbox may forbid it.</summary>
internal static unsafe class LinuxOpen
{
    private const nint Number = 437; // the same on every architecture
    private const int CurrentFolder = -100; // AT_FDCWD

    private static readonly Lazy<bool> Found = new(Ask);

    public static bool IsThere => Found.Value;

    public static int At(int folder, byte* path, int flags, int mode, ulong resolve)
    {
        ulong* how = stackalloc ulong[] { (ulong)(uint)(flags | Posix.CloseOnExec), (ulong)(uint)mode, resolve };
        return (int)Libc.OpenHow(Number, folder, path, how, 3 * sizeof(ulong));
    }

    // A sandbox may forbid the call with any error, so only a descriptor shows that the system has it.
    private static bool Ask()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        byte* root = stackalloc byte[] { (byte)'/', 0 };
        int descriptor = At(CurrentFolder, root, Posix.PathOnly | Posix.Folder, 0, 0);
        if (descriptor >= 0)
        {
            Libc.Close(descriptor);
        }

        return descriptor >= 0;
    }
}
