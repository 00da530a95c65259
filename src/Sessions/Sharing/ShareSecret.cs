using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Sessions.Sharing;

/// <summary>The secret of a share: 32 random bytes as 43 characters of base64url (RFC 4648 section 5).
/// A share's id is a digest of it, so whoever has the secret knows the id, and not the other way round.</summary>
internal static class ShareSecret
{
    public const int Length = 43;

    public static string Make(Action<Span<byte>> fillRandom)
    {
        Span<byte> bytes = stackalloc byte[32];
        fillRandom(bytes);
        return Base64Url.EncodeToString(bytes);
    }

    public static string ShareId(string secret)
        => "sh_" + Convert.ToHexStringLower(Sha256.Hash(Encoding.ASCII.GetBytes(secret)).AsSpan(0, 6));

    /// <summary>The secret in a link or by itself; null where there is none.</summary>
    public static string? Find(string secretOrUrl)
    {
        int end = secretOrUrl.AsSpan().IndexOfAny('?', '#');
        ReadOnlySpan<char> text = end < 0 ? secretOrUrl : secretOrUrl.AsSpan(0, end);
        if (text.Length < Length)
        {
            return null;
        }

        ReadOnlySpan<char> secret = text[^Length..];
        foreach (char c in secret)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return null;
            }
        }

        return secret.ToString();
    }

    /// <summary>Compares in a time that does not depend on where they differ.</summary>
    public static bool AreEqual(ReadOnlySpan<byte> stored, string given)
        => CryptographicOperations.FixedTimeEquals(stored, Encoding.ASCII.GetBytes(given));
}
