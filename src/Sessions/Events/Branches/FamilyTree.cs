using System.Buffers;
using Sessions.Json;
using Sessions.Storage.Rows;

namespace Sessions.Events.Branches;

/// <summary>Writes the family of a session: where each one came from.</summary>
internal static class FamilyTree
{
    /// <summary>Call under the rows' gate.</summary>
    public static void Write(RowTable rows, Row row, IBufferWriter<byte> output)
    {
        var live = rows.LiveRows().ToDictionary(r => r.Row.Id, r => r);
        Row root = row;
        var seen = new HashSet<string> { row.Id };
        while (live.TryGetValue(root.Id, out var known) && known.ParentId is { } parent
            && live.TryGetValue(parent, out var above) && seen.Add(parent))
        {
            root = above.Row;
        }

        var children = new Groups<Row>(live.Values.OrderBy(r => r.Row.Number)
            .ThenBy(r => r.Row.Id, StringComparer.Ordinal).Select(r => (r.ParentId, r.Row)));
        var b = new Utf8Buffer(512);
        b.Byte('{').Member("root_id", root.Id).Raw(",\"sessions\":["u8);
        var next = new Stack<(Row Row, int Depth)>();
        var written = new HashSet<string>();
        next.Push((root, 0));
        while (next.TryPop(out (Row Row, int Depth) at))
        {
            if (!written.Add(at.Row.Id))
            {
                continue; // a ring, which only a foreign hand can have made
            }

            Write(b, rows.Read(at.Row), at.Depth, isFirst: written.Count == 1);
            foreach (Row child in children[at.Row.Id].Reverse())
            {
                next.Push((child, at.Depth + 1));
            }
        }

        output.Write(b.Raw("]}"u8).Written);
    }

    private static void Write(Utf8Buffer b, SessionInfo info, int depth, bool isFirst)
        => b.Raw(isFirst ? "{"u8 : ",{"u8).Member("id", info.Id).Member("parent_id", info.ParentId)
            .Member("depth", (long)depth).Member("fork_seq", info.ForkSeq).Member("title", info.Title)
            .Member("created_at", info.CreatedAt).Member("updated_at", info.UpdatedAt)
            .Member("last_seq", info.LastSeq).Member("archived", info.Archived).Byte('}');
}
