using System.Buffers.Binary;
using System.Text;
using Sessions.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Page;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Recovery;

/// <summary>What a recovery makes of files that are not as the journal left them.</summary>
public sealed class RecoveryTests
{
    private readonly FaultyDisk _disk = new(seed: 31);

    [Fact]
    public void An_index_from_before_the_journal_is_made_anew_from_the_folders()
    {
        SessionStore store = Stores.Open(_disk);
        store.Create(null, new SessionCreateOptions { Title = "first" });
        store.Close();
        byte[] old = _disk.Peek(Layout.IndexFile)!;
        store = Stores.Open(_disk);
        store.Create(null, new SessionCreateOptions { Title = "second" });
        store.Close();
        store = Stores.Open(_disk);
        store.Create(null, new SessionCreateOptions { Title = "third" });
        FaultyDisk left = _disk.AfterKill();
        left.Poke(Layout.IndexFile, old);
        using SessionStore again = Stores.Open(left);
        Assert.Equal(["first", "second", "third"], Titles(again));
        again.AssertSound();
    }

    [Fact]
    public void A_segment_that_somebody_died_over_while_making_it_is_removed()
    {
        SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        session.Say("one");
        FaultyDisk left = _disk.AfterKill();
        string unfinished = Layout.UnfinishedSegment("i-000000000000-segment");
        left.Poke(unfinished, new byte[4096]);
        using SessionStore again = Stores.Open(left);
        Assert.Null(left.Peek(unfinished));
        Assert.Equal(2, again.OpenSession(session.Id).Say("two"));
        again.AssertSound();
    }

