using System.Buffers;
using Sessions.Platform;
using Sessions.Sharing;
using Sessions.Storage;

namespace Sessions;

/// <content>Shares of the session, made and ended by its owner.</content>
public sealed partial class Session
{
    /// <summary>Makes a share, or finds again the one that a call with the same options made, and
    /// writes it as JSON with its url and its secret: the only call that hands these out.</summary>
    public void WriteShare(SessionShareOptions? options, IBufferWriter<byte> output)
    {
        options ??= new SessionShareOptions();
        Checks.Flags((uint)options.Flags, 3);
        Checks.Number(options.FirstSeq, "first_seq");
        Checks.Number(options.LastSeq, "last_seq");
        Checks.Number(options.ExpiresAt, "expires_at");
        if (options.LastSeq != 0 && options.FirstSeq > options.LastSeq)
        {
            throw Errors.Argument("first_seq", "The range ends before it begins.");
        }

        RequireWritable();
        if (Core.IsReadOnly)
        {
            throw Errors.ReadOnly();
        }

        SessionStore.Run(() =>
        {
            (ShareRecord record, string secret) = FindShare(options) ?? AddShare(options);
            var b = new Utf8Buffer(512);
            ShareList.WritePublic(record, Id, _store.ShareBaseUrl + secret, secret, b);
            output.Write(b.Written);
        });
    }

    /// <summary>Writes {"shares":[…]}, ended ones included, without url and secret.</summary>
    public void WriteShares(IBufferWriter<byte> output)
    {
        RequireWritable();
        SessionStore.Run(() =>
        {
            var b = new Utf8Buffer(512);
            b.Raw("{\"shares\":["u8);
            List<ShareRecord> records = Shares();
            for (int i = 0; i < records.Count; i++)
            {
                b.Raw(i == 0 ? ""u8 : ","u8);
                ShareList.WritePublic(records[i], Id, null, null, b);
            }

            output.Write(b.Raw("]}"u8).Written);
        });
    }

    /// <summary>Ends a share: its secret opens nothing any more and handles from it go blind.</summary>
    public void RevokeShare(string shareId)
    {
        Checks.Name(shareId, "share_id");
        RequireWritable();
        Commit(new RevokeShareRequest(_row, shareId));
    }

    private List<ShareRecord> Shares()
    {
        Current();
        return _store.Look(isSettled =>
        {
            lock (Core.Rows.Gate)
            {
                return ShareList.Read(Core.Rows.ReadShares(_row, isSettled));
            }
        });
    }

    private (ShareRecord Record, string Secret)? FindShare(SessionShareOptions options)
    {
        if (options.Flags.HasFlag(ShareFlags.Rotate) || ShareMatch.Find(Shares(), options, Core.Now) is not { } record)
        {
            return null;
        }

        string path = Layout.Secret(_row.Folder, record.ShareId);
        return Core.Disk.Stat(path) is null
            ? null : (record, System.Text.Encoding.ASCII.GetString(Core.Disk.ReadAll(path)));
    }

    // The secret is on stable storage, name and all, before the frame that speaks of it.
    private (ShareRecord Record, string Secret) AddShare(SessionShareOptions options)
    {
        if (ShareMatch.Find(Shares(), options, Core.Now) is not null)
        {
            options = options with { Flags = options.Flags | ShareFlags.Rotate }; // its secret was lost
        }

        string secret = ShareSecret.Make(Core.Environment.FillRandom);
        string shareId = ShareSecret.ShareId(secret);
        string folder = _row.Folder;
        if (Core.Disk.Stat(folder) is null)
        {
            _store.Flush(); // made by a relaxed commit, it is still in the journal alone
        }

        using (IDiskFile file = Core.Disk.Open(Layout.Secret(folder, shareId), OpenMode.CreateNew))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(secret), 0);
            file.Sync();
        }

        Core.Disk.SyncFolder(folder);
        var request = new AddShareRequest(_row, options, shareId);
        try
        {
            Commit(request);
        }
        finally
        {
            if (request.Result?.ShareId != shareId && Core.Disk.Stat(Layout.Secret(folder, shareId)) is not null)
            {
                Core.Disk.Unlink(Layout.Secret(folder, shareId)); // no record speaks of it
            }
        }

        return request.Result!.ShareId == shareId ? (request.Result, secret) : FindShare(options) ?? AddShare(options);
    }
}
