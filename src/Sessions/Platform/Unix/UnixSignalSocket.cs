namespace Sessions.Platform.Unix;

/// <summary>A pair made by socketpair(2): close-on-exec, nonblocking, and no signal where the other end is
/// closed. Each call here is nonblocking by itself, since a host may make the socket blocking for itself.</summary>
internal sealed unsafe class UnixSignalSocket : SignalSocket
{
    private const int LocalFamily = 1;
    private const int Stream = 1;
    private const int Peek = 2;

    private readonly int _polled;
    private int _ours;

    private UnixSignalSocket(int polled, int ours) => (_polled, _ours) = (polled, ours);

    public override nint Handle => _polled;

    public static new UnixSignalSocket Open()
    {
        int* pair = stackalloc int[2];
        if (Libc.SocketPair(LocalFamily, Stream | Posix.SocketFlags, 0, pair) != 0)
        {
            throw Errno.Failure("socketpair");
        }

        var socket = new UnixSignalSocket(Posix.MoveUp(pair[0]), Posix.MoveUp(pair[1]));
        if (socket._polled < 0 || socket._ours < 0 || !Posix.TryPrepareSocket(socket._polled)
            || !Posix.TryPrepareSocket(socket._ours))
        {
            DiskException failure = Errno.Failure("socketpair");
            socket.Dispose();
            throw failure;
        }

        return socket;
    }

    public override void Set()
    {
        byte one = 1;
        if (_ours >= 0 && Receive(&one, 1, Peek) < 0)
        {
            nint sent;
            do
            {
                sent = Libc.Send(_ours, &one, 1, Posix.NoSignal | Posix.DontWait);
            }
            while (sent < 0 && Errno.WasInterrupted);
        }
    }

    public override void Clear()
    {
        byte* bytes = stackalloc byte[16];
        while (Receive(bytes, 16, 0) > 0)
        {
        }
    }

    public override void End()
    {
        if (_ours >= 0)
        {
            Libc.Close(_ours);
            _ours = -1;
        }
    }

    public override nint Duplicate()
        => Posix.Duplicate(_polled) is >= 0 and int fd ? fd : throw Errno.Failure("fcntl(F_DUPFD_CLOEXEC)");

    public override void Dispose()
    {
        End();
        if (_polled >= 0)
        {
            Libc.Close(_polled);
        }
    }

    private nint Receive(byte* buffer, nuint count, int flags)
    {
        nint received;
        do
        {
            received = Libc.Receive(_polled, buffer, count, flags | Posix.DontWait);
        }
        while (received < 0 && Errno.WasInterrupted);

        return received;
    }
}
