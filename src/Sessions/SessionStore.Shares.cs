using Sessions.Sharing;
using Sessions.Storage.Files;
using Sessions.Storage.Rows;

namespace Sessions;

/// <content>What share links open.</content>
public sealed partial class SessionStore
{
    /// <summary>Opens what a share shows, read-only, by its secret or link; each success counts as a
    /// use. Expired, revoked, used up and unknown are all NotFound.</summary>
    public Session ResolveShare(string secretOrUrl)
    {
        ThrowIfClosed();
        ArgumentNullException.ThrowIfNull(secretOrUrl);
        return Resolve(ShareSecret.Find(secretOrUrl));
    }

    /// <summary>The same of UTF-8, for callers whose memory holds the only copy.</summary>
    internal Session ResolveShareUtf8(ReadOnlySpan<byte> secretOrUrl)
    {
        ThrowIfClosed();
        return Resolve(ShareSecret.Find(secretOrUrl));
    }

    private Session Resolve(ShareSecret? found)
    {
        using ShareSecret secret = found ?? throw Errors.NotFound("share");
        string shareId = secret.ShareId;
        Row row = Look(isSettled =>
        {
            lock (Core.Rows.Gate)
            {
                Core.Refresh();
                Row shared = Core.Rows.FindByShare(shareId, isSettled) ?? throw Errors.NotFound("share");
                string path = Layout.Secret(shared.Folder, shareId);
                using ShareSecret? stored = ShareSecret.Read(Core.Disk, path, shareId);
                return stored?.IsSame(secret) == true ? shared : throw Errors.NotFound("share");
            }
        });
        var use = new UseShareRequest(row, shareId);
        Commit(use);
        return use.IsOver ? throw Errors.NotFound("share") : new Session(this, row, shareId);
    }
}
