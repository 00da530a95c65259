using System.Buffers;
using Sessions.Images;
using Sessions.Json;
using Sessions.Platform;
using Sessions.Sharing;
using Sessions.Storage.Files;

namespace Sessions;

/// <content>Shares of the session, made and ended by its owner.</content>
public sealed partial class Session
{
    /// <summary>Makes a share, or finds again one with the same terms that shows the same events, and
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
            throw Errors.Argument("first_seq", "first_seq must not be above last_seq.");
        }

        if (options.LastSeq != 0 && options.Flags.HasFlag(ShareFlags.Live))
        {
            throw Errors.Argument("last_seq", "last_seq must be 0 with SESSION_SHARE_LIVE: the range has no end.");
        }

        RequireWritable();
        if (Core.IsReadOnly)
        {
            throw Errors.ReadOnly();
        }

        _store.Run(() =>
        {
            (ShareRecord record, ShareSecret secret) = FindShare(options) ?? AddShare(options);
            using (secret)
            {
                ShareLink.Write(record, Id, _store.ShareBaseUrl, secret, output);
            }
        });
    }

    /// <summary>Writes {"shares":[…]}, ended ones included, without url and secret.</summary>
    public void WriteShares(IBufferWriter<byte> output)
    {
        RequireWritable();
        _store.Run(() =>
        {
            var b = new Utf8Buffer(512);
            b.Raw("{\"shares\":["u8);
            List<ShareRecord> records = Shares();
            for (int i = 0; i < records.Count; i++)
            {
                b.Raw(i == 0 ? ""u8 : ","u8);
                ShareList.WritePublic(records[i], Id, b);
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

    private (ShareRecord Record, ShareSecret Secret)? FindShare(SessionShareOptions options)
    {
        if (options.Flags.HasFlag(ShareFlags.Rotate) || Same(options) is not { } record)
        {
            return null;
        }

        string path = Layout.Secret(_row.Folder, record.ShareId);
        return ShareSecret.Read(Core.Disk, path, record.ShareId) is { } secret ? (record, secret) : null;
    }

    private ShareRecord? Same(SessionShareOptions options)
        => ShareMatch.Find(Shares(), options, Current().LastSeq, Core.Now);

    // The secret is on stable storage, with all names up to the store's folder, before the frame that speaks of it: of
    // a session that no checkpoint has come to the journal can make its other files again, and not this one.
    private (ShareRecord Record, ShareSecret Secret) AddShare(SessionShareOptions options)
    {
        string? lostId = Same(options)?.ShareId; // its secret was lost, or is not its own
        ShareSecret secret = ShareSecret.Make(Core.Environment.FillRandom);
        bool isHandedOut = false;
        try
        {
            AddShareRequest request = AddShare(options, secret, lostId);
            isHandedOut = request.Result!.ShareId == request.ShareId;
            return isHandedOut ? (request.Result, secret) : FindShare(options) ?? AddShare(options);
        }
        finally
        {
            if (!isHandedOut)
            {
                secret.Dispose();
            }
        }
    }

    private AddShareRequest AddShare(SessionShareOptions options, ShareSecret secret, string? lostId)
    {
        string folder = _row.Folder;
        var request = new AddShareRequest(_row, options, secret.ShareId, lostId);
        string path = Layout.Secret(folder, request.ShareId);
        Core.RequireSound(); // before the first sync: none is tried again
        if (Core.Disk.Stat(folder) is null)
        {
            _store.Flush(); // made by a relaxed commit, it is still in the journal alone
        }

        try
        {
            using (IDiskFile file = Core.Disk.Open(path, OpenMode.CreateNew))
            {
                file.Write(secret.Text, 0);
                file.SyncStaged();
            }

            Durably.SyncNames(Core.Disk, folder);
            Commit(request);
        }
        catch (DiskException e)
        {
            throw Core.Failed(e);
        }
        finally
        {
            if (request.Result?.ShareId != request.ShareId && Core.Disk.Stat(path) is not null)
            {
                Core.Disk.Unlink(path); // no record speaks of it
            }
        }

        return request;
    }
}
