namespace Sessions.Json;

/// <summary>A text is no UTF-8, or no JSON.</summary>
internal sealed class JsonTextException : Exception
{
    /// <summary>No UTF-8.</summary>
    public JsonTextException(long offset)
        : base($"The text is not UTF-8 at byte {offset}.") => Offset = offset;

    /// <summary>No JSON.</summary>
    public JsonTextException(long offset, long line, long column, string expected)
        : base($"The text is not JSON at byte {offset}.")
        => (Offset, Line, Column, Expected) = (offset, line, column, expected);

    /// <summary>The byte at fault.</summary>
    public long Offset { get; }

    /// <summary>The line that it is in, from 0.</summary>
    public long Line { get; }

    /// <summary>Its place in that line, in bytes from 0.</summary>
    public long Column { get; }

    /// <summary>What could have stood there; null where the text is no UTF-8.</summary>
    public string? Expected { get; }
}
