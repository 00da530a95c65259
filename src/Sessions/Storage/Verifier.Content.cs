using System.Globalization;
using Sessions.Events;
using Sessions.Platform;
using Sessions.Sharing;

namespace Sessions.Storage;

/// <content>What whole files say that hosts should know of.</content>
internal sealed partial class Verifier
{
    // Hosts are shown these files' texts without them.
    private void CountHalves(string path, string id, byte[]? compact)
    {
        if (HalfPairs.Count(compact) is > 0 and var count)
        {
            Add("half_surrogates", "info", id, path, null, null, null, null, string.Create(
                CultureInfo.InvariantCulture, $"{count} halves of surrogate pairs are shown as U+FFFD"));
        }
    }

    // A link that is handed out again and opens nothing, or what another share shows, is worse than none.
    private void CheckSecrets(string folder, string id, byte[]? shares)
    {
        foreach (ShareRecord share in shares is null ? [] : ShareList.Read(shares))
        {
            string path = Layout.Secret(folder, share.ShareId);
            if (share.CanBeResolved(_core.Now) && !HasSecret(path, share.ShareId))
            {
                bool isGone = _core.Disk.Stat(path) is null;
                Add(isGone ? "missing" : "wrong_content", "error", id, path, null, null, null, null,
                    isGone ? "the secret of a share is gone" : "the file is not the secret of its share");
            }
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

    private LogView? TryOpen(Row row)
    {
        try
        {
            return LogView.Open(_core.Disk, row, _core.Rows.ReadLog(row), context: _context);
        }
        catch (DiskException e) when (Obstacle.IsOne(e))
        {
            return null;
        }
    }
}
