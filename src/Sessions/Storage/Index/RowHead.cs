using System.Text;
using System.Text.Json;
using Sessions.Json;
using Sessions.Model;

namespace Sessions.Storage.Index;

/// <summary>What lists order and choose by, read from a session's JSON without touching the rest of it:
/// 100,000 rows of an index are read in a tenth of the time and garbage that whole infos take.</summary>
internal readonly record struct RowHead(string Id, string? ParentId, long CreatedAt, long UpdatedAt, bool Archived,
    long DeletionLsn)
{
    public RowHead(SessionInfo info)
        : this(info.Id, info.ParentId, info.CreatedAt, info.UpdatedAt, info.Archived, info.DeletionLsn)
        => (ShareExpiresAt, LastEventAt, LastSeq) = (info.Share?.ExpiresAt ?? 0, info.LastEventAt, info.LastSeq);

    /// <summary>When the share that it names ends; 0: never, or there is none.</summary>
    public long ShareExpiresAt { get; init; }

    /// <summary>True for a row that says that its session is gone.</summary>
    public bool IsGone { get; init; }

    /// <summary>0: no event yet.</summary>
    public long LastEventAt { get; init; }

    public long LastSeq { get; init; }

    /// <summary>With the counters, as <see cref="SessionInfo.With"/> takes them.</summary>
    public RowHead With(in Counters c) => c.LastSeq < LastSeq ? this : this with
    {
        UpdatedAt = Math.Max(UpdatedAt, c.UpdatedAt),
        LastEventAt = c.LastEventAt,
        LastSeq = c.LastSeq,
    };

    /// <summary>Reads a compact object; null where it is no session's.</summary>
    public static RowHead? TryRead(ReadOnlySpan<byte> json)
    {
        string? id = null, parent = null;
        long created = 0, updated = 0, deletion = 0, expires = 0, lastEvent = 0, lastSeq = 0;
        bool archived = false;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = JsonText.OwnDepthMax });
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                int name = NumberOf(reader);
                reader.Read();
                switch (name)
                {
                    case 1: id = reader.GetString(); break;
                    case 2: parent = reader.GetString(); break;
                    case 3: created = Number(ref reader); break;
                    case 4: updated = Number(ref reader); break;
                    case 5: archived = reader.GetBoolean(); break;
                    case 6: deletion = InfoCodec.ReadDeletion(reader.GetString()); break;
                    case 7 when reader.TokenType == JsonTokenType.StartObject: expires = ReadExpiry(ref reader); break;
                    case 8 when reader.TokenType == JsonTokenType.Number: lastEvent = Number(ref reader); break;
                    case 9: lastSeq = Number(ref reader); break;
                    default: reader.Skip(); break;
                }
            }

            if (reader.TokenType != JsonTokenType.EndObject || reader.BytesConsumed != json.Length)
            {
                return null; // it is handed out as it stands, so nothing may stand behind it
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null; // the caller's answer to this is the answer: the index is not to be used
        }

        return id is not null && SessionIds.IsValid(id) && (parent is null || SessionIds.IsValid(parent))
            ? new RowHead(id, parent, created, updated, archived, deletion)
            {
                ShareExpiresAt = expires,
                LastEventAt = lastEvent,
                LastSeq = lastSeq,
            }
            : null;
    }

    // Which of the members that count it is; 0: none. The length tells most apart.
    private static int NumberOf(in Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> name = reader.ValueSpan;
        if (reader.ValueIsEscaped)
        {
            name = Encoding.UTF8.GetBytes(reader.GetString()!); // nobody but a stranger writes it so
        }

        return name.Length switch
        {
            2 => name.SequenceEqual("id"u8) ? 1 : 0,
            8 => name.SequenceEqual("archived"u8) ? 5 : name.SequenceEqual("last_seq"u8) ? 9 : 0,
            9 => name.SequenceEqual("parent_id"u8) ? 2 : 0,
            10 => name.SequenceEqual("created_at"u8) ? 3 : name.SequenceEqual("updated_at"u8) ? 4
                : name.SequenceEqual("share_info"u8) ? 7 : 0,
            11 => name.SequenceEqual("deletion_id"u8) ? 6 : 0,
            13 => name.SequenceEqual("last_event_at"u8) ? 8 : 0,
            _ => 0,
        };
    }

    private static long Number(ref Utf8JsonReader reader)
        => reader.GetInt64() is var value && Plausible.IsCount(value) ? value : throw new FormatException();

    private static long ReadExpiry(ref Utf8JsonReader reader)
    {
        long expires = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isExpiry = reader.ValueTextEquals("expires_at"u8);
            reader.Read();
            expires = isExpiry && reader.TokenType == JsonTokenType.Number ? Number(ref reader) : expires;
            reader.Skip();
        }

        return expires;
    }
}
