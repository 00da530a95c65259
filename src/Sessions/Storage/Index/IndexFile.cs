using System.Buffers.Text;
using System.Text;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Index;

/// <summary>The closing line of the index: up to where it knows everything, and the floors.</summary>
internal sealed record IndexClosing
{
    public required long Lsn { get; init; }
    public required long IdMs { get; init; }
    public required long IdN { get; init; }

    /// <summary>Sessions, live and in the trash, when the file was last written whole.</summary>
    public required long Count { get; init; }

    /// <summary>Lines that are rows, old ones included.</summary>
    public required long Rows { get; init; }

    /// <summary>Where the rows that this line closes begin.</summary>
    public required long Start { get; init; }

    public required uint RowsCrc { get; init; }

    /// <summary>Bytes of the file up to and with this line; not stored.</summary>
    public long End { get; init; }
}

/// <summary>
/// index.jsonl: rows `{"info":{…}}` or `{"gone":"id"}`, later ones counting, in chunks that each
/// end in a closing line. Disposable: without it, or with any of it damaged, the folders are read.
/// </summary>
internal static class IndexFile
{
    private const int TailLength = 4096;
    private const int PieceBytes = 1024 * 1024;
    private const int BlockBytes = 4096; // no file system has holes of less

    /// <summary>The last closing line, from the file's last bytes alone; null where there is none.</summary>
    public static IndexClosing? ReadClosing(IDisk disk)
    {
        try
        {
            using IDiskFile file = disk.OpenOwn(Layout.IndexFile, OpenMode.Read);
            long length = file.Length;
            byte[] tail = new byte[(int)Math.Min(length, TailLength)];
            int read = file.Read(tail, length - tail.Length);
            if (read == 0 || tail[read - 1] != '\n')
            {
                return null;
            }

            int start = tail.AsSpan(0, read - 1).LastIndexOf((byte)'\n') + 1;
            return TryReadClosing(tail.AsSpan(start, read - 1 - start), length);
        }
        catch (DiskException e) when (e.Error is DiskError.NotFound || Obstacle.HidesContent(e))
        {
            return null;
        }
    }

    /// <summary>Hands over each row up to the last closing line, as compact JSON; empty where the
    /// session is gone. False, and nothing handed over, where the file is absent, damaged, or does not reach
    /// the LSN.</summary>
    public static bool TryLoad(IDisk disk, long lsn, Action<RowHead, ReadOnlyMemory<byte>> add)
    {
        (RowHead Head, ReadOnlyMemory<byte> Slice)[]? rows = TryRead(disk, lsn, (head, slice) => (head, slice));
        foreach (ref readonly (RowHead Head, ReadOnlyMemory<byte> Slice) row in rows.AsSpan())
        {
            add(row.Head, row.Slice);
        }

        return rows is not null;
    }

    /// <summary>What the function makes of each row, in the order of the file; null in the cases above. The function
    /// must change nothing but what it makes: later rows may turn out to be none.</summary>
    /// <param name="disk">Where the store is.</param>
    /// <param name="lsn">What the index must reach.</param>
    /// <param name="make">Called for each row.</param>
    /// <param name="expect">Called before the first row, with their number: to make room while there is nothing yet
    /// that a collection would have to look at and move.</param>
    public static T[]? TryRead<T>(IDisk disk, long lsn, Func<RowHead, ReadOnlyMemory<byte>, T> make,
        Action<int>? expect = null)
    {
        if (ReadClosing(disk) is not { } last || last.Lsn < lsn)
        {
            return null;
        }

        if (ReadRows(disk, last.End) is not { } bytes || !AreChunksSound(bytes, out int count))
        {
            return null;
        }

        // The checksums have no key: whole chunks may still be rows of no session. So all are read before one is
        // handed over, into an array of the right length: one that grows is copied again and again.
        var rows = new T[count];
        expect?.Invoke(count);
        count = 0;
        for (int at = 0; at < last.End;)
        {
            int length = bytes.AsSpan(at).IndexOf((byte)'\n');
            ReadOnlyMemory<byte> line = bytes.AsMemory(at, length);
            at += length + 1;
            if (line.Span.StartsWith(Closing))
            {
                continue;
            }

            if (!TryReadRow(line, out RowHead head, out ReadOnlyMemory<byte> slice))
            {
                return null;
            }

            rows[count++] = make(head, slice);
        }

        return rows;
    }

