using Sessions.Storage.Journal;

namespace Sessions.Storage.Rows;

/// <summary>What frames did to a session since it was last asked.</summary>
internal sealed class Touch
{
    /// <summary>The first byte of its log that may have changed; none where it is above the log's length.</summary>
    public long LogFrom { get; set; } = long.MaxValue;

    /// <summary>True where its log is another file now.</summary>
    public bool IsRewritten { get; set; }

    /// <summary>The deletes (0: none) whose folders it came from or went to; empty where it stayed.</summary>
    public HashSet<long> Places { get; } = [];

    /// <summary>About how much of its log is to be copied; as of the last moment that was noted.</summary>
    public long Bytes { get; set; }

    /// <summary>Both, in one.</summary>
    public void Add(Touch earlier)
    {
        LogFrom = Math.Min(LogFrom, earlier.LogFrom);
        IsRewritten |= earlier.IsRewritten;
        Places.UnionWith(earlier.Places);
    }
}

/// <summary>
/// The sessions that frames touched, whoever committed them, for one who copies the files meanwhile. Used under the
/// rows' gate.
/// </summary>
internal sealed class TouchTracker
{
    private Dictionary<string, Touch> _touched = new(StringComparer.Ordinal);

    /// <summary>True where this process has lost the thread: frames may have come that nobody told of.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Takes note of a change that is none of a stream or of the rules.</summary>
    public void Note(Change change)
    {
        if (!_touched.TryGetValue(change.Id, out Touch? touch))
        {
            _touched.Add(change.Id, touch = new Touch());
        }

        switch (change.Kind)
        {
            case ChangeKind.Append:
                touch.LogFrom = Math.Min(touch.LogFrom, change.Offset);
                break;
            case ChangeKind.Rewrite:
                touch.IsRewritten = true;
                break;
            case ChangeKind.Trash or ChangeKind.Restore or ChangeKind.Purge:
                touch.Places.Add(0);
                touch.Places.Add(change.DeletionLsn);
                break;
            default:
                break; // its small files are copied anew whatever it was
        }
    }

    /// <summary>What was touched, and begins anew.</summary>
    public Dictionary<string, Touch> Take()
    {
        Dictionary<string, Touch> taken = _touched;
        _touched = new Dictionary<string, Touch>(StringComparer.Ordinal);
        IsBroken = false;
        return taken;
    }
}
