using System.Globalization;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Apply;

/// <summary>
/// Finds the file that lines of a log go into where the one that was written to is no longer under its name, or was
/// cut: an editor, a sync tool or a checkout put another one there. What the open file, the file that is there now and
/// the journal have together is what the log was. Where the file that is there says nothing else, it is completed and
/// taken; otherwise a copy of it goes to quarantine/ and a whole log takes its place. Under the store lock.
/// </summary>
internal sealed class LogMender(StoreCore core)
{
    /// <summary>Why a log that was replaced is in the quarantine.</summary>
    public const string Reason = "replaced";

    private const int PieceBytes = 256 * 1024;

    // Made when the first log is mended: every opening makes a mender, and would take half as long again.
    private readonly Lazy<byte[]> _first = new(() => new byte[PieceBytes]);
    private readonly Lazy<byte[]> _second = new(() => new byte[PieceBytes]);

    /// <summary>The file under the name, whole up to where the lines of the session begin.</summary>
    /// <param name="session">The session, with the lines that are to be written, if any.</param>
    /// <param name="path">The log.</param>
    /// <param name="kept">The open file that was written to; null: there is none.</param>
    /// <param name="start">Up to where the log is to be whole.</param>
    public IDiskFile Mend(FoldedSession session, string path, IDiskFile? kept, long start)
    {
        LogRing.Add("warning", $"{path} is not the file that was written to, or was cut; it is mended.");
        var lines = new LogLines([.. JournalLines.Of(core, session.Id, session.Lsn), .. session.Lines]);
        IDiskFile? now = TryOpen(path);
        bool isSame = now is not null && now.Identity == kept?.Identity;
        bool counts = now is not null && (isSame || (kept is null ? LogWitness.IsOurs(now, lines) : Agree(kept, now)));
        var whole = new Layers(isSame ? null : kept, counts ? now : null, lines) { End = start };
        if (now is not null && counts && (isSame || kept is null || now.Length <= Math.Max(start, lines.End))
            && !Contradicts(now, whole))
        {
            Fill(now, whole, start);
            return now;
        }

        try
        {
            if (now is not null)
            {
                core.Quarantine.KeepPart(path, session.Id, Reason, now, 0, now.Length);
                core.Quarantine.Settle();
            }

            if (now is not null && isSame)
            {
                Fill(now, whole, start); // branches have links to this very file
                (IDiskFile mended, now) = (now, null);
                return mended;
            }

            return Make(path, whole, start);
        }
        finally
        {
            now?.Dispose();
        }
    }

    /// <summary>Before the lines of a whole journal are written once more: where other whole lines stand in their
    /// place, the file is not the one that they were written to. Then a copy of it is kept aside, its events up to the
    /// first of these lines and the lines come into a new file, and that is answered. Else null.</summary>
    public IDiskFile? MakeWhereOther(FoldedSession session, string path, IDiskFile file)
    {
        var lines = new LogLines(session.Lines);
        if (!LogWitness.HasOthers(core.Disk, path, file, lines))
        {
            return null;
        }

        LogRing.Add("warning", $"{path} has other lines than the journal; a copy is kept and it is made anew.");
        core.Quarantine.KeepPart(path, session.Id, Reason, file, 0, file.Length);
        core.Quarantine.Settle();
        long cut = lines.Start;
        if (lines.FirstSeq is > 0 and var first)
        {
            using LogView log = LogView.OpenFile(core.Disk, path);
            cut = BranchPoint.EndOf(log, first - 1);
        }

        bool isTorn = cut > 0 && (file.Read(_first.Value.AsSpan(0, 1), cut - 1) < 1 || _first.Value[0] != (byte)'\n');
        lines = lines.Shifted(cut - lines.Start + (isTorn ? 1 : 0));
        if (isTorn)
        {
            lines = new LogLines([(cut, "\n"u8.ToArray()), .. lines.All]);
        }

        return Make(path, new Layers(null, file, lines) { Cut = cut }, lines.End);
    }

