using Sessions.Images;
using Sessions.Model;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Log;

namespace Sessions.Check;

/// <content>What a session's info says of its log and of its shares.</content>
internal sealed partial class Salvager
{
    // An older copy that somebody put back is whole, and only the index knows that it is older.
    private bool TakeNewer(string path, Dictionary<string, ReadOnlyMemory<byte>> rows, ref SessionInfo info)
    {
        if (!rows.TryGetValue(info.Id, out ReadOnlyMemory<byte> row) || row.IsEmpty
            || InfoCodec.TryRead(row) is not { } known || known.Id != info.Id || known.Revision <= info.Revision)
        {
            return false;
        }

        _core.Quarantine.KeepFile(path, info.Id, LogMender.Reason);
        _core.Quarantine.Settle();
        info = known.With(info.Counters);
        _rebuilt.Add(info.Id);
        return true;
    }

    private void RebuildLogState(Applier applier, string folder, SessionInfo info)
    {
        string path = folder + "/" + Layout.LogStateFile;
        if (!RemoveDamaged(path, info.Id, c => LogState.CanRead(c, info.Id))
            && (_disk.Stat(path) is not null
                || (_disk.Stat(folder + "/" + Layout.HistoryFolder) is null && info.ForkSeq is null)))
        {
            return;
        }

        byte[] image = LogStateRebuild.Of(_disk, folder, info).Write(info.Id);
        if (image.Length > 0)
        {
            applier.Replace(path, image);
            _disk.SyncFolder(folder);
        }
    }

    private void Relink(string folder, string id)
    {
        string path = folder + "/" + Layout.LogStateFile;
        if (SmallFile.TryRead(_disk, path, c => LogState.CanRead(c, id), out _) is { } state)
        {
            _lostLinks.Relink(folder, LogState.Read(state));
        }
    }

    // What the log has beyond the info, and all of it where the info is made up.
    private SessionInfo Count(string folder, SessionInfo info, bool damaged)
    {
        if (_disk.Stat(folder + "/" + Layout.EventsFile) is null)
        {
            BeginLog(folder, info);
            return info;
        }

        Counters c = damaged ? new Counters(0, 0, 0, info.UpdatedAt, 0) : info.Counters;
        long known = c.LastSeq;
        using LogView log = LogView.OpenFile(_disk, folder + "/" + Layout.EventsFile, _context);
        var walk = new LogWalk(log, 0, Limits.IntegerMax - 1);
        while (walk.TryNext())
        {
            _context.ThrowIfCancelled();
            if (walk.Seq <= known || (walk.Damage is not null && !damaged))
            {
                continue; // what cannot be read behind the last event was never one
            }

            EventHead head = walk.Damage is null ? EventLine.Head(walk.Unclosed.Span) : default;
            bool isMessage = walk.Damage is null && EventLine.IsMessage(head.Type);
            c = new Counters(walk.Seq, Limits.Next(c.EventCount), isMessage ? Limits.Next(c.MessageCount)
                : c.MessageCount,
                RealTime.IsAhead(head.Timestamp, _core.Now) ? c.UpdatedAt : Math.Max(c.UpdatedAt, head.Timestamp),
                Math.Max(c.LastEventAt, head.Timestamp));
        }

        return c == info.Counters ? info : info.With(c with { LastSeq = Math.Max(c.LastSeq, info.LastSeq) });
    }

    // Where a log is lost, its events are missing from then on; a new one goes on behind them.
    private void BeginLog(string folder, SessionInfo info)
    {
        byte[]? state = SmallFile.TryRead(_disk, folder + "/" + Layout.LogStateFile, null, out _);
        if (info.DeletionLsn == 0 && LogState.Read(state).FirstOwn <= info.LastSeq)
        {
            LogRing.Add("warning", $"The log of {info.Id} is gone; a new one begins behind event {info.LastSeq}.");
            _disk.WriteAll(folder + "/" + Layout.EventsFile, []);
            _disk.SyncFolder(folder);
        }
    }

    // A share whose session's file was lost opens again, since its own file still knows it.
    private ShareSummary? Shared(string folder) => ShareList.Summarize(SharesOf(folder), _core.Now);

    // A list that this user may not read says nothing.
    private bool MayHaveShare(string folder, string shareId)
        => _disk.Stat(folder + "/" + Layout.SharesFile) is { IsReadable: false }
            || SharesOf(folder).Exists(s => s.ShareId == shareId);

    private List<ShareRecord> SharesOf(string folder)
        => ShareList.Read(SmallFile.TryRead(_disk, folder + "/" + Layout.SharesFile,
            c => ShareList.CanRead(c, Layout.Name(folder)), out _));
}
