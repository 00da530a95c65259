using System.Runtime.InteropServices;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>Sizes, tails, reserved words and choices of the structs that hosts pass.</summary>
public sealed unsafe class StructTests : IDisposable
{
    private readonly TestStore _store = new();
    private readonly nint _session;

    public StructTests() => _session = (nint)_store.Create();

    private delegate int StructCall(void* options);

    private session_s* Session => (session_s*)_session;

    private session_store_s* Store => _store.Handle;

    public void Dispose()
    {
        Methods.session_destroy(Session);
        _store.Dispose();
    }

    [Fact]
    public void SizesBelowVersionOneAndAbovePagesAreRefused()
    {
        foreach ((string _, int known, StructCall call) in Takers())
        {
            foreach (uint size in (uint[])[0, 1, 4, (uint)known - 1, 4097, uint.MaxValue])
            {
                Error error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, WithBytes(4096, size, 0, call));
                Assert.StartsWith("""{"argument":"options.size",""", error.Details, StringComparison.Ordinal);
                Assert.Contains($"\"known\":{known}", error.Details, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void AStructOfANewerHostIsFineWhileItsTailIsZero()
    {
        foreach ((string type, int known, StructCall call) in Takers())
        {
            foreach (int size in (int[])[known, known + 8, 4096])
            {
                int status = WithBytes(4096, (uint)size, 0, call);
                Assert.True(status == 0, $"{type} of {size} bytes: {Call.LastError()}");
            }
        }
    }

    [Fact]
    public void ATailThatSaysSomethingIsAVersionError()
    {
        foreach ((string type, int known, StructCall call) in Takers())
        {
            foreach (int at in (int[])[known, known + 7, 4095])
            {
                Error error = Call.Fails(Methods.SESSION_E_VERSION, WithBytes(4096, 4096, at, call));
                Assert.Equal($$"""{"what":"struct","type":"{{type}}","size":4096,"known":{{known}}}""", error.Details);
            }

            int status = WithBytes(4096, (uint)known, known, call);
            Assert.True(status == 0, $"{type}: what lies behind the struct was read");
        }
    }

    [Fact]
    public void UnknownFlagsInStructsAreNamed()
    {
        // The first bit that each type does not know, in the order of Takers.
        uint[] unknown = [0x20, 1, 4, 4, 8, 8, 2, 2];
        foreach (((string type, int known, StructCall call), uint bit) in Takers().Zip(unknown))
        {
            Error error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT,
                WithBytes(known, (uint)known, 0, options => { ((uint*)options)[1] = bit; return call(options); }));
            Assert.True($$"""{"argument":"flags","unknown_bits":{{bit}}}""" == error.Details, $"{type}: {error}");
        }
    }

    [Fact]
    public void ReservedWordsMustBeZero()
    {
        var list = new session_list_options { size = (uint)sizeof(session_list_options), reserved = 1 };
        sbyte* json;
        Error error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT,
            Methods.session_list(Store, &list, &json, null, null));
        Assert.Equal("""{"argument":"reserved"}""", error.Details);

        var share = new session_share_options { size = (uint)sizeof(session_share_options), reserved = 1 };
        error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT,
            Methods.session_create_share(Session, &share, &json, null));
        Assert.Equal("""{"argument":"reserved"}""", error.Details);

        var cursor = new session_cursor_options { size = (uint)sizeof(session_cursor_options), reserved = 1 };
        error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, OpenCursor(&cursor));
        Assert.Equal("""{"argument":"reserved"}""", error.Details);

