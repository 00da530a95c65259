using Sessions.Json;
using Sessions.Storage.Files;

namespace Sessions.Rules;

/// <summary>The rules that all processes share: which there are, what they may be, their defaults.</summary>
internal static class StoreConfig
{
    /// <summary>Its name in the store's folder.</summary>
    public const string FileName = "config.json";

    /// <summary>What the rules that are numbers may be, both ends included.</summary>
    public static readonly (long Min, long Max) DelayMs = (0, 86_400_000);
    public static readonly (long Min, long Max) SizeMax = (1, 10_000);
    public static readonly (long Min, long Max) FileBytes = (1, SessionFiles.BytesMax);

    private static readonly string[] QueueWords = ["enabled", "delay_ms", "max_size", "auto_generate_titles"];

    private static readonly byte[] Defaults =
    [
        .. """{"strict_lock":false,"unique_roles":false"""u8,
        .. ""","queue":{"enabled":true,"delay_ms":0,"max_size":10,"auto_generate_titles":true}"""u8,
        .. ""","limits":{"image_bytes_max":10485760,"file_bytes_max":52428800}}"""u8,
    ];

    /// <summary>The rules as they stand, defaults included.</summary>
    public static byte[] Effective(byte[] stored) => stored.Length == 0 ? Defaults : MergePatch.Apply(Defaults, stored);

    /// <summary>The workspace that a session's facts name, whose rules go before the store's; null: none.</summary>
    public static string? WorkspaceOf(SessionInfo info)
        => JsonMembers.Of(info.Facts).FindLast(m => m.Name == "workspace_id") is { Name: not null } id
            && id.Value.Span[0] == '"' ? id.Text : null;

    /// <summary>How large a file that is kept with a session may be.</summary>
    public static long FileBytesMax(byte[] stored, bool isImage)
    {
        JsonMember limits = JsonMembers.Of(Effective(stored)).Find(m => m.Name == "limits");
        return JsonMembers.Of(limits.Value).Find(m => m.Name == LimitOf(isImage)).Number;
    }

    /// <summary>What holds for the queues of a workspace's sessions (null: of those of none): its own rules before
    /// the store's, and these before the defaults.</summary>
    public static QueueRules Queue(byte[] stored, string? workspaceId)
    {
        List<JsonMember> store = JsonMembers.Of(Effective(stored));
        QueueRules rules = new QueueRules().With(store.Find(m => m.Name == "queue").Value);
        if (workspaceId is null || store.Find(m => m.Name == "workspaces") is not { Name: not null } workspaces)
        {
            return rules;
        }

        JsonMember own = JsonMembers.Of(workspaces.Value).Find(m => m.Name == workspaceId);
        return own.Name is null ? rules : rules.With(JsonMembers.Of(own.Value).Find(m => m.Name == "queue").Value);
    }

    /// <summary>The name of that limit.</summary>
    public static string LimitOf(bool isImage) => isImage ? "image_bytes_max" : "file_bytes_max";

    /// <summary>Refuses names and values that nobody knows. A null is a return to the default.</summary>
    public static void Check(ReadOnlyMemory<byte> patch, bool ofWorkspace)
    {
        foreach (JsonMember m in JsonMembers.Of(patch))
        {
            if (m.Name == "limits" && ofWorkspace)
            {
                throw Errors.Argument("merge_patch_json",
                    "limits must be set for the whole store, not for a workspace.");
            }

            if (m.IsNull && m.Name is "strict_lock" or "unique_roles" or "queue" or "limits")
            {
                continue;
            }

            switch (m.Name)
            {
                case "strict_lock" or "unique_roles": RequireFlag(m); break;
                case "queue" when m.IsObject: CheckQueue(m.Value); break;
                case "limits" when m.IsObject: CheckLimits(m.Value); break;
                case "queue" or "limits":
                    throw Errors.Argument("merge_patch_json", $"{m.Name} must be an object or null.");
                default:
                    throw Errors.Word("merge_patch_json", m.Name, "strict_lock", "unique_roles", "queue", "limits");
            }
        }
    }

    private static void CheckQueue(ReadOnlyMemory<byte> queue)
    {
        foreach (JsonMember m in JsonMembers.Of(queue))
        {
            switch (m.Name)
            {
                case "enabled" or "auto_generate_titles" when !m.IsNull: RequireFlag(m); break;
                case "delay_ms" when !m.IsNull: RequireNumber(m, DelayMs); break;
                case "max_size" when !m.IsNull: RequireNumber(m, SizeMax); break;
                case "enabled" or "auto_generate_titles" or "delay_ms" or "max_size": break;
                default: throw Errors.Word("merge_patch_json", m.Name, QueueWords);
            }
        }
    }

    private static void CheckLimits(ReadOnlyMemory<byte> limits)
    {
        foreach (JsonMember m in JsonMembers.Of(limits))
        {
            switch (m.Name)
            {
                case "image_bytes_max" or "file_bytes_max" when !m.IsNull: RequireNumber(m, FileBytes); break;
                case "image_bytes_max" or "file_bytes_max": break;
                default: throw Errors.Word("merge_patch_json", m.Name, "image_bytes_max", "file_bytes_max");
            }
        }
    }

    /// <summary>True for true and false.</summary>
    public static bool IsFlag(JsonMember m) => m.Value.Span[0] is (byte)'t' or (byte)'f';

    /// <summary>True for an integer within the bounds.</summary>
    public static bool IsNumber(JsonMember m, (long Min, long Max) bounds)
        => System.Buffers.Text.Utf8Parser.TryParse(m.Value.Span, out long value, out int used)
            && used == m.Value.Length && value >= bounds.Min && value <= bounds.Max;

    private static void RequireFlag(JsonMember m)
    {
        if (!IsFlag(m))
        {
            throw Errors.Argument("merge_patch_json", $"{m.Name} must be true or false.");
        }
    }

    private static void RequireNumber(JsonMember m, (long Min, long Max) bounds)
    {
        if (!IsNumber(m, bounds))
        {
            throw Errors.Argument("merge_patch_json",
                $"{m.Name} must be an integer from {bounds.Min} to {bounds.Max}.");
        }
    }
}
