using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>
/// A few descriptors that are held for the time after a frame is written: what it says is brought to the files then,
/// and a process that has used up its descriptors meanwhile could not. Where they cannot be had nothing is written.
/// Used under the store lock only.
/// </summary>
internal sealed class DescriptorReserve(IDisk disk) : IDisposable
{
    // A swap has the two folders and the file open, a log stays open, and a system without openat2 opens one more.
    private const int Count = 5;

    private readonly IDiskFile?[] _held = new IDiskFile?[Count];
    private bool _isFull;

    /// <summary>Takes what is missing; throws where that cannot be had.</summary>
    public void Fill()
    {
        for (int i = 0; i < Count && !_isFull; i++)
        {
            _held[i] ??= disk.Open(Layout.StoreFile, OpenMode.Read, mayBeLinked: true);
        }

        _isFull = true;
    }

    /// <summary>Lets go of all.</summary>
    public void Dispose()
    {
        _isFull = false;
        for (int i = 0; i < Count; i++)
        {
            _held[i]?.Dispose();
            _held[i] = null;
        }
    }
}
