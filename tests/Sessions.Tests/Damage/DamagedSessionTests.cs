using System.Text.Json;
using Sessions.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Damage;

/// <summary>One bad session.json among a hundred good ones: named, kept, and no harm to the others.</summary>
public sealed class DamagedSessionTests
{
    private static readonly MemoryDisk Hundred = Make();

    public static TheoryData<string, bool, bool> Kinds()
    {
        var data = new TheoryData<string, bool, bool>();
        foreach (string kind in (string[])["zeros", "half", "empty", "missing", "foreign", "not_info"])
        {
            foreach (bool index in (bool[])[true, false])
            {
                data.Add(kind, index, true);
                data.Add(kind, index, false);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void One_bad_file_among_a_hundred_is_named_and_the_others_work(string kind, bool index, bool listsFirst)
    {
        MemoryDisk disk = Hundred.Copy();
        string[] ids = Ids(disk);
        string bad = ids[41], path = Layout.LiveFolder(bad) + "/session.json";
        byte[] whole = disk.Peek(path)!;
        byte[]? damaged = kind switch
        {
            "zeros" => new byte[whole.Length],
            "half" => whole[..(whole.Length / 2)],
            "empty" => [],
            "foreign" => disk.Peek(Layout.LiveFolder(ids[40]) + "/session.json")!,
            "not_info" => "{}"u8.ToArray(),
            _ => null,
        };
        disk.Unlink(path);
        if (damaged is not null)
        {
            disk.Poke(path, damaged);
        }

        if (!index)
        {
            disk.Unlink(Layout.IndexFile);
        }

        using (SessionStore store = Stores.Open(disk.OpenAs()))
        {
            Assert.Equal(index ? 100 : listsFirst ? 99 : 100, listsFirst ? store.List().GetArrayLength() : 100);
            if (index)
            {
                Assert.Equal("Session 41", store.OpenSession(bad).Info().GetProperty("title").GetString());
            }
            else
            {
                Assert.Contains(bad, Stores.Fails(SessionStatus.Corrupt, () => store.OpenSession(bad)).Details,
                    StringComparison.Ordinal);
                Stores.Fails(SessionStatus.Corrupt, () => store.Create(bad));
            }

            JsonElement report = store.Verify();
            Assert.True(report.GetRawText().Contains(bad, StringComparison.Ordinal), report.GetRawText());
            foreach (string id in ids.Where(i => i != bad).Take(20))
            {
                Session session = store.OpenSession(id);
                Assert.Equal(2, session.Say("goes on"));
                session.UpdateTitle("works");
            }

            Session keyed = store.Create(ids[3], new SessionCreateOptions { IdempotencyKey = "k" });
            Assert.Equal(keyed.Id, store.Create(null, new SessionCreateOptions { IdempotencyKey = "k" }).Id);
            keyed.Delete();
            store.OpenSession(ids[5]).Delete(DeletePolicy.Refuse);
            Assert.Equal(2, store.Purge(long.MaxValue >> 11));
            Stores.Fails(SessionStatus.NotFound, () => store.ResolveShare(new string('A', 43)));
            if (damaged is { Length: > 0 })
            {
                Assert.Contains(disk.Paths(), p => p.StartsWith("quarantine/", StringComparison.Ordinal)
                    && disk.Peek(p)!.AsSpan().SequenceEqual(damaged));
                JsonElement kept = store.Info().GetProperty("quarantined");
                Assert.Equal(bad, kept[0].GetProperty("session_id").GetString());
            }

            store.Close();
        }

        string salvaged = Stores.Text(b => SessionStore.Salvage(Stores.Environment(disk.OpenAs()), b));
        using SessionStore after = Stores.Open(disk.OpenAs());
        Assert.Equal(1, after.OpenSession(bad).GetStat().LastSeq);
        Assert.Equal(index
            ? "Session 41" : "Recovered Session", after.OpenSession(bad).Info().GetProperty("title").GetString());
        Assert.Equal(99, after.List().GetArrayLength());
        Assert.True(index || salvaged.Contains(bad, StringComparison.Ordinal), salvaged);
        after.AssertSound();
    }

    [Fact]
    public void A_damaged_file_of_a_session_that_was_only_appended_to_recovers_from_the_index()
    {
        MemoryDisk disk = Hundred.Copy(), opening = disk.OpenAs();
        string id = Ids(disk)[7];
        SessionStore store = Stores.Open(opening);
        store.OpenSession(id).Say("two");
        opening.Kill();
        disk.Poke(Layout.LiveFolder(id) + "/session.json", new byte[300]);
        using SessionStore again = Stores.Open(disk.OpenAs());
        Assert.Equal((2, "Session 7"),
            (again.OpenSession(id).GetStat().LastSeq, again.OpenSession(id).Info().GetProperty("title").GetString()));
        Assert.Equal(2, again.OpenSession(id).Events().GetProperty("events").GetArrayLength());
        again.AssertSound();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_session_folder_that_was_removed_by_hand_stops_nobody(bool whole)
    {
        MemoryDisk disk = Hundred.Copy(), opening = disk.OpenAs();
        string[] ids = Ids(disk);
        SessionStore store = Stores.Open(opening);
        store.OpenSession(ids[5]).Say("two", AppendFlags.Relaxed);
        store.OpenSession(ids[6]).Say("two");
        store.OpenSession(ids[7]).UpdateTitle("seven");
        foreach (string id in ids[5..8])
        {
            Remove(disk, whole ? Layout.DayFolder(id) : Layout.LiveFolder(id));
        }

        store.OpenSession(ids[5]).UpdateTitle("five");
        store.OpenSession(ids[8]).UpdateTitle("eight");
        opening.Kill();
        using SessionStore again = Stores.Open(disk.OpenAs());
        Assert.Equal("five", again.OpenSession(ids[5]).Info().GetProperty("title").GetString());
        Assert.Equal("seven", again.OpenSession(ids[7]).Info().GetProperty("title").GetString());
        Session other = again.OpenSession(ids[9]);
        other.Say("goes on");
        Assert.Equal(other.GetStat().LastSeq, other.Last().GetProperty("events").EnumerateArray().Last()
            .GetProperty("seq").GetInt64());
        Assert.False(again.Verify().GetProperty("ok").GetBoolean());
    }

    private static void Remove(MemoryDisk disk, string folder)
    {
        if (disk.Stat(folder) is null)
        {
            return;
        }

        foreach (DiskName name in disk.List(folder))
        {
            if (name.IsFolder)
            {
                Remove(disk, folder + "/" + name.Name);
            }
            else
            {
                disk.Unlink(folder + "/" + name.Name);
            }
        }

        disk.RemoveFolder(folder);
    }

    [Fact]
    public void Fields_of_a_later_version_survive_byte_for_byte()
    {
        MemoryDisk disk = Hundred.Copy();
        string id = Ids(disk)[3], path = Layout.LiveFolder(id) + "/session.json";
        const string later = "\"\\u0066uture\":{\"n\":9007199254740993,\"x\":[1.0,1E+2,\"\\u00e9\"]},\"later\":null";
        string compact = System.Text.Encoding.UTF8.GetString(CheckedJson.Read(disk.Peek(path)!)!);
        var output = new Utf8Buffer();
        CheckedJson.Write(Stores.Utf8(compact[..^1] + "," + later + "}"), output);
        disk.Poke(path, output.Written);
        disk.Unlink(Layout.IndexFile);
        for (int round = 0; round < 3; round++)
        {
            using SessionStore store = Stores.Open(disk.OpenAs());
            Session session = store.OpenSession(id);
            session.UpdateTitle($"round {round}");
            session.Say("more");
            session.Delete();
            store.Restore(id);
            Assert.Contains("," + later, Stores.Text(session.WriteInfo), StringComparison.Ordinal);
            store.Close();
            Assert.Contains("," + later, System.Text.Encoding.UTF8.GetString(CheckedJson.Read(disk.Peek(path)!)!),
                StringComparison.Ordinal);
        }
    }

    private static MemoryDisk Make()
    {
        var disk = new MemoryDisk();
        using SessionStore store = Stores.Open(disk.OpenAs());
        for (int i = 0; i < 100; i++)
        {
            store.Create(null, new SessionCreateOptions { Title = $"Session {i}" }).Say("one");
        }

        return disk;
    }

    private static string[] Ids(MemoryDisk disk) => [.. FolderScan.Folders(disk).Select(f => f.Id)
        .OrderBy(i => SessionIds.TryParse(i, out long ms, out long n) ? (ms, n) : default)];
}
