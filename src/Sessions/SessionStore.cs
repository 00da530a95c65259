using System.Buffers;

namespace Sessions;

/// <summary>A store of sessions in one folder. Any thread may call anything at any time.</summary>
public sealed class SessionStore : IDisposable
{
    /// <summary>Opens the store at the path (null: $SESSIONS_HOME, else the platform's data folder).</summary>
    public static SessionStore Open(string? path = null, SessionStoreOptions? options = null) => throw new NotSupportedException();

    /// <summary>Writes the store's info as JSON.</summary>
    public void WriteInfo(IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Changes rules that all processes share, by merge patch.</summary>
    public void Configure(string? workspaceId, ReadOnlySpan<byte> mergePatch) => throw new NotSupportedException();

    /// <summary>Makes everything committed so far durable and brings the files up to date.</summary>
    public void Flush() => throw new NotSupportedException();

    /// <summary>Checks the store and writes a report; harm found is no failure.</summary>
    public void WriteVerifyReport(bool deep, IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Removes for good what was deleted before that time (unix ms; 0: 30 days ago).</summary>
    public int Purge(long deletedBefore = 0) => throw new NotSupportedException();

    /// <summary>Rebuilds a damaged store from its files, alone, and writes a report.</summary>
    public static void Salvage(string? path, ReadOnlySpan<byte> optionsJson, IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Final: ends waits, lets running commits finish. Throws what the last write met.</summary>
    public void Close() => throw new NotSupportedException();

    /// <summary>Creates a session.</summary>
    public Session Create(string? parentId = null, SessionCreateOptions? options = null) => throw new NotSupportedException();

    /// <summary>Opens a session by its id.</summary>
    public Session OpenSession(string id) => throw new NotSupportedException();

    /// <summary>Writes a JSON array with one info, or null, for each id of a JSON array of ids.</summary>
    public void WriteInfos(ReadOnlySpan<byte> idsJson, string? fields, IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Writes a JSON array; returns the cursor of the next page, null after the last.</summary>
    public string? WriteList(SessionListOptions? options, IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Brings back all that one delete took.</summary>
    public void Restore(string id) => throw new NotSupportedException();

    /// <summary>Opens what a share link shows, read-only.</summary>
    public Session ResolveShare(string secretOrUrl) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotSupportedException();
}
