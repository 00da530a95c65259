using Sessions.Platform;

namespace Sessions.Tests.Platform;

/// <summary>Random bytes fill the whole buffer, and differ.</summary>
public sealed class SystemRandomTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(32)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(100_000)]
    public void EveryPartOfTheBufferIsFilled(int length)
    {
        byte[] buffer = new byte[length];
        SystemRandom.Fill(buffer);
        foreach (byte[] part in buffer.Chunk(32).Where(part => part.Length == 32))
        {
            Assert.Contains(part, value => value != 0); // by chance once in 2^256
        }
    }

    [Fact]
    public void TwoFillsDiffer()
    {
        byte[] first = new byte[32];
        byte[] second = new byte[32];
        SystemRandom.Fill(first);
        SystemRandom.Fill(second);
        Assert.NotEqual(first, second);
    }
}
