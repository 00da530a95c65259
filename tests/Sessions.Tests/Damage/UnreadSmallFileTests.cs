using System.Buffers;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Damage;

/// <summary>A small file is harmed that an open store has not read yet and the journal still has: what the journal has
/// counts, and nothing that is written later is written over it.</summary>
public sealed class UnreadSmallFileTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();
    private readonly SessionStore _first;
    private readonly Session _session;
    private SessionStore? _second;

    public UnreadSmallFileTests()
    {
        _first = Stores.Open(_disk.OpenAs(), _time);
        _session = _first.Create();
        _session.Say("1");
        _session.Say("2");
    }

    public void Dispose()
    {
        _second?.Close();
        _first.Close();
    }

    public static TheoryData<string> Harms => ["cut", "empty", "removed", "folder"];

    [Theory]
    [MemberData(nameof(Harms))]
    public void A_queue_that_was_harmed_before_it_was_read_keeps_its_entries_when_one_is_added(string harm)
    {
        Queue(_session, "first");
        Queue(_session, "second");
        Session beside = OpenBeside();
        Harm(Layout.QueueFile, harm);
        Queue(beside, "third");
        Assert.Equal(["first", "second", "third"], Queued(beside));
        Assert.Equal(["first", "second", "third"], Queued(Reopened()));
    }

    [Theory]
    [MemberData(nameof(Harms))]
    public void Shares_that_were_harmed_before_they_were_read_open_after_another_one_is_made(string harm)
    {
        string first = Share(_session, 1);
        Session beside = OpenBeside();
        Harm(Layout.SharesFile, harm);
        string second = Share(beside, 2);
        Reopened();
        foreach (string secret in (string[])[first, second])
        {
            _second!.ResolveShare(secret).Dispose();
        }
    }

    [Theory]
    [MemberData(nameof(Harms))]
    public void A_log_json_that_was_harmed_before_it_was_read_keeps_hidden_what_was_hidden(string harm)
    {
        _session.Rewind(1);
        Session beside = OpenBeside();
        Harm(Layout.LogStateFile, harm);
        beside.Say("3");
        Assert.DoesNotContain("\"2\"", beside.Events().GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("\"2\"", Reopened().Events().GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Harms))]
    public void Buttons_that_were_harmed_before_they_were_read_are_offered(string harm)
    {
        _session.SetButtons("""[{"label":"Go on","response":"Go on"}]"""u8);
        Session beside = OpenBeside();
        Harm(Layout.ButtonsFile, harm);
        Assert.Contains("Go on", Stores.Text(beside.WriteButtons), StringComparison.Ordinal);
        Assert.Contains("Go on", Stores.Text(Reopened().WriteButtons), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Harms))]
    public void A_lock_json_that_was_harmed_before_it_was_read_keeps_another_writer_out(string harm)
    {
        _session.Lock(LockMode.Try);
        Session beside = OpenBeside();
        Harm(Layout.LockFile, harm);
        Stores.Fails(SessionStatus.Locked, () => beside.Lock(LockMode.Try));
        Stores.Fails(SessionStatus.Locked, () => beside.Say("3"));
        _session.Say("3");
    }

    // The files have all of it by now, and it has still to be read there.
    private Session OpenBeside()
    {
        Assert.True(_first.Engine.Checkpointer.TryRun());
        SessionStore second = _second = Stores.Open(_disk.OpenAs(), _time, processId: 4343);
        return second.OpenSession(_session.Id);
    }

    private Session Reopened()
    {
        _second!.Close();
        _first.Close();
        SessionStore third = _second = Stores.Open(_disk.OpenAs(), _time);
        third.AssertSound();
        return third.OpenSession(_session.Id);
    }

    private void Harm(string name, string how)
    {
        string path = Layout.LiveFolder(_session.Id) + "/" + name;
        byte[] present = _disk.Peek(path)!;
        switch (how)
        {
            case "cut": _disk.Poke(path, present[..(present.Length / 2)]); break;
            case "empty": _disk.Poke(path, []); break;
            default:
                _disk.Unlink(path);
                break;
        }

        if (how == "folder")
        {
            _disk.CreateFolder(path);
        }
    }

    private static void Queue(Session session, string message)
        => session.AddToQueue(Stores.Utf8($$"""{"message":"{{message}}"}"""), new ArrayBufferWriter<byte>());

    private static string[] Queued(Session session) => [.. Stores.Json(session.WriteQueue).GetProperty("entries")
        .EnumerateArray().Select(e => e.GetProperty("message").GetString()!)];

    private static string Share(Session session, long lastSeq) => Stores.Json(
        b => session.WriteShare(new SessionShareOptions { LastSeq = lastSeq }, b)).GetProperty("secret").GetString()!;
}
