using Sessions.Json;
using Sessions.Model;
using Sessions.Storage.Journal;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Coordination.Watching;

/// <summary>Writes what a watch tells as JSON: the members of every change, and what each kind adds.</summary>
internal sealed class ChangeWriter(StoreCore core)
{
    /// <summary>The record at which a walk stands.</summary>
    public void Write(Utf8Buffer b, FrameRecords record)
    {
        Frame frame = record.Frame;
        Change change = record.Change;
        (long revision, long lastSeq) = Numbers(frame, change);
        Open(b, frame.Lsn, frame.At, change.Id, record.Kind);
        WriteNumbers(b, revision, lastSeq);
        b.RawMember("by", frame.By.IsEmpty || change.Kind == ChangeKind.StreamText ? "null"u8 : frame.By.Span);
        b.Name("detail");
        WriteDetail(b, record);
        b.Byte('}');
    }

    /// <summary>One that this store alone knows of.</summary>
    public void Write(Utf8Buffer b, LocalChange change)
    {
        Open(b, change.Lsn, change.At, change.SessionId, change.Kind);
        WriteNumbers(b, 0, 0);
        b.RawMember("by", change.Kind == WatchKinds.Gap ? "null"u8 : core.By)
            .RawMember("detail", change.Detail.Span).Byte('}');
    }

    /// <summary>What came from one LSN on and before another cannot be told any more.</summary>
    public static void WriteGap(Utf8Buffer b, long from, long lsn)
    {
        Open(b, lsn, 0, "", WatchKinds.Gap);
        WriteNumbers(b, 0, 0);
        b.RawMember("by", "null"u8).Name("detail").Byte('{').Member("from_lsn", from).Byte('}').Byte('}');
    }

    /// <summary>All that happened to one session, with its numbers as they are (0: not known).</summary>
    public static void WriteChanged(Utf8Buffer b, long lsn, long at, string id, WatchKinds kinds,
        (long Revision, long LastSeq) numbers)
    {
        Open(b, lsn, at, id, WatchKinds.None);
        WriteNumbers(b, numbers.Revision, numbers.LastSeq);
        b.RawMember("by", "null"u8).Raw(",\"detail\":{\"kinds\":["u8);
        for (bool isFirst = true; kinds != WatchKinds.None; isFirst = false)
        {
            WatchKinds kind = WatchKind.First(kinds);
            b.Raw(isFirst ? ""u8 : ","u8).Text(WatchKind.Word(kind));
            kinds &= ~kind;
        }

        b.Raw("]}}"u8);
    }

    private static void Open(Utf8Buffer b, long lsn, long at, string id, WatchKinds kind)
        => b.Byte('{').Member("lsn", lsn).TimeMember("at", at).Member("session_id", id.Length == 0 ? null : id)
            .Member("kind", kind == WatchKinds.None ? "changed" : WatchKind.Word(kind));

    private static void WriteNumbers(Utf8Buffer b, long revision, long lastSeq)
        => b.Member("revision", revision == 0 ? null : revision)
            .Member("last_seq", revision == 0 && lastSeq == 0 ? null : lastSeq);

    // Of the session as the frame left it; 0 for a revision that nobody can tell any more.
    private (long Revision, long LastSeq) Numbers(Frame frame, Change change)
    {
        if (change.Info is { } own)
        {
            return (own.Revision, own.LastSeq);
        }

        if (change.Kind is not (ChangeKind.Append or ChangeKind.Shares or ChangeKind.Rewrite))
        {
            return default;
        }

        long lastSeq = change.Counters.LastSeq;
        foreach (Change other in frame.Changes)
        {
            if (other.Info is { } info && other.Id == change.Id)
            {
                return (info.Revision, Math.Max(info.LastSeq, lastSeq));
            }
        }

        return (change.Revision > 0 || lastSeq == 0 ? change.Revision : RevisionAt(frame.Lsn, change.Id), lastSeq);
    }

    // The session's revision, unless it has got another one since that frame.
    private long RevisionAt(long lsn, string id)
    {
        long revision = core.Rows.TryReadNumbers(id).Revision;
        return revision <= lsn ? revision : 0;
    }

    private static void WriteDetail(Utf8Buffer b, FrameRecords record)
    {
        Change change = record.Change;
        SessionInfo? info = change.Info;
        if (!change.Detail.IsEmpty)
        {
            b.Raw(change.Detail.Span);
            return;
        }

        b.Byte('{');
        switch (record.Kind)
        {
            case WatchKinds.Created:
                b.Member("title", info!.Title).Member("parent_id", info.ParentId);
                break;
            case WatchKinds.Renamed:
                b.Member("title", info!.Title).Member("title_source", info.TitleSource);
                break;
            case WatchKinds.Abort:
                b.Member("reason", info!.AbortReason).Member("abort_count", info.AbortCount)
                    .Member("is_aborted", info.IsAborted);
                break;
            case WatchKinds.State:
                b.Member("state", info!.State);
                break;
            case WatchKinds.Updated when change.Kind == ChangeKind.Rewrite:
                b.Member("reason", "pruned");
                break;
            case WatchKinds.Deleted when change.Kind == ChangeKind.Purge:
                b.Member("purged", true);
                break;
            case WatchKinds.EventAppended:
                EventHead head = EventLine.Head(record.Line.Span);
                b.Member("seq", head.Seq).Member("type", head.Type).Member("turn_id", head.TurnId);
                break;
            case WatchKinds.StreamText when change.Stream is { } stream:
                b.Member("stream_id", stream.Id).Member("type", stream.Type).Member("turn_id", stream.TurnId)
                    .Member("offset", 0).Member("text", "");
                break;
            case WatchKinds.StreamText:
                b.Member("stream_id", change.StreamId).Member("offset", change.Offset).Name("text")
                    .TextOf(change.Lines.Span);
                break;
            case WatchKinds.StreamEnded:
                b.Member("stream_id", change.StreamId).Member("seq", change.Seq);
                break;
            case WatchKinds.Notice:
                b.Member("what", "config");
                break;
            case WatchKinds.Lock or WatchKinds.Queue or WatchKinds.Buttons:
                b.Member("what", change.What);
                break;
            default:
                break; // what it is now is in the session's info
        }

        b.Byte('}');
    }
}
