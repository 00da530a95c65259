using System.Buffers.Binary;

namespace Sessions.Tests.Hostile;

/// <summary>Writes into the shared page, as anybody may who may write the file.</summary>
internal static class PageCases
{
    public static void Write(string page, int offset, long value)
    {
        byte[] word = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(word, value);
        using FileStream file = File.Open(page, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Position = offset;
        file.Write(word);
    }
}
