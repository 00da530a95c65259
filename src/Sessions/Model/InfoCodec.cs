using System.Globalization;
using Sessions.Json;

namespace Sessions.Model;

/// <summary>A session's info as JSON: what session_get_info answers, what session.json holds and what
/// the journal carries are one text.</summary>
internal static class InfoCodec
{
    public static byte[] Write(SessionInfo info)
    {
        var b = new Utf8Buffer(420 + info.Metadata.Length + info.Facts.Length + info.Title.Length);
        Write(info, b);
        return b.ToArray();
    }

    public static void Write(SessionInfo info, Utf8Buffer b)
    {
        b.Byte('{').Raw("\"id\":"u8).Text(info.Id).Raw(",\"parent_id\":"u8).Text(info.ParentId)
            .Member("fork_seq", info.ForkSeq);
        b.Raw(",\"title\":"u8).Text(info.Title).Raw(",\"title_source\":"u8).Text(info.TitleSource);
        b.Raw(",\"created_at\":"u8).Number(info.CreatedAt).Raw(",\"updated_at\":"u8).Number(info.UpdatedAt)
            .TimeMember("last_event_at", info.LastEventAt);
        b.Raw(",\"message_count\":"u8).Number(info.MessageCount).Raw(",\"event_count\":"u8).Number(info.EventCount)
            .Raw(",\"last_seq\":"u8).Number(info.LastSeq).Raw(",\"revision\":"u8).Number(info.Revision);
        b.Raw(",\"state\":"u8).Text(info.State).Raw(",\"archived\":"u8).Bool(info.Archived)
            .Raw(",\"is_aborted\":"u8).Bool(info.IsAborted).Raw(",\"abort_reason\":"u8).Text(info.AbortReason)
            .Raw(",\"abort_count\":"u8).Number(info.AbortCount).Raw(",\"share_info\":"u8);
        if (info.Share is { } share)
        {
            b.Raw("{\"share_id\":"u8).Text(share.ShareId).Raw(",\"created_at\":"u8).Number(share.CreatedAt)
                .TimeMember("expires_at", share.ExpiresAt).Byte('}');
        }
        else
        {
            b.Raw("null"u8);
        }

        b.Raw(",\"metadata\":"u8).Raw(info.Metadata.Span).Raw(",\"facts\":"u8).Raw(info.Facts.Span);
        if (info.IdempotencyKey is not null)
        {
            b.Member("idempotency_key", info.IdempotencyKey);
        }

        if (info.DeletionLsn != 0)
        {
            b.Member("deleted_at", info.DeletedAt).Member("deletion_id", DeletionId(info.DeletionLsn));
        }

        if (info.Unknown.Length > 0)
        {
            b.Byte(',').Raw(info.Unknown.Span);
        }

        b.Byte('}');
    }

    public static string DeletionId(long lsn) => string.Create(CultureInfo.InvariantCulture, $"del_{lsn}");

    /// <summary>Reads a compact object; null where it is no session's info.</summary>
    public static SessionInfo? TryRead(ReadOnlyMemory<byte> compact)
    {
        try
        {
            return Read(compact);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or System.Text.Json.JsonException)
        {
            return null; // the answer to this is the caller's: a damaged file or a bug in a frame
        }
    }

    private static SessionInfo? Read(ReadOnlyMemory<byte> compact)
    {
        string? id = null, parent = null, title = null, source = null, state = null, reason = null, key = null;
        long? forkSeq = null;
        long created = 0, updated = 0, lastEvent = 0, messages = 0, events = 0, lastSeq = 0, revision = 0, aborts = 0;
        long deletedAt = 0, deletion = 0;
        bool archived = false, aborted = false;
        ShareSummary? share = null;
        ReadOnlyMemory<byte> metadata = SessionInfo.EmptyObject, facts = SessionInfo.EmptyObject;
        Utf8Buffer? unknown = null;
        foreach (JsonMember m in JsonMembers.Of(compact))
        {
            switch (m.Name)
            {
                case "id": id = m.AsId(); break;
                case "parent_id": parent = m.IsNull ? null : m.AsId(); break;
                case "fork_seq": forkSeq = m.IsNull ? null : m.Number; break;
                case "title": title = m.Text; break;
                case "title_source": source = m.Text; break;
                case "created_at": created = m.Number; break;
                case "updated_at": updated = m.Number; break;
                case "last_event_at": lastEvent = m.NumberOrZero; break;
                case "message_count": messages = m.Number; break;
                case "event_count": events = m.Number; break;
                case "last_seq": lastSeq = m.Number; break;
                case "revision": revision = m.Number; break;
                case "state": state = m.Text; break;
                case "archived": archived = m.Flag; break;
                case "is_aborted": aborted = m.Flag; break;
                case "abort_reason": reason = m.TextOrNull; break;
                case "abort_count": aborts = m.Number; break;
                case "share_info": share = m.IsNull ? null : ReadShare(m.Value); break;
                case "metadata" when m.IsObject: metadata = m.Value; break;
                case "facts" when m.IsObject: facts = m.Value; break;
                case "idempotency_key": key = m.TextOrNull; break;
                case "deleted_at": deletedAt = m.NumberOrZero; break;
                case "deletion_id": deletion = ReadDeletion(m.TextOrNull); break;
                default:
                    unknown ??= new Utf8Buffer(64);
                    if (unknown.Length > 0)
                    {
                        unknown.Byte(',');
                    }

                    unknown.Raw(m.RawName.Span).Byte(':').Raw(m.Value.Span);
                    break;
            }
        }

        return id is null || title is null || revision == 0 ? null : new SessionInfo
        {
            Id = id,
            ParentId = parent,
            ForkSeq = forkSeq,
            Title = title,
            TitleSource = Known(source),
            CreatedAt = created,
            UpdatedAt = updated,
            LastEventAt = lastEvent,
            MessageCount = messages,
            EventCount = events,
            LastSeq = lastSeq,
            Revision = revision,
            State = state == "created" ? "created" : state ?? "created",
            Archived = archived,
            IsAborted = aborted,
            AbortReason = reason,
            AbortCount = aborts,
            Share = share,
            Metadata = metadata.Span.SequenceEqual("{}"u8) ? SessionInfo.EmptyObject : metadata.ToArray(),
            Facts = facts.Span.SequenceEqual("{}"u8) ? SessionInfo.EmptyObject : facts.ToArray(),
            IdempotencyKey = key,
            DeletedAt = deletedAt,
            DeletionLsn = deletion,
            Unknown = unknown?.ToArray() ?? default(ReadOnlyMemory<byte>),
        };
    }

    private static string Known(string? source) => source switch
    {
        "user" => "user",
        "generated" => "generated",
        null or "default" => "default",
        _ => source,
    };

    public static long ReadDeletion(string? text)
        => text is null ? 0 : text.StartsWith("del_", StringComparison.Ordinal)
            && long.TryParse(text.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out long lsn)
            && lsn is > 0 and <= Plausible.LsnMax
            ? lsn : throw new FormatException();

    private static ShareSummary ReadShare(ReadOnlyMemory<byte> value)
    {
        string id = "";
        long created = 0, expires = 0;
        foreach (JsonMember m in JsonMembers.Of(value))
        {
            switch (m.Name)
            {
                case "share_id": id = ShareIds.Require(m.Text); break;
                case "created_at": created = m.Number; break;
                case "expires_at": expires = m.NumberOrZero; break;
                default: break; // ours alone, rewritten whole with each share
            }
        }

        return id.Length > 0 ? new ShareSummary(id, created, expires) : throw new FormatException();
    }
}
