using System.Globalization;
using Sessions.Images;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Sharing;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Check;

/// <content>What whole files say that hosts should know of.</content>
internal sealed partial class Verifier
{
    private byte[]? CheckSmall(string path, string? id, Func<byte[], bool>? isValid = null)
    {
        byte[]? compact = SmallFile.TryRead(_core.Disk, path, isValid, out UnreadableFile? found);
        if (found is null)
        {
            if (_core.Disk.Stat(path) is { IsFile: true, IsReadable: false })
            {
                Add("unreadable", "error", id, path, null, null, null, null, "this user may not read it");
            }

            return null;
        }

        _bytes += found.Bytes.Length;
        if (compact is null)
        {
            string reason = found.Reason;
            string? kept = Keeper?.Keep(path, id, found);
            Add(reason is "zeros" or "empty" ? "invalid_json" : reason, "error", id, path, 0, found.Length, null, kept,
                reason == "zeros"
                    ? $"{found.Length} zero bytes where an object should start" : $"the file is damaged: {reason}");
        }

        return compact;
    }

    // Hosts are shown these files' texts without them.
    private void CountHalves(string path, string id, byte[]? compact)
    {
        if (HalfPairs.Count(compact) is > 0 and var count)
        {
            Add("half_surrogates", "info", id, path, null, null, null, null, string.Create(
                CultureInfo.InvariantCulture, $"{count} halves of surrogate pairs are shown as U+FFFD"));
        }
    }

    // An older copy that somebody put back is whole; what others know of the session tells.
    private void CheckBehind(string folder, SessionInfo info)
    {
        SessionInfo? known = _index.Find(0, info.Id) is { } row ? InfoCodec.TryRead(row) : null;
        known = known?.Id == info.Id ? known : null;
        bool isCounted; // an append whose counters are in the journal alone is no harm
        lock (_core.Rows.Gate)
        {
            Row? own = Find(info.Id);
            isCounted = _canLock && own is not null && !_core.Rows.Lagging.Contains(own);
            known = own?.Info is { } read && _core.State.Applied >= _core.Rows.Lsn
                && !(read.Revision < known?.Revision) ? read : known;
        }

        if (known is not null && (known.Revision > info.Revision || (isCounted && known.LastSeq > info.LastSeq)))
        {
            Add("info_behind", "error", info.Id, folder + "/" + Layout.SessionFile, null, null, null, null,
                string.Create(CultureInfo.InvariantCulture, $"the file is older than what is known of the session: "
                    + $"revision {info.Revision} of {known.Revision}, event {info.LastSeq} of {known.LastSeq}"));
        }
    }

    // Others may add to a log while nobody has the store open; and where an older session.json was put back, its
    // counters do not reach the session's own events.
    private void CheckUncounted(string id, string file, long at, long seq, SessionInfo info)
    {
        Add("events_uncounted", "info", id, file, at, null, seq, null, string.Create(CultureInfo.InvariantCulture,
            $"the log goes on behind event {info.LastSeq}; the next append, or a salvage, counts that in"));
    }

    // A link that is handed out again and opens nothing, or what another share shows, is worse than none.
    private void CheckSecrets(string folder, string id, List<ShareRecord> shares)
    {
        foreach (ShareRecord share in shares)
        {
            string path = Layout.Secret(folder, share.ShareId);
            if (share.CanBeResolved(_core.Now) && !HasSecret(path, share.ShareId))
            {
                bool isGone = _core.Disk.Stat(path) is null;
                Add(isGone ? "missing" : "wrong_content", "error", id, path, null, null, null, null,
                    isGone ? "the secret of a share is gone" : "the file is not the secret of its share");
            }
        }

        // A killed create_share() leaves one too, so it is no harm by itself.
        HashSet<string> known = [.. shares.Select(s => s.ShareId)];
        foreach (DiskName name in _core.Disk.List(folder))
        {
            if (Layout.SecretOf(name.Name) is { } secret && !known.Contains(secret))
            {
                Add("share_unknown", "info", id, $"{folder}/{name.Name}", null, null, null, null,
                    "shares.json has no share with this secret; its link opens nothing");
            }
        }
    }

    // Nothing but the info tells that there should be a list, or a newer one: both were in one frame.
    private void CheckShared(string folder, SessionInfo info, List<ShareRecord> shares)
    {
        if (_canLock && info.Share is { } share && !shares.Exists(s => s.ShareId == share.ShareId))
        {
            Add("shares_lost", "error", info.Id, folder + "/" + Layout.SharesFile, null, null, null, null,
                $"session.json names the share {share.ShareId}, and shares.json does not; its link opens nothing");
        }
    }

    private bool HasSecret(string path, string shareId)
    {
        try
        {
            using ShareSecret? secret = ShareSecret.Read(_core.Disk, path, shareId);
            return secret is not null;
        }
        catch (DiskException e) when (Obstacle.HidesContent(e))
        {
            return true; // what stands there has its own line in the report
        }
    }

    // Nothing else says whether there should be a log.json. The markers that the library writes do.
    private void CheckLogState(string folder, string id, LogState state, MarkerScan markers)
    {
        string path = folder + "/" + Layout.LogStateFile;
        if (!state.IsPlain || markers.Rewinds.Count + markers.Compactions.Count == 0
            || _core.Disk.Stat(path) is not null)
        {
            return;
        }

        foreach (Rewind rewind in markers.Rewinds)
        {
            string hidden = string.Create(CultureInfo.InvariantCulture,
                $"events {rewind.FirstSeq} to {rewind.LastSeq}");
            Add("log_state_lost", "warning", id, path, null, null, rewind.Seq, null,
                "log.json is gone: what a rewind hid is shown, " + hidden);
        }

        if (markers.Compactions is [.., var last])
        {
            Add("log_state_lost", "warning", id, path, null, null, last.Seq, null, string.Create(
                CultureInfo.InvariantCulture, $"log.json is gone: the context does not begin with {last.FromSeq}"));
        }
    }

    private void CheckFiles(string folder, string id)
    {
        foreach ((string path, long length, bool isSound) in SessionFiles.Check(_core.Disk, folder, _context))
        {
            _context.ThrowIfCancelled();
            _bytes += length;
            if (!isSound)
            {
                string? kept = Keeper?.KeepFile(path, id, SessionFiles.Mismatch, _context, mayBeLinked: true);
                Add(SessionFiles.Mismatch, "error", id, path, 0, length, null, kept,
                    "the content is not what the file's name says");
            }
        }
    }

    private LogView? TryOpen(Row row)
    {
        try
        {
            return RowLog.Open(_core.Disk, row, _core.Rows.ReadLog(row), context: _context);
        }
        catch (DiskException e) when (Obstacle.IsOne(e))
        {
            return null;
        }
    }
}
