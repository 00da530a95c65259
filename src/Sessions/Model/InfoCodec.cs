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
        var members = new Members();
        foreach (JsonMember m in JsonMembers.Of(compact))
        {
            members.Take(m);
        }

        return members.ToInfo();
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

    // What was read of an info so far. It lives on the stack: an info is read for each row.
    private struct Members
    {
        private string? _id, _parent, _title, _source, _state, _reason, _key;
        private long? _forkSeq;
        private long _created, _updated, _lastEvent, _messages, _events, _lastSeq, _revision, _aborts;
        private long _deletedAt, _deletion;
        private bool _archived, _aborted;
        private ShareSummary? _share;
        private ReadOnlyMemory<byte> _metadata, _facts;
        private Utf8Buffer? _unknown;

        public void Take(in JsonMember m)
        {
            switch (m.Name)
            {
                case "id": _id = m.AsId(); break;
                case "parent_id": _parent = m.IsNull ? null : m.AsId(); break;
                case "fork_seq": _forkSeq = m.IsNull ? null : m.Number; break;
                case "title": _title = m.Text; break;
                case "title_source": _source = m.Text; break;
                case "created_at": _created = m.Number; break;
                case "updated_at": _updated = m.Number; break;
                case "last_event_at": _lastEvent = m.NumberOrZero; break;
                case "message_count": _messages = m.Number; break;
                case "event_count": _events = m.Number; break;
                case "last_seq": _lastSeq = m.Number; break;
                case "revision": _revision = m.Number; break;
                case "state": _state = m.Text; break;
                case "archived": _archived = m.Flag; break;
                case "is_aborted": _aborted = m.Flag; break;
                case "abort_reason": _reason = m.TextOrNull; break;
                case "abort_count": _aborts = m.Number; break;
                case "share_info": _share = m.IsNull ? null : ReadShare(m.Value); break;
                case "metadata" when m.IsObject: _metadata = m.Value; break;
                case "facts" when m.IsObject: _facts = m.Value; break;
                case "idempotency_key": _key = m.TextOrNull; break;
                case "deleted_at": _deletedAt = m.NumberOrZero; break;
                case "deletion_id": _deletion = ReadDeletion(m.TextOrNull); break;
                default: Keep(m); break;
            }
        }

        public readonly SessionInfo? ToInfo()
        {
            return _id is null || _title is null || _revision == 0 ? null : new SessionInfo
            {
                Id = _id,
                ParentId = _parent,
                ForkSeq = _forkSeq,
                Title = _title,
                TitleSource = Known(_source),
                CreatedAt = _created,
                UpdatedAt = _updated,
                LastEventAt = _lastEvent,
                MessageCount = _messages,
                EventCount = _events,
                LastSeq = _lastSeq,
                Revision = _revision,
                State = _state is null or "created" ? "created" : _state,
                Archived = _archived,
                IsAborted = _aborted,
                AbortReason = _reason,
                AbortCount = _aborts,
                Share = _share,
                Metadata = Owned(_metadata),
                Facts = Owned(_facts),
                IdempotencyKey = _key,
                DeletedAt = _deletedAt,
                DeletionLsn = _deletion,
                Unknown = _unknown?.ToArray() ?? default(ReadOnlyMemory<byte>),
            };
        }

        // A later version's, or a value that is none of ours: written again as it is.
        private void Keep(in JsonMember m)
        {
            _unknown ??= new Utf8Buffer(64);
            if (_unknown.Length > 0)
            {
                _unknown.Byte(',');
            }

            _unknown.Raw(m.RawName.Span).Byte(':').Raw(m.Value.Span);
        }

        // An info outlives the text that it was read from. Most have nothing there, and share that.
        private static ReadOnlyMemory<byte> Owned(ReadOnlyMemory<byte> value)
            => value.IsEmpty || value.Span.SequenceEqual("{}"u8) ? SessionInfo.EmptyObject : value.ToArray();
    }
}
