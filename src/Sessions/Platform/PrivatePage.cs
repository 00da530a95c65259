using System.Runtime.InteropServices;

namespace Sessions.Platform;

/// <summary>A page that nobody shares: for a store that is read where nothing may be written, or one that stands in
/// for a page that was cut, until there is a real one again.</summary>
internal sealed unsafe class PrivatePage(bool isStandIn = false) : ISharedPage
{
    private byte* _address = MakeZeros();

    public byte* Address => _address;

    public bool IsLinked => !isStandIn;

    public bool IsWhole => true;

    public void Wait(int* word, int expected, int timeoutMs) => Futex.Wait(word, expected, timeoutMs);

    public void Wake(int* word, int count) => Futex.Wake(word, count);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_address);
        _address = null;
    }

    private static byte* MakeZeros()
    {
        byte* page = (byte*)NativeMemory.AlignedAlloc(SharedPage.Bytes, 64);
        new Span<byte>(page, SharedPage.Bytes).Clear();
        return page;
    }
}
