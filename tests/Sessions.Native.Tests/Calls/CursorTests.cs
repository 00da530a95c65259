using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>Cursors and files through the C API: what goes in and what comes out.</summary>
public sealed unsafe class CursorTests : IDisposable
{
    private readonly TestStore _store = new();
    private readonly nint _session;

    public CursorTests() => _session = (nint)_store.Create();

    private session_s* Session => (session_s*)_session;

    public void Dispose()
    {
        Methods.session_destroy(Session);
        _store.Dispose();
    }

    [Fact]
    public void PagesGoBothWays()
    {
        for (int i = 0; i < 3; i++)
        {
            TestStore.Append(Session, "note", "{}");
        }

        session_cursor_s* cursor;
        Call.Works(Methods.session_cursor_open(Session, null, &cursor));
        Assert.Contains("\"next_after_seq\":2,", Next(cursor, 2), StringComparison.Ordinal);
        sbyte* json;
        nuint length;
        Call.Works(Methods.session_cursor_previous(cursor, 1, &json, &length));
        Assert.StartsWith("{\"events\":[{\"seq\":2,", Call.Take(json, length), StringComparison.Ordinal);
        Call.Works(Methods.session_cursor_seek(cursor, 2));
        Assert.StartsWith("{\"events\":[{\"seq\":3,", Next(cursor, 0), StringComparison.Ordinal);
        Call.Works(Methods.session_cursor_seek_time(cursor, 0));
        Assert.StartsWith("{\"events\":[{\"seq\":1,", Next(cursor, 0), StringComparison.Ordinal);
        Call.Works(Methods.session_read_turns(Session, 0, 0, &json, &length));
        Assert.StartsWith("{\"turns\":[{\"turn_id\":null,\"first_seq\":1,", Call.Take(json, length),
            StringComparison.Ordinal);
        Call.Works(Methods.session_cursor_destroy(cursor));
    }

    [Fact]
    public void AWaitInVainIsATimeoutAndLeavesTheErrorAlone()
    {
        session_cursor_s* cursor;
        Call.Works(Methods.session_cursor_open(Session, null, &cursor));
        Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, Methods.session_update_title(Session, null));
        sbyte* json = (sbyte*)1;
        nuint length = 1;
        Assert.Equal(Methods.SESSION_E_TIMEOUT, Methods.session_cursor_next(cursor, 0, 1, &json, &length));
        Assert.True(json == null && length == 0);
        Assert.Equal(Methods.SESSION_E_INVALID_ARGUMENT, Call.LastError().Status);
        TestStore.Append(Session, "note", "{}");
        Assert.StartsWith("{\"events\":[{\"seq\":1,", Next(cursor, 0), StringComparison.Ordinal);
        Call.Works(Methods.session_cursor_destroy(cursor));
    }

    [Fact]
    public void AFileIsWhereItIsSaidToBe()
    {
        sbyte* json;
        nuint length;
        nint jsonPlace = (nint)(&json), lengthPlace = (nint)(&length);
        Call.Works(Call.With("a.txt",
            t => Methods.session_put_file(Session, t, t, 5, (sbyte**)jsonPlace, (nuint*)lengthPlace)));
        string answer = Call.Take(json, length);
        string id = System.Text.Json.JsonDocument.Parse(answer).RootElement.GetProperty("file_id").GetString()!;
        Call.Works(Call.With(id, t => Methods.session_get_file_path(Session, t, (sbyte**)jsonPlace)));
        string path = Call.Take(json);
        Assert.StartsWith(_store.Folder, path, StringComparison.Ordinal);
        Assert.Equal("a.txt", File.ReadAllText(path));
    }

    private static string Next(session_cursor_s* cursor, uint limit)
    {
        sbyte* json;
        nuint length;
        Call.Works(Methods.session_cursor_next(cursor, limit, 0, &json, &length));
        return Call.Take(json, length);
    }
}
