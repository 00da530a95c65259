using Sessions.Images;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Commit;

/// <summary>
/// What the requests of one batch see and change: the rows as they will be once the batch is
/// published. Used by the one caller that leads, under the store lock.
/// </summary>
internal sealed class Transaction(RowTable rows, Action<Span<byte>> fillRandom)
{
    private readonly List<Row> _working = [];
    private readonly Dictionary<string, Row> _workingById = new(StringComparer.Ordinal);
    private readonly List<OpenStream> _streams = [];
    private readonly List<OpenStream> _begun = [];
    private IWriteGuard? _right; // of the request under way

    public RowTable Rows => rows;

    public Action<Span<byte>> FillRandom => fillRandom;

    /// <summary>The LSN that the current request's frame will have.</summary>
    public long Lsn { get; set; }

    /// <summary>Unix milliseconds; the same for the whole batch.</summary>
    public long Now { get; set; }

    public long IdMs { get; private set; }
    public long IdN { get; private set; }

    /// <summary>The segment that the frames go into; 0: it may be one that is still to be made.</summary>
    public long AddsToSegment { get; private set; }

    /// <summary>True where a frame needs what that segment has already.</summary>
    public bool RestsOnSegment { get; private set; }

    /// <summary>What the current request changes.</summary>
    public List<Change> Changes { get; private set; } = [];

    public void Begin(long now, long idMs, long idN, long addsToSegment = 0)
    {
        AddsToSegment = addsToSegment;
        RestsOnSegment = false;
        Now = now;
        IdMs = idMs;
        IdN = idN;
    }

    public void BeginRequest(long lsn, IWriteGuard? right = null)
    {
        Lsn = lsn;
        _right = right;
        Changes = [];
    }

    /// <summary>Forgets the working state, after the batch was published or given up.</summary>
    public void End()
    {
        foreach (Row row in _working)
        {
            row.Working = null;
        }

        foreach (OpenStream stream in _streams)
        {
            stream.Working = null;
        }

        _working.Clear();
        _workingById.Clear();
        _streams.Clear();
        _begun.Clear();
        WorkingKeys.Clear();
    }

    /// <summary>A session as this batch has it so far, also one that the batch made; null where there
    /// is none that is live.</summary>
    public Row? FindLive(string id)
    {
        Row? row = _workingById.GetValueOrDefault(id) ?? rows.Find(id);
        return row is not null && IsLive(row) ? row : null;
    }

    /// <summary>Every live session, as this batch has them so far.</summary>
    public List<(Row Row, string? ParentId)> LiveRows()
    {
        rows.Complete();
        var live = new List<(Row, string?)>();
        foreach (Row row in rows.Rows.Where(r => !r.IsWorking).Concat(_working))
        {
            if (IsLive(row))
            {
                live.Add((row, row.IsWorking ? row.WorkingInfo!.ParentId : row.ParentId));
            }
        }

        return live;
    }

    /// <summary>The info of a live session; Deleted for one in the trash or gone.</summary>
    public SessionInfo Live(Row row)
    {
        SessionInfo info = Any(row);
        return info.DeletionLsn == 0 ? info : throw Errors.Deleted(row.Id);
    }

    /// <summary>The info, also of one in the trash.</summary>
    public SessionInfo Any(Row row)
    {
        if (row.IsWorking)
        {
            return row.WorkingInfo ?? throw Errors.Deleted(row.Id);
        }

        if (row.IsGone)
        {
            throw Errors.Deleted(row.Id);
        }

        rows.RequireFolder(row);
        return rows.Read(row);
    }

    /// <summary>The next id, which orders behind all others even when the clock steps back. Where somebody copied
    /// folders here that have it and those behind it, each step is twice as far as the one before: however many
    /// there are, a few dozen looks are enough.</summary>
    public string NextId(IDisk disk)
    {
        string id;
        long step = 1;
        do
        {
            (IdMs, IdN) = Now > IdMs ? (Now, 1)
                : IdN + step <= SessionIds.NMax ? (IdMs, IdN + step)
                : IdMs < SessionIds.MsMax ? (IdMs + 1, 1)
                : throw Errors.Limit("session_id", SessionIds.MsMax, IdMs);
            id = SessionIds.Format(IdMs, IdN);
            step *= 2;
        }
        while (disk.Stat(Layout.LiveFolder(id)) is not null);
        return id;
    }

    /// <summary>Sessions that this batch makes, by idempotency key.</summary>
    public Dictionary<string, string> WorkingKeys { get; } = [];

    /// <summary>A new revision of a live session: a change of facts.</summary>
    public void Put(Row row, SessionInfo info, bool isNew = false)
    {
        RequireSmall((long)info.Metadata.Length + info.Facts.Length + info.Unknown.Length);
        info = Stamp(info);
        string what = isNew ? "created" : WhatChanged(Any(row), info);
        Use(row).Info = info;
        Changes.Add(new Change { Kind = ChangeKind.Put, Id = row.Id, Info = info, IsNew = isNew, What = what });
    }

