using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Page;

/// <summary>
/// The sessions whose files this process could not write, as it knows them. Nothing more is committed for one, its
/// frames stay in the journal, and each checkpoint, and each recovery, tries again. Under the rows' gate.
/// </summary>
internal sealed class HeldSessions
{
    private readonly Dictionary<string, SessionException> _failures = [];

    public IReadOnlyCollection<string> Ids => _failures.Keys;

    /// <summary>True for a failure that concerns the session alone whose files are written: the user may not write to
    /// them. Where it is the store's own folder for scratch files, nobody's can be.</summary>
    public static bool IsOfOneSession(DiskException e) => e.Error == DiskError.AccessDenied
        && !(e.Operation is "open" or "mkdir" && e.Path.StartsWith(Layout.Temporary, StringComparison.Ordinal));

    /// <summary>Why nothing is written to a session; null: nothing is in the way.</summary>
    public SessionException? FailureOf(string id) => _failures.GetValueOrDefault(id);

    /// <summary>Takes note of what could not be written.</summary>
    public void Add(IReadOnlyDictionary<string, DiskException> failed)
    {
        foreach ((string id, DiskException e) in failed)
        {
            _failures[id] = Failure(id, e);
        }
    }

    /// <summary>Takes note of all that could not be written; everything else could.</summary>
    public void Set(IReadOnlyDictionary<string, DiskException> failed)
    {
        _failures.Clear();
        Add(failed);
    }

    private static SessionException Failure(string id, DiskException e) => e.IsOfOthers ? DiskErrors.From(e, null)
        : Errors.Corrupt("Files of the session may not be written by this user; what was committed is kept in the "
            + "journal until they can be. The rest of the store is usable.", e.Path, id);
}
