using System.Buffers.Text;
using Sessions.Images;
using Sessions.Json;
using Sessions.Model;

namespace Sessions.Coordination.Queueing;

/// <summary>Entries and changes of them as hosts hand them in.</summary>
internal static class QueueInput
{
    private const int EveryMsMin = 1000;

    // An entry that any good patch could be for.
    private static readonly QueueEntry Example = new()
    {
        Message = "\"x\""u8.ToArray(),
        ImageIds = "[\"x\"]"u8.ToArray(),
        FileIds = "[\"x\"]"u8.ToArray(),
        PromptName = "x",
        Repeat = new QueueRepeat(EveryMsMin, 1, 1),
    };

    private static readonly string[] Patchable =
    [
        "message", "image_ids", "file_ids", "client_id", "prompt_name", "arguments", "title", "scheduled_at",
        "delay_ms", "repeat",
    ];

    /// <summary>A new entry, still without id and time. What is to wait gets its time from the one it is added
    /// at.</summary>
    public static Func<long, QueueEntry> ReadEntry(ReadOnlySpan<byte> json)
    {
        const string argument = "entry_json";
        byte[] compact = JsonArgument.CompactText(json, argument, isObject: true);
        (QueueEntry entry, long delayMs) = Read(compact, argument, mayHaveKey: true);
        return now => At(entry, delayMs, now, argument);
    }

    /// <summary>A change of an entry by merge patch, and whether it is one of the title alone.</summary>
    public static (Func<QueueEntry, long, QueueEntry> Change, bool IsOfTitle) ReadPatch(ReadOnlySpan<byte> mergePatch)
    {
        const string argument = "merge_patch_json";
        byte[] patch = JsonArgument.CompactText(mergePatch, argument, isObject: true);
        List<JsonMember> members = JsonMembers.Of(patch);
        foreach (JsonMember m in members)
        {
            if (!Patchable.Contains(m.Name))
            {
                throw Errors.Word(argument, m.Name, Patchable);
            }
        }

        Apply(Example, 0); // what is wrong with it is told whatever it is for
        return (Apply, members.Count > 0 && members.TrueForAll(m => m.Name == "title"));

        QueueEntry Apply(QueueEntry entry, long now)
        {
            var target = new Utf8Buffer(256 + entry.Message.Length + entry.Arguments.Length);
            target.Byte('{');
            QueueCodec.WriteContent(entry, target);
            if (!members.Exists(m => m.Name == "delay_ms" && !m.IsNull))
            {
                target.TimeMember("scheduled_at", entry.ScheduledAt);
            }

            QueueCodec.WriteRepeat(entry.Repeat, target);
            target.Byte('}');
            (QueueEntry changed, long delayMs) =
                Read(MergePatch.Apply(target.ToArray(), patch), argument, mayHaveKey: false);
            changed = At(changed, delayMs, now, argument);
            return entry with
            {
                Message = changed.Message,
                ImageIds = changed.ImageIds,
                FileIds = changed.FileIds,
                ClientId = changed.ClientId,
                PromptName = changed.PromptName,
                Arguments = changed.Arguments,
                Title = changed.Title,
                ScheduledAt = changed.ScheduledAt,
                Repeat = changed.Repeat,
            };
        }
    }

    private static QueueEntry At(QueueEntry entry, long delayMs, long now, string argument)
    {
        Checks.Number(now + delayMs, argument);
        return delayMs == 0 ? entry : entry with { ScheduledAt = now + delayMs };
    }

