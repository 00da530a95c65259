using System.Runtime.InteropServices;
using System.Text.Json;
using Sessions.Json;
using Sessions.Rules;

namespace Sessions.Images;

/// <summary>A queue as queue.json has it, and as hosts are shown it.</summary>
internal static class QueueCodec
{
    /// <summary>The queue of a compact image; an empty one where there is none.</summary>
    public static QueueState Read(ReadOnlyMemory<byte> image) => Read(image, out _);

    /// <summary>The same, with the image.</summary>
    public static KnownQueue ReadKnown(byte[] image)
    {
        QueueState state = Read(image, out int entriesEnd);
        return new KnownQueue(image, state, entriesEnd);
    }

    private static QueueState Read(ReadOnlyMemory<byte> image, out int entriesEnd)
    {
        QueueState state = QueueState.Empty;
        entriesEnd = 0;
        foreach (JsonMember m in image.IsEmpty ? [] : JsonMembers.Of(image))
        {
            if (m.Name == "entries" && MemoryMarshal.TryGetArray(m.Value, out ArraySegment<byte> entries)
                && MemoryMarshal.TryGetArray(image, out ArraySegment<byte> whole))
            {
                entriesEnd = entries.Offset + entries.Count - 1 - whole.Offset;
            }

            state = m.Name switch
            {
                "generation" => state with { Generation = m.Number },
                "last_delivery_at" => state with { LastDeliveryAt = m.NumberOrZero },
                "entries" => state with { Entries = ReadEntries(m, isSettled: false) },
                "settled" => state with { Settled = ReadEntries(m, isSettled: true) },
                _ => state,
            };
        }

        return state;
    }

    /// <summary>Whether this is a queue as this version writes it.</summary>
    public static bool CanRead(ReadOnlyMemory<byte> image)
    {
        try
        {
            Read(image);
            return true;
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or JsonException)
        {
            return false; // the caller's answer to this is the answer: the file is damaged
        }
    }

    /// <summary>The image of a queue, with as many records as it has room for; empty where there is nothing to
    /// keep.</summary>
    public static byte[] Write(QueueState state, string sessionId) => WriteKnown(state, sessionId).Image;

    /// <summary>The image, with what it says.</summary>
    public static KnownQueue WriteKnown(QueueState state, string sessionId)
    {
        if (state.IsEmpty)
        {
            return new KnownQueue([], state, 0);
        }

        while (true)
        {
            var b = new Utf8Buffer(1024);
            b.Byte('{').Member("session_id", sessionId).Member("generation", state.Generation)
                .TimeMember("last_delivery_at", state.LastDeliveryAt).Raw(",\"entries\":["u8);
            WriteEntries(state.Entries, b);
            int entriesEnd = b.Length;
            b.Raw("],\"settled\":["u8);
            WriteEntries(state.Settled, b);
            b.Raw("]}"u8);
            if (b.Length <= Limits.QueueBytesMax || state.Settled.Count == 0)
            {
                return new KnownQueue(b.ToArray(), state, entriesEnd);
            }

            state = state.KeepRecords(state.Settled.Count / 2);
        }
    }

    /// <summary>One entry as the file has it.</summary>
    public static byte[] WriteEntry(QueueEntry entry)
    {
        var b = new Utf8Buffer(entry.Message.Length + entry.Arguments.Length + 512);
        WriteEntries([entry], b);
        return b.ToArray();
    }

    /// <summary>The same for a queue with more entries at its end: the image before, with these in it. Null where
    /// there was none, or they would take it above its limit.</summary>
    public static KnownQueue? WriteAdded(KnownQueue before, QueueState after, ReadOnlySpan<byte> entries)
    {
        int end = before.EntriesEnd, comma = before.State.Entries.Count == 0 ? 0 : 1;
        int length = before.Image.Length + comma + entries.Length;
        if (end == 0 || length > Limits.QueueBytesMax)
        {
            return null;
        }

        byte[] image = GC.AllocateUninitializedArray<byte>(length);
        before.Image.AsSpan(0, end).CopyTo(image);
        image[end] = (byte)','; // or what the first of them begins with
        entries.CopyTo(image.AsSpan(end + comma));
        before.Image.AsSpan(end).CopyTo(image.AsSpan(end + comma + entries.Length));
        return new KnownQueue(image, after, end + comma + entries.Length);
    }

    /// <summary>Whether this is an entry that was just added.</summary>
    public static bool CanAdd(ReadOnlyMemory<byte> entry) => entry.Length <= Limits.QueueBytesMax
        && ReadEntry(entry) is { State: QueueEntryState.Queued, Id.Length: > 0 };

