using System.Security.Cryptography;
using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Files;

/// <summary>Files that are kept with a session.</summary>
public sealed class SessionFilesTests : IDisposable
{
    private const string Png = "\u0089PNG\r\n\u001a\n";

    private readonly FaultyDisk _disk = new(seed: 11);
    private readonly ManualTime _time = new();
    private SessionStore _store;

    public SessionFilesTests() => _store = Stores.Open(_disk.OpenAs(), _time);

    public void Dispose()
    {
        if (!_disk.IsCut)
        {
            _store.Dispose();
        }
    }

    [Fact]
    public void A_file_is_kept_under_the_digest_of_its_content()
    {
        Session session = _store.Create();
        byte[] data = Latin(Png + "some pixels");
        string digest = Convert.ToHexStringLower(SHA256.HashData(data));
        JsonElement answer = Put(session, "cat.png", data);
        Assert.Equal($$"""{"file_id":"f_{{digest[..32]}}","name":"cat.png","mime_type":"image/png","bytes":19"""
            + $$""","sha256":"{{digest}}","existing":false}""", answer.GetRawText());
        string path = session.GetFilePath("f_" + digest[..32]);
        Assert.Equal($"/store/{Layout.LiveFolder(session.Id)}/files/{digest}.png", path);
        Assert.Equal(data, _disk.ReadAll(path["/store/".Length..]));
        Assert.DoesNotContain(_disk.List(Layout.Temporary), n => n.Name.Contains("-file-", StringComparison.Ordinal));
        _store.AssertSound();
    }

    [Fact]
    public void The_same_content_again_is_the_same_file()
    {
        Session session = _store.Create(), other = _store.Create();
        byte[] data = Stores.Utf8("the same");
        string id = Id(Put(session, "a.txt", data));
        JsonElement again = Put(session, "b.md", data);
        Assert.Equal((id, true, "text/markdown"), (Id(again), again.GetProperty("existing").GetBoolean(),
            again.GetProperty("mime_type").GetString()));
        Assert.False(Put(other, "a.txt", data).GetProperty("existing").GetBoolean()); // each session has its own
        Assert.Single(_disk.List(Files(session)));
        Assert.Equal(0, Put(session, "empty", []).GetProperty("bytes").GetInt32());
    }

    [Fact]
    public void A_name_that_is_none_is_refused()
    {
        Session session = _store.Create();
        foreach (string name in (string[])["", ".", "..", "a/b", "a\\b", "a\nb", "a\0", "a\x7f", "\x85",
            new('x', 256), new('é', 128)])
        {
            SessionException e = Stores.Fails(SessionStatus.InvalidArgument, () => Put(session, name, "x"u8));
            Assert.Equal("""{"argument":"name"}""", e.Details);
        }

        Stores.Fails(SessionStatus.InvalidUtf8, () => Put(session, "a\ud800", "x"u8));
        foreach (string name in (string[])["...", " ", new('x', 255), "naïve 🐈.txt", ".png"])
        {
            Assert.Equal(name, Put(session, name, "x"u8).GetProperty("name").GetString());
        }
    }

