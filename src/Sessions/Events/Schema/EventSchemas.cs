namespace Sessions.Events.Schema;

/// <summary>The data of each known event type. docs/EVENTS.md says what the members mean.</summary>
internal static class EventSchemas
{
    private static readonly Shape ToolStatus =
        Shape.WordOf("pending|in_progress|completed|failed|cancelled|interrupted");

    private static readonly Shape Message = Shape.Object(("text!", Shape.Text), ("interrupted", Shape.Bool));

    private static readonly Shape Tool = Shape.Object(
        ("tool_call_id!", Shape.Id), ("title", Shape.Text), ("kind", Shape.Text), ("status", ToolStatus),
        ("raw_input", Shape.Any), ("raw_output", Shape.Any), ("content", Shape.Any), ("locations", Shape.List),
        (CallSeq.Member, Shape.Integer));

    private static readonly Shape FileUse = Shape.Object(
        ("path!", Shape.Id), ("line", Shape.Integer), ("limit", Shape.Integer), ("bytes", Shape.Integer));

    private static readonly Dictionary<string, Shape> ByType = new(StringComparer.Ordinal)
    {
        ["session_start"] = Shape.Object(("reason", Shape.Text), ("resumed", Shape.Bool)),
        ["session_end"] = Shape.Object(("reason!", Shape.Text), ("was_prompting!", Shape.Bool)),
        ["user_prompt"] = Shape.Object(("text!", Shape.Text), ("prompt_id", Shape.Id),
            ("images", Shape.ListOf(Shape.Object(("file_id|", Shape.Id), ("url|", Shape.Id), ("name", Shape.Text)))),
            ("files", Shape.ListOf(Shape.Object(("file_id|", Shape.Id), ("path|", Shape.Id), ("name", Shape.Text))))),
        ["agent_message"] = Message,
        ["agent_thought"] = Message,
        ["tool_call"] = Tool,
        ["tool_call_update"] = Tool,
        ["plan"] = Shape.Object(("entries!", Shape.ListOf(Shape.Object(
            ("content!", Shape.Text), ("priority!", Shape.WordOf("high|medium|low")),
            ("status!", Shape.WordOf("pending|in_progress|completed")))))),
        ["permission"] = Shape.Object(("request_id!", Shape.Id), ("tool_call_id", Shape.Id),
            ("options", Shape.ListOf(Shape.Object(
                ("option_id!", Shape.Id), ("name!", Shape.Text), ("kind", Shape.Text)))),
            ("outcome", Shape.Object(("outcome!", Shape.WordOf("selected|cancelled")), ("option_id", Shape.Id)))),
        ["file_read"] = FileUse,
        ["file_write"] = FileUse,
        ["usage"] = Shape.Object(
            ("input_tokens", Shape.Integer), ("output_tokens", Shape.Integer), ("total_tokens", Shape.Integer),
            ("cost", Shape.Object(("amount!", Shape.Number), ("currency", Shape.Text)))),
        ["error"] = Shape.Object(("message!", Shape.Text), ("code", Shape.TextOrInteger), ("data", Shape.Any)),
        ["title"] = Shape.Object(("title!", Shape.Text)),
        ["note"] = Shape.Object(("text!", Shape.Text)),
        ["turn_end"] = Shape.Object(("stop_reason!",
            Shape.WordOf("end_turn|max_tokens|max_turn_requests|refusal|cancelled|interrupted|error"))),
        ["rewind"] = Shape.Object(("to_seq!", Shape.Integer)),
        ["rewind_undone"] = Shape.Object(("rewind_seq!", Shape.Integer)),
        ["compaction"] = Shape.Object(("from_seq!", Shape.Integer), ("summary!", Shape.Text)),
    };

    /// <summary>The known types.</summary>
    public static IEnumerable<string> Types => ByType.Keys;

    /// <summary>Null for a type that is not known; its data may be anything.</summary>
    public static Shape? Of(string type) => ByType.GetValueOrDefault(type);
}
