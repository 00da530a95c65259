using System.Runtime.CompilerServices;
using Sessions.Platform;

namespace Sessions.Tests.Disks;

/// <summary>The shared page of a model disk: the file's first page, pinned.</summary>
internal sealed unsafe class ModelSharedPage(ModelDisk disk, FileNode file, string path, byte[] page) : ISharedPage
{
    // The array is pinned, so its address holds while this object keeps it alive.
    public byte* Address { get; } = (byte*)Unsafe.AsPointer(ref page[0]);

    public bool IsLinked
    {
        get
        {
            lock (disk.Image.Gate)
            {
                disk.RefuseDead();
                return disk.Image.Find("stat", path) == file;
            }
        }
    }

    public bool IsWhole => true;

    public void Wait(int* word, int expected, int timeoutMs)
    {
        lock (disk.Image.Gate)
        {
            disk.RefuseDead();
        }

        Futex.Wait(word, expected, timeoutMs);
        GC.KeepAlive(page);
    }

    public void Wake(int* word, int count)
    {
        Futex.Wake(word, count);
        GC.KeepAlive(page);
    }

    public void Dispose() => GC.KeepAlive(page);
}
