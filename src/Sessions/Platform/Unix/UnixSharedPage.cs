namespace Sessions.Platform;

/// <summary>A mapped page of a file, with waits that cross processes.</summary>
internal sealed unsafe class UnixSharedPage(UnixPath paths, string path, nint address, ulong identity) : ISharedPage
{
    private nint _address = address;

    public byte* Address => (byte*)_address;

    public bool IsLinked
    {
        get
        {
            byte* buffer = stackalloc byte[UnixPath.Bytes];
            return Unix.TryStat(paths.Join(path, buffer), followLinks: true, out UnixStat stat)
                && stat.Identity == identity;
        }
    }

    public void Wait(int* word, int expected, int timeoutMs)
    {
        if (OperatingSystem.IsMacOS())
        {
            Darwin.Wait(word, expected, timeoutMs, shared: true);
        }
        else
        {
            LinuxFutex.Wait(word, expected, timeoutMs, LinuxFutex.Shared);
        }
    }

    public void Wake(int* word, int count)
    {
        if (OperatingSystem.IsMacOS())
        {
            Darwin.Wake(word, count, shared: true);
        }
        else
        {
            LinuxFutex.Wake(word, count, LinuxFutex.Shared);
        }
    }

    public void Dispose()
    {
        nint address = Interlocked.Exchange(ref _address, 0);
        if (address != 0)
        {
            Libc.Unmap(address, SharedPage.Bytes);
        }
    }
}
