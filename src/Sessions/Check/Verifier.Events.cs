using System.Globalization;
using Sessions.Storage.Files;
using Sessions.Storage.Log;

namespace Sessions.Check;

/// <content>A session's log, line by line.</content>
internal sealed partial class Verifier
{
    private void CheckEvents(string folder, string id, long deletion)
    {
        if (TryOpenLog(id, deletion) is not { } opened)
        {
            return;
        }

        using (opened.Log)
        {
            if (opened.Log.MissingHistory is { } missing)
            {
                Add("history_missing", "error", id, $"{folder}/{missing}", null, null, null, null,
                    "the link to an ancestor's log is gone");
            }

            var markers = new MarkerScan();
            long last = CheckLines(folder, id, opened, markers);
            CheckLogState(folder, id, opened.State, markers);
            CheckEnds(folder, id, opened, last);
        }
    }

    // Null where the session moved while we looked; a log that cannot be opened has its own line in the report.
    private OpenedLog? TryOpenLog(string id, long deletion)
    {
        lock (_core.Rows.Gate)
        {
            if (Find(id) is not { } row || row.DeletionLsn != deletion)
            {
                return null;
            }

            SessionInfo info = _core.Rows.Read(row);
            LogState state = _core.Rows.ReadLog(row);
            return TryOpen(row) is { } log ? new OpenedLog(log, info, state) : null;
        }
    }

    // Answers the number of the last event.
    private long CheckLines(string folder, string id, OpenedLog opened, MarkerScan markers)
    {
        (LogView log, SessionInfo info, LogState state) = opened;
        var reader = new LineReader(log, 0);
        long previous = log.SeqBefore, first = state.FirstSeq; // before it, numbers may be missing
        while (reader.TryRead(out ReadOnlySpan<byte> line))
        {
            _context.ThrowIfCancelled();
            _bytes += reader.LineLength + 1;
            if (line.IsEmpty)
            {
                continue;
            }

            bool whole = EventLine.TryRead(line, out long seq, out ReadOnlySpan<byte> unclosed)
                && reader.IsTerminated;
            (string name, long at) = log.Locate(reader.LineOffset);
            var place = new LinePlace(id, folder + "/" + name, at, reader.LineLength);
            whole &= log.MayStand(seq, reader.LineOffset);
            if (whole && seq > info.LastSeq)
            {
                CheckUncounted(id, place.File, at, seq, info);
                break; // or appended since
            }

            _events++;
            if (!whole)
            {
                previous++;
                AddDamaged(place, previous, reader.IsCut ? default : line);
                continue;
            }

            if (seq != previous + 1 && (seq <= previous || seq > first))
            {
                AddOutOfOrder(place, previous, seq);
            }

            previous = Math.Max(seq, previous);
            if (MarkerScan.MayBeMarker(line) && EventView.TryRead(seq, unclosed) is { } marker)
            {
                markers.Add(marker);
            }
        }

        return previous;
    }

    // Of a line that is too long to hold, which is empty here, there is no copy; the log itself keeps it.
    private void AddDamaged(LinePlace place, long seq, ReadOnlySpan<byte> line)
    {
        string? kept = line.IsEmpty || _count == Limits.VerifyIssuesMax ? null
            : Keeper?.Keep(place.File, place.Id, "damaged_line", line);
        Add("damaged_line", "error", place.Id, place.File, place.Offset, place.Length, seq, kept,
            "a line is not what was written");
    }

    private void AddOutOfOrder(LinePlace place, long previous, long seq)
    {
        string code = seq > previous ? "event_sequence_gap" : "event_sequence_regression";
        Add(code, "error", place.Id, place.File, place.Offset, place.Length, seq, null,
            string.Create(CultureInfo.InvariantCulture, $"number {seq} follows {previous}"));
    }

    // Events may be missing before the first and behind the last that the log has.
    private void CheckEnds(string folder, string id, OpenedLog opened, long last)
    {
        // A prune would have left a log.json, which says so.
        string known = folder + "/" + Layout.LogStateFile;
        if (opened.State is { FirstSeq: > 1 } state && _core.Disk.Stat(known) is null)
        {
            Add("events_missing", "error", id, known, null, null, 1, null, string.Create(
                CultureInfo.InvariantCulture, $"the events begin with {state.FirstSeq}, and nothing says why"));
        }

        if (last < opened.Info.LastSeq)
        {
            Add("events_missing", "error", id, $"{folder}/{Layout.EventsFile}", null, null, last + 1, null,
                string.Create(CultureInfo.InvariantCulture, $"the log ends with {last} of {opened.Info.LastSeq}"));
        }
    }

    // What the rows say of a log, as of the moment it was opened.
    private readonly record struct OpenedLog(LogView Log, SessionInfo Info, LogState State);

    // Length is that of the line.
    private readonly record struct LinePlace(string Id, string File, long Offset, long Length);
}