        var locking = new session_lock_options { size = (uint)sizeof(session_lock_options), reserved = 1 };
        error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, Lock(&locking));
        Assert.Equal("""{"argument":"reserved"}""", error.Details);
    }

    [Fact]
    public void UnknownChoicesAreRefused()
    {
        sbyte* json;
        foreach (int value in (int[])[-1, 5, int.MaxValue])
        {
            var list = new session_list_options { size = (uint)sizeof(session_list_options), order = value };
            Assert.Equal("""{"argument":"order"}""", Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT,
                Methods.session_list(Store, &list, &json, null, null)).Details);
            list.order = 0;
            list.archived = value == 5 ? 3 : value;
            Assert.Equal("""{"argument":"archived"}""", Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT,
                Methods.session_list(Store, &list, &json, null, null)).Details);
            var open = new session_store_options { size = (uint)sizeof(session_store_options), durability = value };
            session_store_s* opened;
            Assert.Equal("""{"argument":"durability"}""", Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT,
                Methods.session_store_open(null, &open, &opened)).Details);
        }
    }

    [Fact]
    public void NumbersInStructsKeepToTheirRange()
    {
        sbyte* json;
        var share = new session_share_options { size = (uint)sizeof(session_share_options), first_seq = 1UL << 53 };
        Assert.Equal("""{"argument":"first_seq"}""", Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT,
            Methods.session_create_share(Session, &share, &json, null)).Details);
        share.first_seq = 0;
        share.last_seq = ulong.MaxValue;
        Assert.Equal("""{"argument":"last_seq"}""", Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT,
            Methods.session_create_share(Session, &share, &json, null)).Details);
        share.last_seq = 0;
        share.expires_at = -1;
        Assert.Equal("""{"argument":"expires_at"}""", Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT,
            Methods.session_create_share(Session, &share, &json, null)).Details);
        var watch = new session_watch_options { size = (uint)sizeof(session_watch_options), after_lsn = 1UL << 53 };
        Assert.Equal("""{"argument":"after_lsn"}""",
            Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, OpenWatch(&watch)).Details);
    }

    [Fact]
    public void StatFillsWhatItKnowsAndLeavesTheRest()
    {
        int known = sizeof(session_stat);
        byte* memory = stackalloc byte[4096];
        foreach (int size in (int[])[known, known + 8, 4096])
        {
            new Span<byte>(memory, 4096).Fill(0xAB);
            *(uint*)memory = (uint)size;
            Call.Works(Methods.session_get_stat(Session, (session_stat*)memory));
            Assert.Equal((uint)size, *(uint*)memory);
            Assert.True(((session_stat*)memory)->created_at > 0);
            Assert.Equal(0UL, ((session_stat*)memory)->last_seq);
            Assert.DoesNotContain((byte)0, new Span<byte>(memory, 4096)[known..].ToArray());
        }

        foreach (uint size in (uint[])[0, 8, (uint)known - 1, 4097, uint.MaxValue])
        {
            new Span<byte>(memory, 4096).Fill(0xAB);
            *(uint*)memory = size;
            Error error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT,
                Methods.session_get_stat(Session, (session_stat*)memory));
            Assert.StartsWith("""{"argument":"out_stat.size",""", error.Details, StringComparison.Ordinal);
            Assert.Equal(0xAB, memory[4]);
        }
    }

    [Fact]
    public void AFailedStatIsEmpty()
    {
        session_s* gone = _store.Create();
        Call.Works(Methods.session_delete(gone, Methods.SESSION_DELETE_CASCADE));
        var stat = new session_stat { size = (uint)sizeof(session_stat), last_seq = 7, created_at = 7 };
        Call.Fails(Methods.SESSION_E_DELETED, Methods.session_get_stat(gone, &stat));
        Assert.Equal(new session_stat { size = (uint)sizeof(session_stat) }, stat);
        Call.Works(Methods.session_destroy(gone));
    }

    [Fact]
    public void OptionsInitFillsWithZerosAndSetsTheSize()
    {
        byte* memory = stackalloc byte[64];
        foreach (int size in (int[])[4, 32, 63])
        {
            new Span<byte>(memory, 64).Fill(0xAB);
            Methods.session_options_init(memory, (uint)size);
            Assert.Equal((uint)size, *(uint*)memory);
            Assert.False(new Span<byte>(memory, size)[4..].ContainsAnyExcept((byte)0));
            Assert.False(new Span<byte>(memory, 64)[size..].ContainsAnyExcept((byte)0xAB));
        }

        new Span<byte>(memory, 64).Fill(0xAB);
        Methods.session_options_init(memory, 3);
        Methods.session_options_init(null, 64);
        Assert.False(new Span<byte>(memory, 64).ContainsAnyExcept((byte)0xAB));
    }

    private (string Type, int Known, StructCall Call)[] Takers() =>
    [
        ("session_store_options_t", sizeof(session_store_options), OpenAgain),
        ("session_create_options_t", sizeof(session_create_options), Create),
        ("session_list_options_t", sizeof(session_list_options), List),
        ("session_share_options_t", sizeof(session_share_options), Share),
        ("session_append_options_t", sizeof(session_append_options), Append),
        ("session_cursor_options_t", sizeof(session_cursor_options), OpenCursor),
        ("session_lock_options_t", sizeof(session_lock_options), Lock),
        ("session_watch_options_t", sizeof(session_watch_options), OpenWatch),
    ];

    private static int WithBytes(int allocated, uint size, int nonZeroAt, StructCall call)
    {
        byte* memory = (byte*)NativeMemory.AllocZeroed((nuint)allocated + 8);
        *(uint*)memory = size;
        if (nonZeroAt != 0)
        {
            memory[nonZeroAt] = 1;
        }

        int status = call(memory);
        NativeMemory.Free(memory);
        return status;
    }

    private int OpenAgain(void* options) => Call.With(_store.Folder, path =>
    {
        session_store_s* store;
        int status = Methods.session_store_open(path, (session_store_options*)options, &store);
        if (status == 0)
        {
            Call.Works(Methods.session_store_close(store));
        }

        return status;
    });

    private int Create(void* options)
    {
        session_s* session;
        int status = Methods.session_create(Store, null, (session_create_options*)options, &session);
        if (status == 0)
        {
            Call.Works(Methods.session_destroy(session));
        }

        return status;
    }

    private int List(void* options)
    {
        sbyte* json;
        int status = Methods.session_list(Store, (session_list_options*)options, &json, null, null);
        Methods.session_string_free(json);
        return status;
    }

    private int Share(void* options)
    {
        sbyte* json;
        int status = Methods.session_create_share(Session, (session_share_options*)options, &json, null);
        Methods.session_string_free(json);
        return status;
    }

    private int OpenCursor(void* options)
    {
        session_cursor_s* cursor;
        int status = Methods.session_cursor_open(Session, (session_cursor_options*)options, &cursor);
        Methods.session_cursor_destroy(cursor);
        return status;
    }

    private int Lock(void* options) =>
        Methods.session_lock(Session, Methods.SESSION_LOCK_TRY, (session_lock_options*)options);

    private int OpenWatch(void* options)
    {
        session_watch_s* watch;
        int status = Methods.session_watch_open(Store, (session_watch_options*)options, &watch);
        Methods.session_watch_destroy(watch);
        return status;
    }

    private int Append(void* options) => Call.With("note", type => Call.With("{}", data =>
        Methods.session_append_event_ex(Session, type, data, 2, (session_append_options*)options, null)));
}