    [Theory]
    [InlineData("a.png", "text", "image/png", "text/plain")]
    [InlineData("a.PNG", "GIF89a....", "image/png", "image/gif")]
    [InlineData("a.jpg", Png, "image/jpeg", "image/png")]
    [InlineData("a.pdf", "{}", "application/pdf", "application/json")]
    [InlineData("a.docx", "%PDF-1.7", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/pdf")]
    [InlineData("a.txt", Png, "text/plain", "image/png")]
    [InlineData("a.json", "\0\u0001\u0002", "application/json", "application/octet-stream")]
    [InlineData("a.svg", "<p>", "image/svg+xml", "text/plain")]
    public void Content_that_is_not_what_the_extension_says_is_refused(string name, string content, string expected,
        string actual)
    {
        Session session = _store.Create();
        SessionException e = Stores.Fails(SessionStatus.InvalidArgument, () => Put(session, name, Latin(content)));
        string extension = name[2..].ToLowerInvariant();
        Assert.Equal($"{{\"argument\":\"name\",\"extension\":\"{extension}\",\"expected\":\"{expected}\""
            + $",\"actual\":\"{actual}\"}}", e.Details);
        Assert.Null(_disk.Stat(Files(session)));
    }

    [Theory]
    [InlineData("x", "\u00ff\u00d8\u00ff\u00e0", "image/jpeg")]
    [InlineData("x", "GIF87a", "image/gif")]
    [InlineData("x.webp", "RIFF....WEBP", "image/webp")]
    [InlineData("x.wav", "RIFF....WAVE", "audio/wav")]
    [InlineData("x.avi", "RIFF....AVI ", "video/x-msvideo")]
    [InlineData("x", "RIFF....", "text/plain")]
    [InlineData("x.bmp", "BM....\0\0\0\0................", "image/bmp")]
    [InlineData("x", "BMW is a car, and this is text", "text/plain")]
    [InlineData("x.tif", "II*\0", "image/tiff")]
    [InlineData("x.tiff", "MM\0*", "image/tiff")]
    [InlineData("x.ico", "\0\0\u0001\0", "image/x-icon")]
    [InlineData("x.pdf", "%PDF-1.4", "application/pdf")]
    [InlineData("x.zip", "PK\u0003\u0004", "application/zip")]
    [InlineData("x.zip", "PK\u0005\u0006", "application/zip")]
    [InlineData("x.xlsx", "PK\u0003\u0004", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")]
    [InlineData("x.tgz", "\u001f\u008b", "application/gzip")]
    [InlineData("x.bz2", "BZh9", "application/x-bzip2")]
    [InlineData("x.xz", "\u00fd7zXZ\0", "application/x-xz")]
    [InlineData("x.zst", "(\u00b5/\u00fd", "application/zstd")]
    [InlineData("x.7z", "7z\u00bc\u00af'\u001c", "application/x-7z-compressed")]
    [InlineData("x.mp3", "ID3", "audio/mpeg")]
    [InlineData("x.mp3", "\u00ff\u00fb\u0090d\0", "audio/mpeg")]
    [InlineData("x.ogg", "OggS", "audio/ogg")]
    [InlineData("x.flac", "fLaC", "audio/flac")]
    [InlineData("x.mp4", "\0\0\0 ftypisom", "video/mp4")]
    [InlineData("x.mov", "\0\0\0 ftypqt  ", "video/quicktime")]
    [InlineData("x.m4a", "\0\0\0 ftypM4A ", "audio/mp4")]
    [InlineData("x.heic", "\0\0\0 ftypheic", "image/heic")]
    [InlineData("x.avif", "\0\0\0 ftypavif", "image/avif")]
    [InlineData("x.webm", "\u001aE\u00df\u00a3..webm", "video/webm")]
    [InlineData("x.mkv", "\u001aE\u00df\u00a3..matroska", "video/x-matroska")]
    [InlineData("x.wasm", "\0asm", "application/wasm")]
    [InlineData("x", "\u00ef\u00bb\u00bf <?xml version=\"1.0\"?>\n<svg/>", "image/svg+xml")]
    [InlineData("x", "<?xml version=\"1.0\"?><a/>", "application/xml")]
    [InlineData("x", "<!DOCTYPE html><p>", "text/html")]
    [InlineData("x", " [1,2]", "application/json")]
    [InlineData("x", "[1,2", "text/plain")]
    [InlineData("x.json", "// with a comment\n{}", "application/json")]
    [InlineData("x.md", "# Title", "text/markdown")]
    [InlineData("x.py", "print(1)", "text/plain")]
    [InlineData("x.txt", "\u00ff\u00fea\0", "text/plain")]
    [InlineData("x", "\u00ff\u00fe", "text/plain")]
    [InlineData("x.dat", Png, "image/png")]
    [InlineData("x.dat", "\u00c3(", "application/octet-stream")]
    [InlineData("x", "", "text/plain")]
    public void A_file_is_what_its_content_says(string name, string content, string mime)
        => Assert.Equal(mime, Put(_store.Create(), name, Latin(content)).GetProperty("mime_type").GetString());

    [Fact]
    public void A_tape_archive_is_told_by_what_stands_in_its_middle()
    {
        byte[] tar = new byte[512];
        "ustar"u8.CopyTo(tar.AsSpan(257));
        Assert.Equal("application/x-tar",
            Put(_store.Create(), "x.tar", tar).GetProperty("mime_type").GetString());
    }

    [Fact]
    public void Too_large_is_what_the_store_says()
    {
        Session session = _store.Create();
        byte[] image = new byte[(10 << 20) + 1], file = new byte[(50 << 20) + 1];
        Latin(Png).CopyTo(image, 0);
        SessionException e = Stores.Fails(SessionStatus.Limit, () => Put(session, "a.png", image));
        Assert.Equal("""{"limit":"image_bytes_max","max":10485760,"actual":10485761}""", e.Details);
        Assert.Equal(10 << 20, Put(session, "a.png", image[..^1])
            .GetProperty("bytes").GetInt32());
        e = Stores.Fails(SessionStatus.Limit, () => Put(session, "a.bin", file));
        Assert.Equal("""{"limit":"file_bytes_max","max":52428800,"actual":52428801}""", e.Details);
        _store.Configure(null, """{"limits":{"image_bytes_max":8,"file_bytes_max":3}}"""u8);
        Put(session, "b.png", Latin(Png));
        Stores.Fails(SessionStatus.Limit, () => Put(session, "b.png", Latin(Png + "x")));
        Stores.Fails(SessionStatus.Limit, () => Put(session, "b.txt", "four"u8));
        _store.Configure(null, """{"limits":null}"""u8);
        Put(session, "b.txt", "four"u8);
    }

    [Fact]
    public void It_is_durable_on_return_and_needs_no_frame()
    {
        Session session = _store.Create();
        long lsn = _store.Core.Rows.Lsn;
        string id = Id(Put(session, "a.txt", "kept"u8));
        Assert.Equal(lsn, _store.Core.Rows.Lsn);
        for (int seed = 0; seed < 40; seed++)
        {
            using SessionStore again = Stores.Open(_disk.AfterPowerCut(seed), _time);
            using Session same = again.OpenSession(session.Id);
            Assert.Equal("kept"u8, again.Core.Disk.ReadAll(same.GetFilePath(id)["/store/".Length..]));
            again.AssertSound();
        }
    }

    [Fact]
    public void A_session_whose_frame_is_not_durable_yet_gets_its_folder_first()
    {
        using SessionStore relaxed = Stores.Open(_disk.OpenAs(), _time,
            new SessionStoreOptions { Durability = Durability.Relaxed }, processId: 9);
        Session session = relaxed.Create();
        Assert.Null(_disk.Stat(Layout.LiveFolder(session.Id)));
        string id = Id(Put(session, "a.txt", "kept"u8));
        Assert.Equal("kept"u8, _disk.ReadAll(session.GetFilePath(id)["/store/".Length..]));
    }

    [Fact]
    public void It_goes_to_the_trash_and_comes_back_with_its_session()
    {
        Session session = _store.Create();
        string id = Id(Put(session, "a.txt", "kept"u8));
        session.Delete();
        Stores.Fails(SessionStatus.Deleted, () => session.GetFilePath(id));
        Stores.Fails(SessionStatus.Deleted, () => Put(session, "a.txt", "kept"u8));
        _store.Restore(session.Id);
        Assert.EndsWith(".txt", _store.OpenSession(session.Id).GetFilePath(id), StringComparison.Ordinal);
        _store.OpenSession(session.Id).Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
        Assert.Null(_disk.Stat(Layout.LiveFolder(session.Id)));
        _store.AssertSound();
    }

    [Fact]
    public void Who_may_not_write_may_not_put_and_a_share_gives_no_path()
    {
        Session session = _store.Create();
        string id = Id(Put(session, "a.txt", "kept"u8));
        using Session view = _store.ResolveShare(Stores.Json(b => session.WriteShare(null, b)).GetProperty("secret")
            .GetString()!);
        Stores.Fails(SessionStatus.AccessDenied, () => Put(view, "b.txt", "x"u8));
        Stores.Fails(SessionStatus.AccessDenied, () => view.GetFilePath(id));
        Stores.Fails(SessionStatus.NotFound, () => session.GetFilePath("f_" + new string('0', 32)));
        Stores.Fails(SessionStatus.NotFound, () => session.GetFilePath("../../store.json"));
        using (SessionStore reader = Stores.Open(_disk.OpenAs(), _time,
            new SessionStoreOptions { Flags = StoreFlags.ReadOnly }, processId: 9))
        {
            Session same = reader.OpenSession(session.Id);
            Assert.EndsWith(".txt", same.GetFilePath(id), StringComparison.Ordinal);
            Stores.Fails(SessionStatus.ReadOnly, () => Put(same, "b.txt", "x"u8));
        }

        _store.Close();
        Stores.Fails(SessionStatus.Closed, () => Put(session, "b.txt", "x"u8));
        Stores.Fails(SessionStatus.Closed, () => session.GetFilePath(id));
        _store = Stores.Open(_disk.OpenAs(), _time);
    }

    [Fact]
    public void A_damaged_file_is_named_and_the_same_content_mends_it()
    {
        Session session = _store.Create();
        byte[] data = Stores.Utf8("as it should be");
        string path = session.GetFilePath(Id(Put(session, "a.txt", data)))["/store/".Length..];
        using (IDiskFile file = _disk.OpenAs().Open(path, OpenMode.ReadWrite))
        {
            file.Write("X"u8, 3);
            file.Sync();
        }

        Assert.True(_store.Verify(deep: false).GetProperty("ok").GetBoolean());
        JsonElement issue = Assert.Single(_store.Verify().GetProperty("issues").EnumerateArray());
        Assert.Equal(("file_hash_mismatch", "error", path), (issue.GetProperty("code").GetString(),
            issue.GetProperty("severity").GetString(), issue.GetProperty("file").GetString()));
        Assert.Equal("as Xt should be"u8, _disk.ReadAll(issue.GetProperty("quarantine").GetString()!));
        Assert.False(Put(session, "a.txt", data).GetProperty("existing").GetBoolean());
        Assert.Equal(data, _disk.ReadAll(path));
        Assert.True(_store.Verify().GetProperty("ok").GetBoolean());
        Assert.True(Put(session, "a.txt", data).GetProperty("existing").GetBoolean());
    }

    [Fact]
    public void Files_that_nobody_refers_to_go_after_an_hour()
    {
        Session session = _store.Create();
        string folder = Layout.LiveFolder(session.Id);
        string used = Id(Put(session, "a.txt", "used"u8)), old = Id(Put(session, "b.txt", "old"u8)),
            touched = Id(Put(session, "c.txt", "touched"u8));
        _disk.OpenAs().Open(folder + "/files/foreign", OpenMode.CreateNew).Dispose();
        _time.Advance(SessionFiles.SparedMs - 1000);
        Assert.Equal(0, SessionFiles.RemoveOrphans(_disk, folder, new HashSet<string>(), _time.NowMs));
        Put(session, "c.txt", "touched"u8); // on its way into an event again
        _time.Advance(2000);
        Assert.Equal(3, SessionFiles.RemoveOrphans(_disk, folder, new HashSet<string> { used }, _time.NowMs));
        session.GetFilePath(used);
        session.GetFilePath(touched);
        Stores.Fails(SessionStatus.NotFound, () => session.GetFilePath(old));
        Assert.NotNull(_disk.Stat(folder + "/files/foreign"));
        Assert.Equal(0, SessionFiles.RemoveOrphans(_disk, Layout.LiveFolder(_store.Create().Id),
            new HashSet<string>(), _time.NowMs));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_branch_shares_its_parents_files(bool hasLinks)
    {
        Session parent = _store.Create(), child = _store.Create();
        _disk.Capabilities = _disk.Capabilities with { HardLinks = hasLinks };
        string from = Layout.LiveFolder(parent.Id), to = Layout.LiveFolder(child.Id);
        SessionFiles.LinkAll(_disk, from, to);
        Assert.Null(_disk.Stat(to + "/files")); // there is nothing to share
        string both = Id(Put(parent, "a.txt", "both"u8)), one = Id(Put(parent, "b.txt", "one"u8));
        Put(child, "a.txt", "both"u8);
        SessionFiles.LinkAll(_disk, from, to);
        SessionFiles.LinkAll(_disk, from, to);
        DiskEntry linked = _disk.Stat(child.GetFilePath(one)["/store/".Length..])!.Value;
        Assert.Equal(hasLinks ? 2u : 1u, linked.Links);
        Assert.Equal(_time.NowMs, linked.ModifiedMs);
        parent.Delete(DeletePolicy.Orphan | DeletePolicy.NoTrash);
        Assert.Equal("one"u8, _disk.ReadAll(child.GetFilePath(one)["/store/".Length..]));
        Assert.Equal("both"u8, _disk.ReadAll(child.GetFilePath(both)["/store/".Length..]));
        for (int seed = 0; seed < 10; seed++)
        {
            FaultyDisk left = _disk.AfterPowerCut(seed);
            Assert.Equal("one"u8, left.ReadAll(child.GetFilePathOf(one, left)));
        }
    }

    private static byte[] Latin(string text) => System.Text.Encoding.Latin1.GetBytes(text);

    private static string Files(Session session) => Layout.LiveFolder(session.Id) + "/" + Layout.FilesFolder;

    private static string Id(JsonElement answer) => answer.GetProperty("file_id").GetString()!;

    private static JsonElement Put(Session session, string name, ReadOnlySpan<byte> data)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        session.PutFile(name, data, output);
        return JsonDocument.Parse(output.WrittenMemory).RootElement;
    }
}

internal static class FilesReading
{
    public static string GetFilePathOf(this Session session, string id, IDisk disk)
        => SessionFiles.Find(disk, Layout.LiveFolder(session.Id), id)!;
}
