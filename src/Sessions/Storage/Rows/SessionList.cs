using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;

namespace Sessions.Storage.Rows;

/// <summary>Orders, filters, pages and projects sessions for a list. Its cost depends on the number
/// of sessions alone: no event log is touched.</summary>
internal static class SessionList
{
    private static readonly string[] Known =
    [
        "id", "parent_id", "fork_seq", "title", "title_source", "created_at", "updated_at", "last_event_at",
        "message_count", "event_count", "last_seq", "revision", "state", "archived", "is_aborted", "abort_reason",
        "abort_count", "share_info", "metadata", "facts", "idempotency_key", "deleted_at", "deletion_id",
    ];

    /// <summary>Writes the array; returns the cursor of the next page or null. Call under the gate.</summary>
    public static string? Write(RowTable rows, SessionListOptions o, long now, IBufferWriter<byte> output)
    {
        Check(o);
        string[]? fields = Fields(o.Fields);
        ListFilter? filter = ListFilter.Read(o.Filter);
        string signature = Signature(o);
        (long Key, string Id)? after = o.Cursor is null ? null : ReadCursor(o.Cursor, signature);
        rows.Complete();
        var order = new RowOrder(o.Order);
        var chosen = new List<Row>();
        Row? last = after is { } end ? new Row(end.Id) : null;
        foreach (Row row in rows.InOrder(order))
        {
            if (!row.IsGone && (row.Info is not null || !row.Slice.IsEmpty || rows.CanRead(row))
                && Matches(rows, row, o, filter)
                && (last is null || order.Compare(order.Key(row), row, after!.Value.Key, last) > 0))
            {
                chosen.Add(row);
                if (o.Limit != 0 && chosen.Count > o.Limit)
                {
                    break;
                }
            }
        }

        int count = o.Limit == 0 ? chosen.Count : (int)Math.Min(o.Limit, (uint)chosen.Count);
        if (fields is null)
        {
            WriteWhole(rows, chosen, count, now, output);
        }
        else
        {
            output.Write("["u8);
            for (int i = 0; i < count; i++)
            {
                output.Write(i == 0 ? ""u8 : ","u8);
                Write(rows, chosen[i], fields, now, output);
            }

            output.Write("]"u8);
        }

        return count == chosen.Count || count == 0
            ? null : WriteCursor(order.Key(chosen[count - 1]), chosen[count - 1].Id, signature);
    }

    // The fast path of the plain loop above: each row is text already, so the length is known before
    // the first byte, and all of it is copied once. 10,000 rows: 1.3 ms instead of 4.
    private static void WriteWhole(RowTable rows, List<Row> chosen, int count, long now, IBufferWriter<byte> output)
    {
        long length = 2;
        for (int i = 0; i < count; i++)
        {
            length += Json(rows, chosen[i], now).Length + 1;
        }

        if (length > Array.MaxLength)
        {
            throw Errors.Limit("list_bytes", Array.MaxLength, length);
        }

        Span<byte> span = output.GetSpan((int)length);
        int at = 0;
        span[at++] = (byte)'[';
        for (int i = 0; i < count; i++)
        {
            if (i > 0)
            {
                span[at++] = (byte)',';
            }

            ReadOnlySpan<byte> json = Json(rows, chosen[i], now).Span;
            json.CopyTo(span[at..]);
            at += json.Length;
        }

        span[at++] = (byte)']';
        output.Advance(at);
    }

    private static ReadOnlyMemory<byte> Json(RowTable rows, Row row, long now)
    {
        if (row.ShareExpiresAt != 0 && now >= row.ShareExpiresAt)
        {
            return rows.Shown(row, rows.Read(row), now).Shown;
        }

        return row.Info?.Shown
            ?? (row.Pending is null ? row.Slice : InfoCodec.TryRead(row.Slice)!.With(row.Pending.Counters).Shown);
    }

