using System.Text;
using System.Text.Json;
using Sessions.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Check;

/// <summary>The report names each harm by its code and place, and a sound store has none.</summary>
public sealed class VerifyTests
{
    private readonly FaultyDisk _disk = new(seed: 51);

    [Theory]
    [InlineData("\"revision\":", "\"revision\":99", "revision_ahead")]
    [InlineData("\"facts\":", "\"deleted_at\":1,\"deletion_id\":\"del_7\",\"facts\":", "wrong_place")]
    public void A_session_file_that_contradicts_the_store(string from, string to, string code)
    {
        string path = Layout.LiveFolder(MakeSession()) + "/" + Layout.SessionFile;
        string compact = Encoding.UTF8.GetString(CheckedJson.Read(_disk.Peek(path)!)!);
        var changed = new Utf8Buffer();
        Assert.True(compact.Contains(from, StringComparison.Ordinal), compact);
        CheckedJson.Write(Stores.Utf8(compact.Replace(from, to, StringComparison.Ordinal)), changed);
        using SessionStore store = Stores.Open(_disk.OpenAs());
        _disk.Poke(path, changed.Written);
        Assert.Contains((code, path.Replace("/session.json", code == "wrong_place" ? "" : "/session.json",
            StringComparison.Ordinal)), Issues(store));
    }

    [Fact]
    public void A_store_file_that_was_damaged_under_the_open_store()
    {
        using SessionStore store = Stores.Open(_disk);
        store.AssertSound();
        byte[] bytes = _disk.Peek(Layout.StoreFile)!;
        bytes[5] ^= 1;
        using (IDiskFile file = _disk.Open(Layout.StoreFile, OpenMode.ReadWrite))
        {
            file.Write(bytes, 0);
        }

        Assert.Contains(("invalid_json", Layout.StoreFile), Issues(store));
    }

    [Fact]
    public void A_poisoned_store()
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        _disk.FailIf = o => o.Name == "fdatasync" && o.Path.StartsWith("journal/", StringComparison.Ordinal);
        Stores.Fails(SessionStatus.Io, () => session.Say("x"));
        _disk.FailIf = null;
        Assert.Contains(("poisoned", Layout.Journal), Issues(store));
    }

    [Fact]
    public void What_is_no_session_folder_is_no_session_and_no_harm()
    {
        string id = MakeSession();
        _disk.Poke("trash/not-a-number/x/session.json", "{}"u8);
        _disk.Poke("trash/note.txt", "x"u8);
        _disk.Poke("sessions/note.txt", "x"u8);
        _disk.Unlink(Layout.IndexFile);
        using SessionStore store = Stores.Open(_disk.OpenAs());
        Assert.Equal([id], store.List().EnumerateArray().Select(e => e.GetProperty("id").GetString()));
        store.AssertSound();
    }

    private string MakeSession()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs());
        Session session = store.Create();
        session.Say("one");
        return session.Id;
    }

    private static IEnumerable<(string?, string?)> Issues(SessionStore store)
    {
        JsonElement report = store.Verify();
        Assert.False(report.GetProperty("ok").GetBoolean());
        return report.GetProperty("issues").EnumerateArray()
            .Select(i => (i.GetProperty("code").GetString(), i.GetProperty("file").GetString()));
    }
}
