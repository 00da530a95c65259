using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Sessions.Model;
using Sessions.Platform;

namespace Sessions.Sharing;

/// <summary>
/// The secret of a share: 32 random bytes as 43 characters of base64url (RFC 4648 section 5). A share's id is a
/// digest of it, so the secret tells the id, and not the other way round. It lives for one call, in
/// memory that the collector does not move, and is zeroed at its end; nothing keeps one.
/// </summary>
internal sealed class ShareSecret : IDisposable
{
    public const int Length = 43;

    private static readonly SearchValues<byte> Alphabet = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8);

    private readonly byte[] _text = GC.AllocateArray<byte>(Length, pinned: true);

    private ShareSecret()
    {
    }

    /// <summary>The characters. Zeros once it is disposed of.</summary>
    public ReadOnlySpan<byte> Text => _text;

    /// <summary>The id of the share that it opens.</summary>
    public string ShareId => ShareIds.Prefix + Convert.ToHexStringLower(Sha256.Hash(_text).AsSpan(0, 6));

    public static ShareSecret Make(Action<Span<byte>> fillRandom)
    {
        Span<byte> random = stackalloc byte[32];
        fillRandom(random);
        var secret = new ShareSecret();
        Base64Url.EncodeToUtf8(random, secret._text);
        CryptographicOperations.ZeroMemory(random);
        return secret;
    }

    /// <summary>The secret in a link or by itself, in UTF-8; null where there is none.</summary>
    public static ShareSecret? Find(ReadOnlySpan<byte> secretOrUrl)
    {
        // What links start with may have a query itself.
        int end = secretOrUrl.IndexOfAny((byte)'?', (byte)'#');
        return FindAtEnd(end < 0 ? secretOrUrl : secretOrUrl[..end]) ?? (end < 0 ? null : FindAtEnd(secretOrUrl));
    }

    private static ShareSecret? FindAtEnd(ReadOnlySpan<byte> text)
        => text.Length < Length || text[^Length..].ContainsAnyExcept(Alphabet) ? null : Of(text[^Length..]);

    /// <summary>The same of a string, of which only the copies that are made here can be wiped.</summary>
    public static ShareSecret? Find(string secretOrUrl)
    {
        byte[] text = GC.AllocateArray<byte>(Encoding.UTF8.GetByteCount(secretOrUrl), pinned: true);
        try
        {
            Encoding.UTF8.GetBytes(secretOrUrl, text);
            return Find(text.AsSpan());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    /// <summary>The secret that a file holds; null where the file is not there or holds something else.</summary>
    public static ShareSecret? Read(IDisk disk, string path)
    {
        if (disk.Stat(path) is not { IsFolder: false, Length: Length })
        {
            return null;
        }

        var secret = new ShareSecret();
        using IDiskFile file = disk.Open(path, OpenMode.Read);
        if (file.Read(secret._text, 0) == Length && !secret.Text.ContainsAnyExcept(Alphabet))
        {
            return secret;
        }

        secret.Dispose();
        return null;
    }

    /// <summary>The same, if it is that share's. What was damaged, or copied from another share, opens that one or
    /// none.</summary>
    public static ShareSecret? Read(IDisk disk, string path, string shareId)
    {
        ShareSecret? secret = Read(disk, path);
        if (secret is not null && secret.ShareId != shareId)
        {
            secret.Dispose();
            return null;
        }

        return secret;
    }

    /// <summary>Compares in a time that does not depend on where they differ.</summary>
    public bool IsSame(ShareSecret other) => CryptographicOperations.FixedTimeEquals(_text, other._text);

    public void Dispose() => CryptographicOperations.ZeroMemory(_text);

    private static ShareSecret Of(ReadOnlySpan<byte> text)
    {
        var secret = new ShareSecret();
        text.CopyTo(secret._text);
        return secret;
    }
}
