using System.Runtime.InteropServices;

namespace Sessions.Platform.Unix;

/// <summary>A name in an open folder: what calls that change names are given.</summary>
internal readonly unsafe ref struct UnixPlace(int folder, byte* name, bool isOwn)
{
    private readonly bool _isOwn = isOwn;

    public int Folder { get; } = folder;

    public byte* Name { get; } = name;

    public void Dispose()
    {
        if (_isOwn)
        {
            int error = Errno.Last;
            Libc.Close(Folder);
            Marshal.SetLastPInvokeError(error);
        }
    }
}
