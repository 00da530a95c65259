using System.Text.Json;
using System.Text.Unicode;
using Sessions.Images;
using Sessions.Json;
using Sessions.Model;
using Sessions.Storage.Files;
using Sessions.Storage.Log;

namespace Sessions.Storage.Journal;

/// <summary>
/// The payload of a frame: compact JSON, so that `strings` on a journal tells what happened.
/// docs/FORMAT.md "Frame payload" is its description; keep both in step.
/// </summary>
internal static partial class ChangeCodec
{
    public static void Write(long at, ReadOnlySpan<byte> by, IReadOnlyList<Change> changes, Utf8Buffer b)
    {
        b.Raw("{\"at\":"u8).Number(at).Raw(",\"by\":"u8).Raw(by).Raw(",\"changes\":["u8);
        for (int i = 0; i < changes.Count; i++)
        {
            if (i > 0)
            {
                b.Byte(',');
            }

            Write(changes[i], b);
        }

        b.Raw("]}"u8);
    }

    private static void Write(Change c, Utf8Buffer b)
    {
        switch (c.Kind)
        {
            case ChangeKind.Put:
                WritePut(c, b);
                break;
            case ChangeKind.Append:
                WriteAppend(c, b);
                break;
            case ChangeKind.Shares:
                b.Raw("{\"shares\":"u8).Text(c.Id).RawMember("image", ImageOrNull(c));
                break;
            case ChangeKind.Log:
                b.Raw("{\"log\":"u8).Text(c.Id).RawMember("image", ImageOrNull(c));
                break;
            case ChangeKind.Small when !c.Entry.IsEmpty:
                b.Raw("{\"queue_add\":"u8).Text(c.Id).RawMember("entry", c.Entry.Span);
                WriteWhat(c, b);
                break;
            case ChangeKind.Small:
                b.Byte('{').Name(c.Small!.Word).Text(c.Id).RawMember("image", ImageOrNull(c));
                WriteWhat(c, b);
                break;
            case ChangeKind.Rewrite:
                b.Raw("{\"rewrite\":"u8).Text(c.Id).Member("file", c.File).Member("bytes", c.Bytes)
                    .Member("kept", c.Kept);
                break;
            case ChangeKind.Fork:
                b.Raw("{\"fork\":"u8).Text(c.Id).Member("parent", c.ParentId);
                break;
            case ChangeKind.Trash or ChangeKind.Restore:
                b.Raw(c.Kind == ChangeKind.Trash ? "{\"trash\":"u8 : "{\"restore\":"u8);
                InfoCodec.Write(c.Info!, b);
                b.Member("deletion", c.DeletionLsn);
                break;
            case ChangeKind.Purge:
                b.Raw("{\"purge\":"u8).Text(c.Id).Member("deletion", c.DeletionLsn);
                break;
            case ChangeKind.Config:
                b.Raw("{\"config\":"u8).Raw(c.Image.Span);
                break;
            default:
                WriteOfStreams(c, b);
                break;
        }

        b.Byte('}');
    }

    private static void WritePut(Change c, Utf8Buffer b)
    {
        b.Raw("{\"put\":"u8);
        InfoCodec.Write(c.Info!, b);
        if (c.IsNew)
        {
            b.Raw(",\"new\":true"u8);
        }

        WriteWhat(c, b);
    }

    private static void WriteAppend(Change c, Utf8Buffer b)
    {
        b.Raw("{\"append\":"u8).Text(c.Id).Raw(",\"offset\":"u8).Number(c.Offset).Raw(",\"counters\":["u8)
            .Number(c.Counters.LastSeq).Byte(',').Number(c.Counters.EventCount).Byte(',')
            .Number(c.Counters.MessageCount).Byte(',').Number(c.Counters.UpdatedAt).Byte(',')
            .Number(c.Counters.LastEventAt).Raw("],\"lead\":"u8);
        WriteLines(c.Lines.Span, b);
    }

    private static ReadOnlySpan<byte> ImageOrNull(Change c) => c.Image.IsEmpty ? "null"u8 : c.Image.Span;

    private static void WriteWhat(Change c, Utf8Buffer b)
    {
        if (c.What.Length > 0)
        {
            b.Member("what", c.What);
        }

        if (!c.Detail.IsEmpty)
        {
            b.RawMember("detail", c.Detail.Span);
        }
    }