    /// <summary>Writes one session, or the fields of it that were asked for.</summary>
    public static void Write(RowTable rows, Row row, string[]? fields, long now, IBufferWriter<byte> output)
    {
        ReadOnlyMemory<byte> json = Json(rows, row, now);
        if (fields is null)
        {
            output.Write(json.Span);
            return;
        }

        // Read as tokens and copied as text: nothing is allocated, however many sessions there are.
        ReadOnlySpan<byte> text = json.Span;
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = JsonText.OwnDepthMax });
        bool first = true;
        output.Write("{"u8);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int start = (int)reader.TokenStartIndex;
            bool isWanted = false;
            foreach (string field in fields)
            {
                isWanted |= reader.ValueTextEquals(field);
            }

            reader.Read();
            reader.Skip();
            if (isWanted)
            {
                output.Write(first ? ""u8 : ","u8);
                output.Write(text[start..(int)reader.BytesConsumed]);
                first = false;
            }
        }

        output.Write("}"u8);
    }

    /// <summary>The names in a comma-separated list; null for all.</summary>
    public static string[]? Fields(string? fields)
    {
        if (fields is null)
        {
            return null;
        }

        string[] names = fields.Split(',', StringSplitOptions.TrimEntries);
        foreach (string name in names)
        {
            if (Array.IndexOf(Known, name) < 0)
            {
                throw Errors.Word("fields", name, Known);
            }
        }

        return names;
    }

    private static void Check(SessionListOptions o)
    {
        Checks.Flags((uint)o.Flags, 3);
        if (o.Order is < ListOrder.UpdatedDescending or > ListOrder.ActiveDescending)
        {
            throw Errors.Argument("order", "order must be one of SESSION_ORDER_*.");
        }

        if (o.Archived is < ArchivedFilter.Exclude or > ArchivedFilter.Include)
        {
            throw Errors.Argument("archived", "archived must be SESSION_ARCHIVED_EXCLUDE, _ONLY or _INCLUDE.");
        }

        if (o.ParentId is not null)
        {
            SessionIds.Require(o.ParentId, "parent_id");
        }
    }

    private static bool Matches(RowTable rows, Row row, SessionListOptions o, ListFilter? filter)
    {
        bool trash = o.Flags.HasFlag(ListFlags.Trash);
        if (trash != (row.DeletionLsn != 0)
            || (o.Archived == ArchivedFilter.Exclude && row.Archived && !trash)
            || (o.Archived == ArchivedFilter.Only && !row.Archived)
            || (o.Flags.HasFlag(ListFlags.Roots) && row.ParentId is not null)
            || (o.ParentId is not null && row.ParentId != o.ParentId))
        {
            return false;
        }

        if (string.IsNullOrEmpty(o.TitleContains) && filter is null)
        {
            return true;
        }

        SessionInfo info = row.Info ?? InfoCodec.TryRead(row.Slice)!;
        return (string.IsNullOrEmpty(o.TitleContains)
            || info.Title.Contains(o.TitleContains, StringComparison.OrdinalIgnoreCase))
            && (filter is null || filter.Matches(info));
    }

    private static string Signature(SessionListOptions o)
    {
        var b = new Utf8Buffer();
        b.Number((long)o.Flags).Byte(' ').Number((long)o.Order).Byte(' ').Number((long)o.Archived).Byte(' ')
            .Text(o.ParentId).Text(o.TitleContains).Raw((o.Filter ?? default).Span);
        return Crc32C.Compute(b.Written).ToString("x8", CultureInfo.InvariantCulture);
    }

    private static string WriteCursor(long key, string id, string signature)
        => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"{signature} {key} {id}")));

    private static (long Key, string Id) ReadCursor(string cursor, string signature)
    {
        byte[] bytes = new byte[cursor.Length];
        if (Base64Url.DecodeFromChars(cursor, bytes, out _, out int written) == OperationStatus.Done)
        {
            string[] parts = Encoding.UTF8.GetString(bytes, 0, written).Split(' ');
            if (parts.Length == 3 && parts[0] == signature
                && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long key)
                && SessionIds.IsValid(parts[2]))
            {
                return (key, parts[2]);
            }
        }

        throw Errors.Argument("cursor", "cursor must be one that a list with these options gave.");
    }
}