    // Null where it was made anew in between, or cut, or where a block begins with a zero byte, which no row has: a
    // hole ends the reading at its beginning.
    private static byte[]? ReadRows(IDisk disk, long length)
    {
        if (length > Array.MaxLength)
        {
            return null;
        }

        using IDiskFile file = disk.OpenOwn(Layout.IndexFile, OpenMode.Read);
        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)length);
        for (int at = 0; at < bytes.Length;)
        {
            Span<byte> piece = bytes.AsSpan(at, Math.Min(PieceBytes, bytes.Length - at));
            if (file.Read(piece, at) < piece.Length)
            {
                return null;
            }

            for (int block = 0; block < piece.Length; block += BlockBytes)
            {
                if (piece[block] == 0)
                {
                    return null;
                }
            }

            at += piece.Length;
        }

        return bytes;
    }

    private static bool TryReadRow(ReadOnlyMemory<byte> line, out RowHead head, out ReadOnlyMemory<byte> slice)
    {
        (head, slice) = (default, default);
        ReadOnlySpan<byte> name = line.Span.StartsWith(Info) ? Info : Gone;
        if (line.Length <= name.Length + 2 || line.Span[^1] != '}')
        {
            return false;
        }

        ReadOnlyMemory<byte> value = line[name.Length..^1];
        if (line.Span.StartsWith(Info))
        {
            slice = value;
            head = RowHead.TryRead(value.Span).GetValueOrDefault();
            return head.Id is not null;
        }

        ReadOnlySpan<byte> id = value.Span[1..^1];
        bool isId = value.Span[0] == '"' && value.Span[^1] == '"' && SessionIds.IsValid(id);
        head = new RowHead(isId ? Encoding.ASCII.GetString(id) : "", null, 0, 0, false, 0) { IsGone = true };
        return isId;
    }

    private static bool AreChunksSound(ReadOnlySpan<byte> bytes, out int rows)
    {
        rows = 0;
        for (int chunk = 0, at = 0; chunk < bytes.Length;)
        {
            int length = bytes[at..].IndexOf((byte)'\n');
            if (length < 0)
            {
                return false;
            }

            ReadOnlySpan<byte> line = bytes.Slice(at, length);
            if (line.StartsWith(Closing))
            {
                if (TryReadClosing(line, at + length + 1) is not { } closing || closing.Start != chunk
                    || Crc32C.Compute(bytes[chunk..at]) != closing.RowsCrc)
                {
                    return false;
                }

                chunk = at + length + 1;
            }
            else if (line.StartsWith(Info) || line.StartsWith(Gone))
            {
                rows++;
            }
            else
            {
                return false;
            }

            at += length + 1;
        }

        return true;
    }

    private static ReadOnlySpan<byte> Closing => "{\"closing\":"u8;

    private static ReadOnlySpan<byte> Info => "{\"info\":"u8;

    private static ReadOnlySpan<byte> Gone => "{\"gone\":"u8;

    /// <summary>Appends a row: the info, or that the session is gone.</summary>
    public static void WriteRow(Utf8Buffer output, string id, ReadOnlySpan<byte> infoJson)
    {
        if (infoJson.IsEmpty)
        {
            output.Raw(Gone).Text(id);
        }
        else
        {
            output.Raw(Info).Raw(infoJson);
        }

        output.Byte('}').Byte('\n');
    }

    /// <summary>Appends the closing line.</summary>
    public static void WriteClosing(Utf8Buffer output, IndexClosing closing)
    {
        int start = output.Length;
        output.Raw("{\"closing\":{"u8).Member("lsn", closing.Lsn).Member("id_ms", closing.IdMs)
            .Member("id_n", closing.IdN)
            .Member("count", closing.Count).Member("rows", closing.Rows).Member("start", closing.Start)
            .Member("rows_crc", closing.RowsCrc).Byte('}');
        CheckedJson.AppendChecksum(output, Crc32C.Compute(output.Written[start..]));
        output.Byte('}').Byte('\n');
    }

    private static IndexClosing? TryReadClosing(ReadOnlySpan<byte> line, long end)
    {
        if (line.Length < 20 || !CheckedJson.TrySplit(line[..^1], out int body, out uint crc)
            || Crc32C.Compute(line[..body]) != crc || !line.StartsWith("{\"closing\":{"u8))
        {
            return null;
        }

        // Rows take twelve bytes at least.
        Span<long> values = stackalloc long[7];
        int count = 0;
        for (int i = 12; i < body && count < values.Length; i++)
        {
            if (line[i] == ':' && Utf8Parser.TryParse(line[(i + 1)..], out values[count], out _))
            {
                count++;
            }
        }

        bool isPossible = count == values.Length && values[0] is >= 0 and <= Plausible.LsnMax
            && Plausible.AreIds(values[1], values[2]) && values[3] >= 0 && values[3] <= end / 12
            && values[4] >= 0 && values[4] <= end / 12 && values[5] >= 0 && values[5] < end
            && values[6] is >= 0 and <= uint.MaxValue;
        return !isPossible ? null : new IndexClosing
        {
            Lsn = values[0],
            IdMs = values[1],
            IdN = values[2],
            Count = values[3],
            Rows = values[4],
            Start = values[5],
            RowsCrc = (uint)values[6],
            End = end,
        };
    }
}
