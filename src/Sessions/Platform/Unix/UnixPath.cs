using System.Text;

namespace Sessions.Platform;

/// <summary>
/// Joins the store's folder and a relative path into a caller's buffer on the stack, as the system
/// wants it: UTF-8 and a zero at the end. Allocates nothing.
/// </summary>
internal sealed unsafe class UnixPath(string root)
{
    /// <summary>Bytes of a buffer; PATH_MAX of Linux. A longer path fails as the kernel would.</summary>
    public const int Bytes = 4096;

    private readonly byte[] _root = Encoding.UTF8.GetBytes(root);

    /// <summary>Writes the whole path of <paramref name="path"/> and answers the buffer.</summary>
    public byte* Join(string path, byte* buffer)
    {
        var room = new Span<byte>(buffer, Bytes);
        int at = _root.Length;
        if (at < Bytes - 1 && path.Length < Bytes)
        {
            _root.CopyTo(room);
            if (path.Length > 0 && room[at - 1] != '/')
            {
                room[at++] = (byte)'/';
            }

            if (Encoding.UTF8.TryGetBytes(path, room[at..^1], out int written))
            {
                room[at + written] = 0;
                return buffer;
            }
        }

        throw Errno.Failure("open", path, Errno.NameTooLong);
    }
}
