using System.Globalization;
using System.Text;
using Sessions.Json;
using Sessions.Model;

namespace Sessions.Recording;

/// <summary>Writes records as the data of events. Members that say nothing are left out.</summary>
internal static class RecordWriter
{
    public static byte[] Text(string member, string text, bool? interrupted = null)
        => Object(b => Flag(Word(b, member, text, isRequired: true), "interrupted", interrupted));

    public static byte[] Start(string? reason, bool resumed)
        => Object(b => Word(b, "reason", reason).Member("resumed", resumed));

    public static byte[] End(string reason, bool wasPrompting)
        => Object(b => Word(b, "reason", reason, isRequired: true).Member("was_prompting", wasPrompting));

    public static byte[] TurnEnd(StopReason reason) => Object(b => b.Member("stop_reason", Name(reason)));

    public static byte[] Prompt(UserPrompt prompt) => Object(b =>
    {
        Word(b, "text", prompt.Text, isRequired: true);
        List(b, "images", prompt.Images, image =>
            Word(Word(Word(b, "file_id", image.FileId), "url", image.Url), "name", image.Name));
        List(b, "files", prompt.Files, file =>
            Word(Word(Word(b, "file_id", file.FileId), "path", file.Path), "name", file.Name));
        Word(b, "prompt_id", prompt.PromptId);
    });

    public static byte[] Tool(ToolCallRecord call) => Object(b =>
    {
        Word(b, "tool_call_id", call.ToolCallId, isRequired: true);
        Word(b, "title", call.Title);
        Word(b, "kind", call.Kind);
        Word(b, "status", call.Status is { } status ? Name(status) : null);
        Json(b, "raw_input", call.RawInput);
        Json(b, "raw_output", call.RawOutput);
        Json(b, "content", call.Content);
        Json(b, "locations", call.Locations);
    });

    public static byte[] Plan(IReadOnlyList<PlanEntry> entries) => Object(b =>
        List(b, "entries", entries, e => Word(b, "content", e.Content, isRequired: true)
            .Member("priority", Name(e.Priority)).Member("status", Name(e.Status)), isRequired: true));

    public static byte[] Permission(PermissionRecord permission) => Object(b =>
    {
        Word(b, "request_id", permission.RequestId, isRequired: true);
        Word(b, "tool_call_id", permission.ToolCallId);
        List(b, "options", permission.Options, o => Word(Word(Word(b, "option_id", o.OptionId, isRequired: true),
            "name", o.Name, isRequired: true), "kind", o.Kind));
        if (permission.Outcome is { } outcome)
        {
            b.Name("outcome").Byte('{').Member("outcome", outcome.OptionId is null ? "cancelled" : "selected");
            Word(b, "option_id", outcome.OptionId).Byte('}');
        }
        else
        {
            b.Name("outcome").Raw("null"u8);
        }
    });

    public static byte[] File(FileUse use) => Object(b => Number(Number(Number(
        Word(b, "path", use.Path, isRequired: true), "line", use.Line), "limit", use.Limit), "bytes", use.Bytes));

    public static byte[] Usage(TokenUsage usage) => Object(b =>
    {
        Number(b, "input_tokens", usage.InputTokens);
        Number(b, "output_tokens", usage.OutputTokens);
        Number(b, "total_tokens", usage.TotalTokens);
        if (usage.Cost is { } cost)
        {
            b.Name("cost").Byte('{').Name("amount")
                .Raw(Encoding.ASCII.GetBytes(cost.ToString(CultureInfo.InvariantCulture)));
            Word(b, "currency", usage.Currency).Byte('}');
        }
    });

    public static byte[] Error(ErrorRecord error) => Object(b =>
        Json(Word(Word(b, "message", error.Message, isRequired: true), "code", error.Code), "data", error.Data));

    /// <summary>The word of a value, as docs/EVENTS.md has it: its name in lower_snake_case.</summary>
    public static string Name<T>(T value)
        where T : struct, Enum
    {
        string name = value.ToString();
        if (!char.IsLetter(name[0]))
        {
            throw Errors.Argument(typeof(T).Name, $"{name} is no {typeof(T).Name}.");
        }

        var word = new System.Text.StringBuilder();
        foreach (char c in name)
        {
            word.Append(char.IsUpper(c) && word.Length > 0 ? "_" : "").Append(char.ToLowerInvariant(c));
        }

        return word.ToString();
    }

    private static byte[] Object(Action<Utf8Buffer> members)
    {
        var b = new Utf8Buffer();
        b.Byte('{');
        members(b);
        return b.Byte('}').ToArray();
    }

    private static Utf8Buffer Word(Utf8Buffer b, string name, string? value, bool isRequired = false)
    {
        if (value is null)
        {
            return isRequired ? throw new ArgumentNullException(name) : b;
        }

        Checks.Bytes(value, name); // half a surrogate pair would silently become another character
        return b.Member(name, value);
    }

    private static Utf8Buffer Number(Utf8Buffer b, string name, long? value)
        => value is { } number ? b.Member(name, number) : b;

    private static Utf8Buffer Flag(Utf8Buffer b, string name, bool? value)
        => value is { } flag ? b.Member(name, flag) : b;

    // Checked before it is put among our own members, which it could otherwise close.
    private static Utf8Buffer Json(Utf8Buffer b, string name, ReadOnlyMemory<byte>? value)
        => value is { } json ? b.RawMember(name, JsonArgument.Compact(json.Span, name, isObject: false)) : b;

    private static void List<T>(Utf8Buffer b, string name, IReadOnlyList<T> items, Action<T> members,
        bool isRequired = false)
    {
        if (items.Count == 0 && !isRequired)
        {
            return;
        }

        b.Name(name).Byte('[');
        for (int i = 0; i < items.Count; i++)
        {
            b.Raw(i == 0 ? "{"u8 : ",{"u8);
            members(items[i]);
            b.Byte('}');
        }

        b.Byte(']');
    }
}
