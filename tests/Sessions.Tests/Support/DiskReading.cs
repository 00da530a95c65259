using Sessions.Platform;

namespace Sessions.Tests.Support;

/// <summary>Reads files as they stand on a disk.</summary>
internal static class DiskReading
{
    /// <summary>All bytes of a file, however many names it has.</summary>
    public static byte[] ReadAll(this IDisk disk, string path)
    {
        using IDiskFile file = disk.Open(path, OpenMode.Read, mayBeLinked: true);
        byte[] bytes = new byte[file.Length];
        return bytes[..file.Read(bytes, 0)];
    }
}