    // Lines are JSON objects without a newline inside, so the text between two newlines is an item.
    private static void WriteLines(ReadOnlySpan<byte> lines, Utf8Buffer b)
    {
        bool lead = lines[0] == '\n';
        b.Bool(lead).Raw(",\"sizes\":["u8);
        lines = lead ? lines[1..] : lines;
        ReadOnlySpan<byte> rest = lines;
        while (rest.Length > 0)
        {
            int size = rest.IndexOf((byte)'\n');
            b.Raw(rest.Length == lines.Length ? ""u8 : ","u8).Number(size);
            rest = rest[(size + 1)..];
        }

        b.Raw("],\"lines\":["u8);
        int start = b.Length;
        b.Raw(lines[..^1]).Byte(']');
        Span<byte> written = b.Writable[start..^1];
        int at;
        while ((at = written.IndexOf((byte)'\n')) >= 0)
        {
            written[at] = (byte)',';
            written = written[(at + 1)..];
        }
    }

    /// <summary>Reads a payload, which is the frame's from here on; null where it is none that this version
    /// writes. Whatever a frame names is checked here and nowhere after: ids and names of files against
    /// their patterns, numbers against their bounds, images against what their file may say.</summary>
    public static Frame? TryRead(long lsn, byte[] payload)
        => PlainAppend.TryRead(lsn, payload) ?? TryReadAny(lsn, payload);

    /// <summary>The same without the fast path.</summary>
    public static Frame? TryReadAny(long lsn, ReadOnlyMemory<byte> payload)
    {
        try
        {
            List<JsonMember> m = JsonMembers.Of(Utf8.IsValid(payload.Span) ? payload : throw new FormatException());
            long at = Find(m, "at").Number;
            var changes = new List<Change>();
            foreach (ReadOnlyMemory<byte> item in JsonMembers.Items(Find(m, "changes").Value))
            {
                changes.Add(Read(item, at, lsn));
            }

            return new Frame
            {
                Lsn = lsn,
                At = at,
                Changes = [.. changes],
                By = ObjectOrNone(m.Find(x => x.Name == "by").Value),
            };
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or JsonException)
        {
            return null; // a frame with a good checksum and this inside is damage; the caller says so
        }
    }

    private static Change Read(ReadOnlyMemory<byte> item, long at, long lsn)
    {
        List<JsonMember> m = JsonMembers.Of(item);
        JsonMember head = m.Count > 0 ? m[0] : throw new FormatException();
        return head.Name switch
        {
            "put" => ReadPut(head, m),
            "append" => ReadAppend(head.AsId(), m),
            "shares" => ReadShares(head, m),
            "log" => ReadLog(head, m),
            "lock" or "queue" or "buttons" => ReadSide(head, m),
            "queue_add" => ReadAddedEntry(head.AsId(), m),
            "rewrite" => ReadRewrite(head.AsId(), m, at, lsn),
            "fork" => new Change { Kind = ChangeKind.Fork, Id = head.AsId(), ParentId = Find(m, "parent").AsId() },
            "trash" => ReadMove(ChangeKind.Trash, head, m),
            "restore" => ReadMove(ChangeKind.Restore, head, m),
            "purge" => ReadPurge(head.AsId(), m),
            "config" => new Change { Kind = ChangeKind.Config, Image = Image(head) },
            "stream_begin" => ReadStreamBegin(head, m),
            "stream_text" => ReadStreamText(head.AsId(), m),
            "stream_end" => ReadStreamEnd(head.AsId(), m),
            "streams" => ReadStreams(head),
            _ => throw new FormatException(),
        };
    }

    private static Change ReadPut(JsonMember head, List<JsonMember> m)
    {
        SessionInfo info = Info(head.Value, deletion: 0);
        return new Change
        {
            Kind = ChangeKind.Put,
            Id = info.Id,
            Info = info,
            IsNew = m.Exists(x => x.Name == "new"),
            What = What(m),
        };
    }

    private static Change ReadShares(JsonMember head, List<JsonMember> m) => new()
    {
        Kind = ChangeKind.Shares,
        Id = head.AsId(),
        Image = Image(m, i => ShareList.CanRead(i, head.Text)),
    };

    private static Change ReadLog(JsonMember head, List<JsonMember> m) => new()
    {
        Kind = ChangeKind.Log,
        Id = head.AsId(),
        Image = Image(m, i => LogState.CanRead(i, head.Text)),
    };

    private static Change ReadSide(JsonMember head, List<JsonMember> m)
    {
        SmallFileKind kind = SmallFileKind.OfWord(head.Name)!;
        return new Change
        {
            Kind = ChangeKind.Small,
            Small = kind,
            Id = head.AsId(),
            Image = Image(m, i => kind.CanRead(i, head.Text)),
            What = What(m),
            Detail = Detail(m),
        };
    }