    [Fact]
    public void What_stands_behind_the_last_line_is_cut_and_kept_aside()
    {
        SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        session.Say("one");
        string path = Layout.LiveFolder(session.Id) + "/" + Layout.EventsFile;
        byte[] log = _disk.Peek(path)!;
        FaultyDisk left = _disk.AfterKill();
        left.Poke(path, [.. log, .. "half a li"u8]);
        using SessionStore again = Stores.Open(left);
        Assert.Equal(log, left.Peek(path));
        Assert.Contains(left.Paths(), p => p.StartsWith("quarantine/", StringComparison.Ordinal)
            && left.Peek(p).AsSpan().SequenceEqual("half a li"u8));
        Assert.Equal(2, again.OpenSession(session.Id).Say("two"));
        again.AssertSound();
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void A_session_that_was_only_appended_to_is_counted_on_from_what_there_is(bool hasIndex, bool isForeign)
    {
        SessionStore store = Stores.Open(_disk);
        Session session = store.Create(null, new SessionCreateOptions { Title = "Cart" });
        store.Create();
        session.Say("one");
        store.Close();
        store = Stores.Open(_disk);
        store.OpenSession(session.Id).Say("two");
        FaultyDisk left = _disk.AfterKill();
        string path = Layout.LiveFolder(session.Id) + "/" + Layout.SessionFile;
        byte[] damaged = left.Peek(path)!;
        damaged[10] ^= 4;
        left.Poke(path, isForeign ? Sound("""{"x":1}""") : damaged);
        if (!hasIndex)
        {
            left.Unlink(Layout.IndexFile);
        }

        using SessionStore again = Stores.Open(left);
        if (hasIndex)
        {
            Session same = again.OpenSession(session.Id);
            Assert.Equal(("Cart", 2), (same.Info().GetProperty("title").GetString(), same.GetStat().LastSeq));
            Assert.Equal(3, same.Say("three"));
        }
        else
        {
            Stores.Fails(SessionStatus.Corrupt, () => again.OpenSession(session.Id));
            Assert.Single(Titles(again));
            again.Create();
        }
    }

    [Fact]
    public void A_journal_that_was_removed_and_is_beyond_the_index_takes_the_index_along()
    {
        SessionStore store = Stores.Open(_disk);
        store.Create(null, new SessionCreateOptions { Title = "first" });
        store.Close();
        store = Stores.Open(_disk);
        Session second = store.Create(null, new SessionCreateOptions { Title = "second" });
        long revision = second.GetStat().Revision;
        FaultyDisk left = _disk.AfterKill();
        foreach (string path in left.Paths().Where(p => p.StartsWith("journal/", StringComparison.Ordinal)))
        {
            left.Unlink(path);
        }

        using SessionStore again = Stores.Open(left);
        Assert.Equal(["first", "second"], Titles(again));
        Session same = again.OpenSession(second.Id);
        same.UpdateTitle("third");
        Assert.True(same.GetStat().Revision > revision);
        again.AssertSound();
    }

    [Fact]
    public void A_scratch_file_may_go_while_it_is_swept()
    {
        Stores.Open(_disk.OpenAs()).Dispose();
        _disk.Poke("tmp/scratch", "x"u8);
        _disk.Poke("tmp/staged/session.json", "x"u8);
        bool isGone = false;
        _disk.FailIf = o =>
        {
            if (!isGone && o is { Name: "unlink", Path: "tmp/scratch" })
            {
                isGone = true;
                _disk.OpenAs().Unlink("tmp/scratch");
            }

            return false;
        };
        using SessionStore store = Stores.Open(_disk);
        Assert.True(isGone);
        Assert.Empty(_disk.List(Layout.Temporary));
    }

    [Theory]
    [InlineData("del_99999999999999999999")]
    [InlineData("del_")]
    [InlineData("del_-1")]
    [InlineData("x_1")]
    public void A_session_file_with_an_impossible_deletion_is_damage_and_no_bug(string deletion)
    {
        SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        store.Close();
        _disk.Unlink(Layout.IndexFile);
        string path = Layout.LiveFolder(session.Id) + "/" + Layout.SessionFile;
        string compact = Encoding.UTF8.GetString(CheckedJson.Read(_disk.Peek(path)!)!);
        _disk.Poke(path, Sound(compact.Replace("\"facts\":",
            $"\"deleted_at\":1,\"deletion_id\":\"{deletion}\",\"facts\":", StringComparison.Ordinal)));
        using SessionStore again = Stores.Open(_disk);
        Stores.Fails(SessionStatus.Corrupt, () => again.OpenSession(session.Id));
        Assert.Empty(Titles(again));
        again.Create();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_page_of_another_store_is_made_anew_by_who_comes_first(bool opens)
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        session.Say("one");
        byte[] page = new byte[SharedPage.Bytes];
        BinaryPrimitives.WriteInt64LittleEndian(page, SharedState.Magic);
        BinaryPrimitives.WriteInt64LittleEndian(page.AsSpan(8), 12345);
        BinaryPrimitives.WriteInt64LittleEndian(page.AsSpan(40), 1L << 40); // published, there
        _disk.Poke(Layout.SharedPage, page);
        if (!opens)
        {
            Assert.Equal(2, session.Say("two"));
        }

        using SessionStore other = Stores.Open(_disk.OpenAs(), processId: 4343);
        Session same = other.OpenSession(session.Id);
        Assert.Equal(opens ? 2 : 3, same.Say("of the other"));
        Assert.Equal(opens ? 3 : 4, session.Say("and on"));
        Assert.Equal(session.GetStat().LastSeq, same.GetStat().LastSeq);
        Assert.True(store.Core.State.Published < 1L << 40);
        other.AssertSound();
        store.AssertSound();
    }

    [Fact]
    public void A_store_whose_file_was_moved_away_is_written_to_no_more()
    {
        SessionStore store = Stores.Open(_disk);
        store.Create();
        byte[] file = _disk.Peek(Layout.StoreFile)!;
        _disk.Poke(Layout.StoreFile, file); // another file of the same name: its locks are not ours
        Stores.Fails(SessionStatus.Io, () => store.Create());
        Assert.Single(Titles(store));
        store.Dispose();
    }

    private static byte[] Sound(string compact)
    {
        var file = new Utf8Buffer();
        CheckedJson.Write(Stores.Utf8(compact), file);
        return file.ToArray();
    }

    private static IEnumerable<string> Titles(SessionStore store)
        => store.List().EnumerateArray().Select(e => e.GetProperty("title").GetString()!).Order();
}
