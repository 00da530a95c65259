using Sessions.Json;
using Sessions.Model;

namespace Sessions;

/// <summary>What a transcript is written as. The values are those of SESSION_TRANSCRIPT_*.</summary>
public enum TranscriptFormat
{
    /// <summary>JSON: role, text and parts of each message.</summary>
    Messages = 0,

    /// <summary>JSON: UI messages of the AI SDK.</summary>
    UiMessages = 1,

    /// <summary>Markdown.</summary>
    Markdown = 2,

    /// <summary>One HTML page that needs no network.</summary>
    Html = 3,
}

/// <summary>Options of a transcript.</summary>
public sealed record TranscriptOptions
{
    /// <summary>Only messages that an event after this number is in, or changed; each still whole, so that a
    /// host puts it in the place of the one with its id. 0: all.</summary>
    public long AfterSeq { get; init; }

    /// <summary>As if the conversation ended with this event. 0: all of it.</summary>
    public long UntilSeq { get; init; }

    /// <summary>Also what rewinds hide. Not through a share: AccessDenied.</summary>
    public bool IncludeHidden { get; init; }

    /// <summary>What Markdown and HTML are headed with, at most 16 KiB of UTF-8; null: the session's title.</summary>
    public string? Title { get; init; }

    /// <summary>Reads <c>{"after_seq":N,"until_seq":N,"include_hidden":true,"title":"…"}</c>, all of them
    /// optional. Anything else is InvalidArgument.</summary>
    public static TranscriptOptions Read(ReadOnlySpan<byte> json)
    {
        const string argument = "options_json";
        var options = new TranscriptOptions();
        foreach (JsonMember m in JsonMembers.Of(JsonArgument.Compact(json, argument, isObject: true)))
        {
            options = m.Name switch
            {
                "after_seq" => options with { AfterSeq = Number(m, argument) },
                "until_seq" => options with { UntilSeq = Number(m, argument) },
                "include_hidden" when m.Value.Span[0] is (byte)'t' or (byte)'f'
                    => options with { IncludeHidden = m.Flag },
                "title" when m.Value.Span[0] == '"' => options with { Title = m.Text },
                "title" when m.IsNull => options with { Title = null },
                "include_hidden" => throw Errors.Argument(argument, "include_hidden must be true or false."),
                "title" => throw Errors.Argument(argument, "title must be a string or null."),
                _ => throw Errors.Word(argument, m.Name, "after_seq", "until_seq", "include_hidden", "title"),
            };
        }

        options.Check();
        return options;
    }

    internal void Check()
    {
        Checks.Number(AfterSeq, "after_seq");
        Checks.Number(UntilSeq, "until_seq");
        if (Title is { } title)
        {
            Checks.Title(title);
        }
    }

    private static long Number(JsonMember member, string argument)
        => System.Buffers.Text.Utf8Parser.TryParse(member.Value.Span, out long value, out int used)
            && used == member.Value.Length && value is >= 0 and <= Limits.IntegerMax
            ? value : throw Errors.Argument(argument, $"{member.Name} must lie between 0 and 2^53-1.");
}
