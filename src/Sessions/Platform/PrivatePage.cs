using System.Runtime.InteropServices;

namespace Sessions.Platform;

/// <summary>A page that nobody shares: for a store that is read where nothing may be written.</summary>
internal sealed unsafe class PrivatePage : ISharedPage
{
    private byte* _address = (byte*)NativeMemory.AlignedAlloc(SharedPage.Bytes, 64);

    public PrivatePage() => new Span<byte>(_address, SharedPage.Bytes).Clear();

    public byte* Address => _address;

    public bool IsLinked => true;

    public void Wait(int* word, int expected, int timeoutMs) => Futex.Wait(word, expected, timeoutMs);

    public void Wake(int* word, int count) => Futex.Wake(word, count);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_address);
        _address = null;
    }
}
