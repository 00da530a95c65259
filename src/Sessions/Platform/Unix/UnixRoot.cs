using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Sessions.Platform.Unix;

/// <summary>
/// The store's folder as a descriptor, and the way from it to everything inside. The folder's own path may be a
/// link. Below it no link is ever followed: openat2(2) refuses them where the system has it; elsewhere each
/// folder on the way is opened by itself, from the one before it.
/// </summary>
[SkipLocalsInit]
internal sealed unsafe class UnixRoot : IDisposable
{
    private const ulong StayBelow = 0x08 | 0x04 | 0x02; // RESOLVE_BENEATH, _NO_SYMLINKS, _NO_MAGICLINKS

    // A lease is the one thing that an open can meet and be told to come back for (O_NONBLOCK). Ours last for
    // two calls; the kernel ends any after 45 s, where nobody set /proc/sys/fs/lease-break-time higher.
    private const int LeaseMs = 60_000;

    private readonly Lock _gate = new();
    private readonly bool _walks;
    private SafeFileHandle? _handle;
    private UnixOwners? _owners;
    private bool _isDisposed;

    /// <param name="path">The folder, which need not be there yet.</param>
    /// <param name="sharesOwners">True where files of other users are taken too.</param>
    /// <param name="walks">True to open each folder by itself, as on a system without openat2.</param>
    public UnixRoot(string path, bool sharesOwners, bool walks)
    {
        Path = path;
        SharesOwners = sharesOwners;
        _walks = walks || !LinuxOpen.IsThere;
    }

    public string Path { get; }

    public bool SharesOwners { get; }

    /// <summary>Whose files are the store's. Asked while a <see cref="Hold"/> lasts.</summary>
    public UnixOwners Owners => _owners!;

    /// <summary>Keeps the descriptor open for a call; it is opened the first time that the folder is there. False,
    /// with the reason in errno, where it cannot be.</summary>
    public bool TryHold(out Hold hold)
    {
        SafeFileHandle? handle = Volatile.Read(ref _handle) ?? TryOpen();
        bool isHeld = false;
        try
        {
            handle?.DangerousAddRef(ref isHeld);
        }
        catch (ObjectDisposedException)
        {
            Marshal.SetLastPInvokeError(Errno.Closed); // the store was closed under this call
        }

        hold = isHeld ? new Hold(handle!) : default;
        return isHeld;
    }

    /// <summary>The same, or the exception of a failed open.</summary>
    public Hold Take(string operation, string path)
        => TryHold(out Hold hold) ? hold : throw Errno.Failure(operation, path);

    /// <summary>Opens what stands at a path below the root, as openat(2) does: close-on-exec, not following a link,
    /// never waiting for another end. -1 with the reason in errno; ELOOP for a link anywhere on the way.</summary>
    public int Open(in Hold root, string path, int flags, int mode = 0)
    {
        byte* buffer = stackalloc byte[UnixName.Bytes];
        Write(path.Length == 0 ? "." : path, path, buffer);
        return OpenPatiently(root.Descriptor, buffer, flags | Posix.NoFollow | Posix.NonBlocking | Posix.NoTerminal,
            mode);
    }

    /// <summary>The folder that a path's last name is in, and that name.</summary>
    public UnixPlace At(in Hold root, string operation, string path, byte* buffer)
    {
        Write(path, path, buffer);
        byte* name = buffer;
        for (byte* at = buffer; *at != 0; at++)
        {
            name = *at == (byte)'/' ? at + 1 : name;
        }

        if (name == buffer)
        {
            return new UnixPlace(root.Descriptor, name, isOwn: false);
        }

        name[-1] = 0;
        int folder = OpenPatiently(root.Descriptor, buffer, Posix.PathOnly | Posix.Folder | Posix.NoFollow, 0);
        return folder >= 0 ? new UnixPlace(folder, name, isOwn: true) : throw Errno.Failure(operation, path);
    }

    /// <summary>What a path names, with one call for the whole path: it changes and opens nothing, so a link on the
    /// way can only answer with another file's number. Each commit asks this, and folder by folder it would cost
    /// two calls more.</summary>
    public bool TryGlance(string path, out UnixStat stat)
    {
        byte* buffer = stackalloc byte[UnixName.Bytes];
        stat = default;
        if (!UnixName.TryWrite(path, new Span<byte>(buffer, UnixName.Bytes)) || !TryHold(out Hold hold))
        {
            return false;
        }

        using (hold)
        {
            return Posix.TryStat(hold.Descriptor, buffer, out stat, Posix.Kind);
        }
    }

