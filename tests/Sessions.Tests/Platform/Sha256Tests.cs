using System.Security.Cryptography;
using Sessions.Platform;

namespace Sessions.Tests.Platform;

/// <summary>The digest is that of the standard, for every length around a block.</summary>
public sealed class Sha256Tests
{
    [Fact]
    public void AKnownDigest() => Assert.Equal(
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        Convert.ToHexStringLower(Sha256.Hash("abc"u8)));

    [Fact]
    public void EveryLengthIsAsTheFrameworkHasIt()
    {
        byte[] text = [.. Enumerable.Range(0, 300).Select(i => (byte)(32 + (i % 90)))];
        for (int length = 0; length <= text.Length; length++)
        {
            Assert.Equal(SHA256.HashData(text.AsSpan(0, length)), Sha256.Hash(text.AsSpan(0, length)));
        }
    }
}