    private static (QueueEntry Entry, long DelayMs) Read(ReadOnlyMemory<byte> compact, string argument, bool mayHaveKey)
    {
        var entry = new QueueEntry();
        long delayMs = 0;
        foreach (JsonMember m in JsonMembers.Of(compact))
        {
            switch (m.Name)
            {
                case "message" when m.IsNull: entry = entry with { Message = QueueEntry.EmptyText }; break;
                case "message": entry = entry with { Message = Text(m, argument) }; break;
                case "image_ids": entry = entry with { ImageIds = Ids(m, argument) }; break;
                case "file_ids": entry = entry with { FileIds = Ids(m, argument) }; break;
                case "client_id": entry = entry with { ClientId = Name(m, argument) }; break;
                case "prompt_name": entry = entry with { PromptName = Name(m, argument) }; break;
                case "arguments" when m.IsNull: entry = entry with { Arguments = SessionInfo.EmptyObject }; break;
                case "arguments" when m.IsObject: entry = entry with { Arguments = m.Value }; break;
                case "title": entry = entry with { Title = Title(m, argument) }; break;
                case "scheduled_at": entry = entry with { ScheduledAt = Number(m, argument) }; break;
                case "delay_ms": delayMs = Number(m, argument); break;
                case "repeat": entry = entry with { Repeat = m.IsNull ? null : Repeat(m, argument) }; break;
                case "key" when mayHaveKey: entry = entry with { Key = Name(m, argument) }; break;
                case "arguments": throw Errors.Argument(argument, "arguments must be an object.");
                default: throw Errors.Word(argument, m.Name, mayHaveKey ? [.. Patchable, "key"] : Patchable);
            }
        }

        Check(entry, delayMs, argument);
        return (entry, delayMs);
    }

    private static void Check(QueueEntry entry, long delayMs, string argument)
    {
        if (entry.ScheduledAt != 0 && delayMs != 0)
        {
            throw Errors.Argument(argument, "An entry must have scheduled_at or delay_ms, not both.");
        }

        if (entry.Message.Length == 2 && entry.PromptName is null && entry.ImageIds.Length + entry.FileIds.Length == 4)
        {
            throw Errors.Argument(argument,
                "An entry must have a message, the name of a prompt, images or files.");
        }

        Checks.AtMost(entry.Message.Length - 2, Limits.QueueMessageBytesMax, "queue_message_bytes_max");
    }

    private static bool IsText(JsonMember m) => m.Value.Span[0] == '"';

    private static ReadOnlyMemory<byte> Text(JsonMember m, string argument)
        => IsText(m) ? m.Value : throw Errors.Argument(argument, $"{m.Name} must be a string.");

    private static string? Name(JsonMember m, string argument)
    {
        string? name = m.IsNull ? null
            : IsText(m) ? m.Text : throw Errors.Argument(argument, $"{m.Name} must be a string.");
        Checks.Name(name, m.Name);
        return name;
    }

    private static string? Title(JsonMember m, string argument)
    {
        string title = m.IsNull ? ""
            : IsText(m) ? m.Text : throw Errors.Argument(argument, $"{m.Name} must be a string.");
        Checks.Title(title);
        return title.Length == 0 ? null : title;
    }

    private static ReadOnlyMemory<byte> Ids(JsonMember m, string argument)
    {
        if (m.IsNull)
        {
            return QueueEntry.EmptyArray;
        }

        foreach (ReadOnlyMemory<byte> item in m.Value.Span[0] == '[' ? JsonMembers.Items(m.Value)
            : throw Errors.Argument(argument, $"{m.Name} must be an array of ids."))
        {
            var id = new JsonMember("", default, item);
            Checks.Name(IsText(id) ? id.Text
                : throw Errors.Argument(argument, $"{m.Name} must be an array of ids."), m.Name);
        }

        return m.Value;
    }

    private static long Number(JsonMember m, string argument)
    {
        if (m.IsNull)
        {
            return 0;
        }

        if (!Utf8Parser.TryParse(m.Value.Span, out long value, out int used) || used != m.Value.Length)
        {
            throw Errors.Argument(argument, $"{m.Name} must be an integer.");
        }

        Checks.Number(value, m.Name);
        return value;
    }

    private static QueueRepeat Repeat(JsonMember repeat, string argument)
    {
        long every = 0, until = 0, count = 0;
        foreach (JsonMember m in repeat.IsObject ? JsonMembers.Of(repeat.Value)
            : throw Errors.Argument(argument, "repeat must be an object."))
        {
            switch (m.Name)
            {
                case "every_ms": every = Number(m, argument); break;
                case "until": until = Number(m, argument); break;
                case "count": count = Number(m, argument); break;
                default: throw Errors.Word(argument, m.Name, "every_ms", "until", "count");
            }
        }

        return every < EveryMsMin ? throw Errors.Argument(argument, "every_ms of a repeat must be at least 1000.")
            : until == 0 && count == 0
                ? throw Errors.Argument(argument, "A repeat must have an end: until or count.")
            : new QueueRepeat(every, until, count);
    }
}
