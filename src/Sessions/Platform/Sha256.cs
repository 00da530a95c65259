using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Sessions.Platform;

/// <summary>
/// SHA-256 (FIPS 180-4), in one piece or bit by bit. The framework's own loads OpenSSL on Linux: a
/// library that the host's machine may lack, and four megabytes for a share's id.
/// </summary>
internal sealed class Sha256
{
    /// <summary>Bytes of a digest.</summary>
    public const int Bytes = 32;

    private const int BlockBytes = 64;

    private readonly byte[] _rest = GC.AllocateArray<byte>(BlockBytes, pinned: true); // may hold part of a secret
    private readonly uint[] _state =
    [
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ];

    private long _length;

    private static ReadOnlySpan<uint> Constants =>
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    /// <summary>The 32 bytes of the digest.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> text)
    {
        var hash = new Sha256();
        hash.Append(text);
        return hash.Finish();
    }

    /// <summary>Takes in what comes next.</summary>
    public void Append(ReadOnlySpan<byte> text)
    {
        int filled = (int)(_length % BlockBytes);
        _length += text.Length;
        if (filled > 0)
        {
            int taken = Math.Min(text.Length, BlockBytes - filled);
            text[..taken].CopyTo(_rest.AsSpan(filled));
            text = text[taken..];
            if (filled + taken < BlockBytes)
            {
                return;
            }

            Mix(_state, _rest);
        }

        int whole = text.Length - (text.Length % BlockBytes);
        Mix(_state, text[..whole]);
        text[whole..].CopyTo(_rest);
    }

    /// <summary>The digest of all that was taken in; the end of it.</summary>
    public byte[] Finish()
    {
        // The text, one bit, zeros, and the length in bits fill whole blocks.
        long bits = _length * 8;
        int filled = (int)(_length % BlockBytes);
        byte[] end = new byte[filled < BlockBytes - sizeof(ulong) ? BlockBytes - filled : (2 * BlockBytes) - filled];
        end[0] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(end.AsSpan(end.Length - sizeof(ulong)), bits);
        Append(end);
        byte[] digest = new byte[Bytes];
        for (int i = 0; i < _state.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(digest.AsSpan(i * sizeof(uint)), _state[i]);
        }

        CryptographicOperations.ZeroMemory(_rest);
        return digest;
    }

    // References instead of spans: a file of 50 MB is hashed while its sender waits, and checks of
    // indexes that can only be right take a third of the time.
    private static void Mix(uint[] state, ReadOnlySpan<byte> blocks)
    {
        Span<uint> words = stackalloc uint[64];
        ref uint word = ref MemoryMarshal.GetReference(words);
        ref uint constant = ref MemoryMarshal.GetReference(Constants);
        for (; blocks.Length >= BlockBytes; blocks = blocks[BlockBytes..])
        {
            Expand(blocks, ref word);
            (uint a, uint b, uint c, uint d) = (state[0], state[1], state[2], state[3]);
            (uint e, uint f, uint g, uint h) = (state[4], state[5], state[6], state[7]);
            for (int i = 0; i < 64; i += 8)
            {
                ref uint w = ref Unsafe.Add(ref word, i);
                ref uint k = ref Unsafe.Add(ref constant, i);
                Round(a, b, c, ref d, e, f, g, ref h, w + k);
                Round(h, a, b, ref c, d, e, f, ref g, Unsafe.Add(ref w, 1) + Unsafe.Add(ref k, 1));
                Round(g, h, a, ref b, c, d, e, ref f, Unsafe.Add(ref w, 2) + Unsafe.Add(ref k, 2));
                Round(f, g, h, ref a, b, c, d, ref e, Unsafe.Add(ref w, 3) + Unsafe.Add(ref k, 3));
                Round(e, f, g, ref h, a, b, c, ref d, Unsafe.Add(ref w, 4) + Unsafe.Add(ref k, 4));
                Round(d, e, f, ref g, h, a, b, ref c, Unsafe.Add(ref w, 5) + Unsafe.Add(ref k, 5));
                Round(c, d, e, ref f, g, h, a, ref b, Unsafe.Add(ref w, 6) + Unsafe.Add(ref k, 6));
                Round(b, c, d, ref e, f, g, h, ref a, Unsafe.Add(ref w, 7) + Unsafe.Add(ref k, 7));
            }

            (state[0], state[1], state[2], state[3]) = (state[0] + a, state[1] + b, state[2] + c, state[3] + d);
            (state[4], state[5], state[6], state[7]) = (state[4] + e, state[5] + f, state[6] + g, state[7] + h);
        }

        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(words));
    }

    private static void Expand(ReadOnlySpan<byte> block, ref uint word)
    {
        for (int i = 0; i < 16; i++)
        {
            Unsafe.Add(ref word, i) = BinaryPrimitives.ReadUInt32BigEndian(block[(i * sizeof(uint))..]);
        }

        for (int i = 16; i < 64; i++)
        {
            uint early = Unsafe.Add(ref word, i - 15), late = Unsafe.Add(ref word, i - 2);
            uint left = BitOperations.RotateRight(early, 7) ^ BitOperations.RotateRight(early, 18) ^ (early >> 3);
            uint right = BitOperations.RotateRight(late, 17) ^ BitOperations.RotateRight(late, 19) ^ (late >> 10);
            Unsafe.Add(ref word, i) = Unsafe.Add(ref word, i - 16) + left + Unsafe.Add(ref word, i - 7) + right;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(uint a, uint b, uint c, ref uint d, uint e, uint f, uint g, ref uint h, uint input)
    {
        uint first = h + input + (g ^ (e & (f ^ g)))
            + (BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25));
        d += first;
        h = first + ((a & b) | (c & (a | b)))
            + (BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22));
    }
}
