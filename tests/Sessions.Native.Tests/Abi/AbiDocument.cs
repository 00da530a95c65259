using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sessions.Native.Tests.Abi;

/// <summary>
/// The text of include/sessions_abi.json: one entry a line, so that a change of the interface shows
/// up as a change of lines. session_abi_json answers the same without the line breaks.
/// </summary>
internal static class AbiDocument
{
    private static readonly JsonSerializerOptions s_plain =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What a host may ask for by name, as long as nothing is missing in it.</summary>
    public static readonly string[] Features =
    [
        "abort", "backup", "branches", "buttons", "cursors", "events", "files", "fork_guard", "get_error", "jobs",
        "list", "locks", "log", "plue", "prune", "queue", "repair", "shares", "shutdown", "signal_abort", "streams",
        "transcript", "trash", "watch",
    ];

    /// <summary>How large things may get.</summary>
    public static readonly (string Name, long Value)[] Limits =
    [
        ("button_label_characters_max", 50), ("button_response_characters_max", 1000), ("buttons_max", 5),
        ("cursor_page_bytes_max", 67108864), ("event_bytes_max", 67108864), ("event_type_bytes_max", 128),
        ("handles_max", 67108864), ("id_bytes_max", 128), ("integer_max", 9007199254740991),
        ("job_arguments_bytes_max", 1048576), ("jobs_waiting_max", 10000), ("json_depth_max", 128),
        ("lock_requests_max", 64), ("log_notes_max", 1000), ("metadata_bytes_max", 1048576),
        ("queue_bytes_max", 4194304), ("queue_message_bytes_max", 1048576), ("reason_bytes_max", 4096),
        ("signal_aborts_waiting_max", 64), ("small_file_bytes_max", 16777216), ("struct_bytes_max", 4096),
        ("title_bytes_max", 16384), ("verify_issues_max", 10000),
    ];

    /// <summary>The document for these headers.</summary>
    public static string Write(Header header)
    {
        HeaderConstant Constant(string name) => header.Constants.Single(constant => constant.Name == name);
        var text = new StringBuilder("{\n");
        text.Append($"\"abi_version\":{Constant("SESSION_ABI_VERSION").Number},\n");
        text.Append($"\"version\":{Constant("SESSION_VERSION_STRING").Spelling},\n");
        Lines(text, "functions", header.Functions.Select(Function));
        Lines(text, "structs", header.Structs.Select(Struct));
        Lines(text, "handles", header.Handles.Select(name => Json(name)));
        Lines(text, "constants", header.Constants.Select(ConstantEntry));
        Lines(text, "features", Features.Select(name => Json(name)));
        text.Append("\"limits\":{\n");
        text.AppendJoin(",\n", Limits.Select(limit => $"{Json(limit.Name)}:{limit.Value}"));
        return text.Append("\n}\n}\n").ToString();
    }

    /// <summary>The same as the library answers it.</summary>
    public static string Compact(string document) => document.Replace("\n", "", StringComparison.Ordinal);

    private static void Lines(StringBuilder text, string key, IEnumerable<string> entries) =>
        text.Append($"\"{key}\":[\n").AppendJoin(",\n", entries).Append("\n],\n");

    private static string Function(HeaderFunction function) =>
        $"{{\"name\":{Json(function.Name)},\"header\":{Json(function.File)},\"returns\":{Json(function.Returns)}," +
        $"\"parameters\":[{string.Join(',', function.Parameters.Select(Parameter))}]}}";

    private static string Parameter(HeaderParameter parameter) =>
        $"{{\"name\":{Json(parameter.Name)},\"type\":{Json(parameter.Type)}}}";

    private static string Struct(HeaderStruct type) =>
        $"{{\"name\":{Json(type.Name)},\"tag\":{Json(type.Tag)},\"size\":{type.Size}," +
        $"\"fields\":[{string.Join(',', type.Fields.Select(Field))}]}}";

    private static string Field(HeaderField field) =>
        $"{{\"name\":{Json(field.Name)},\"type\":{Json(field.Type)},\"offset\":{field.Offset},\"size\":{field.Size}}}";

    private static string ConstantEntry(HeaderConstant constant) =>
        $"{{\"name\":{Json(constant.Name)},\"type\":{Json(constant.Type)}," +
        $"\"value\":{constant.Number?.ToString() ?? constant.Spelling}}}";

    private static string Json(string text) => JsonSerializer.Serialize(text, s_plain);
}
