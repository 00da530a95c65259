using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Sessions.Platform.Windows;

/// <summary>The few calls of Windows' sockets that a pair of them takes.</summary>
[ExcludeFromCodeCoverage(Justification = "Runs on Windows alone.")]
internal static unsafe partial class Winsock
{
    public const int InternetFamily = 2;
    public const int Stream = 1;
    public const int Tcp = 6;
    public const uint Overlapped = 1; // as socket() makes them
    public const uint NotInherited = 0x80;
    public const int NonBlocking = unchecked((int)0x8004_667E); // FIONBIO
    public const int Readable = 0x4004_667F; // FIONREAD
    public const int NoDelay = 1;
    public const int ProtocolInfoBytes = 628; // WSAPROTOCOL_INFOW
    public const nint Invalid = -1;

    private const string Name = "ws2_32";
    private static readonly Lazy<int> Started = new(Start);

    /// <summary>Makes sockets usable; the number of the error, or 0.</summary>
    public static int EnsureStarted() => Started.Value;

    [LibraryImport(Name, EntryPoint = "WSASocketW", SetLastError = true)]
    internal static partial nint Open(int family, int type, int protocol, byte* protocolInfo, uint group, uint flags);

    [LibraryImport(Name, EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(nint socket, LoopbackAddress* address, int length);

    [LibraryImport(Name, EntryPoint = "listen", SetLastError = true)]
    internal static partial int Listen(nint socket, int count);

    [LibraryImport(Name, EntryPoint = "getsockname", SetLastError = true)]
    internal static partial int GetName(nint socket, LoopbackAddress* address, int* length);

    [LibraryImport(Name, EntryPoint = "connect", SetLastError = true)]
    internal static partial int Connect(nint socket, LoopbackAddress* address, int length);

    [LibraryImport(Name, EntryPoint = "accept", SetLastError = true)]
    internal static partial nint Accept(nint socket, LoopbackAddress* address, int* length);

    [LibraryImport(Name, EntryPoint = "ioctlsocket", SetLastError = true)]
    internal static partial int Control(nint socket, int command, uint* argument);

    [LibraryImport(Name, EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetOption(nint socket, int level, int option, int* value, int length);

    [LibraryImport(Name, EntryPoint = "send", SetLastError = true)]
    internal static partial int Send(nint socket, byte* bytes, int count, int flags);

    [LibraryImport(Name, EntryPoint = "recv", SetLastError = true)]
    internal static partial int Receive(nint socket, byte* bytes, int count, int flags);

    [LibraryImport(Name, EntryPoint = "WSADuplicateSocketW", SetLastError = true)]
    internal static partial int Describe(nint socket, uint process, byte* protocolInfo);

    [LibraryImport(Name, EntryPoint = "closesocket", SetLastError = true)]
    internal static partial int Close(nint socket);

    [LibraryImport(Name, EntryPoint = "WSAStartup")]
    private static partial int Startup(ushort version, byte* data);

    private static int Start()
    {
        byte* data = stackalloc byte[512]; // WSADATA
        return Startup(0x0202, data);
    }
}

/// <summary>sockaddr_in of 127.0.0.1.</summary>
[ExcludeFromCodeCoverage(Justification = "Runs on Windows alone.")]
[StructLayout(LayoutKind.Sequential)]
internal struct LoopbackAddress()
{
    internal short Family = Winsock.InternetFamily;
    internal ushort Port;
    internal uint Address = 0x0100_007F;
    internal ulong Zeros;
}
