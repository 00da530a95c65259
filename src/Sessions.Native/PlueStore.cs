using System.Buffers;

namespace Sessions.Native;

/// <summary>
/// The drop-in's default store. It opens at the first call that needs it, and again after a
/// shutdown; a session handle from before then finds its session again by its id.
/// </summary>
internal static unsafe class PlueStore
{
    private const string ShareBaseUrl = "https://plue.app/share/";

    private static readonly object s_lock = new();
    private static SessionStore? s_store;
    private static string? s_folder;
    private static bool s_keepsNoTrash;

    /// <summary>How the drop-in deletes.</summary>
    internal static DeletePolicy Deletion
    {
        get
        {
            lock (s_lock)
            {
                return DeletePolicy.Cascade | (s_keepsNoTrash ? DeletePolicy.NoTrash : 0);
            }
        }
    }

    /// <summary>Opens the store where the configuration says; fine where it is open there.</summary>
    internal static void Init(ReadOnlySpan<byte> config)
    {
        (string? folder, bool trash) = PlueConfig.Read(config);
        lock (s_lock)
        {
            if (s_store is not null && !SameFolder(folder, s_folder))
            {
                throw new SessionException(SessionStatus.Conflict, "The store is open in another folder.");
            }

            s_store ??= Open(folder);
            s_folder = folder;
            s_keepsNoTrash = !trash;
        }
    }

    /// <summary>The open store.</summary>
    internal static SessionStore Current()
    {
        lock (s_lock)
        {
            return s_store ??= Open(s_folder);
        }
    }

    /// <summary>The store, for whoever closes it; null where none is open.</summary>
    internal static SessionStore? Take()
    {
        lock (s_lock)
        {
            SessionStore? store = s_store;
            s_store = null;
            return store;
        }
    }

    /// <summary>A new session's handle.</summary>
    internal static nint Create(string? parentId)
    {
        SessionStore store = Current();
        Session session = store.Create(parentId);
        try
        {
            return Handles.Add(new PlueSession(store, session));
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>The session of a handle.</summary>
    internal static Session Find(nint handle)
    {
        PlueSession entry = Handles.Find(handle) as PlueSession ?? throw Handles.Invalid("session");
        return entry.In(Current());
    }

    /// <summary>Ends a handle; fine where it is none.</summary>
    internal static void Destroy(nint handle)
    {
        Handles.Remove<PlueSession>(handle)?.Dispose();
    }

    /// <summary>The info, with the link of its share spliced into share_info.</summary>
    internal static byte* GetInfo(Session session)
    {
        NativeWriter output = NativeWriter.Start();
        session.WriteInfo(output);
        int end = PlueConfig.EndOfShareInfo(output.Written);
        if (end < 0)
        {
            return output.Finish();
        }

        // Rare enough to be copied: the tail moves behind what is put in.
        var share = new ArrayBufferWriter<byte>();
        session.WriteShare(null, share);
        byte[] link = PlueConfig.LinkOf(share.WrittenSpan);
        byte[] info = output.Written.ToArray();
        NativeWriter.Abandon();
        output = NativeWriter.Start();
        output.Write(info.AsSpan(0, end));
        output.Write(link);
        output.Write(info.AsSpan(end));
        return output.Finish();
    }

    private static SessionStore Open(string? folder) =>
        SessionStore.Open(folder, new SessionStoreOptions { ShareBaseUrl = ShareBaseUrl });

    private static bool SameFolder(string? left, string? right) =>
        left is null || right is null
            ? left == right
            : Path.TrimEndingDirectorySeparator(Path.GetFullPath(left))
                == Path.TrimEndingDirectorySeparator(Path.GetFullPath(right));

    /// <summary>What a handle of the drop-in stands for.</summary>
    private sealed class PlueSession(SessionStore store, Session session) : IDisposable
    {
        private readonly object _lock = new();
        private SessionStore _store = store;
        private Session _session = session;
        private bool _isDisposed;

        internal Session In(SessionStore current)
        {
            lock (_lock)
            {
                if (!ReferenceEquals(_store, current) && !_isDisposed)
                {
                    Session again = current.OpenSession(_session.Id);
                    _session.Dispose();
                    _session = again;
                    _store = current;
                }

                return _session;
            }
        }

        public void Dispose()
        {
            lock (_lock)
            {
                _isDisposed = true;
                _session.Dispose();
            }
        }
    }
}