    /// <summary>A queue and the entries that were added to it later (<see cref="CanAdd"/>). The result skips an entry
    /// whose id the queue holds or has settled, and one that would exceed the queue's limit.</summary>
    public static KnownQueue WithAdded(KnownQueue before, IReadOnlyList<ReadOnlyMemory<byte>> added, string sessionId)
    {
        HashSet<string> known = [.. before.State.Entries.Concat(before.State.Settled).Select(e => e.Id)];
        List<QueueEntry> entries = [.. before.State.Entries];
        var text = new Utf8Buffer(1024);
        foreach (ReadOnlyMemory<byte> item in added)
        {
            QueueEntry entry = ReadEntry(item);
            int commas = (before.State.Entries.Count == 0 ? 0 : 1) + (text.Length == 0 ? 0 : 1);
            if (before.Image.Length + text.Length + item.Length + commas <= Limits.QueueBytesMax
                && known.Add(entry.Id))
            {
                text.Raw(text.Length == 0 ? ""u8 : ","u8).Raw(item.Span);
                entries.Add(entry);
            }
        }

        QueueState state = before.State with { Entries = entries };
        return text.Length == 0 ? before : WriteAdded(before, state, text.Written) ?? WriteKnown(state, sessionId);
    }

    /// <summary>The queue as a list call shows it.</summary>
    public static void WriteList(QueueState state, in QueueRules rules, long now, Utf8Buffer b)
    {
        b.Raw("{\"entries\":["u8);
        for (int i = 0; i < state.Entries.Count + state.Settled.Count; i++)
        {
            b.Raw(i == 0 ? ""u8 : ","u8);
            bool isSettled = i >= state.Entries.Count;
            WriteEntry(isSettled ? state.Settled[i - state.Entries.Count] : state.Entries[i], isSettled ? null : i, b);
        }

        b.Raw("],"u8).Raw("\"generation\":"u8).Number(state.Generation).Member("count", state.Entries.Count)
            .Member("max_size", rules.SizeMax).TimeMember("next_due_at", state.NextDue(rules, now)).Byte('}');
    }

    /// <summary>One entry as it is handed out.</summary>
    public static void WriteEntry(QueueState state, QueueEntry entry, Utf8Buffer b)
    {
        int position = 0;
        while (position < state.Entries.Count && state.Entries[position].Id != entry.Id)
        {
            position++;
        }

        WriteEntry(entry, position == state.Entries.Count ? null : position, b);
    }

    /// <summary>The data of the user_prompt that an entry becomes.</summary>
    public static byte[] WritePrompt(QueueEntry entry)
    {
        var b = new Utf8Buffer(entry.Message.Length + entry.Arguments.Length + 128);
        b.Byte('{').RawMember("text", entry.Message.Span);
        WriteReferences("images", entry.ImageIds);
        WriteReferences("files", entry.FileIds);
        if (entry.ClientId is not null)
        {
            b.Member("client_id", entry.ClientId);
        }

        if (entry.PromptName is not null)
        {
            b.Member("prompt_name", entry.PromptName);
        }

        if (entry.Arguments.Length > 2)
        {
            b.RawMember("arguments", entry.Arguments.Span);
        }

        return b.Byte('}').ToArray();

        void WriteReferences(string name, ReadOnlyMemory<byte> ids)
        {
            List<ReadOnlyMemory<byte>> items = JsonMembers.Items(ids);
            for (int i = 0; i < items.Count; i++)
            {
                b.Raw(i == 0 ? ""u8 : ","u8);
                if (i == 0)
                {
                    b.Name(name).Byte('[');
                }

                b.Raw("{\"file_id\":"u8).Raw(items[i].Span).Byte('}');
            }

            b.Raw(items.Count == 0 ? ""u8 : "]"u8);
        }
    }

    /// <summary>What the host wrote of an entry, but for its times.</summary>
    public static void WriteContent(QueueEntry e, Utf8Buffer b)
        => b.RawMember("message", e.Message.Span).RawMember("image_ids", e.ImageIds.Span)
            .RawMember("file_ids", e.FileIds.Span).Member("client_id", e.ClientId)
            .Member("prompt_name", e.PromptName).RawMember("arguments", e.Arguments.Span).Member("title", e.Title);

