using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Pruning;

/// <summary>A prune that ended before its frame leaves nothing behind.</summary>
public sealed class KilledPruneTests
{
    private readonly FaultyDisk _disk = new(seed: 26);

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_prune_that_was_killed_before_its_frame_leaves_no_file_behind(bool isCut, bool isTrashed)
    {
        SessionStore store = Stores.Open(_disk);
        Session session = Talk(store);
        _disk.FailIf = o =>
        {
            if (o.Name == "fdatasync" && o.Path.EndsWith(".new", StringComparison.Ordinal))
            {
                _disk.FailIf = null;
                _disk.KillAt = _disk.OwnChanges + 1;
            }

            return false;
        };
        Assert.ThrowsAny<Exception>(() => Prune(session));
        FaultyDisk left = isCut ? _disk.AfterPowerCut(seed: 3, new PowerCutOptions { Keep = 1 }) : _disk.AfterKill();
        Assert.Contains(left.Paths(), IsStaged);
        if (isTrashed)
        {
            left.CreateFolder("trash");
            left.CreateFolder("trash/99");
            left.Rename(Layout.LiveFolder(session.Id), Layout.Folder(session.Id, 99));
        }

        using SessionStore again = Stores.Open(left.OpenAs());
        Assert.DoesNotContain(left.Paths(), IsStaged);
        Assert.DoesNotContain(left.Paths(), p => p.StartsWith("tmp/", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_of_a_living_prune_stays_and_goes_with_it()
    {
        SessionStore store = Stores.Open(_disk), other = Stores.Open(_disk.OpenAs(), processId: 4343);
        Session session = Talk(store);
        bool isSeen = false;
        _disk.FailIf = o =>
        {
            if (!isSeen && o.Name == "fdatasync" && o.Path.EndsWith(".new", StringComparison.Ordinal))
            {
                isSeen = true;
                other.Close();
                Stores.Open(_disk.OpenAs(), processId: 4444).Close();
                Assert.Contains(_disk.Paths(), IsStaged);
            }

            return false;
        };
        Prune(session);
        Assert.True(isSeen);
        Assert.DoesNotContain(_disk.Paths(), IsStaged);
        Assert.DoesNotContain(_disk.Paths(), p => p.Contains("-prune-", StringComparison.Ordinal));
        store.AssertSound();
        store.Close();
    }

    [Theory]
    [InlineData("{id}\nevents.jsonl\n")]
    [InlineData("{id}\n../{id}/events.jsonl\n")]
    [InlineData("../{id}\nevents-i-0123456789ab-1.new\n")]
    [InlineData("{id}")]
    [InlineData("")]
    public void A_forged_mark_removes_nothing_but_itself(string content)
    {
        SessionStore store = Stores.Open(_disk);
        Session session = Talk(store);
        store.Close();
        string[] before = [.. _disk.Paths()];
        _disk.Poke("tmp/i-0123456789ab-prune-1",
            Stores.Utf8(content.Replace("{id}", session.Id, StringComparison.Ordinal)));
        Stores.Open(_disk.OpenAs()).Close();
        Assert.Equal(before, _disk.Paths());
    }

    private static bool IsStaged(string path) => path.Contains(".new", StringComparison.Ordinal)
        && path.Contains(Layout.EventsFile[..6], StringComparison.Ordinal);

    private static Session Talk(SessionStore store)
    {
        Session session = store.Create();
        for (int i = 1; i <= 6; i++)
        {
            session.Append("user_prompt", Stores.Utf8($"{{\"text\":\"{i}\"}}"), new AppendOptions { TurnId = $"t{i}" });
        }

        return session;
    }

    private static void Prune(Session session)
        => session.Prune("""{"max_events":2}"""u8, new System.Buffers.ArrayBufferWriter<byte>());
}
