using System.Text;
using System.Text.Json;
using Sessions.Bindings;
using Xunit;
using Table = Sessions.Native.Handles;

namespace Sessions.Native.Tests.Handling;

/// <summary>
/// Exports with a handle table that has no place left, or is broken: in this process, with the range
/// of the table made as the test needs it.
/// </summary>
[Collection("the one handle table")]
public sealed unsafe class FullTableTests : IDisposable
{
    private const nint Start = 0x4000_0000;
    private readonly string _folder;

    public FullTableTests()
    {
        OwnBoundary.Need();
        _folder = Directory.CreateTempSubdirectory("sessions-native-").FullName;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void AStoreWithoutAHandleIsClosed()
    {
        Table.Reserve((nuint)Start, 16);
        Table.Add(this);
        delegate* unmanaged[Cdecl]<byte*, StoreOptions*, nint*, int> open = &Store.Open;
        nint store = 1;
        nint place = (nint)(&store);
        IsTooMany(Call.With(_folder, path => open((byte*)path, null, (nint*)place)));
        Assert.Equal(0, store);
        Salvage(); // needs the store to itself
    }

    [Fact]
    public void ASessionWithoutAHandleIsLetGoOf()
    {
        SessionStore store = SessionStore.Open(_folder);
        string id = store.Create().Id;
        Table.Reserve((nuint)Start, 16);
        nint handle = Table.Add(store);
        delegate* unmanaged[Cdecl]<nint, byte*, nint*, int> open = &SessionChanges.Open;
        nint session = 1;
        nint place = (nint)(&session);
        IsTooMany(Call.With(id, text => open(handle, (byte*)text, (nint*)place)));
        Assert.Equal(0, session);
        store.Close();
    }

    [Fact]
    public void AStreamWithoutAHandleIsLetGoOf()
    {
        SessionStore store = SessionStore.Open(_folder);
        Session session = store.Create();
        Table.Reserve((nuint)Start, 16);
        nint handle = Table.Add(session);
        delegate* unmanaged[Cdecl]<nint, byte*, AppendOptionsIn*, nint*, int> begin = &Streams.Begin;
        nint stream = 1;
        nint place = (nint)(&stream);
        IsTooMany(Call.With("t", type => begin(handle, (byte*)type, null, (nint*)place)));
        Assert.Equal(0, stream);
        store.Close(); // and its text, which is none, has become an event
        using SessionStore again = SessionStore.Open(_folder);
        Assert.Equal(1, again.OpenSession(session.Id).GetStat().LastSeq);
    }

    [Fact]
    public void AJobWithoutAHandleIsLetGoOf()
    {
        SessionStore store = SessionStore.Open(_folder);
        Table.Reserve((nuint)Start, 16);
        nint handle = Table.Add(store);
        delegate* unmanaged[Cdecl]<nint, byte*, byte*, nuint, nint*, int> start = &Jobs.Start;
        nint job = 1;
        nint place = (nint)(&job);
        IsTooMany(Call.With("verify", kind => Call.With("{}",
            args => start(handle, (byte*)kind, (byte*)args, 2, (nint*)place))));
        Assert.Equal(0, job);
        store.Close();
    }

    [Fact]
    public void AWatchWithoutAHandleIsLetGoOf()
    {
        SessionStore store = SessionStore.Open(_folder);
        Table.Reserve((nuint)Start, 16);
        nint handle = Table.Add(store);
        delegate* unmanaged[Cdecl]<nint, WatchOptionsIn*, nint*, int> open = &CoordinationWatch.Open;
        nint watch = 1;
        IsTooMany(open(handle, null, &watch));
        Assert.Equal(0, watch);
        store.Close();
    }

    [Fact]
    public void ASessionOfTheDropInWithoutAHandleIsLetGoOf()
    {
        PlueStore.Init(Encoding.UTF8.GetBytes($$"""{"data_dir":{{JsonSerializer.Serialize(_folder)}}}"""));
        Table.Reserve((nuint)Start, 16);
        Table.Add(this);
        delegate* unmanaged[Cdecl]<byte*, nint> create = &Plue.Create;
        Assert.Equal(0, create(null));
        Assert.Equal(Methods.SESSION_E_LIMIT, OwnBoundary.LastError().Status);
        PlueStore.Take()!.Close();
    }

    [Fact]
    public void WhateverHappensInADestroyBecomesANote()
    {
        Table.Reserve(0, nuint.MaxValue); // more than the table has room for: a lookup up there throws
        nint beyond = nint.CreateChecked(1L << 30);
        delegate* unmanaged[Cdecl]<nint, int> destroy = &SessionChanges.Destroy;
        delegate* unmanaged[Cdecl]<nint, int> destroyCursor = &EventsCursor.Destroy;
        delegate* unmanaged[Cdecl]<nint, int> destroyWatch = &CoordinationWatch.Destroy;
        delegate* unmanaged[Cdecl]<nint, void> destroyInDropIn = &Plue.Destroy;
        Errors.Report(new SessionException(SessionStatus.Conflict, "before"));
        Assert.Equal(Methods.SESSION_E_INTERNAL, destroyCursor(beyond));
        Assert.Equal(Methods.SESSION_E_INTERNAL, destroyWatch(beyond));
        Assert.Equal(Methods.SESSION_E_INTERNAL, destroy(beyond));
        destroyInDropIn(beyond);
        delegate* unmanaged[Cdecl]<nint, int> destroyStream = &Streams.Destroy;
        Assert.Equal(Methods.SESSION_E_INTERNAL, destroyStream(beyond));
        delegate* unmanaged[Cdecl]<nint, int> destroyJob = &Jobs.Destroy;
        Assert.Equal(Methods.SESSION_E_INTERNAL, destroyJob(beyond));
        Assert.Equal("before", OwnBoundary.LastError().Message);
        byte* json;
        delegate* unmanaged[Cdecl]<ulong, uint, byte**, nuint*, int> read = &Types.LogRead;
        Assert.Equal(0, read(0, 0, &json, null));
        string notes = Call.Take((sbyte*)json);
        Assert.Contains("\"session_destroy: System.IndexOutOfRange", notes, StringComparison.Ordinal);
        Assert.Contains("\"session_stream_destroy: System.IndexOutOfRange", notes, StringComparison.Ordinal);
        Assert.Contains("\"session_job_destroy: System.IndexOutOfRange", notes, StringComparison.Ordinal);
        Assert.Contains("\"session_cursor_destroy: System.IndexOutOfRange", notes, StringComparison.Ordinal);
        Assert.Contains("\"session_watch_destroy: System.IndexOutOfRange", notes, StringComparison.Ordinal);
        Assert.Contains("\"plue_session_destroy: System.IndexOutOfRange", notes, StringComparison.Ordinal);
    }

    private static void IsTooMany(int status)
    {
        Assert.Equal(Methods.SESSION_E_LIMIT, status);
        Assert.Equal("""{"limit":"handles_max","max":1,"actual":1}""", OwnBoundary.LastError().Details);
    }

    private void Salvage()
    {
        sbyte* json = null;
        nint place = (nint)(&json);
        Call.Works(Call.With(_folder, path => Methods.session_store_salvage(path, null, (sbyte**)place, null)));
        Call.Take(json);
    }
}
