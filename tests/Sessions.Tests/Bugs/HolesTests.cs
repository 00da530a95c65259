using System.Text;
using System.Text.Json;
using Sessions.Check;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>A file of a tebibyte costs its maker nothing. Each of them, in the place of any file of a store, was
/// read to its end, or asked for an array of that size.</summary>
public sealed class HolesTests : IDisposable
{
    private const long Tebibyte = 1L << 40;
    private const long BytesReadMax = 64 * 1024 * 1024;

    private readonly string _folder = Directory.CreateTempSubdirectory("sessions-holes-").FullName;
    private readonly IDisk _real;
    private readonly CountingDisk _disk;

    public HolesTests()
    {
        _real = RealDisk.Open(_folder);
        _disk = new CountingDisk(_real);
    }

    public void Dispose()
    {
        _real.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_log_with_a_tebibyte_behind_it_is_read_appended_to_and_verified()
    {
        string id = Make(s =>
        {
            s.Say("one");
            s.Say("two");
        });
        Grow(Layout.LiveFolder(id) + "/" + Layout.EventsFile, Tebibyte);
        Within(store =>
        {
            Session s = store.OpenSession(id);
            Assert.Equal(["one", "two"], Texts(s.Events()));
            Assert.Equal(["one", "two"], Texts(s.Last()));
            store.Verify();
            Assert.Equal(3, s.Say("three"));
            Assert.Equal(["one", "two", "three"], Texts(s.Events()));
            Assert.Equal(["two", "three"], Texts(s.Last(limit: 2)));
            Assert.Equal(["two"], Texts(s.Last(before: 3, limit: 1)));
        });
        Within(store => Assert.Equal(["one", "two", "three"], Texts(store.OpenSession(id).Events())));
        Assert.True(Salvage());
        Within(store => Assert.Equal(["one", "two", "three"], Texts(store.OpenSession(id).Events())));
    }

    [Fact]
    public void A_log_with_a_tebibyte_in_its_middle_keeps_what_stands_before_and_behind()
    {
        string id = Make(s =>
        {
            s.Say("one");
            s.Say("two");
            s.Say("three");
        });
        string path = Path.Combine(_folder, Layout.LiveFolder(id), Layout.EventsFile);
        byte[] bytes = File.ReadAllBytes(path);
        int line = bytes.AsSpan().IndexOf((byte)'\n') + 1;
        Grow(Layout.LiveFolder(id) + "/" + Layout.EventsFile, Tebibyte, line);
        using (FileStream file = File.OpenWrite(path))
        {
            file.Position = Tebibyte;
            file.Write("\n"u8);
            file.Write(bytes.AsSpan(line));
        }

        Within(store =>
        {
            Session s = store.OpenSession(id);
            Assert.Equal(["one", "two", "three"], Texts(s.Events()));
            Assert.Equal(["two", "three"], Texts(s.Last(limit: 2)));
            Assert.Equal(["three"], Texts(s.Events(after: 2)));
            Assert.False(store.Verify().GetProperty("ok").GetBoolean()); // the hole is a damaged line
            s.Say("four");
            Assert.Equal(["four"], Texts(s.Last(limit: 1)));
        });
    }

    [Fact]
    public void A_branch_whose_history_is_a_tebibyte_or_says_to_be_more_is_read()
    {
        string id = Make(s => s.Say("one"));
        string branch = "";
        Within(store =>
        {
            Session child = store.OpenSession(id).Fork();
            child.Say("two");
            branch = child.Id;
        });
        string state = Layout.LiveFolder(branch) + "/" + Layout.LogStateFile;
        byte[] compact = CheckedJson.Read(File.ReadAllBytes(Path.Combine(_folder, state)))!;
        using JsonDocument log = JsonDocument.Parse(compact);
        long bytes = log.RootElement.GetProperty("history")[0].GetProperty("bytes").GetInt64();
        var changed = new Utf8Buffer();
        CheckedJson.Write(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(compact)
            .Replace($"\"bytes\":{bytes}", $"\"bytes\":{1L << 62}", StringComparison.Ordinal)), changed);
        File.WriteAllBytes(Path.Combine(_folder, state), changed.ToArray());
        Within(store => Assert.Contains("two", Texts(store.OpenSession(branch).Events())));
        Grow(Layout.History(Layout.LiveFolder(branch), id), Tebibyte);
        Within(store =>
        {
            Session s = store.OpenSession(branch);
            Assert.Contains("two", Texts(s.Events()));
            Assert.Equal(["two"], Texts(s.Last(limit: 1)));
            store.Verify();
        });
    }