    /// <summary>True where a file stands at the store's own path.</summary>
    public bool IsFile()
    {
        byte* buffer = stackalloc byte[UnixName.Bytes];
        return UnixName.TryWrite(Path, new Span<byte>(buffer, UnixName.Bytes))
            && Posix.TryStatBehind(buffer, out UnixStat stat) && !stat.IsFolder;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _handle?.Dispose(); // closes once no call holds it
        }
    }

    private static void Write(string text, string path, byte* buffer)
    {
        if (!UnixName.TryWrite(text, new Span<byte>(buffer, UnixName.Bytes)))
        {
            throw Errno.Failure("open", path, Errno.NameTooLong);
        }
    }

    private SafeFileHandle? TryOpen()
    {
        byte* buffer = stackalloc byte[UnixName.Bytes];
        Write(Path, "", buffer);
        lock (_gate)
        {
            if (_handle is not null || _isDisposed)
            {
                Marshal.SetLastPInvokeError(Errno.Closed);
                return _handle;
            }

            int descriptor = Posix.Open(buffer, Posix.Folder);
            if (descriptor < 0)
            {
                return null;
            }

            _owners = new UnixOwners(Posix.StatOrClose(descriptor, ""), SharesOwners);
            Volatile.Write(ref _handle, new SafeFileHandle(descriptor, ownsHandle: true));
            return _handle;
        }
    }

    private int OpenPatiently(int root, byte* path, int flags, int mode)
    {
        int descriptor = OpenOnce(root, path, flags, mode);
        if (descriptor < 0 && Errno.Last == Errno.Again)
        {
            SpinWait.SpinUntil(() => (descriptor = OpenOnce(root, path, flags, mode)) >= 0 || Errno.Last != Errno.Again,
                LeaseMs);
        }

        return Posix.MoveUp(descriptor);
    }

    private int OpenOnce(int root, byte* path, int flags, int mode)
    {
        int descriptor;
        do
        {
            descriptor = _walks ? Walk(root, path, flags, mode)
                : LinuxOpen.At(root, path, flags & ~Posix.NoFollow, mode, StayBelow); // a link is ELOOP, not ENOTDIR
        }
        while (descriptor < 0 && Errno.WasInterrupted);

        return descriptor;
    }

    // Folder by folder. The path is the caller's own and is whole again on return.
    private static int Walk(int root, byte* path, int flags, int mode)
    {
        int folder = root;
        byte* name = path;
        for (byte* at = path; *at != 0; at++)
        {
            if (*at != (byte)'/')
            {
                continue;
            }

            *at = 0;
            int next = Step(folder, name, Posix.PathOnly | Posix.Folder | Posix.NoFollow, 0);
            *at = (byte)'/';
            LeaveBut(root, folder);
            if (next < 0)
            {
                return -1;
            }

            folder = next;
            name = at + 1;
        }

        int found = Step(folder, name, flags, mode);
        LeaveBut(root, folder);
        return found;
    }

    // A link where a folder is asked for is ENOTDIR to some systems and ELOOP to others.
    private static int Step(int folder, byte* name, int flags, int mode)
    {
        int found = Posix.OpenAt(folder, name, flags, mode);
        if (found < 0 && Errno.Last == Errno.NotFolder)
        {
            bool isLink = Posix.TryStat(folder, name, out UnixStat stat, Posix.Kind) && stat.IsLink;
            Marshal.SetLastPInvokeError(isLink ? Errno.Loop : Errno.NotFolder);
        }

        return found;
    }

    private static void LeaveBut(int root, int folder)
    {
        if (folder != root)
        {
            int error = Errno.Last;
            Libc.Close(folder);
            Marshal.SetLastPInvokeError(error);
        }
    }

    /// <summary>The root's descriptor for the length of a call, also when another thread closes the store.</summary>
    internal readonly ref struct Hold(SafeFileHandle handle)
    {
        private readonly SafeFileHandle _handle = handle;

        public int Descriptor { get; } = (int)handle.DangerousGetHandle();

        public void Dispose() => _handle?.DangerousRelease();
    }
}