    /// <summary>The image as it is, for a file that is behind; no new revision.</summary>
    public void PutImage(Row row)
        => Changes.Add(new Change { Kind = ChangeKind.Put, Id = row.Id, Info = Live(row) });

    public void Trash(Row row, long deletion, SessionInfo info)
    {
        info = Stamp(info) with { DeletedAt = Now, DeletionLsn = deletion };
        Use(row).Info = info;
        Changes.Add(new Change { Kind = ChangeKind.Trash, Id = row.Id, Info = info, DeletionLsn = deletion });
    }

    public void Restore(Row row, SessionInfo info)
    {
        long deletion = info.DeletionLsn;
        info = Stamp(info) with { DeletedAt = 0, DeletionLsn = 0 };
        Use(row).Info = info;
        Changes.Add(new Change { Kind = ChangeKind.Restore, Id = row.Id, Info = info, DeletionLsn = deletion });
    }

    public void Purge(Row row, long deletion)
    {
        Use(row).Info = null;
        Changes.Add(new Change { Kind = ChangeKind.Purge, Id = row.Id, DeletionLsn = deletion });
    }

    public void PutShares(Row row, byte[] shares)
    {
        RequireSmall(shares.Length);
        Use(row).Shares = shares;
        Changes.Add(new Change { Kind = ChangeKind.Shares, Id = row.Id, Image = shares });
    }

    public byte[] Shares(Row row) => row.Working?.Shares ?? rows.ReadShares(row);

    public void PutLog(Row row, LogState log)
    {
        byte[] image = log.Write(row.Id);
        RequireSmall(image.Length);
        Use(row).Log = log;
        Changes.Add(new Change { Kind = ChangeKind.Log, Id = row.Id, Image = image });
    }

    public LogState Log(Row row) => row.Working?.Log ?? rows.ReadLog(row);

    /// <summary>The image of a side file as the batch has it so far; empty: none.</summary>
    public byte[] Side(Row row, SmallFileKind kind)
        => row.Working?.Sides?[kind.Index] ?? rows.ReadSide(row, kind);

    /// <summary>A new image of a side file, empty where it is to go, and what whoever watches is told.</summary>
    public void PutSide(Row row, SmallFileKind kind, byte[] image, string what, ReadOnlyMemory<byte> detail = default)
    {
        RequireSmall(image.Length);
        WorkingRow working = Use(row);
        (working.Sides ??= new byte[]?[SmallFileKind.All.Count])[kind.Index] = image;
        working.HasQueueImage |= kind == SmallFileKind.Queue;
        Changes.Add(new Change
        {
            Kind = ChangeKind.Small,
            Small = kind,
            Id = row.Id,
            Image = image,
            What = what,
            Detail = detail,
        });
    }

    /// <summary>True where the last whole image of a session's queue stands in the segment that the batch goes into, or
    /// in the batch: a recovery that reads what is added to it reads that too.</summary>
    public bool MayAddToQueue(Row row) => row.Working is { HasQueueImage: true }
        || (AddsToSegment != 0 && row.QueueSegment == AddsToSegment);

    /// <summary>The same where one entry is added at the end of the queue, which <see cref="MayAddToQueue"/>.</summary>
    public void AddToQueue(Row row, byte[] image, byte[] entry, string what, ReadOnlyMemory<byte> detail)
    {
        WorkingRow working = Use(row);
        (working.Sides ??= new byte[]?[SmallFileKind.All.Count])[SmallFileKind.Queue.Index] = image;
        RestsOnSegment |= !working.HasQueueImage;
        Changes.Add(new Change
        {
            Kind = ChangeKind.Small,
            Small = SmallFileKind.Queue,
            Id = row.Id,
            Image = image,
            Entry = entry,
            What = what,
            Detail = detail,
        });
    }

    // A file that is longer than its kind may be is damage to every reader, so none is ever made.
    private static void RequireSmall(long bytes)
        => Checks.AtMost(bytes, Limits.SmallFileBytesMax, "small_file_bytes_max");

    /// <summary>A file, synced beside it, takes the place of the log.</summary>
    public void Rewrite(Row row, string file, long bytes, string kept)
    {
        Use(row).LogLength = bytes;
        Changes.Add(new Change
        {
            Kind = ChangeKind.Rewrite,
            Id = row.Id,
            File = file,
            Bytes = bytes,
            Kept = kept,
        });
    }

    /// <summary>Links to the logs of which a new session's log.json speaks.</summary>
    public void LinkHistory(Row row, string parentId)
        => Changes.Add(new Change { Kind = ChangeKind.Fork, Id = row.Id, ParentId = parentId });

    public void Append(Row row, ReadOnlyMemory<byte> lines, long offset, Counters counters)
    {
        WorkingRow working = Use(row);
        working.Info = Live(row).With(counters);
        working.LogLength = offset + lines.Length;
        Changes.Add(new Change
        {
            Kind = ChangeKind.Append,
            Id = row.Id,
            Lines = lines,
            Offset = offset,
            Counters = counters,
            Writer = _right,
        });
    }