    public static void WriteRepeat(QueueRepeat? repeat, Utf8Buffer b)
    {
        if (repeat is null)
        {
            b.RawMember("repeat", "null"u8);
            return;
        }

        b.RawMember("repeat", "{"u8).Member("every_ms", repeat.EveryMs).TimeMember("until", repeat.Until)
            .TimeMember("count", repeat.Count).Byte('}');
    }

    private static void WriteEntries(IReadOnlyList<QueueEntry> entries, Utf8Buffer b)
    {
        for (int i = 0; i < entries.Count; i++)
        {
            b.Raw(i == 0 ? "{"u8 : ",{"u8).Member("id", entries[i].Id)
                .Member("state", QueueEntry.Word(entries[i].State));
            WriteRest(entries[i], b);
        }
    }

    private static void WriteEntry(QueueEntry e, int? position, Utf8Buffer b)
    {
        b.Byte('{').Member("id", e.Id).Member("state", QueueEntry.Word(e.State)).Member("position", position);
        WriteRest(e, b);
    }

    private static void WriteRest(QueueEntry e, Utf8Buffer b)
    {
        b.Member("generation", e.Generation);
        WriteContent(e, b);
        b.Member("queued_at", e.QueuedAt).TimeMember("scheduled_at", e.ScheduledAt);
        WriteRepeat(e.Repeat, b);
        b.Member("key", e.Key).Member("turn_id", e.TurnId).Member("claimed_by", e.ClaimedBy)
            .TimeMember("claimed_at", e.ClaimedAt).TimeMember("seq", e.Seq).Member("detail", e.Detail).Byte('}');
    }

    private static List<QueueEntry> ReadEntries(JsonMember list, bool isSettled)
    {
        List<QueueEntry> entries = JsonMembers.Items(list.Value).Select(ReadEntry).ToList();
        return entries.TrueForAll(e => e.Id.Length > 0 && e.IsSettled == isSettled
            && (e.State != QueueEntryState.Claimed || e.ClaimedBy is not null)) ? entries : throw new FormatException();
    }

    private static QueueEntry ReadEntry(ReadOnlyMemory<byte> item)
    {
        var entry = new QueueEntry();
        foreach (JsonMember m in JsonMembers.Of(item))
        {
            entry = m.Name switch
            {
                "id" => entry with { Id = m.Text },
                "state" => entry with { State = ReadState(m.Text) },
                "generation" => entry with { Generation = m.Number },
                "message" => entry with { Message = Starting(m, '"') },
                "image_ids" => entry with { ImageIds = Starting(m, '[') },
                "file_ids" => entry with { FileIds = Starting(m, '[') },
                "client_id" => entry with { ClientId = m.TextOrNull },
                "prompt_name" => entry with { PromptName = m.TextOrNull },
                "arguments" => entry with { Arguments = Starting(m, '{') },
                "title" => entry with { Title = m.TextOrNull },
                "queued_at" => entry with { QueuedAt = m.Number },
                "scheduled_at" => entry with { ScheduledAt = m.NumberOrZero },
                "repeat" => entry with { Repeat = m.IsNull ? null : ReadRepeat(m.Value) },
                "key" => entry with { Key = m.TextOrNull },
                "turn_id" => entry with { TurnId = m.TextOrNull },
                "claimed_by" => entry with { ClaimedBy = m.TextOrNull },
                "claimed_at" => entry with { ClaimedAt = m.NumberOrZero },
                "seq" => entry with { Seq = m.NumberOrZero },
                "detail" => entry with { Detail = m.TextOrNull },
                _ => entry,
            };
        }

        return entry;
    }

    private static QueueRepeat ReadRepeat(ReadOnlyMemory<byte> value)
    {
        var repeat = new QueueRepeat(0, 0, 0);
        foreach (JsonMember m in JsonMembers.Of(value))
        {
            repeat = m.Name switch
            {
                "every_ms" => repeat with { EveryMs = m.Number },
                "until" => repeat with { Until = m.NumberOrZero },
                "count" => repeat with { Count = m.NumberOrZero },
                _ => repeat,
            };
        }

        return repeat.EveryMs > 0 ? repeat : throw new FormatException();
    }

    private static ReadOnlyMemory<byte> Starting(JsonMember m, char with)
        => m.Value.Span[0] == with ? m.Value : throw new FormatException();

    private static QueueEntryState ReadState(string word)
    {
        for (QueueEntryState state = QueueEntryState.Queued; state <= QueueEntryState.Cancelled; state++)
        {
            if (QueueEntry.Word(state) == word)
            {
                return state;
            }
        }

        throw new FormatException();
    }
}