    [Theory]
    [InlineData("streams.json")]
    [InlineData("config.json")]
    [InlineData("index.jsonl")]
    [InlineData("journal/next.log")]
    [InlineData("session/session.json")]
    [InlineData("session/log.json")]
    [InlineData("session/shares.json")]
    [InlineData("session/lock.json")]
    [InlineData("session/queue.json")]
    [InlineData("session/action_buttons.json")]
    public void A_tebibyte_in_the_place_of_a_file_harms_that_file_alone(string name)
    {
        string other = Make(s => s.Say("other")), id = Make(s => s.Say("one"));
        string path = name.Replace("session/", Layout.LiveFolder(id) + "/", StringComparison.Ordinal);
        Grow(path, Tebibyte);
        Within(store =>
        {
            Session s = store.OpenSession(other);
            Assert.Equal(["other"], Texts(s.Events()));
            s.Say("more");
            store.List();
            store.Info();
            store.Verify();
            try
            {
                Session damaged = store.OpenSession(id);
                damaged.Info();
                damaged.Events();
                damaged.UpdateTitle("new");
            }
            catch (SessionException e) when (e.Status == SessionStatus.Corrupt)
            {
                Assert.Contains(name.Split('/')[^1], e.Details, StringComparison.Ordinal);
            }
        });
        Assert.True(Salvage());
        Within(store =>
        {
            Assert.Equal(["other", "more"], Texts(store.OpenSession(other).Events()));
            Assert.Equal(["one"], Texts(store.OpenSession(id).Events()));
        });
    }

    [Fact]
    public void A_store_file_of_a_tebibyte_is_told_and_made_anew_by_a_salvage()
    {
        string id = Make(s => s.Say("one"));
        Grow(Layout.StoreFile, Tebibyte);
        _disk.Reset();
        Stores.Fails(SessionStatus.Corrupt, () => Stores.Open(_disk));
        Assert.True(Salvage());
        Assert.InRange(_disk.BytesRead, 0, BytesReadMax);
        Within(store => Assert.Equal(["one"], Texts(store.OpenSession(id).Events())));
    }

    [Fact]
    public void A_segment_of_a_tebibyte_behind_its_frames_is_recovered_from()
    {
        string id = Crash(s => s.Say("one"));
        Grow(Segment(), Tebibyte);
        Within(store =>
        {
            Assert.Equal(["one"], Texts(store.OpenSession(id).Events()));
            Assert.False(store.Info().GetProperty("corrupt").GetBoolean());
        });
    }

    [Fact]
    public void A_segment_whose_header_is_gone_is_searched_without_reading_its_holes()
    {
        string id = Crash(s => s.Say("one"));
        string segment = Segment();
        Grow(segment, Tebibyte);
        using (FileStream file = File.OpenWrite(Path.Combine(_folder, segment)))
        {
            file.Write(new byte[SegmentHeader.Length]);
        }

        Within(store => Assert.True(store.Info().GetProperty("corrupt").GetBoolean()));
        Assert.True(Salvage());
        Within(store => Assert.Equal(["one"], Texts(store.OpenSession(id).Events())));
    }