    private static Change ReadAddedEntry(string id, List<JsonMember> m) => new()
    {
        Kind = ChangeKind.Small,
        Small = SmallFileKind.Queue,
        Id = id,
        Entry = Find(m, "entry") is var entry && QueueCodec.CanAdd(entry.Value)
            ? Image(entry) : throw new FormatException(),
        What = What(m),
        Detail = Detail(m),
    };

    private static Change ReadMove(ChangeKind kind, JsonMember head, List<JsonMember> m)
    {
        long deletion = Find(m, "deletion").NumberAboveZero;
        SessionInfo moved = Info(head.Value, kind == ChangeKind.Trash ? deletion : 0);
        return new Change { Kind = kind, Id = moved.Id, Info = moved, DeletionLsn = deletion };
    }

    private static Change ReadPurge(string id, List<JsonMember> m)
        => new() { Kind = ChangeKind.Purge, Id = id, DeletionLsn = Find(m, "deletion").Number };

    private static Change ReadAppend(string id, List<JsonMember> m)
    {
        List<ReadOnlyMemory<byte>> counters = JsonMembers.Items(Find(m, "counters").Value);
        long offset = Find(m, "offset").Number;
        byte[] lines = ReadLines(Find(m, "lead").Flag, JsonMembers.Items(Find(m, "lines").Value));
        if (counters.Count != 5 || !Plausible.IsCount(offset + lines.Length))
        {
            throw new FormatException();
        }

        return new Change
        {
            Kind = ChangeKind.Append,
            Id = id,
            Offset = offset,
            Counters = new Counters(Integer(counters[0]), Integer(counters[1]), Integer(counters[2]),
                Integer(counters[3]), Integer(counters[4])),
            Lines = lines,
        };
    }

    // Both are names of files that are linked and renamed: they can be what a prune of this session at this LSN
    // made of them, and nothing else.
    private static Change ReadRewrite(string id, List<JsonMember> m, long at, long lsn)
    {
        string file = Find(m, "file").Text, kept = Find(m, "kept").Text;
        if (!Plausible.IsStagedLog(file) || (kept.Length > 0 && kept != Layout.Pruned(at, lsn, id)))
        {
            throw new FormatException();
        }

        return new Change
        {
            Kind = ChangeKind.Rewrite,
            Id = id,
            File = file,
            Bytes = Find(m, "bytes").Number,
            Kept = kept,
        };
    }

    private static JsonMember Find(List<JsonMember> members, string name)
    {
        foreach (JsonMember m in members)
        {
            if (m.Name == name)
            {
                return m;
            }
        }

        throw new FormatException();
    }

    // Empty where the file goes.
    private static ReadOnlyMemory<byte> Image(List<JsonMember> members, Func<ReadOnlyMemory<byte>, bool> canRead)
    {
        JsonMember image = Find(members, "image");
        return image.IsNull ? default : canRead(image.Value) ? Image(image) : throw new FormatException();
    }

    // What a small file is written from: an object with a member at least, and compact, since the file's
    // checksum is that of the compact text.
    private static ReadOnlyMemory<byte> Image(JsonMember image)
        => image.Value.Span is [(byte)'{', (byte)'"', ..]
            && JsonText.TryCompactObject(image.Value.Span)?.Length == image.Value.Length
            ? image.Value : throw new FormatException();

    private static string What(List<JsonMember> members)
        => members.Find(x => x.Name == "what") is { Name: not null } what ? what.Text : "";

    private static ReadOnlyMemory<byte> Detail(List<JsonMember> members)
        => ObjectOrNone(members.Find(x => x.Name == "detail").Value);

    private static ReadOnlyMemory<byte> ObjectOrNone(ReadOnlyMemory<byte> value)
        => value.IsEmpty || value.Span[0] == '{' ? value : throw new FormatException();

    private static SessionInfo Info(ReadOnlyMemory<byte> value, long deletion)
        => InfoCodec.TryRead(value) is { } info && info.DeletionLsn == deletion ? info : throw new FormatException();

    private static long Integer(ReadOnlyMemory<byte> value) => new JsonMember("", default, value).Number;

    private static byte[] ReadLines(bool lead, List<ReadOnlyMemory<byte>> lines)
    {
        if (lines.Count == 0)
        {
            throw new FormatException();
        }

        var bytes = new Utf8Buffer(lines.Sum(l => l.Length + 1) + 1);
        if (lead)
        {
            bytes.Byte('\n');
        }

        foreach (ReadOnlyMemory<byte> line in lines)
        {
            bytes.Raw(line.Span[0] == '{' && !line.Span.Contains((byte)'\n') ? line.Span : throw new FormatException())
                .Byte('\n');
        }

        return bytes.ToArray();
    }
}