    /// <summary>The streams of a session that this batch has so far, ended ones that are kept included.</summary>
    public IReadOnlyList<OpenStream> Streams(string sessionId)
    {
        IReadOnlyList<OpenStream> known = rows.Streams.Of(sessionId);
        return known.Count + _begun.Count == 0 ? known // as for most appends
            : [.. known.Concat(_begun).Where(s => s.SessionId == sessionId && s.Working is not { IsGone: true })];
    }

    /// <summary>True where the stream is known, as the batch has it so far.</summary>
    public bool Knows(OpenStream stream) => stream.Working is not { IsGone: true }
        && (ReferenceEquals(rows.Streams.Find(stream.Id), stream) || _begun.Contains(stream));

    /// <summary>True where a stream with the id is there or was made by this batch.</summary>
    public bool HasStream(string id) => rows.Streams.Find(id) is not null || _begun.Exists(s => s.Id == id);

    public void BeginStream(OpenStream stream)
    {
        _begun.Add(stream);
        Changes.Add(new Change { Kind = ChangeKind.StreamBegin, Id = stream.SessionId, Stream = stream });
    }

    public void AddText(OpenStream stream, ReadOnlyMemory<byte> text)
    {
        WorkingStream working = Use(stream);
        Changes.Add(new Change
        {
            Kind = ChangeKind.StreamText,
            Id = stream.SessionId,
            StreamId = stream.Id,
            Offset = working.Length,
            Lines = text,
        });
        working.Added.Add(text);
        working.Length += text.Length;
    }

    /// <summary>Ends a stream, or, once ended, forgets it. It is kept where its owner is to hear of it.</summary>
    public void EndStream(OpenStream stream, long seq, bool isKept)
    {
        WorkingStream working = Use(stream);
        working.Seq = working.IsEnded ? working.Seq : seq;
        (working.IsEnded, working.IsGone) = (true, !isKept);
        Changes.Add(new Change
        {
            Kind = ChangeKind.StreamEnd,
            Id = stream.SessionId,
            StreamId = stream.Id,
            Seq = seq,
            IsKept = isKept,
        });
    }

    /// <summary>A new streams.json, unless there is neither one nor any stream.</summary>
    public void PutStreams()
    {
        byte[] image = StreamCodec.WriteImage(rows.Streams.All.Concat(_begun));
        if (image.Length > 0 || rows.Streams.HasFile)
        {
            Changes.Add(new Change { Kind = ChangeKind.Streams, Image = image });
        }
    }

    private WorkingStream Use(OpenStream stream)
    {
        if (stream.Working is null)
        {
            stream.Working = new WorkingStream(stream);
            _streams.Add(stream);
        }

        return stream.Working;
    }

    public void PutConfig(byte[] config)
    {
        RequireSmall(config.Length);
        WorkingConfig = config;
        Changes.Add(new Change { Kind = ChangeKind.Config, Image = config });
    }

    public byte[]? WorkingConfig { get; set; }

    public byte[] Config() => WorkingConfig ?? rows.ReadConfig();

    /// <summary>The same for who goes by the rules: damaged ones are the defaults.</summary>
    public byte[] Rules() => WorkingConfig ?? rows.ReadRules();

    // The words of the change feed, from what there was and what there will be; "" where only a share or the
    // counters changed, of which other changes of the same frame tell.
    private static string WhatChanged(SessionInfo before, SessionInfo after)
    {
        string what = before.Title != after.Title || before.TitleSource != after.TitleSource ? "renamed" : "";
        if (before.IsAborted != after.IsAborted || before.AbortCount != after.AbortCount
            || before.AbortReason != after.AbortReason)
        {
            what += ",abort";
        }

        what += before.State != after.State ? ",state" : "";
        if (before.Archived != after.Archived || before.ParentId != after.ParentId
            || !before.Metadata.Span.SequenceEqual(after.Metadata.Span)
            || !before.Facts.Span.SequenceEqual(after.Facts.Span))
        {
            what += ",updated";
        }

        bool isToldOtherwise = before.Share != after.Share || before.EventCount != after.EventCount
            || before.MessageCount != after.MessageCount || before.LastSeq != after.LastSeq;
        return what.Length > 0 ? what.TrimStart(',') : isToldOtherwise ? "" : "updated"; // a revision, if no more
    }

    private SessionInfo Stamp(SessionInfo info)
        => info with { Revision = Lsn, UpdatedAt = RealTime.After(info.UpdatedAt, Now) };

    /// <summary>True for a session that is live as the batch has it so far.</summary>
    public static bool IsLive(Row row) => row.IsWorking ? row.WorkingInfo is { DeletionLsn: 0 } : row.IsLive;

    private WorkingRow Use(Row row)
    {
        if (row.Working is null)
        {
            row.Working = new WorkingRow { Info = row.IsGone ? null : row.Info, LogLength = row.LogLength };
            _working.Add(row);
            _workingById.TryAdd(row.Id, row);
        }

        return row.Working;
    }
}