    private IDiskFile? TryOpen(string path)
    {
        try
        {
            IDiskFile file = core.Disk.Open(path, OpenMode.ReadWrite, mayBeLinked: true);
            try
            {
                LinkedLog.Require(file, path, mayBeBlank: true);
                return file;
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return null;
        }
    }

    // A line has no zero byte, so one says that nothing was written there.
    private bool Agree(IDiskFile kept, IDiskFile now)
    {
        for (long at = 0; (at = kept.NextData(at)) < Math.Min(kept.Length, now.Length);)
        {
            int length = kept.Read(_first.Value, at);
            int other = now.Read(_second.Value.AsSpan(0, length), at);
            if (length == 0 || Differs(_first.Value.AsSpan(0, other), _second.Value.AsSpan(0, other)))
            {
                return length == 0;
            }

            at += length;
        }

        return true;
    }

    private bool Contradicts(IDiskFile now, Layers whole)
    {
        for (long at = 0; (at = now.NextData(at)) < now.Length;)
        {
            int length = now.Read(_first.Value, at);
            whole.Read(_second.Value.AsSpan(0, length), at);
            if (length == 0 || Differs(_first.Value.AsSpan(0, length), _second.Value.AsSpan(0, length)))
            {
                return length > 0;
            }

            at += length;
        }

        return false;
    }

    private static bool Differs(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.SequenceEqual(right))
        {
            return false;
        }

        for (int i = 0; i < left.Length; i++)
        {
            if (left[i] != right[i] && left[i] != 0 && right[i] != 0)
            {
                return true;
            }
        }

        return false;
    }

    private void Fill(IDiskFile file, Layers whole, long end)
    {
        for (long at = 0; (at = whole.NextData(at)) < end;)
        {
            Span<byte> wanted = _first.Value.AsSpan(0, (int)Math.Min(PieceBytes, end - at));
            whole.Read(wanted, at);
            int read = file.Read(_second.Value.AsSpan(0, wanted.Length), at);
            if (!wanted.SequenceEqual(_second.Value.AsSpan(0, read)))
            {
                file.Write(wanted, at);
            }

            at += wanted.Length;
        }
    }

    // Durable before it takes the place of what is there: what it has may be nowhere else.
    private IDiskFile Make(string path, Layers whole, long end)
    {
        core.Disk.CreateFolder(Layout.Temporary);
        string fresh = string.Create(CultureInfo.InvariantCulture,
            $"{Layout.Temporary}/{core.InstanceId}-log-{core.NextScratch()}");
        IDiskFile file = core.Disk.Open(fresh, OpenMode.CreateNew);
        try
        {
            Fill(file, whole, end);
            file.SetLength(end);
            file.SyncStaged(); // what failed is thrown away, and what it was made from is there yet
            core.Disk.Rename(fresh, path);
            core.Disk.SyncFolder(Layout.Parent(path));
            return file;
        }
        catch (DiskException)
        {
            file.Dispose();
            if (core.Disk.Stat(fresh) is not null)
            {
                core.Disk.Unlink(fresh); // on a full disk it would keep the space that others need
            }

            throw;
        }
    }

    // What is on top counts first: lines of the journal, then the file that was written to, then the other.
    private sealed class Layers(IDiskFile? kept, IDiskFile? now, LogLines lines)
    {
        private readonly byte[] _below = new byte[PieceBytes];

        /// <summary>Up to where the file below counts.</summary>
        public long Cut { get; init; } = long.MaxValue;

        /// <summary>Up to where the log is to be whole.</summary>
        public long End { get; init; }

        public void Read(Span<byte> piece, long at)
        {
            piece.Clear();
            kept?.Read(piece, at);
            if (now is not null && at < Cut)
            {
                int length = now.Read(_below.AsSpan(0, (int)Math.Min(piece.Length, Cut - at)), at);
                for (int i = 0; i < length; i++)
                {
                    piece[i] = piece[i] == 0 ? _below[i] : piece[i];
                }
            }

            lines.LayOver(piece, at);
            lines.CloseBefore(piece, at);
            LogLines.Close(piece, End - at - 1);
        }

        public long NextData(long at)
        {
            long next = long.MaxValue;
            foreach (IDiskFile? file in (IDiskFile?[])[kept, now])
            {
                long data = file?.NextData(at) ?? long.MaxValue;
                next = data < (file?.Length ?? 0) ? Math.Min(next, data) : next;
            }

            foreach ((long offset, ReadOnlyMemory<byte> bytes) in lines.All)
            {
                next = offset + bytes.Length > at ? Math.Min(next, Math.Max(at, offset - 1)) : next;
            }

            return at < End ? Math.Min(next, End - 1) : next;
        }
    }
}