    [Fact]
    public void Three_gigabytes_behind_a_log_are_kept_aside_in_pieces()
    {
        const long excess = 3L << 30;
        string id = Crash(s => s.Say("one"));
        string log = Layout.LiveFolder(id) + "/" + Layout.EventsFile;
        long end = new FileInfo(Path.Combine(_folder, log)).Length;
        Grow(log, end + excess);
        using (FileStream file = File.OpenWrite(Path.Combine(_folder, log)))
        {
            file.Position = end + (1L << 31) + 17;
            file.Write("an island"u8);
            file.Position = end + excess - 1;
            file.Write("!"u8);
        }

        Within(store => Assert.Equal(["one"], Texts(store.OpenSession(id).Events())));
        Assert.Equal(end, new FileInfo(Path.Combine(_folder, log)).Length);
        string kept = Assert.Single(Directory.GetFiles(Path.Combine(_folder, Layout.Quarantine), Layout.EventsFile,
            SearchOption.AllDirectories));
        using FileStream copy = File.OpenRead(kept);
        Assert.Equal(excess, copy.Length);
        copy.Position = (1L << 31) + 17;
        byte[] found = new byte[9];
        copy.ReadExactly(found);
        Assert.Equal("an island"u8.ToArray(), found);
        copy.Position = excess - 1;
        Assert.Equal('!', copy.ReadByte());
    }

    [Fact]
    public void What_is_kept_aside_is_never_in_memory_as_a_whole()
    {
        const int excess = 64 * 1024 * 1024;
        string id = Crash(s => s.Say("one"));
        string log = Path.Combine(_folder, Layout.LiveFolder(id), Layout.EventsFile);
        using (FileStream file = new(log, FileMode.Append))
        {
            file.Write(Enumerable.Repeat((byte)'x', excess).ToArray());
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Within(store => Assert.Equal(["one"], Texts(store.OpenSession(id).Events())), 4L * excess);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, excess / 2);
    }

    // What it does to a store, and that it needed no more than a bounded number of bytes for it.
    private void Within(Action<SessionStore> use, long most = BytesReadMax)
    {
        _disk.Reset();
        using (SessionStore store = Stores.Open(_disk))
        {
            use(store);
        }

        Assert.InRange(_disk.BytesRead, 0, most);
        Assert.InRange(_disk.BytesWritten, 0, most);
    }

    private bool Salvage()
    {
        _disk.Reset();
        JsonElement report = Stores.Json(b => Salvager.Run(Stores.Environment(_disk),
            new JobContext(), b));
        Assert.InRange(_disk.BytesRead, 0, BytesReadMax);
        return report.GetProperty("sessions").GetInt64() > 0;
    }

    private string Make(Action<Session> fill)
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        fill(session);
        return session.Id;
    }

    // As it is when the process is killed: the folder is copied while the store is open.
    private string Crash(Action<Session> fill)
    {
        string copy = _folder + "-copy", id;
        using (SessionStore store = Stores.Open(_disk))
        {
            Session session = store.Create();
            fill(session);
            id = session.Id;
            CopyTree(_folder, copy);
        }

        foreach (string entry in Directory.GetFileSystemEntries(_folder))
        {
            if (Directory.Exists(entry))
            {
                Directory.Delete(entry, recursive: true);
            }
            else
            {
                File.Delete(entry);
            }
        }

        CopyTree(copy, _folder);
        Directory.Delete(copy, recursive: true);
        return id;
    }

    private static void CopyTree(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }

        foreach (string folder in Directory.GetDirectories(from))
        {
            CopyTree(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }

    private string Segment() => Layout.Journal + "/" + Path.GetFileName(Directory
        .GetFiles(Path.Combine(_folder, Layout.Journal), "0*.log").Order(StringComparer.Ordinal).Last());

    private void Grow(string path, long length, long cutAt = -1)
    {
        using FileStream file = File.Open(Path.Combine(_folder, path), FileMode.OpenOrCreate, FileAccess.ReadWrite);
        try
        {
            if (cutAt >= 0)
            {
                file.SetLength(cutAt);
            }

            file.SetLength(length);
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            Assert.Skip($"The file system of temporary files takes none of that length: {e.Message}");
        }

        Assert.SkipWhen(OperatingSystem.IsWindows(), "A file has no holes there unless it is asked to.");
    }

    private static List<string> Texts(JsonElement page)
        => [.. page.GetProperty("events").EnumerateArray()
            .Where(e => e.GetProperty("type").GetString() == "user_prompt")
            .Select(e => e.GetProperty("data").GetProperty("text").GetString()!)];
}
