using System.Diagnostics.CodeAnalysis;

namespace Sessions.Platform.Windows;

/// <summary>Two ends of a TCP connection to this machine itself, which nobody else can have taken: who connects
/// is known by its port.</summary>
[ExcludeFromCodeCoverage(Justification = "Runs on Windows alone.")]
internal sealed unsafe class WindowsSignalSocket : SignalSocket
{
    private readonly nint _polled;
    private nint _ours;

    private WindowsSignalSocket(nint polled, nint ours) => (_polled, _ours) = (polled, ours);

    public override nint Handle => _polled;

    public static new WindowsSignalSocket Open()
    {
        if (Winsock.EnsureStarted() is not 0 and int error)
        {
            throw WindowsErrors.Failure("WSAStartup", "", error);
        }

        nint listener = OpenOne(), ours = Winsock.Invalid, polled = Winsock.Invalid;
        try
        {
            var address = new LoopbackAddress();
            int length = sizeof(LoopbackAddress);
            ours = OpenOne();
            Check(Winsock.Bind(listener, &address, length));
            Check(Winsock.GetName(listener, &address, &length));
            Check(Winsock.Listen(listener, 1));
            Check(Winsock.Connect(ours, &address, length));
            polled = AcceptFrom(listener, ours);
            uint yes = 1;
            int noDelay = 1;
            Check(Winsock.SetOption(ours, Winsock.Tcp, Winsock.NoDelay, &noDelay, sizeof(int)));
            Check(Winsock.Control(ours, Winsock.NonBlocking, &yes));
            Check(Winsock.Control(polled, Winsock.NonBlocking, &yes));
            return new WindowsSignalSocket(polled, ours);
        }
        catch (DiskException)
        {
            CloseOne(ours);
            CloseOne(polled);
            throw;
        }
        finally
        {
            CloseOne(listener);
        }
    }

    public override void Set()
    {
        byte one = 1;
        if (_ours != Winsock.Invalid && !HasBytes())
        {
            Winsock.Send(_ours, &one, 1, 0);
        }
    }

    public override void Clear()
    {
        byte* bytes = stackalloc byte[16];
        while (HasBytes() && Winsock.Receive(_polled, bytes, 16, 0) > 0)
        {
        }
    }

    public override void End()
    {
        CloseOne(_ours);
        _ours = Winsock.Invalid;
    }

    public override nint Duplicate()
    {
        byte* info = stackalloc byte[Winsock.ProtocolInfoBytes];
        Check(Winsock.Describe(_polled, (uint)Environment.ProcessId, info));
        const int fromInfo = -1;
        nint copy = Winsock.Open(fromInfo, fromInfo, fromInfo, info, 0, Winsock.Overlapped | Winsock.NotInherited);
        return copy != Winsock.Invalid ? copy : throw WindowsErrors.Failure("WSASocket", "");
    }

    public override void Dispose()
    {
        End();
        CloseOne(_polled);
    }

    // A host may have made its duplicate blocking, and so this one, and Windows has no receive that is nonblocking by
    // itself: it is made so again, and asked for nothing where there is nothing. Nobody else has the other end.
    private bool HasBytes()
    {
        uint yes = 1, count = 0;
        return Winsock.Control(_polled, Winsock.NonBlocking, &yes) == 0
            && Winsock.Control(_polled, Winsock.Readable, &count) == 0 && count > 0;
    }

    // Any program of this machine may connect to the port while it listens.
    private static nint AcceptFrom(nint listener, nint expected)
    {
        LoopbackAddress mine = default, theirs = default;
        int length = sizeof(LoopbackAddress);
        Check(Winsock.GetName(expected, &mine, &length));
        while (true)
        {
            length = sizeof(LoopbackAddress);
            nint accepted = Winsock.Accept(listener, &theirs, &length);
            Check(accepted == Winsock.Invalid ? -1 : 0);
            if (theirs.Port == mine.Port && theirs.Address == mine.Address)
            {
                return accepted;
            }

            CloseOne(accepted);
        }
    }

    private static nint OpenOne()
    {
        nint socket = Winsock.Open(Winsock.InternetFamily, Winsock.Stream, Winsock.Tcp, null, 0,
            Winsock.Overlapped | Winsock.NotInherited); // WSA_FLAG_OVERLAPPED, as socket() makes them
        return socket != Winsock.Invalid ? socket : throw WindowsErrors.Failure("WSASocket", "");
    }

    private static void CloseOne(nint socket)
    {
        if (socket != Winsock.Invalid)
        {
            Winsock.Close(socket);
        }
    }

    private static void Check(int result)
    {
        if (result != 0)
        {
            throw WindowsErrors.Failure("socket", "");
        }
    }
}
