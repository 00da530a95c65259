namespace Sessions.Platform;

/// <summary>Failed file operations as callers are told of them.</summary>
internal static class DiskErrors
{
    /// <summary>Runs something that works with a disk, and turns what the disk says into what callers are
    /// told.</summary>
    public static T Run<T>(IDisk disk, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (DiskException e)
        {
            throw From(e, disk);
        }
    }

    /// <summary>What a failed file operation is to the caller.</summary>
    public static SessionException From(DiskException e, IDisk? disk)
    {
        if (e.Error == DiskError.Closed)
        {
            return Errors.Closed();
        }

        if (e.IsOfOthers)
        {
            return Errors.OfOthers(e.Path, e.Owner, e.Mode, e);
        }

        // The store's own path is the host's: what is wrong with that is no damage.
        if (e.Path.Length > 0 && e.Error is DiskError.Misplaced or DiskError.IsFolder or DiskError.NotFolder)
        {
            return Errors.Misplaced(e.Path, e);
        }

        SessionStatus status = e.Error switch
        {
            DiskError.NoSpace => SessionStatus.NoSpace,
            DiskError.ReadOnly => SessionStatus.ReadOnly,
            _ => SessionStatus.Io,
        };
        return e.HasNoFile
            ? new SessionException(status, $"{e.Operation} failed: {Reason(e)}.",
                Errors.Details(b => b.Member("operation", e.Operation)), osError: e.OsError, inner: e)
            : Errors.OfSystem(status, e.Operation, e.Path, Whole(disk, e.Path), Reason(e), e.OsError, e);
    }

    private static string Whole(IDisk? disk, string path)
        => disk is not { Root.Length: > 0 } ? path
            : path.Length == 0 ? disk.Root : System.IO.Path.Combine(disk.Root, path);

    // Where the library itself refused, there is no number.
    private static string Reason(DiskException e) => e.OsError != 0 ? Errors.SystemText(e.OsError) : e.Error switch
    {
        DiskError.NotFound => "there is nothing of that name",
        DiskError.Unsupported => "this file system cannot do that",
        _ => "this is no path of a store",
    };
}
