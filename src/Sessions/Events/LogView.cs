using Sessions.Platform;
using Sessions.Storage;

namespace Sessions.Events;

/// <summary>The bytes of one event log as published: the file, and behind it the lines that are in
/// the journal but perhaps not in the file yet.</summary>
internal sealed class LogView : IDisposable
{
    private readonly IDiskFile? _file;
    private readonly List<TailLines>? _tail;

    private LogView(IDiskFile? file, List<TailLines>? tail, long length)
    {
        _file = file;
        _tail = tail;
        Length = tail is { Count: > 0 } ? Math.Max(length, tail[^1].Offset + tail[^1].Bytes.Length) : length;
    }

    public long Length { get; }

    /// <summary>Call under the rows' gate. A file that is not there is NotFound where it must exist and
    /// the journal's lines do not stand for all of it; otherwise it is empty.</summary>
    public static LogView Open(IDisk disk, Row row, bool mustExist = false)
    {
        List<TailLines>? tail = row.Tail is { } lines ? [.. lines] : null; // the row's own goes on growing
        IDiskFile? file;
        try
        {
            file = disk.Open(row.Folder + "/" + Layout.EventsFile, OpenMode.Read);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound && (!mustExist || tail is [{ Offset: 0 }, ..]))
        {
            return new LogView(null, tail, Math.Max(row.LogLength, 0)); // no event yet, or none in the file
        }

        return new LogView(file, tail, row.LogLength >= 0 ? row.LogLength : file.Length);
    }

    /// <summary>A log as its file has it, without the journal.</summary>
    public static LogView OpenFile(IDisk disk, string path)
    {
        IDiskFile file = disk.Open(path, OpenMode.Read);
        return new LogView(file, null, file.Length);
    }

    /// <summary>Fills the buffer from the offset; fewer bytes only at the end.</summary>
    public int Read(Span<byte> buffer, long offset)
    {
        int wanted = (int)Math.Min(buffer.Length, Math.Max(0, Length - offset)), done = 0;
        for (int i = 0; done < wanted; i++)
        {
            TailLines? lines = i < (_tail?.Count ?? 0) ? _tail![i] : null;
            if (lines is not { } next || offset + done < next.Offset)
            {
                // Before the next lines of the journal stands what the file has.
                int gap =
                    (int)Math.Min(wanted - done, lines is null ? long.MaxValue : lines.Value.Offset - offset - done);
                int read = _file?.Read(buffer.Slice(done, gap), offset + done) ?? 0;
                done += read;
                if (read < gap)
                {
                    return done; // the file is shorter than it should be
                }
            }

            if (lines is { } tail && offset + done - tail.Offset is >= 0 and var skip && skip < tail.Bytes.Length)
            {
                int count = (int)Math.Min(wanted - done, tail.Bytes.Length - skip);
                tail.Bytes.Span.Slice((int)skip, count).CopyTo(buffer[done..]);
                done += count;
            }
        }

        return done;
    }

    public void Dispose() => _file?.Dispose();
}
