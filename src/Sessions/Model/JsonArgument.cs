using Sessions.Json;

namespace Sessions.Model;

/// <summary>JSON that a host hands in. What is wrong with it is told with the name of the argument.</summary>
internal static class JsonArgument
{
    /// <summary>Appends the text without insignificant white space. Throws InvalidUtf8 or InvalidJson
    /// with the byte at fault.</summary>
    public static void Compact(ReadOnlySpan<byte> json, string argument, Utf8Buffer output)
    {
        try
        {
            JsonText.Compact(json, output);
        }
        catch (JsonTextException e)
        {
            throw Invalid(e, argument);
        }
    }

    /// <summary>The same as a new array; where <paramref name="isObject"/>, anything but an object is
    /// an InvalidArgument.</summary>
    public static byte[] Compact(ReadOnlySpan<byte> json, string argument, bool isObject)
    {
        var output = new Utf8Buffer(json.Length + 1);
        Compact(json, argument, output);
        if (isObject && output.Written[0] != '{')
        {
            throw Errors.Argument(argument, $"{argument} must be a JSON object.");
        }

        return output.ToArray();
    }

    /// <summary>The same, where text of the host's is shown again as a part of ours: a half of a surrogate pair is
    /// an InvalidJson too, with the byte at which it stands.</summary>
    public static byte[] CompactText(ReadOnlySpan<byte> json, string argument, bool isObject)
    {
        byte[] compact = Compact(json, argument, isObject);
        RequirePairs(json, argument);
        return compact;
    }

    /// <summary>Throws InvalidJson where the JSON has half of a surrogate pair.</summary>
    public static void RequirePairs(ReadOnlySpan<byte> json, string argument)
    {
        try
        {
            JsonText.RequirePairs(json);
        }
        catch (JsonTextException e)
        {
            throw Invalid(e, argument);
        }
    }

    private static SessionException Invalid(JsonTextException e, string argument) => e.Expected is null
        ? Errors.InvalidUtf8(argument, e.Offset)
        : new SessionException(SessionStatus.InvalidJson, $"{argument} is not JSON at byte {e.Offset}.",
            Errors.Details(b => b.Member("argument", argument).Member("offset", e.Offset).Member("line", e.Line + 1)
                .Member("column", e.Column + 1).Member("expected", e.Expected)), e.Offset);
}
