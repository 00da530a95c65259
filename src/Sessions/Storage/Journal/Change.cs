using Sessions.Images;

namespace Sessions.Storage.Journal;

/// <summary>What one part of a frame changes.</summary>
internal enum ChangeKind
{
    /// <summary>A new image of a live session's session.json; makes the session where it is new.</summary>
    Put,

    /// <summary>Lines added to a session's events.jsonl at an offset.</summary>
    Append,

    /// <summary>A new image of a session's shares.json, or none.</summary>
    Shares,

    /// <summary>A new image of a session's log.json, or none.</summary>
    Log,

    /// <summary>A new image of one of a session's small files (<see cref="SmallFileKind"/>), or none; of its queue also
    /// one more entry at its end.</summary>
    Small,

    /// <summary>A new session gets links to the logs that its log.json names: its parent's, and those that
    /// its parent has links to.</summary>
    Fork,

    /// <summary>A session's events.jsonl is replaced by a file that was made and synced beside it.</summary>
    Rewrite,

    /// <summary>A session goes to the trash, with its image there.</summary>
    Trash,

    /// <summary>A session comes back from the trash, with its image.</summary>
    Restore,

    /// <summary>A session goes for good, from the trash or (deletion LSN 0) at once.</summary>
    Purge,

    /// <summary>A new image of config.json.</summary>
    Config,

    /// <summary>A stream begins.</summary>
    StreamBegin,

    /// <summary>Text of a stream, at an offset of its own.</summary>
    StreamText,

    /// <summary>A stream ends; its event, where it leaves one, is appended in the same frame.</summary>
    StreamEnd,

    /// <summary>A new image of streams.json, or none.</summary>
    Streams,
}

/// <summary>One change, with whole new contents: nothing but the change is needed to make it, and
/// making it twice is the same as once. An entry that is added to a queue needs the image before it, which is in the
/// same segment.</summary>
internal sealed class Change
{
    public required ChangeKind Kind { get; init; }

    /// <summary>Small: which of them; else null.</summary>
    public SmallFileKind? Small { get; init; }

    /// <summary>The session; "" for the store's own files.</summary>
    public string Id { get; init; } = "";

    /// <summary>Put, Trash, Restore.</summary>
    public SessionInfo? Info { get; init; }

    /// <summary>Put: the session was made by this very change.</summary>
    public bool IsNew { get; init; }

    /// <summary>Trash, Restore, Purge: the LSN that names the trash folder; 0 in a Purge of a live session.</summary>
    public long DeletionLsn { get; init; }

    /// <summary>True for what concerns streams: text that is in no log yet, so no session's files.</summary>
    public bool IsOfStreams
        => Kind is ChangeKind.StreamBegin or ChangeKind.StreamText or ChangeKind.StreamEnd or ChangeKind.Streams;

    /// <summary>StreamBegin.</summary>
    public OpenStream? Stream { get; init; }

    /// <summary>StreamText, StreamEnd.</summary>
    public string StreamId { get; init; } = "";

    /// <summary>StreamEnd: the number of its event; 0: it leaves none.</summary>
    public long Seq { get; init; }

    /// <summary>StreamEnd: its owner did not do this and is still to be told.</summary>
    public bool IsKept { get; init; }

    /// <summary>Append, StreamText: where the bytes go.</summary>
    public long Offset { get; init; }

    /// <summary>Rewrite: the new file's name in the session's folder.</summary>
    public string File { get; init; } = "";

    /// <summary>Rewrite: its length in bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Rewrite: the path that the old file gets in the trash; "": none.</summary>
    public string Kept { get; init; } = "";

    /// <summary>Append: lines, each closed by a newline; a newline first where the file's end had none.
    /// StreamText: the text, whole characters of UTF-8.</summary>
    public ReadOnlyMemory<byte> Lines { get; init; }

    /// <summary>Append: the counters after it.</summary>
    public Counters Counters { get; init; }

    /// <summary>Append: the right of the handle that made it, of this store's own; null for others. It is not in the
    /// frame.</summary>
    public IWriter? Writer { get; init; }

    /// <summary>Append: the session's revision as of it, where the rows knew it when they took it in; else 0. It
    /// is not in the frame.</summary>
    public long Revision { get; set; }

    /// <summary>Fork: the session it came from.</summary>
    public string ParentId { get; init; } = "";

    /// <summary>Shares, Log, Lock, Queue, Buttons, Config, Streams: the compact image; empty where the file
    /// is to go. Of an added entry: the image with it, until the rows have that; it is not in the frame.</summary>
    public ReadOnlyMemory<byte> Image { get; set; }

    /// <summary>Queue: an entry that is added at the end of what the last image says; empty: the image is all there
    /// is.</summary>
    public ReadOnlyMemory<byte> Entry { get; init; }

    /// <summary>True for an entry without the image that it makes, as it is read from a frame.</summary>
    public bool IsAddedEntry => Image.IsEmpty && !Entry.IsEmpty;

    /// <summary>Put: the kinds of change that whoever watches is told of, with commas between them. Lock, Queue,
    /// Buttons: what was done, in a word. Empty: nobody is told, as of a heartbeat.</summary>
    public string What { get; init; } = "";

    /// <summary>Lock, Queue, Buttons: more of it, a compact object; empty: none.</summary>
    public ReadOnlyMemory<byte> Detail { get; init; }
}

/// <summary>One commit of one caller: whole or absent.</summary>
internal sealed class Frame
{
    public required long Lsn { get; init; }
    public required long At { get; init; }
    public required Change[] Changes { get; init; }

    /// <summary>Who committed it, a compact object; empty where it does not say.</summary>
    public ReadOnlyMemory<byte> By { get; init; }
}
