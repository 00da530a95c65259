namespace Sessions.Storage.Log;

/// <summary>Where the log of a session stands, as a process knew it in one moment.</summary>
/// <param name="Id">The session.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Length">Bytes of the log, lines that are not in the file yet included; -1: unknown.</param>
/// <param name="StagedFile">The file that is about to take the log's place; null: none.</param>
/// <param name="Tail">Lines that are published but perhaps not in the file yet, in order, without gaps.</param>
/// <param name="Origin">What it is a branch of, while the links to that may not be made yet; null: they are.</param>
internal sealed record LogPlace(string Id, string Folder, long Length, string? StagedFile, List<TailLines>? Tail,
    LogPlace? Origin);
