using Sessions.Json;

namespace Sessions.Storage.Files;

/// <summary>What stands in the place of a small file: its bytes, or, where these show before the end that it is
/// none, the beginning of them.</summary>
/// <param name="bytes">What was read.</param>
/// <param name="length">How long the file is.</param>
/// <param name="reason">Why not all of it was read; null: all was.</param>
internal sealed class UnreadableFile(byte[] bytes, long length, string? reason)
{
    private string? _reason = reason;

    public byte[] Bytes => bytes;

    public long Length => length;

    /// <summary>True where <see cref="Bytes"/> is all of it.</summary>
    public bool IsWhole { get; } = reason is null;

    /// <summary>In a word, what is wrong with it, taken that something is.</summary>
    public string Reason => _reason ??= bytes.Length == 0 ? "empty"
        : JsonText.TryCompactObject(bytes) is null ? "invalid_json"
        : CheckedJson.Read(bytes) is null ? "checksum" : "wrong_content";

    /// <summary>True where another look at the file met the same.</summary>
    public bool IsSame(UnreadableFile other)
        => length == other.Length && IsWhole == other.IsWhole && bytes.AsSpan().SequenceEqual(other.Bytes);
}
